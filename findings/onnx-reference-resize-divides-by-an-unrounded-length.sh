#!/usr/bin/env bash
# Resize with scales and align_corners, where the scale does not give a whole number
# of positions: the operator's text maps position i to i * (length_original - 1) /
# (length_resized - 1), and the resized length is rounded down. onnx 1.23.2's
# reference evaluator divides by the unrounded length (scale * length - 1) instead:
# the last position is then not the last of the input, up to 0.86 of a step in four
# elements. ONNX Runtime 1.31.1 follows the text. onnx's own node test of this case
# expects the evaluator's numbers.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  onnx==1.23.2 onnxruntime==1.31.1
"$work/venv/bin/python" - <<'END'
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

print("onnx", onnx.__version__, "onnxruntime", onnxruntime.__version__)
x = np.array([1, 2, 3, 4], np.float32)  # in the shape [1, 1, 1, 4]


def by_text(scale):
    length = int(len(x) * scale)
    at = np.arange(length) * (len(x) - 1) / (length - 1)
    return np.interp(at, np.arange(len(x)), x)


for scale in (0.6, 1.3):
    node = helper.make_node("Resize", ["x", "", "s"], ["y"], mode="linear",
                            coordinate_transformation_mode="align_corners")
    graph = helper.make_graph(
        [node], "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 1, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [helper.make_tensor("s", TensorProto.FLOAT, [4], [1, 1, 1, scale])])
    model = helper.make_model(graph, ir_version=9,
                              opset_imports=[helper.make_opsetid("", 19)])
    feed = {"x": x.reshape(1, 1, 1, 4)}
    reference = ReferenceEvaluator(model).run(None, feed)[0].ravel()
    runtime = onnxruntime.InferenceSession(
        model.SerializeToString()).run(None, feed)[0].ravel()
    print(f"scale {scale}: text {by_text(scale)}, onnxruntime {runtime}, "
          f"reference {reference}")
    assert np.allclose(runtime, by_text(scale), atol=1e-6)
    assert abs(reference[-1] - by_text(scale)[-1]) > 0.1
END
