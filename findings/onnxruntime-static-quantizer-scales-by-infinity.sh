#!/usr/bin/env bash
# A causal mask of -inf in front of Softmax is what exporters write for attention.
# ONNX Runtime 1.31.1's static quantizer calibrates it by min and max (the default)
# to a scale of infinity, writes the file, and reports success: every result of that
# file is 0. Its entropy and percentile calibrations raise a ValueError of NumPy's
# histogram on the same model.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  onnx==1.23.2 onnxruntime==1.31.1 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" -W ignore - <<'END'
import logging

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime import quantization as q

logging.disable(logging.WARNING)
random = np.random.default_rng(0)
weight = random.normal(size=(8, 8)).astype(np.float32)
mask = np.triu(np.full((4, 4), -np.inf, np.float32), 1)
nodes = [helper.make_node("MatMul", ["x", "weight"], ["queries"]),
         helper.make_node("Transpose", ["x"], ["keys"], perm=[1, 0]),
         helper.make_node("MatMul", ["queries", "keys"], ["scores"]),
         helper.make_node("Add", ["scores", "mask"], ["masked"]),
         helper.make_node("Softmax", ["masked"], ["shares"]),
         helper.make_node("MatMul", ["shares", "x"], ["y"])]
value = helper.make_tensor_value_info
model = helper.make_model(
    helper.make_graph(nodes, "g", [value("x", TensorProto.FLOAT, [4, 8])],
                      [value("y", TensorProto.FLOAT, [4, 8])],
                      [numpy_helper.from_array(weight, "weight"),
                       numpy_helper.from_array(mask, "mask")]),
    opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
onnx.checker.check_model(model)
onnx.save(model, "model.onnx")
rows = [random.normal(size=(4, 8)).astype(np.float32) for _ in range(8)]


class Reader(q.CalibrationDataReader):
    def __init__(self):
        self.rows = iter([{"x": row} for row in rows])

    def get_next(self):
        return next(self.rows, None)


def run(path, row):
    return onnxruntime.InferenceSession(path).run(None, {"x": row})[0]


def quantize(method):
    q.quantize_static("model.onnx", "quantized.onnx", Reader(),
                      calibrate_method=method)


quantize(q.CalibrationMethod.MinMax)
scales = {constant.name: numpy_helper.to_array(constant)
          for constant in onnx.load("quantized.onnx").graph.initializer}
print("min-max: scale of the masked scores", scales["masked_scale"],
      "largest result", np.abs(run("quantized.onnx", rows[0])).max(),
      "in float", np.abs(run("model.onnx", rows[0])).max())
assert np.isinf(scales["masked_scale"])
assert all(not run("quantized.onnx", row).any() for row in rows)
for method in (q.CalibrationMethod.Entropy, q.CalibrationMethod.Percentile):
    try:
        quantize(method)
        raise SystemExit(f"{method} accepts infinities now")
    except ValueError as error:
        print(method.name, error)
        assert "is not finite" in str(error)
END
