#!/usr/bin/env bash
# Up to opset 12 Softmax, LogSoftmax and Hardmax take all dimensions from `axis` on
# as one (the default axis is 1); since opset 13 they work along one dimension.
# onnx 1.23.2's reference evaluator has the later meaning for every opset, so the
# rows of an older file's 3-D Softmax add up to more than 1. ONNX Runtime 1.31.1
# follows the opset. A test suite that trusts the reference breaks importers of
# older files, such as the detectors that end in a Softmax over [N, boxes, classes].
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
x = np.random.default_rng(0).standard_normal((2, 3, 4)).astype(np.float32)
seen = {}
for opset in (11, 13):
    model = helper.make_model(
        helper.make_graph(
            [helper.make_node("Softmax", ["x"], ["y"], axis=1)], "g",
            [value("x", TensorProto.FLOAT, x.shape)],
            [value("y", TensorProto.FLOAT, x.shape)]),
        opset_imports=[helper.make_opsetid("", opset)], ir_version=7)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    runs = {"ONNX Runtime": session.run(None, {"x": x})[0],
            "reference": ReferenceEvaluator(model).run(None, {"x": x})[0]}
    for name, y in runs.items():
        seen[opset, name] = round(float(y[0].sum()), 3)
        print(f"opset {opset}, {name}: the first of the batch adds up to "
              f"{seen[opset, name]}")
assert seen == {(11, "ONNX Runtime"): 1.0, (11, "reference"): 4.0,
                (13, "ONNX Runtime"): 4.0, (13, "reference"): 4.0}
END
