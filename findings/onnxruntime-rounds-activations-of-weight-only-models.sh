#!/usr/bin/env bash
# A float MatMul whose weight is a dequantized 8-bit constant has float activations.
# ONNX Runtime 1.31.1 with its default optimizations makes MatMulNBits of it, in which
# it rounds every row of the activations to 8 bits: the result is off by a hundredth
# of its largest element, where the same session without optimizations is exact to
# floats. No warning is given. The session's entry
# session.qdq_matmulnbits_accuracy_level, whose default means 8-bit arithmetic, turns
# it off with 1. Who compares a weight-only model with "the same model in ONNX
# Runtime" measures this rounding.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  onnx==1.23.2 onnxruntime==1.31.1 numpy==2.4.6
"$work/venv/bin/python" - "$work" <<'END'
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

value = helper.make_tensor_value_info
random = np.random.default_rng(0)
x = random.standard_normal((1, 64)).astype(np.float32)
codes = random.integers(0, 256, (64, 32), np.uint8)
model = helper.make_model(
    helper.make_graph(
        [helper.make_node("DequantizeLinear", ["codes", "scale", "zero"], ["w"]),
         helper.make_node("MatMul", ["x", "w"], ["y"])],
        "g", [value("x", TensorProto.FLOAT, x.shape)],
        [value("y", TensorProto.FLOAT, [1, 32])],
        [numpy_helper.from_array(np.asarray(v), n) for n, v in (
            ("codes", codes), ("scale", np.float32(0.01)),
            ("zero", np.uint8(103)))]),
    opset_imports=[helper.make_opsetid("", 19)], ir_version=9)
onnx.checker.check_model(model, full_check=True)
exact = x.astype(np.float64) @ ((codes.astype(np.float64) - 103) *
                                float(np.float32(0.01)))


def run(level, **entries):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    options.optimized_model_filepath = f"{sys.argv[1]}/optimized.onnx"
    options.log_severity_level = 3  # the model on disk is said to be for this CPU
    for key, entry in entries.items():
        options.add_session_config_entry(f"session.{key}", entry)
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    y = session.run(None, {"x": x})[0]
    kinds = [n.op_type for n in
             onnx.load(options.optimized_model_filepath).graph.node]
    return float(np.abs(y - exact).max() / np.abs(exact).max()), kinds


level = onnxruntime.GraphOptimizationLevel
seen = {"default": run(level.ORT_ENABLE_ALL),
        "no optimizations": run(level.ORT_DISABLE_ALL),
        "accuracy level 1": run(level.ORT_ENABLE_ALL,
                                qdq_matmulnbits_accuracy_level="1")}
for name, (error, kinds) in seen.items():
    print(f"{name}: {' '.join(kinds)}, off by {error:.1e} of the largest")
assert seen["default"][0] > 1e-3 and "MatMulNBits" in seen["default"][1]
assert seen["no optimizations"][0] < 1e-6 and seen["accuracy level 1"][0] < 1e-6
END
