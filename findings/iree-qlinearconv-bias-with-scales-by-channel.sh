#!/usr/bin/env bash
# IREE 3.13.0 computes QLinearConv with a bias, and with weight scales by channel,
# but not with both: all channels but those of one scale come out wrong, here most
# of them saturated. Nothing is refused or said. ONNX Runtime's static quantizer
# writes both wherever it is asked for per-channel weights.
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
from onnx import TensorProto, helper, numpy_helper

work = sys.argv[1]
value = helper.make_tensor_value_info
random = np.random.default_rng(0)
x = random.integers(0, 256, (1, 3, 6, 6), np.uint8)
w = random.integers(-128, 128, (4, 3, 3, 3), np.int8)


def build(by_channel, bias):
    scales = np.float32([.01, .02, .005, .03]) if by_channel else np.float32(.01)
    zeros = np.zeros(4, np.int8) if by_channel else np.int8(0)
    operands = [("xs", np.float32(.02)), ("xz", np.uint8(77)), ("w", w),
                ("ws", scales), ("wz", zeros), ("ys", np.float32(.5)),
                ("yz", np.uint8(100))]
    if bias:
        operands.append(("b", np.int32([100, -200, 300, 0])))
    model = helper.make_model(
        helper.make_graph(
            [helper.make_node("QLinearConv", ["x"] + [n for n, _ in operands],
                              ["y"])],
            "g", [value("x", TensorProto.UINT8, x.shape)],
            [value("y", TensorProto.UINT8, [1, 4, 4, 4])],
            [numpy_helper.from_array(np.asarray(v), n) for n, v in operands]),
        opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model, full_check=True)
    return model


def run_iree(model):
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
    return np.asarray(getattr(module, name)(x).to_host()).view(np.uint8)


wrong = {}
for by_channel in (False, True):
    for bias in (False, True):
        model = build(by_channel, bias)
        session = onnxruntime.InferenceSession(model.SerializeToString())
        want = session.run(None, {"x": x})[0].astype(int)
        got = run_iree(model).astype(int)
        wrong[by_channel, bias] = int(np.sum(np.abs(got - want) > 1))
        print(f"scales by channel {by_channel}, bias {bias}: "
              f"{wrong[by_channel, bias]} of {want.size} bytes differ by more "
              f"than 1, at most by {np.abs(got - want).max()}")
assert wrong[False, False] == wrong[False, True] == wrong[True, False] == 0
assert wrong[True, True] > 16
END
