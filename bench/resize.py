#!/usr/bin/env python3
"""Linear Resize beside ONNX Runtime's, in float and in bytes.

    resize.py --qopt build/bin/qopt --work WORK [--rounds 60]

One Resize by 2 and by 4, half pixels, of several shapes, on one thread, inputs
and outputs bound. Bytes are DequantizeLinear, Resize, QuantizeLinear of one
encoding, which ONNX Runtime fuses to a Resize of bytes. Both are called in
turns; medians, their quotient and the largest difference are printed. Exit 1
where qopt is less than 1.2 times as fast or the results differ by more than a
rounding.
"""
import argparse
import pathlib
import subprocess
import sys
import time

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from abi import Program
from matmul_nbits import open_peer

SHAPES = [(1, 64, 32, 32), (1, 3, 112, 112), (1, 256, 16, 16), (1, 32, 60, 80)]
BAR = 1.2


def write_model(path, shape, factor, element):
    import onnx
    from onnx import TensorProto, helper
    result = [shape[0], shape[1], shape[2] * factor, shape[3] * factor]
    constants = [helper.make_tensor("scales", TensorProto.FLOAT, [4],
                                    [1, 1, factor, factor])]
    if element == "f32":
        kind = TensorProto.FLOAT
        nodes = [helper.make_node("Resize", ["x", "", "scales"], ["y"],
                                  mode="linear")]
    else:
        kind = TensorProto.UINT8 if element == "u8" else TensorProto.INT8
        constants += [
            helper.make_tensor("s", TensorProto.FLOAT, [], [0.05]),
            helper.make_tensor("z", kind, [], [128 if element == "u8" else 0])]
        nodes = [
            helper.make_node("DequantizeLinear", ["x", "s", "z"], ["d"]),
            helper.make_node("Resize", ["d", "", "scales"], ["r"],
                             mode="linear"),
            helper.make_node("QuantizeLinear", ["r", "s", "z"], ["y"])]
    info = helper.make_tensor_value_info
    graph = helper.make_graph(nodes, "g", [info("x", kind, shape)],
                              [info("y", kind, result)], constants)
    onnx.save(helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def make_input(shape, element):
    random = np.random.default_rng(0)
    if element == "f32":
        return random.normal(size=shape).astype(np.float32)
    kind = np.uint8 if element == "u8" else np.int8
    return random.integers(0, 256, shape).astype(np.uint8).view(kind)


def measure(options, shape, factor, element):
    """Medians of qopt and ONNX Runtime, and the largest difference."""
    stem = options.work / f"resize_{'x'.join(map(str, shape))}_{factor}_{element}"
    model = stem.with_suffix(".onnx")
    write_model(model, shape, factor, element)
    scheme = "float" if element == "f32" else "qdq"
    subprocess.run([str(options.qopt), "compile", str(model), "--scheme",
                    scheme, "--emit=object,header,shared", "-o", str(stem)],
                   check=True, stderr=subprocess.DEVNULL)
    x = make_input(shape, element)
    program = Program(stem)
    program.feed([x])
    peer, peer_result = open_peer(model, x)
    expected = peer_result().astype(np.float64)
    worst = np.abs(program.run()[0].reshape(expected.shape) - expected).max()
    times = [[], []]
    for _ in range(options.rounds):
        for call, values in zip((program.run, peer), times):
            start = time.perf_counter()
            call()
            values.append(time.perf_counter() - start)
    return [np.median(values) for values in times], worst


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--qopt", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--rounds", type=int, default=60)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    good = True
    for shape in SHAPES:
        for factor in (2, 4):
            for element in ("f32", "u8", "i8"):
                (own, peer), worst = measure(options, shape, factor, element)
                good &= peer >= BAR * own
                good &= worst <= (1e-5 if element == "f32" else 1)
                print(f"{'x'.join(map(str, shape)):<14} x{factor} {element}: "
                      f"qopt {own * 1e6:8.1f} us, onnxruntime "
                      f"{peer * 1e6:8.1f} us, {peer / own:5.2f}x, "
                      f"differs by {worst:.2g}", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
