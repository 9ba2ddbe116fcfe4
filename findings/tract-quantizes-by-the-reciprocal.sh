#!/usr/bin/env bash
# QuantizeLinear divides by the scale. tract 0.23.9 multiplies by the reciprocal,
# rounded to float32: at a scale of 0.1, 1.55 lies just below the tie at 15.5 and
# becomes 16 instead of 15. Of the multiples of half a step from -128 to 127 about
# as many differ, by one step, as there are ties whose quotient is not exact. Only
# scales whose reciprocal is exact (powers of two) give the bytes of other runtimes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  tract==0.23.9 onnx==1.23.2 onnxruntime==1.31.1 numpy==2.4.6
"$work/venv/bin/python" - "$work" <<'END'
import sys

import numpy as np
import onnx
import onnxruntime
import tract
from onnx import TensorProto, helper, numpy_helper

value = helper.make_tensor_value_info
seen = {}
for scale in (0.1, 0.125):
    x = (np.arange(-254, 255) * np.float64(scale) / 2).astype(np.float32)
    model = helper.make_model(
        helper.make_graph(
            [helper.make_node("QuantizeLinear", ["x", "s", "z"], ["y"])], "g",
            [value("x", TensorProto.FLOAT, x.shape)],
            [value("y", TensorProto.INT8, x.shape)],
            [numpy_helper.from_array(np.float32(scale), "s"),
             numpy_helper.from_array(np.asarray(0, np.int8), "z")]),
        opset_imports=[helper.make_opsetid("", 19)], ir_version=9)
    onnx.checker.check_model(model)
    path = f"{sys.argv[1]}/model.onnx"
    onnx.save(model, path)
    right = onnxruntime.InferenceSession(path).run(None, {"x": x})[0]
    divided = np.clip(np.rint(x / np.float32(scale)), -128, 127)
    assert np.array_equal(right, divided)
    given = tract.onnx().load(path).into_model().into_runnable() \
        .run([x])[0].to_numpy()
    reciprocal = np.rint(x * (np.float32(1) / np.float32(scale)))
    seen[scale] = (int(np.sum(given != right)),
                   int(np.sum(given != np.clip(reciprocal, -128, 127))))
    print(f"scale {scale}: {seen[scale][0]} of {x.size} bytes differ from "
          f"x / scale, {seen[scale][1]} from x * (1 / scale)")
assert seen[0.1][0] > 0 and seen[0.125] == (0, 0)
assert seen[0.1][1] == 0
END
