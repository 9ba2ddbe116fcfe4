#!/usr/bin/env python3
"""Products with weights that the file stores, beside ONNX Runtime.

    weight_only.py --qopt build/bin/qopt --work WORK [--size 2048]

One product of `--rows` rows with a square matrix, on one thread, for weights of
8, 4 and 2 bits, per tensor, per channel (DequantizeLinear and MatMul) and per
block (MatMulNBits). `float`: activations stay floats, on ONNX Runtime's side by
accuracy level 1 or by floats that a session folds, whichever is fastest;
`rows`: they are rounded at run time (`--scheme w8a8-dyn`), by accuracy level 4
there. Both are called in turns: medians, their ratio, the error of both
against the product in doubles, and the bytes of the object's weights beside
those of the file. Exit 1 where a bar is missed: 1.2 times the speed,
1.05 for 128 rows of floats, and no more bytes.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import time

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from abi import Program

TYPES = {8: TensorProto.INT8, 4: TensorProto.INT4, 2: TensorProto.INT2}
LEVEL = "session.qdq_matmulnbits_accuracy_level"
SESSIONS = {  # of a file with DequantizeLinear
    "float": [{LEVEL: "1"}, {"session.disable_quant_qdq": "1"}],
    "rows": [{}, {LEVEL: "4"}],
}


def make_model(nodes, tensors, rows, size):
    info = lambda name: helper.make_tensor_value_info(
        name, TensorProto.FLOAT, [rows, size])
    graph = helper.make_graph(nodes, "g", [info("x")], [info("y")], tensors)
    return helper.make_model(graph, ir_version=13, opset_imports=[
        helper.make_opsetid("", 25), helper.make_opsetid("com.microsoft", 1)])


def pack(codes, bits):
    """Codes along the last dimension into bytes, low bits first."""
    per = 8 // bits
    return sum(codes[..., i::per] << (i * bits)
               for i in range(per)).astype(np.uint8)


def make_blocked(random, options, bits, block, mode):
    """MatMulNBits without zero points, and its weight."""
    size, groups = options.size, options.size // block
    codes = random.integers(0, 1 << bits, (size, groups, block))
    scales = (.01 + .01 * random.random((size, groups))).astype(np.float32)
    tensors = [numpy_helper.from_array(pack(codes, bits), "w"),
               numpy_helper.from_array(scales.reshape(-1), "s")]
    node = helper.make_node(
        "MatMulNBits", ["x", "w", "s"], ["y"], domain="com.microsoft", K=size,
        N=size, bits=bits, block_size=block,
        accuracy_level=4 if mode == "rows" else 0)
    real = (codes - (1 << (bits - 1))) * scales[..., None].astype(float)
    return [node], tensors, real.reshape(size, size).T


def make_plain(random, options, bits, layout):
    """DequantizeLinear in front of MatMul."""
    size, low = options.size, -(1 << (bits - 1))
    codes = random.integers(low, -low, (size, size))
    scales = np.float32(.01)
    if layout == "channel":
        scales = (.01 + .01 * random.random(size)).astype(np.float32)
    stored = pack(codes.reshape(-1, 8 // bits) & ((1 << bits) - 1), bits)
    tensors = [helper.make_tensor("q", TYPES[bits], codes.shape,
                                  stored.tobytes(), raw=True),
               numpy_helper.from_array(np.asarray(scales), "s")]
    nodes = [helper.make_node("DequantizeLinear", ["q", "s"], ["w"], axis=1),
             helper.make_node("MatMul", ["x", "w"], ["y"])]
    return nodes, tensors, codes * scales.astype(float)


def open_session(path, entries, x):
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    for key, value in entries.items():
        options.add_session_config_entry(key, value)
    session = ort.InferenceSession(str(path), options,
                                   providers=["CPUExecutionProvider"])
    binding = session.io_binding()
    binding.bind_cpu_input("x", x)
    binding.bind_output("y")
    session.run_with_iobinding(binding)
    return (lambda: session.run_with_iobinding(binding),
            lambda: binding.copy_outputs_to_cpu()[0])


def measure(calls, seconds):
    """Medians of calls in turns."""
    times = {name: [] for name in calls}
    start = time.perf_counter()
    while time.perf_counter() - start < seconds or len(times[name]) < 7:
        for name, call in calls.items():
            before = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - before)
    return {name: np.median(values) for name, values in times.items()}


def sqnr(exact, got):
    error = got.astype(float) - exact
    return 10 * np.log10((exact ** 2).sum() / max((error ** 2).sum(), 1e-300))


def run_case(options, bits, layout, mode, rows):
    random = np.random.default_rng(0)
    if isinstance(layout, int):
        nodes, tensors, weight = make_blocked(random, options, bits, layout,
                                              mode)
        sessions = [{}]
    else:
        nodes, tensors, weight = make_plain(random, options, bits, layout)
        sessions = SESSIONS[mode]
    # A name of its own: a library that is loaded once stays loaded.
    name = f"product_{bits}_{layout}_{mode}_{rows}"
    path = options.work / f"{name}.onnx"
    onnx.save(make_model(nodes, tensors, rows, options.size), path)
    scheme = "float" if mode == "float" else "w8a8-dyn"
    stem = options.work / name
    subprocess.run([str(options.qopt), "compile", str(path), "--scheme", scheme,
                    "--emit=object,header,shared", "-o", str(stem)], check=True,
                   stderr=subprocess.DEVNULL)
    manifest = json.loads((options.work / f"{name}.qopt" /
                           "manifest.json").read_text())
    held = path.stat().st_size
    x = random.standard_normal((rows, options.size)).astype(np.float32)
    exact = x.astype(float) @ weight
    program = Program(stem)
    program.feed([x])
    peers = [open_session(path, entries, x) for entries in sessions]
    # The fastest session of the file is what counts.
    if len(peers) > 1:
        least = measure({i: p[0] for i, p in enumerate(peers)},
                        options.seconds / 2)
        peers = [peers[min(least, key=least.get)]]
    times = measure({"qopt": program.run, "peer": peers[0][0]},
                    options.seconds)
    ratio = times["peer"] / times["qopt"]
    bar = 1.05 if mode == "float" and rows > 1 else 1.2
    passes = ratio >= bar and manifest["weights_bytes"] <= held
    print(f"{bits} bits  {str(layout):<8}{mode:<6}{rows:>4} rows  qopt "
          f"{times['qopt'] * 1e3:8.3f} ms  ONNX Runtime "
          f"{times['peer'] * 1e3:8.3f} ms  {ratio:6.2f}x (bar {bar})  "
          f"{sqnr(exact, program.run()[0]):6.1f} and "
          f"{sqnr(exact, peers[0][1]()):6.1f} dB  weights "
          f"{manifest['weights_bytes']} of {held} bytes"
          f"{'' if passes else '  MISSED'}", flush=True)
    return passes


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--qopt", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--size", type=int, default=2048)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--bits", type=int, nargs="*", default=[8, 4, 2])
    parser.add_argument("--layouts", nargs="*",
                        default=["tensor", "channel", "32", "64", "128"])
    parser.add_argument("--modes", nargs="*", default=["float", "rows"])
    parser.add_argument("--rows", type=int, nargs="*", default=[1, 128])
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    results = [run_case(options, bits, int(layout) if layout.isdigit()
                        else layout, mode, rows)
               for rows in options.rows for mode in options.modes
               for bits in options.bits for layout in options.layouts]
    print(f"{sum(results)} of {len(results)} pass")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
