#!/usr/bin/env bash
# FLOAT8E8M0 (the shared exponent of microscaling formats) has no sign. What a
# negative number becomes: onnx 1.23.2's reference evaluator drops the sign (-3 is
# 4), ONNX Runtime 1.31.1 takes the smallest scale (2^-127), ml_dtypes 0.6.0 says
# NaN. ml_dtypes also makes NaN of 0, which both others make 2^-127. A scale that is
# computed as max instead of max(abs) is wrong three ways and in one of them
# unnoticed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  onnx==1.23.2 onnxruntime==1.31.1 ml_dtypes==0.6.0 numpy==2.4.6
"$work/venv/bin/python" - <<'END'
import numpy as np
import onnx
from onnx import TensorProto, helper


def make_model(nodes, inputs, outputs, constants=(), opset=21, domains=()):
    graph = helper.make_graph(nodes, "g", inputs, outputs, list(constants))
    opsets = [helper.make_opsetid("", opset)]
    opsets += [helper.make_opsetid(name, 1) for name in domains]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=11)
    onnx.checker.check_model(model)
    return model.SerializeToString()


value = helper.make_tensor_value_info

import onnxruntime


def run(model, **feeds):
    return onnxruntime.InferenceSession(model).run(None, feeds)[0].tolist()

import ml_dtypes
from onnx.reference import ReferenceEvaluator

x = np.array([3, -3, -1, 0], np.float32)
model = make_model(
    [helper.make_node("Cast", ["x"], ["q"], to=TensorProto.FLOAT8E8M0),
     helper.make_node("Cast", ["q"], ["y"], to=TensorProto.FLOAT)],
    [value("x", TensorProto.FLOAT, x.shape)],
    [value("y", TensorProto.FLOAT, x.shape)], opset=24)
reference = ReferenceEvaluator(onnx.load_from_string(model))
seen = {"reference": reference.run(None, {"x": x})[0].tolist(),
        "onnxruntime": run(model, x=x),
        "ml_dtypes": x.astype(ml_dtypes.float8_e8m0fnu).astype(
            np.float32).tolist()}
for name, row in seen.items():
    print(name, row)
least = 2.0**-127
assert seen["reference"] == [4, 4, 1, least]
assert seen["onnxruntime"] == [4, least, least, least]
assert seen["ml_dtypes"][0] == 4 and np.isnan(seen["ml_dtypes"][1:]).all()
END
