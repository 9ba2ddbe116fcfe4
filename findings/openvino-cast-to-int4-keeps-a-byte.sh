#!/usr/bin/env bash
# OpenVINO 2026.4.1, CPU: what Cast makes of a float for INT4 and UINT4 is an 8-bit
# number. 127 comes back as 127 and not as the -1 of its low four bits; halves are
# rounded away from zero, where the specification cuts off. So Cast to INT4 bounds
# nothing there, and the same file has other values in a runtime that packs.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  onnx==1.23.2 openvino==2026.4.1 numpy==2.4.6
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

import openvino


def run(model, **feeds):
    core = openvino.Core()
    code = core.compile_model(core.read_model(model), "CPU",
                              {"INFERENCE_PRECISION_HINT": "f32"})
    return code(feeds)[0].tolist()

x = np.array([-2.5, 0.5, 7, 8, 44, 127, 255, 300], np.float32)
seen = {}
for kind in ("INT8", "INT4", "UINT4"):
    model = make_model(
        [helper.make_node("Cast", ["x"], ["q"], to=getattr(TensorProto, kind)),
         helper.make_node("Cast", ["q"], ["y"], to=TensorProto.FLOAT)],
        [value("x", TensorProto.FLOAT, x.shape)],
        [value("y", TensorProto.FLOAT, x.shape)])
    seen[kind] = run(model, x=x)
    print(kind, seen[kind])
assert seen["INT8"] == [-2, 0, 7, 8, 44, 127, -1, 44]
assert seen["INT4"] == [-3, 1, 7, 8, 44, 127, -1, 44]
assert seen["UINT4"] == [253, 1, 7, 8, 44, 127, 255, 44]
END
