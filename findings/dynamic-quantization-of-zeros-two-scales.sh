#!/usr/bin/env bash
# DynamicQuantizeLinear of a tensor that is all zeros: the operator's formula divides
# 0 by 0 for the zero point, and leaves the scale 0. Neither implementation follows:
# ONNX Runtime 1.31.1 gives a scale of 1, onnx 1.23.2's reference evaluator 1/255.
# The bytes are equal, so a product of them is, too; who compares scales, or divides
# by them, sees two networks.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  onnx==1.23.2 onnxruntime==1.31.1 numpy==2.4.6
"$work/venv/bin/python" - <<'END'
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

value = helper.make_tensor_value_info
model = helper.make_model(
    helper.make_graph(
        [helper.make_node("DynamicQuantizeLinear", ["x"], ["y", "scale", "zero"])],
        "g", [value("x", TensorProto.FLOAT, [3])],
        [value("y", TensorProto.UINT8, [3]), value("scale", TensorProto.FLOAT, []),
         value("zero", TensorProto.UINT8, [])]),
    opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
onnx.checker.check_model(model)
feeds = {"x": np.zeros(3, np.float32)}
seen = {
    "onnxruntime": onnxruntime.InferenceSession(
        model.SerializeToString()).run(None, feeds),
    "reference": ReferenceEvaluator(model).run(None, feeds)}
for name, (y, scale, zero) in seen.items():
    print(name, "bytes", y.tolist(), "scale", float(scale), "zero point", int(zero))
    assert not y.any() and zero == 0
assert seen["onnxruntime"][1] == 1
assert seen["reference"][1] == np.float32(1 / 255)
END
