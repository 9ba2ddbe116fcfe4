#!/usr/bin/env bash
# ONNX Runtime 1.31.1: Cast of floats to 4 and 2 bits rounds, halves away from
# zero; Cast to 8 bits and more cuts off, as the specification of Cast says and as
# the reference evaluator of onnx 1.23.2 does for every width. A graph that rounds
# by Floor, Ceil or Round in front of Cast is safe; one that relies on the cut is
# up to one level off as soon as its integers become INT4.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  onnx==1.23.2 onnxruntime==1.31.1 numpy==2.4.6
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

from onnx.reference import ReferenceEvaluator

x = np.array([-2.5, -1.5, -0.6, -0.5, 0.4, 0.5, 1.5, 2.5, 6.9], np.float32)
seen = {}
for kind in ("INT8", "INT4", "UINT4", "INT2"):
    model = make_model(
        [helper.make_node("Cast", ["x"], ["q"], to=getattr(TensorProto, kind)),
         helper.make_node("Cast", ["q"], ["y"], to=TensorProto.FLOAT)],
        [value("x", TensorProto.FLOAT, x.shape)],
        [value("y", TensorProto.FLOAT, x.shape)], opset=25)
    reference = ReferenceEvaluator(onnx.load_from_string(model))
    seen[kind] = run(model, x=x), reference.run(None, {"x": x})[0].tolist()
    print(kind, "onnxruntime", seen[kind][0], "reference", seen[kind][1])
cut = [-2, -1, 0, 0, 0, 0, 1, 2, 6]
assert seen["INT8"] == (cut, cut)
assert seen["INT4"] == ([-3, -2, -1, -1, 0, 1, 2, 3, 7], cut)
assert seen["UINT4"][0] == [13, 14, 15, 15, 0, 1, 2, 3, 7]
assert seen["INT2"][0] == [1, -2, -1, -1, 0, 1, -2, -1, -1]
END
