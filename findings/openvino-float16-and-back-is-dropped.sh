#!/usr/bin/env bash
# OpenVINO 2026.4.1, CPU with f32 as inference precision: Cast to FLOAT16 and back
# is taken out of the graph as if it did nothing. 1e6 stays 1e6 (ONNX: infinity)
# and 0.1 keeps all its bits. A model that rounds to half precision on purpose, as
# exporters of mixed precision write it, computes other numbers.
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

x = np.array([1e6, -1e6, 0.1, 2049], np.float32)
model = make_model(
    [helper.make_node("Cast", ["x"], ["h"], to=TensorProto.FLOAT16),
     helper.make_node("Cast", ["h"], ["y"], to=TensorProto.FLOAT)],
    [value("x", TensorProto.FLOAT, x.shape)],
    [value("y", TensorProto.FLOAT, x.shape)])
seen = run(model, x=x)
with np.errstate(over="ignore"):
    half = x.astype(np.float16).astype(np.float32).tolist()
print("openvino", seen, "float16", half)
assert seen == x.tolist() and seen != half
END
