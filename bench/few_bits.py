#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Do networks of few bits give on every route what QONNX's own execution gives?

    few_bits.py --qopt build/bin/qopt --qonnx PYTHON --work DIR [--samples N]

PYTHON is one with qonnx and onnxruntime (pip install qonnx onnxruntime). Two
networks with random weights: an MLP of 1-bit weights and activations with
normalizations (`mlp`: equal classes), and one for super-resolution of 4 bits
with a shuffle of pixels at its end (`espcn`: equal pixels; `espcn8`: with 8 bits
in its first layer and normalizations). Object, C and C
simulation of the FPGA project; the latter against the interpreter, which the
object has to equal in each bit. Exit status 1 where a bar is missed.
"""
import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np

BENCH = Path(__file__).resolve().parent
sys.path[:0] = [str(BENCH), str(BENCH / "coverage")]

#: Largest part of classes, or of pixels, that may differ.
BARS = {"mlp": 0.0, "espcn": 0.001, "espcn8": 0.001}


def build_mlp(n, batch, features=64, width=64, classes=10):
    from graph import QONNX
    one = n.constant(np.float32(1))

    def dense(x, into, out):
        w = n.op("BipolarQuant", n.constant(n.normal(into, out)), one,
                 domain=QONNX)
        return n.norm(n.op("MatMul", x, w), out)
    x = n.quant(n.input([batch, features]), 1 / 128, 8)
    x = n.op("BipolarQuant", dense(x, features, width), one, domain=QONNX)
    x = n.op("BipolarQuant", dense(x, width, width), one, domain=QONNX)
    # One scale for all classes, which a header can tell; offsets differ.
    w = n.op("BipolarQuant", n.constant(n.normal(width, classes)), one,
             domain=QONNX)
    n.output(n.op("BatchNormalization", n.op("MatMul", x, w),
                  *(n.constant(row) for row in (
                      np.full(classes, 0.7), n.normal(classes),
                      n.normal(classes), np.full(classes, 3.0)))))
    return [batch, classes]


def build_espcn(n, batch, widths=(16, 8), first_bits=4,
                norm=lambda x, channels: x):
    size, factor, (wide, narrow) = 16, 2, widths
    x = n.quant(n.input([batch, 1, size, size], low=0.0), 1 / 255, 8, signed=0)
    for into, channels, kernel in ((wide, 1, 5), (narrow, wide, 3),
                                   (factor ** 2, narrow, 3)):
        bits = first_bits if channels == 1 else 4
        w = n.quant(n.constant(n.normal(into, channels, kernel, kernel,
                                        scale=0.2)), 2.0 ** -bits, bits,
                    narrow=1)
        b = n.constant(n.normal(into, scale=0.3))
        x = n.op("Conv", x, w, b, kernel_shape=[kernel] * 2,
                 pads=[kernel // 2] * 4)
        if channels != narrow:
            x = n.quant(n.relu(norm(x, into)), 0.1, 4, signed=0)
    x = n.quant(x, 1 / 16, 8)
    n.output(n.op("DepthToSpace", x, blocksize=factor))
    return [batch, 1, size * factor, size * factor]


def build_espcn8(n, batch):
    """As published ones: weights of 8 bits in the first layer, and
    normalizations."""
    return build_espcn(n, batch, (64, 48), first_bits=8, norm=n.norm)


BUILD = {"mlp": build_mlp, "espcn": build_espcn, "espcn8": build_espcn8}


def run_qonnx(model, data, result):
    """In the other Python: its own execution, node by node."""
    import onnx
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.core.onnx_exec import execute_onnx
    from qonnx.transformation.infer_shapes import InferShapes
    wrapped = ModelWrapper(onnx.load(model)).transform(InferShapes())
    x = np.load(data)
    results = execute_onnx(wrapped, {wrapped.graph.input[0].name:
                                     x.reshape(-1, *x.shape[2:])})
    np.save(result, results[wrapped.graph.output[0].name])


def run(*command, **options):
    done = subprocess.run([str(part) for part in command], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          **options)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}")
    return done.stdout


def run_object(qopt, folder, *options):
    run(qopt, "run", folder / "object", *options, "-q", "--input",
        f"x=@{folder}/x.npy", "-o", f"@{folder}/y.npy")
    return np.load(folder / "y.npy")


def run_c(qopt, folder, x):
    from coverage import read_ports
    code = folder / "c"
    run(qopt, "compile", folder / "model.onnx", "--scheme", "qdq", "--emit=c",
        "--outputs=quantized", "-o", f"{code}/", "-q")
    symbol = json.loads((code / "manifest.json").read_text())["symbol"]
    read, write = read_ports((code / f"{symbol}.h").read_text())
    (code / "in.bin").write_bytes(read.store(x).tobytes())
    run("gcc", "-std=c99", "-O2", f"{symbol}.c", "main.c", "-o", "program",
        cwd=code)
    run("./program", "in.bin", "out.bin", cwd=code)
    stored = np.fromfile(code / "out.bin", write.dtype)
    return write.read(stored.reshape([-1, *write.shape]))


def simulate(qopt, folder, vectors):
    code = folder / "hls"
    run(qopt, "compile", folder / "model.onnx", "--scheme", "qdq", "--emit=hls",
        "--target=xc7z020", "--vectors", vectors, "--symbol-prefix", "top", "-o",
        f"{code}/", "-q")
    text = run("make", "-C", code, "csim", "CXXFLAGS=-O1 -std=c++14 -w")
    return next(line for line in text.splitlines() if "mismatches" in line)


def differ(name, want, got):
    """The part of classes, or of pixels, that differs."""
    if name == "mlp":
        want, got = want.argmax(-1), got.argmax(-1)
    else:
        want, got = np.rint(want * 16), np.rint(got * 16)
    return float(np.mean(want.reshape(-1) != got.reshape(-1)))


def write_model(name, batch, path):
    """The same weights whatever the batch."""
    import onnx
    from graph import Net
    net = Net(name)
    shape = BUILD[name](net, batch)
    model = net.model()
    # The reference wants to be told.
    model.graph.output[0].CopyFrom(onnx.helper.make_tensor_value_info(
        net.outputs[0], onnx.TensorProto.FLOAT, shape))
    onnx.save(model, path)
    return net


def measure(name, arguments):
    folder = Path(arguments.work).resolve() / name
    folder.mkdir(parents=True, exist_ok=True)
    count = arguments.samples if name == "mlp" else arguments.samples // 100
    # Node by node, the reference takes 60 ms for anything: all at once.
    write_model(name, count, folder / "all.onnx")
    x = write_model(name, 1, folder / "model.onnx").samples(count)["x"]
    np.save(folder / "x.npy", x)
    run(arguments.qonnx, __file__, "--run", folder / "all.onnx",
        folder / "x.npy", folder / "qonnx.npy")
    want = np.load(folder / "qonnx.npy")
    run(arguments.qopt, "compile", folder / "model.onnx", "--scheme", "qdq",
        "--emit=object,header,shared", "-o", folder / "object", "-q")
    got = run_object(arguments.qopt, folder)
    exact = run_object(arguments.qopt, folder, "--reference")
    c = run_c(arguments.qopt, folder, x)
    vectors = simulate(arguments.qopt, folder, arguments.vectors)
    rows = {"object": differ(name, want, got),
            "interpreter": differ(name, want, exact), "c": differ(name, want, c)}
    bits = int(np.sum(got.view(np.uint32) != exact.view(np.uint32)))
    for route, part in rows.items():
        print(f"{name:6} {route:12} {100 * part:7.4f} % of {len(x)} samples' "
              f"{'classes' if name == 'mlp' else 'pixels'} differ from qonnx")
    print(f"{name:6} object       {bits} elements differ from the interpreter")
    print(f"{name:6} hls          {vectors}")
    return max(rows.values()) <= BARS[name] and not bits and \
        " 0 mismatches" in vectors


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--qopt", default="qopt")
    parser.add_argument("--qonnx", help="a Python with qonnx")
    parser.add_argument("--work")
    parser.add_argument("--only", nargs="+", default=list(BUILD),
                        choices=list(BUILD))
    parser.add_argument("--samples", type=int, default=10000)
    parser.add_argument("--vectors", type=int, default=1000)
    parser.add_argument("--run", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.run:
        return run_qonnx(*arguments.run)
    # All of them, whatever the first one says.
    results = [measure(name, arguments) for name in arguments.only]
    sys.exit(not all(results))


if __name__ == "__main__":
    main()
