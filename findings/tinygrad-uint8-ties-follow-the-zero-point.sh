#!/usr/bin/env bash
# QuantizeLinear rounds ties to even. tinygrad 0.14.0 does so for int8. For uint8 it
# adds 0.4999999 and the zero point in float32 and cuts off, and the sum is rounded
# as floats are: at a zero point of 0 ties below 2 go down (1.5 becomes 1) and those
# above go up (2.5 becomes 3); at 128 every tie goes up (0.5 becomes 129), and so do
# numbers just below a tie. The same network gives other bytes as uint8 than as int8
# with a shifted zero point.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  tinygrad==0.14.0 onnx==1.23.2 onnxruntime==1.31.1 numpy==2.4.6
if ! command -v clang >/dev/null; then
  echo "tinygrad compiles its kernels with clang: expected it on the path"
  exit 1
fi
"$work/venv/bin/python" - "$work" <<'END'
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper
from tinygrad import Tensor
from tinygrad.nn.onnx import OnnxRunner

value = helper.make_tensor_value_info
x = np.float32([0.5, 1.5, 2.5, 3.5, 0.499998])
seen = {}
for zero in (np.uint8(0), np.uint8(128), np.int8(0)):
    kind = helper.np_dtype_to_tensor_dtype(zero.dtype)
    model = helper.make_model(
        helper.make_graph(
            [helper.make_node("QuantizeLinear", ["x", "s", "z"], ["y"])], "g",
            [value("x", onnx.TensorProto.FLOAT, x.shape)],
            [value("y", kind, x.shape)],
            [numpy_helper.from_array(np.float32(1), "s"),
             numpy_helper.from_array(np.asarray(zero), "z")]),
        opset_imports=[helper.make_opsetid("", 19)], ir_version=9)
    onnx.checker.check_model(model)
    path = f"{sys.argv[1]}/model.onnx"
    onnx.save(model, path)
    right = onnxruntime.InferenceSession(path).run(None, {"x": x})[0]
    given = OnnxRunner(path)({"x": Tensor(x)})["y"].numpy()
    key = f"{zero.dtype} {int(zero)}"
    seen[key] = [(a.astype(int) - int(zero)).tolist() for a in (given, right)]
    print(f"{key}: tinygrad {seen[key][0]}, ONNX Runtime {seen[key][1]} "
          "above the zero point")
assert seen == {"uint8 0": [[0, 1, 3, 4, 0], [0, 2, 2, 4, 0]],
                "uint8 128": [[1, 2, 3, 4, 1], [0, 2, 2, 4, 0]],
                "int8 0": [[0, 2, 2, 4, 0], [0, 2, 2, 4, 0]]}
END
