#!/usr/bin/env bash
# OpenVINO 2026.4.1, CPU: QuantizeLinear adds the zero point before it rounds. With
# an odd zero point every tie goes to the other neighbour than ONNX's
# round(x / scale) + zero point gives, one step off; with an even one both agree.
# Data on a grid (pixels with scale 2/255, halves of integers) consist of ties.
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

x = np.array([-1.5, -0.5, 0.5, 1.5, 2.5, 3.5, 0.75], np.float32)
seen = {}
for zero in (0, 2, 3, 128, 127):
    model = make_model(
        [helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["q"]),
         helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["y"])],
        [value("x", TensorProto.FLOAT, x.shape)],
        [value("y", TensorProto.FLOAT, x.shape)],
        [helper.make_tensor("scale", TensorProto.FLOAT, [], [1.0]),
         helper.make_tensor("zero", TensorProto.UINT8, [], [zero])])
    seen[zero] = run(model, x=x)
    print("zero point", zero, seen[zero])
even = [-2, 0, 0, 2, 2, 4, 1]
odd = [-1, -1, 1, 1, 3, 3, 1]
assert seen[128] == seen[2] == even
assert seen[127] == seen[3] == odd
assert seen[0] == [0, 0, 0, 2, 2, 4, 1]
END
