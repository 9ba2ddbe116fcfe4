#!/usr/bin/env bash
# GRU's attribute clip bounds the inputs of the activations to [-clip, +clip]. The
# GRU of onnx 1.23.2's reference evaluator takes the attribute and never looks at it,
# without a word: with clip and without, the states are the same bits. ONNX Runtime
# 1.31.1 clips, and so gives other states for the same file. A test of clip against
# the evaluator tests nothing.
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
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

print("onnx", onnx.__version__, "onnxruntime", onnxruntime.__version__)
random = np.random.default_rng(0)
hidden, width, steps = 3, 4, 2
weights = {"w": random.normal(size=(1, 3 * hidden, width)) * 2,
           "r": random.normal(size=(1, 3 * hidden, hidden)) * 2}
x = random.normal(size=(steps, 1, width)).astype(np.float32)


def states(**attributes):
    node = helper.make_node("GRU", ["x", "w", "r"], ["", "y"], hidden_size=hidden,
                            **attributes)
    graph = helper.make_graph(
        [node], "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, hidden])],
        [numpy_helper.from_array(v.astype(np.float32), k)
         for k, v in weights.items()])
    model = helper.make_model(graph, ir_version=9,
                              opset_imports=[helper.make_opsetid("", 22)])
    onnx.checker.check_model(model)
    return (ReferenceEvaluator(model).run(None, {"x": x})[0].ravel(),
            onnxruntime.InferenceSession(
                model.SerializeToString()).run(None, {"x": x})[0].ravel())


free, clipped = states(), states(clip=0.25)
print("without clip: reference", free[0], "onnxruntime", free[1])
print("clip 0.25:    reference", clipped[0], "onnxruntime", clipped[1])
assert np.allclose(free[0], free[1], atol=1e-5)
assert np.array_equal(free[0], clipped[0])
assert np.abs(clipped[1] - free[1]).max() > 0.05
END
