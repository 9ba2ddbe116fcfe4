#!/usr/bin/env bash
# GridSample, cubic, padding_mode=border: a point outside the image is filled in from the
# border's pixels, so a cubic that reaches back over the border still changes there. ONNX
# Runtime 1.31.1 bounds the position of each of the 16 pixels. onnx 1.23.2's reference
# evaluator bounds the point itself: everything beyond the border has the border's value,
# 109.05 where the cubic gives 109.99. With reflection and zeros both agree.
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
image = np.arange(16, dtype=np.float32).reshape(1, 1, 4, 4) ** 2
points = np.array([[1.1, 0.2], [1.25, 0.2], [-1.1, 0.2]], np.float32)
feeds = {"x": image, "grid": points.reshape(1, 1, 3, 2)}
differs = {}
for padding in "border", "reflection", "zeros":
    node = helper.make_node("GridSample", ["x", "grid"], ["y"], mode="cubic",
                            padding_mode=padding)
    model = helper.make_model(
        helper.make_graph([node], "g",
                          [value("x", TensorProto.FLOAT, [1, 1, 4, 4]),
                           value("grid", TensorProto.FLOAT, [1, 1, 3, 2])],
                          [value("y", TensorProto.FLOAT, [1, 1, 1, 3])]),
        opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.checker.check_model(model)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    runtime = session.run(None, feeds)[0].ravel()
    reference = ReferenceEvaluator(model).run(None, feeds)[0].ravel()
    print(padding, "onnxruntime", runtime, "reference", reference)
    differs[padding] = (abs(runtime - reference) > 1e-3).tolist()
    if padding == "border":
        assert reference[0] == reference[1] and runtime[0] > reference[0] + 0.9
assert differs == {"border": [True, False, True], "reflection": [False] * 3,
                   "zeros": [False] * 3}
END
