#!/usr/bin/env python3
"""Time and memory of calibration beside ONNX Runtime's quantize_static.

    calibration.py --shared DIR --qopt build/bin/qopt --work WORK

qopt calibrates the float VWW model on 100 and on all 1,000 images; ONNX
Runtime (min-max, per channel, QDQ) quantizes it on the same 100. Every run is
a process of its own, timed from start to end; memory is its largest resident
set. qopt's includes reading images and preprocessing, as ONNX Runtime's does.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from compare import MODELS


def measure(command):
    """Seconds and MiB of one process."""
    start = time.time()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"expected success of: {' '.join(command)}")
    return time.time() - start, usage.ru_maxrss / 1024


def quantize_with_onnxruntime(shared, work):
    import numpy as np
    from onnxruntime.quantization import (CalibrationDataReader,
                                          CalibrationMethod, QuantFormat,
                                          quantize_static)
    spec = MODELS["vww"]
    images = np.load(shared / "data" / spec["data"])[:100]

    class Reader(CalibrationDataReader):
        samples = iter(images)

        def get_next(self):
            image = next(self.samples, None)
            if image is None:
                return None
            nchw = image.transpose(2, 0, 1)[None].astype(np.float32) / 255
            return {"input_1": np.ascontiguousarray(nchw)}

    quantize_static(str(shared / "models" / spec["file"]),
                    str(work / "calibration_ort.onnx"), Reader(),
                    quant_format=QuantFormat.QDQ, per_channel=True,
                    calibrate_method=CalibrationMethod.MinMax)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--shared", type=pathlib.Path, required=True)
    parser.add_argument("--qopt", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--onnxruntime-only", action="store_true",
                        help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    if options.onnxruntime_only:
        quantize_with_onnxruntime(options.shared, options.work)
        return 0
    spec = MODELS["vww"]

    def qopt(samples):
        return [str(options.qopt), "calibrate",
                str(options.shared / "models" / spec["file"]),
                "--data", str(options.shared / "data" / spec["data"]),
                "--samples", str(samples), "--pre", spec["pre"],
                "-o", str(options.work / f"calibration_{samples}.json")]

    # Interleaved, so that a busy moment of the machine hits both.
    commands = {"qopt, 100 images": qopt(100),
                "qopt, 1000 images": qopt(1000),
                "onnxruntime, 100 images": [
                    sys.executable, __file__, "--shared", str(options.shared),
                    "--qopt", str(options.qopt), "--work", str(options.work),
                    "--onnxruntime-only"]}
    runs = {name: [] for name in commands}
    for _ in range(options.rounds):
        for name, command in commands.items():
            runs[name].append(measure(command))
    best = {}
    for name, figures in runs.items():
        best[name] = (min(s for s, _ in figures), min(m for _, m in figures))
        print(f"{name:<24} {best[name][0]:6.2f} s  {best[name][1]:7.1f} MiB")
    growth = best["qopt, 1000 images"][1] / best["qopt, 100 images"][1] - 1
    speed = best["onnxruntime, 100 images"][0] / best["qopt, 100 images"][0]
    print(f"memory of 1000 over 100 images: {100 * growth:+.1f} % (bar <= 5 %)")
    print(f"onnxruntime over qopt, time:    {speed:.2f} (bar > 1)")
    return 0 if growth <= 0.05 and speed > 1 else 1


if __name__ == "__main__":
    sys.exit(main())
