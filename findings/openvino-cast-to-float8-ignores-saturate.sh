#!/usr/bin/env bash
# OpenVINO 2026.4.1, CPU: Cast to FLOAT8 has the attribute saturate, 1 unless said
# otherwise, and ONNX then gives the largest number for what is too large.
# OpenVINO gives NaN (E4M3FN) and infinity (E5M2) whether saturate is 0, 1 or left
# out: one activation beyond 464 turns everything behind it into NaN.
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

x = np.array([0.1, 448, 480, 1e6, -1e6], np.float32)
seen = {}
for kind in ("FLOAT8E4M3FN", "FLOAT8E5M2"):
    for saturate in (None, 0, 1):
        extra = {} if saturate is None else {"saturate": saturate}
        model = make_model(
            [helper.make_node("Cast", ["x"], ["q"],
                              to=getattr(TensorProto, kind), **extra),
             helper.make_node("Cast", ["q"], ["y"], to=TensorProto.FLOAT)],
            [value("x", TensorProto.FLOAT, x.shape)],
            [value("y", TensorProto.FLOAT, x.shape)])
        seen[kind, saturate] = run(model, x=x)
        print(kind, "saturate", saturate, seen[kind, saturate])
for saturate in (None, 0, 1):
    assert np.isnan(seen["FLOAT8E4M3FN", saturate][2:]).all()
    assert seen["FLOAT8E5M2", saturate][3:] == [np.inf, -np.inf]
END
