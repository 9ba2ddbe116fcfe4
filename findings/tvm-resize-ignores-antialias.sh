#!/usr/bin/env bash
# Resize has had antialias since opset 18: shrinking a picture, each pixel then sums
# over all that it covers. The ONNX importer of TVM 0.27.0.post1 takes such a Resize
# and samples two neighbours a dimension as without the attribute, without a word;
# a pattern of thin lines comes out as another one. ONNX Runtime 1.31.1 follows it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  apache-tvm==0.27.0.post1 onnx==1.23.2 onnxruntime==1.31.1 numpy==2.4.6
"$work/venv/bin/python" - <<'END'
import numpy as np
import onnx
import onnxruntime
import tvm
from onnx import TensorProto, helper, numpy_helper
from tvm import relax
from tvm.relax.frontend.onnx import from_onnx

value = helper.make_tensor_value_info
# One bright row in four: the mean of a picture is 0.25.
x = np.zeros((1, 1, 16, 16), np.float32)
x[:, :, ::4] = 1


def build(antialias):
    model = helper.make_model(
        helper.make_graph(
            [helper.make_node("Resize", ["x", "", "", "sizes"], ["y"],
                              mode="linear", antialias=antialias)], "g",
            [value("x", TensorProto.FLOAT, x.shape)],
            [value("y", TensorProto.FLOAT, [1, 1, 4, 4])],
            [numpy_helper.from_array(np.int64([1, 1, 4, 4]), "sizes")]),
        opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model, full_check=True)
    return model


def run_tvm(model):
    module = relax.transform.LegalizeOps()(from_onnx(model))
    machine = relax.VirtualMachine(relax.build(module, target="llvm"), tvm.cpu())
    result = machine["main"](tvm.runtime.tensor(x))
    return (result if hasattr(result, "numpy") else result[0]).numpy()


seen = {}
for antialias in (0, 1):
    model = build(antialias)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    answers = run_tvm(model), session.run(None, {"x": x})[0]
    seen[antialias] = [round(float(a.mean()), 3) for a in answers]
    print(f"antialias {antialias}: mean of the small picture, TVM "
          f"{seen[antialias][0]}, ONNX Runtime {seen[antialias][1]}")
assert seen[0][0] == seen[0][1] == seen[1][0] == 0
assert abs(seen[1][1] - 0.25) < 0.02
END
