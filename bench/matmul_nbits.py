#!/usr/bin/env python3
"""One product with 4-bit weights in groups, beside ONNX Runtime's MatMulNBits.

    matmul_nbits.py --qopt build/bin/qopt --work WORK [--size 4096 --group 128]

The same float weights, rounded to 4 bits by group on both sides, times one row
of floats on one thread. qopt rounds the row to 8 bits at run time
(`qg.dynamic_matmul`), MatMulNBits does so by accuracy_level 4. Both are called
in turns; medians and the error against double arithmetic are printed. Exit 1
where qopt is slower.
"""
import argparse
import pathlib
import subprocess
import sys
import time

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from abi import Program


def blob(array):
    """A resource of an MLIR file: its alignment, then its bytes."""
    return '"0x04000000' + array.tobytes().hex().upper() + '"'


def write_module(path, codes, scales, group):
    n, k = codes.shape
    weight = (f"tensor<{n}x{k}x!qg.q<si4, axis = 0, group = {group}, "
              f"dense_resource<s> : tensor<{scales.size}xf32>>>")
    path.write_text(f"""
func.func @main(%x: tensor<1x{k}xf32> {{qg.name = "x"}})
    -> (tensor<1x{n}xf32> {{qg.name = "y"}}) {{
  %w = qg.constant dense_resource<w> : tensor<{n}x{k}xi8> -> {weight}
  %y = qg.dynamic_matmul %x, %w transpose_rhs
     : (tensor<1x{k}xf32>, {weight}) -> tensor<1x{n}xf32>
  return %y : tensor<1x{n}xf32>
}}
{{-# dialect_resources: {{ builtin: {{
  w: {blob(codes)}, s: {blob(scales)} }} }} #-}}
""")


def write_peer(path, codes, scales, group):
    import onnx
    from onnx import TensorProto, helper
    n, k = codes.shape
    stored = (codes + 8).astype(np.uint8).reshape(n, k // group, group)
    packed = stored[..., 0::2] | stored[..., 1::2] << 4
    node = helper.make_node(
        "MatMulNBits", ["x", "w", "s"], ["y"], domain="com.microsoft", K=k, N=n,
        bits=4, block_size=group, accuracy_level=4)
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        [node], "g", [info("x", TensorProto.FLOAT, [1, k])],
        [info("y", TensorProto.FLOAT, [1, n])],
        [helper.make_tensor("w", TensorProto.UINT8, packed.shape,
                            packed.tobytes(), raw=True),
         helper.make_tensor("s", TensorProto.FLOAT, [scales.size],
                            scales.tobytes(), raw=True)])
    opsets = [helper.make_opsetid("", 17),
              helper.make_opsetid("com.microsoft", 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9),
              path)


def open_peer(path, x):
    import onnxruntime as ort
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(str(path), options,
                                   providers=["CPUExecutionProvider"])
    binding = session.io_binding()
    binding.bind_cpu_input("x", x)
    binding.bind_output("y")
    return lambda: session.run_with_iobinding(binding), \
        lambda: session.run(None, {"x": x})[0]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--qopt", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--size", type=int, default=4096)
    parser.add_argument("--group", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=200)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    size, group = options.size, options.group
    random = np.random.default_rng(0)
    weight = random.normal(size=(size, size // group, group))
    scales = (np.abs(weight).max(-1) / 7).astype(np.float32)
    codes = np.clip(np.rint(weight / scales[..., None]), -8, 7)
    codes = codes.astype(np.int8).reshape(size, size)
    x = random.normal(size=(1, size)).astype(np.float32)
    exact = ((codes.reshape(weight.shape) * scales[..., None].astype(float))
             .reshape(size, size) @ x[0].astype(float))

    stem = options.work / "nbits"
    write_module(stem.with_suffix(".mlir"), codes, scales, group)
    write_peer(stem.with_suffix(".onnx"), codes, scales, group)
    subprocess.run([str(options.qopt), "compile",
                    str(stem.with_suffix(".mlir")), "--scheme", "qdq",
                    "--emit=object,header,shared", "-o", str(stem)],
                   check=True, stderr=subprocess.DEVNULL)
    program = Program(stem)
    program.feed([x])
    peer, peer_result = open_peer(stem.with_suffix(".onnx"), x)
    calls = {"qopt": program.run, "onnxruntime": peer}
    results = {"qopt": program.run()[0].copy(), "onnxruntime": peer_result()}
    times = {name: [] for name in calls}
    for _ in range(options.rounds):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - start)
    for name, values in times.items():
        error = results[name].reshape(-1) - exact
        sqnr = 10 * np.log10((exact ** 2).sum() / (error ** 2).sum())
        print(f"{name:<12} median {np.median(values) * 1e6:7.1f} us  least "
              f"{min(values) * 1e6:7.1f} us  {sqnr:5.1f} dB")
    ratio = np.median(times["onnxruntime"]) / np.median(times["qopt"])
    print(f"{size}x{size} g{group}: qopt is {ratio:.2f}x as fast")
    return 0 if ratio >= 1 else 1


if __name__ == "__main__":
    sys.exit(main())
