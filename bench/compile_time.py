#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How the time of `qopt check` and `qopt compile` grows with the number of nodes:
seconds of CPU for generated chains of convolutions and of transformer blocks.

  bench/compile_time.py --qopt build/bin/qopt [--nodes 2500 5000 10000]
"""
import argparse
import pathlib
import resource
import subprocess
import tempfile

import numpy as np
from onnx import TensorProto, helper, numpy_helper


class Builder:
    def __init__(self):
        self.rng = np.random.default_rng(0)
        self.nodes, self.constants = [], []

    def constant(self, array):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def weight(self, *shape):
        values = self.rng.normal(size=shape) / np.sqrt(shape[0])
        return self.constant(values.astype(np.float32))

    def op(self, kind, *inputs, **attributes):
        name = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def model(self, shape, result):
        graph = helper.make_graph(
            self.nodes, "g",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info(result, TensorProto.FLOAT, shape)],
            self.constants)
        return helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def convolutions(nodes):
    """Conv, Add, Relu, with residuals."""
    b, x = Builder(), "x"
    while len(b.nodes) < nodes:
        y = b.op("Conv", x, b.weight(16, 16, 3, 3), pads=[1] * 4)
        x = b.op("Relu", b.op("Add", y, x))
    return b.model([1, 16, 8, 8], x)


def normalize(b, x, width):
    """LayerNormalization in the nine nodes of older exporters."""
    centred = b.op("Sub", x, b.op("ReduceMean", x, axes=[-1]))
    variance = b.op("ReduceMean", b.op("Mul", centred, centred), axes=[-1])
    deviation = b.op("Sqrt", b.op("Add", variance,
                                  b.constant(np.float32(1e-5))))
    y = b.op("Mul", b.op("Div", centred, deviation), b.weight(width))
    return b.op("Add", y, b.weight(width))


def linear(b, x, inner, outer):
    return b.op("Add", b.op("MatMul", x, b.weight(inner, outer)),
                b.weight(outer))


def transformer(nodes, width=32, tokens=8, heads=2):
    b, x = Builder(), "x"
    size = width // heads
    while len(b.nodes) < nodes:
        y = normalize(b, x, width)
        parts = []
        for order in ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]):
            shape = b.constant(np.int64([1, tokens, heads, size]))
            split = b.op("Reshape", linear(b, y, width, width), shape)
            parts.append(b.op("Transpose", split, perm=order))
        scores = b.op("Mul", b.op("MatMul", parts[0], parts[1]),
                      b.constant(np.float32(size ** -0.5)))
        y = b.op("MatMul", b.op("Softmax", scores, axis=-1), parts[2])
        y = b.op("Reshape", b.op("Transpose", y, perm=[0, 2, 1, 3]),
                 b.constant(np.int64([1, tokens, width])))
        x = b.op("Add", x, linear(b, y, width, width))
        y = linear(b, normalize(b, x, width), width, 2 * width)
        erf = b.op("Erf", b.op("Div", y, b.constant(np.float32(2 ** 0.5))))
        gate = b.op("Add", erf, b.constant(np.float32(1)))
        y = b.op("Mul", b.op("Mul", y, gate), b.constant(np.float32(0.5)))
        x = b.op("Add", x, linear(b, y, 2 * width, width))
    return b.model([1, tokens, width], x)


def seconds(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--qopt", default="build/bin/qopt")
    parser.add_argument("--nodes", type=int, nargs="+",
                        default=[2500, 5000, 10000])
    parser.add_argument("--only", choices=["check", "compile"])
    options = parser.parse_args()
    print("network          nodes   check  growth  compile  growth")
    with tempfile.TemporaryDirectory() as folder:
        for build in (convolutions, transformer):
            last = {}
            for nodes in options.nodes:
                model = build(nodes)
                path = pathlib.Path(folder) / "m.onnx"
                path.write_bytes(model.SerializeToString())
                row = f"{build.__name__:<14} {len(model.graph.node):>7}"
                for verb, more in (("check", []),
                                   ("compile", ["-o", folder + "/m"])):
                    if options.only not in (None, verb):
                        continue
                    now = seconds([options.qopt, verb, str(path), *more])
                    growth = f"{now / last[verb]:.2f}x" if verb in last else ""
                    row += f" {now:>6.1f}s {growth:>7}"
                    last[verb] = now
                print(row, flush=True)


if __name__ == "__main__":
    main()
