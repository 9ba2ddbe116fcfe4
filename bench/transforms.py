#!/usr/bin/env python3
"""What rotations and smoothing do to the recogniser's matmuls.

    transforms.py --shared DIR --qopt build/bin/qopt [--samples N]

Prints what `qopt quantize --transforms` says about the layers (held-out
vectors, the target's formats), and beside it the 4-bit figure of the rotated
stream computed here with NumPy on other lines than those that chose: weights
rounded to the nearest of 15 levels per output channel, activations float; the
signal is the product with the mean in it, the noise all that differs. `as
exported` is the model's own tensor, with the normalization's gain and offset
still on the activations; `prepared` is what qopt rounds, with the gain moved
into the weights.
"""
import argparse
import pathlib
import re
import subprocess
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from compare import MODELS

# Normalization, its gain and offset, and the weight that reads it.
READERS = [("p2o.Div.29", 43, "linear_77.w_0"),
           ("p2o.Div.31", 44, "linear_79.w_0"),
           ("p2o.Div.33", 45, "linear_81.w_0"),
           ("p2o.Div.35", 46, "linear_83.w_0"),
           ("p2o.Div.37", 47, "conv2d_144.w_0")]
CHOSEN_ON = 16


def round4(w):
    scale = np.abs(w).max(axis=0) / 7
    scale[scale == 0] = 1
    return np.rint(w / scale) * scale


def sqnr(x, w, signal):
    noise = x @ (round4(w) - w)
    return 10 * np.log10((signal ** 2).sum() / (noise ** 2).sum())


def capture(path, images):
    """Inputs of the readers, and the constants of the model."""
    import onnx
    import onnxruntime as ort
    from onnx import helper, numpy_helper
    model = onnx.load(str(path))
    constants = {i.name: numpy_helper.to_array(i)
                 for i in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Constant":
            constants[node.output[0]] = numpy_helper.to_array(
                node.attribute[0].t)
    names = [name for name, _, _ in READERS]
    for name in names:
        model.graph.output.append(helper.make_empty_tensor_value_info(name))
    session = ort.InferenceSession(model.SerializeToString(),
                                   providers=["CPUExecutionProvider"])
    entry = session.get_inputs()[0].name
    rows = [session.run(names, {entry: image[None]}) for image in images]
    return [np.concatenate([r[i].reshape(-1, r[i].shape[-1]) for r in rows])
            .astype(np.float64) for i in range(len(names))], constants


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--shared", type=pathlib.Path, required=True)
    parser.add_argument("--qopt", type=pathlib.Path, required=True)
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--work", type=pathlib.Path,
                        default=pathlib.Path("build/bench"))
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    spec = MODELS["rec"]
    model = options.shared / "models" / spec["file"]
    common = [str(options.qopt), "quantize", str(model), "--shape",
              spec["shape"], "--data",
              f"x={options.shared / 'data' / spec['data']}:{spec['key']}",
              "--pre", spec["pre"], "--samples", str(CHOSEN_ON),
              "--progress", "none"]

    gains = {}
    for name, flags in {
            "rotation, w4a8": ["--scheme", "w4a8", "--weights", "si4",
                               "--rounding", "nearest", "--transforms",
                               "rotation"],
            "smoothing, w8a8": ["--scheme", "w8a8", "--transforms",
                                "smoothing"]}.items():
        done = subprocess.run(
            common + flags + ["-o", str(options.work / "transforms.mlirbc")],
            capture_output=True, text=True)
        if done.returncode:
            sys.exit(done.stderr)
        print(f"{name}:")
        found = []
        for line in done.stderr.splitlines():
            match = re.match(r"(rotation|smoothing) at .*?, (-?[\d.]+) -> "
                             r"(-?[\d.]+) dB(, not kept)?$", line)
            if match:
                print("  " + line)
                before, after = float(match[2]), float(match[3])
                found.append(0 if match[4] else after - before)
        gains[name] = sum(found) / len(found) if found else 0.0

    images = np.load(options.shared / "data" / spec["data"])[spec["key"]]
    images = images[CHOSEN_ON:CHOSEN_ON + options.samples, :, :, ::-1]
    images = ((images.astype(np.float32) / 255 - 0.5) / 0.5).transpose(
        0, 3, 1, 2)
    tensors, constants = capture(model, images)
    exported, prepared = [], []
    for x, (_, norm, name) in zip(tensors, READERS):
        gain = constants[f"layer_norm_{norm}.w_0"].astype(np.float64)
        offset = constants[f"layer_norm_{norm}.b_0"].astype(np.float64)
        w = constants[name].astype(np.float64)
        w = w[:, :, 0, 0].T if w.ndim == 4 else w
        full = x * gain + offset
        exported.append(sqnr(full, w, full @ w))
        folded = gain[:, None] * w
        prepared.append(sqnr(x, folded, x @ folded))
    print("4-bit weights, activations float, no rotation (NumPy, "
          f"{options.samples} other lines): as exported "
          f"{np.mean(exported):.2f} dB, prepared {np.mean(prepared):.2f} dB")
    bars = {"rotation, w4a8": 2.5, "smoothing, w8a8": 1.5}
    for name, bar in bars.items():
        print(f"{name}: mean gain {gains[name]:+.2f} dB (bar {bar:+.1f})",
              "met" if gains[name] >= bar else "MISSED")
    return any(gains[name] < bar for name, bar in bars.items())


if __name__ == "__main__":
    sys.exit(main())
