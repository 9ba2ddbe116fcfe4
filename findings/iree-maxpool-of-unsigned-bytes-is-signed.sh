#!/usr/bin/env bash
# IREE 3.13.0 compares the bytes of a MaxPool of uint8 as if they were signed: of
# 1, 200, 100 and 3 the largest is 100. Max, ReduceMax and ArgMax of the same bytes
# are right, and so is MaxPool of int8. In quantized networks the pool behind a
# uint8 activation is exactly this operator, and zero points of 128 hide it for
# half of the range.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  iree-base-compiler==3.13.0 iree-base-runtime==3.13.0 onnx==1.23.2 \
  onnxruntime==1.31.1 numpy==2.4.6
"$work/venv/bin/python" - "$work" <<'END'
import subprocess
import sys

import iree.runtime
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

work = sys.argv[1]
value = helper.make_tensor_value_info
x = np.array([[[[1, 200], [100, 3]]]], np.uint8)


def build(op, kind, **attributes):
    shape = [1, 1, 1, 1]
    model = helper.make_model(
        helper.make_graph([helper.make_node(op, ["x"], ["y"], **attributes)],
                          "g", [value("x", kind, x.shape)],
                          [value("y", kind, shape)]),
        opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model, full_check=True)
    return model


def run_iree(model, array):
    stem = f"{work}/model"
    onnx.save(model, f"{stem}.onnx")
    tools = f"{work}/venv/bin"
    for command in ([f"{tools}/iree-import-onnx", f"{stem}.onnx", "-o",
                     f"{stem}.mlir"],
                    [f"{tools}/iree-compile", f"{stem}.mlir", "-o",
                     f"{stem}.vmfb", "--iree-hal-target-device=local",
                     "--iree-hal-local-target-device-backends=llvm-cpu",
                     "--iree-llvmcpu-target-cpu=generic"]):
        subprocess.run(command, check=True, capture_output=True)
    module = iree.runtime.load_vm_flatbuffer_file(f"{stem}.vmfb",
                                                  driver="local-sync")
    name = next(n for n in module.vm_module.function_names
                if not n.startswith("__") and not n.endswith("$async"))
    return int(np.asarray(getattr(module, name)(array).to_host())
               .view(array.dtype).reshape(-1)[0])


def run_ort(model, array):
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return int(session.run(None, {"x": array})[0].reshape(-1)[0])


seen = {}
for name, op, attributes in (("MaxPool", "MaxPool", {"kernel_shape": [2, 2]}),
                             ("ReduceMax", "ReduceMax", {"keepdims": 1})):
    for kind, array in ((TensorProto.UINT8, x),
                        (TensorProto.INT8, x.view(np.int8))):
        model = build(op, kind, **attributes)
        seen[name, array.dtype.name] = (run_iree(model, array),
                                        run_ort(model, array))
for key, answers in seen.items():
    print(*key, "IREE %d, ONNX Runtime %d" % answers)
assert seen == {("MaxPool", "uint8"): (100, 200), ("MaxPool", "int8"): (100, 100),
                ("ReduceMax", "uint8"): (200, 200),
                ("ReduceMax", "int8"): (100, 100)}
END
