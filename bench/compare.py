#!/usr/bin/env python3
"""Latency of qopt beside ONNX Runtime: one thread, interleaved, medians.

    compare.py --shared DIR --qopt build/bin/qopt --work WORK [--models vww ...]

For every model: ONNX Runtime on the float file, on its own QDQ quantizations
(u8s8 and s8s8, per channel, min-max, 100 samples) and on the file as given;
qopt's float and w8a8 artifacts of the same file. All of them run in one
process, one after another in rounds of about 20 ms each, inputs and outputs
bound. The ratio is the fastest ONNX Runtime median over qopt's.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from abi import Program

# name: file, shape flag, data file, array, samples -> model input, --pre
BGR = "channels:bgr"
MODELS = {
    "vww": dict(file="vww_mobilenetv1_float.onnx",
                data="vww_images_u8_nhwc.npy",
                pre="input_1=scale:1/255,layout:nhwc->nchw", bar=1.3),
    "resnet8": dict(file="ic_resnet8_float.onnx",
                    data="cifar10_500_u8_nhwc.npy",
                    pre="input_1=layout:nhwc->nchw", bar=1.3),
    "kws": dict(file="kws_dscnn_int8_qdq.onnx", bar=1.5),
    "autoencoder": dict(file="ad_autoencoder_int8_qdq.onnx", bar=1.5),
    "rec": dict(file="ppocrv4_rec_float.onnx", shape="x=1x3x48x320",
                data="ocr_lines.npz", key="images",
                pre=f"x=layout:nhwc->nchw,{BGR},scale:1/255,"
                    "mean:0.5/0.5/0.5,std:0.5/0.5/0.5", bar=1.2),
    "det": dict(file="ppocrv4_det_float.onnx", shape="x=1x3x640x640",
                data="ocr_pages.npz", key="images", samples=20,
                pre=f"x=layout:nhwc->nchw,{BGR},scale:1/255,"
                    "mean:0.485/0.456/0.406,std:0.229/0.224/0.225", bar=1.2),
}


def session(path, threads=1):
    import onnxruntime as ort
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(str(path), options,
                                providers=["CPUExecutionProvider"])


def bound_call(sess, feeds):
    """A call with bound inputs and outputs."""
    import onnxruntime as ort
    binding = sess.io_binding()
    for name, value in feeds.items():
        binding.bind_ortvalue_input(
            name, ort.OrtValue.ortvalue_from_numpy(value))
    for output in sess.get_outputs():
        binding.bind_output(output.name)
    return lambda: sess.run_with_iobinding(binding)


def static_float(source, spec, target):
    """The float file with its shapes fixed and constants folded."""
    import onnx
    import onnxruntime as ort
    from onnx import version_converter
    model = onnx.load(source)
    # Per-channel DequantizeLinear exists from opset 13.
    if max(o.version for o in model.opset_import if o.domain in ("", "ai.onnx")
           ) < 13:
        model = version_converter.convert_version(model, 13)
    if "shape" in spec:
        name, shape = spec["shape"].split("=")
        for value in model.graph.input:
            if value.name == name:
                for dim, extent in zip(value.type.tensor_type.shape.dim,
                                       shape.split("x")):
                    dim.dim_value = int(extent)
    onnx.save(model, target)
    options = ort.SessionOptions()
    options.graph_optimization_level = (
        ort.GraphOptimizationLevel.ORT_ENABLE_BASIC)
    options.optimized_model_filepath = str(target)
    options.log_severity_level = 3
    ort.InferenceSession(str(target), options,
                         providers=["CPUExecutionProvider"])


def quantized_peers(path, samples, work, name):
    """ONNX Runtime's own quantizations of a float file."""
    from onnxruntime.quantization import (CalibrationDataReader, QuantFormat,
                                          QuantType, quantize_static)

    class Reader(CalibrationDataReader):
        def __init__(self):
            self.iterator = iter(samples)

        def get_next(self):
            return next(self.iterator, None)

    result = {}
    for label, kind in (("u8s8", QuantType.QUInt8), ("s8s8", QuantType.QInt8)):
        target = work / f"{name}_{label}.onnx"
        if not target.exists():
            quantize_static(str(path), str(target), Reader(),
                            quant_format=QuantFormat.QDQ, per_channel=True,
                            activation_type=kind, weight_type=QuantType.QInt8)
        result[label] = target
    return result


def compile_artifact(options, name, spec, scheme, source):
    stem = options.work / f"{name}_{scheme}"
    command = [str(options.qopt), "compile", str(source), "--scheme", scheme,
               "--emit=object,header,shared", "-o", str(stem),
               *options.qopt_arg]
    if "shape" in spec:
        command += ["--shape", spec["shape"]]
    if "data" in spec:
        command += ["--data", str(options.shared / "data" / spec["data"]),
                    "--samples", str(spec.get("samples", 100)),
                    "--pre", spec["pre"]]
    start = time.time()
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return stem, time.time() - start


def preprocess(options, spec, inputs):
    """Calibration feeds, as `--pre` makes them, for ONNX Runtime's quantizer."""
    if "data" not in spec:
        random = np.random.default_rng(0)
        return [{n: random.standard_normal(s).astype(np.float32)
                 for n, s in inputs.items()}]
    data = np.load(options.shared / "data" / spec["data"])
    if "key" in spec:
        data = data[spec["key"]]
    data = data[:spec.get("samples", 100)]
    (name, _), = inputs.items()
    steps = spec["pre"].split("=", 1)[1]
    feeds = []
    for image in data:
        x = image.astype(np.float32)
        if BGR in steps:
            x = x[..., ::-1]
        if "scale:1/255" in steps:
            x = x / np.float32(255)
        for step in steps.split(","):
            if step.startswith("mean:"):
                x = x - np.array([float(v) for v in step[5:].split("/")],
                                 np.float32)
            if step.startswith("std:"):
                x = x / np.array([float(v) for v in step[4:].split("/")],
                                 np.float32)
        feeds.append({name: np.ascontiguousarray(
            x.transpose(2, 0, 1)[None], np.float32)})
    return feeds


def interleave(calls, rounds, quantum):
    """Median and minimum seconds of each call."""
    times = {label: [] for label in calls}
    repeats = {}
    for label, call in calls.items():
        start = time.perf_counter()
        call()
        call()
        repeats[label] = max(1, int(quantum / max(
            (time.perf_counter() - start) / 2, 1e-7)))
    for _ in range(rounds):
        for label, call in calls.items():
            start = time.perf_counter()
            for _ in range(repeats[label]):
                call()
            times[label].append((time.perf_counter() - start) / repeats[label])
    return {label: (statistics.median(v), min(v)) for label, v in times.items()}


def measure(options, name):
    spec = MODELS[name]
    given = options.shared / "models" / spec["file"]
    is_float = "float" in spec["file"]
    static = options.work / f"{name}_static.onnx"
    static_float(given, spec, static)
    inputs = {i.name: i.shape for i in session(static).get_inputs()}
    feeds = preprocess(options, spec, inputs)
    calls = {"ort given": bound_call(session(static), feeds[0])}
    if is_float:
        for label, path in quantized_peers(static, feeds, options.work,
                                           name).items():
            calls["ort " + label] = bound_call(session(path), feeds[0])
    schemes = ["w8a8", "float"] if is_float else ["qdq"]
    seconds = {}
    for scheme in schemes:
        stem, seconds[scheme] = compile_artifact(options, name, spec, scheme,
                                                 given)
        program = Program(stem)
        program.feed([feeds[0][n] for n in program.names])
        calls["qopt " + scheme] = program.run
    times = interleave(calls, options.rounds, options.quantum)
    best = min(m for label, (m, _) in times.items() if label.startswith("ort"))
    print(f"{name} (compile {', '.join(f'{s} {t:.1f} s' for s, t in seconds.items())})")
    for label, (median, least) in times.items():
        ratio = best / median
        note = ""
        if label in ("qopt w8a8", "qopt qdq"):
            note = f"  bar {spec['bar']}"
        if label == "qopt float":
            note = f"  vs ort f32 {times['ort given'][0] / median:.2f}x, bar 0.8"
        print(f"  {label:<12} median {median * 1e3:9.4f} ms  min "
              f"{least * 1e3:9.4f} ms  {ratio:5.2f}x of the best peer{note}")
    return {label: {"median_s": m, "min_s": l} for label, (m, l) in
            times.items()} | {"compile_s": seconds}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--shared", type=pathlib.Path, required=True)
    parser.add_argument("--qopt", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--models", nargs="*", default=list(MODELS))
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--quantum", type=float, default=0.02)
    parser.add_argument("--qopt-arg", action="append", default=[],
                        help="passed to `qopt compile`, e.g. -O2 (repeatable)")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    os.sched_setaffinity(0, {0})
    flags = open("/proc/cpuinfo").read()
    if "avx512_vnni" not in flags:
        print("note: this CPU has no AVX-512 VNNI; the bars are for one that has")
    results = {name: measure(options, name) for name in options.models}
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
