# SPDX-License-Identifier: Apache-2.0
"""accuracy.py MODULE: compiles the models of a module beside this file, runs
them over their calibration samples and compares with the ONNX reference.

Each case is a function without arguments whose name begins with `case_`. It
returns (model or its text, inputs, options): inputs are arrays of samples by name;
options are `flags`, `data` (false: none for compilation), `least` (dB of each output, by element and in the mean of
its rows), `says` and `silent` (patterns of the summary).
"""
import importlib
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np
import onnx.parser
from onnx.reference import ReferenceEvaluator


def qopt(*words):
    done = subprocess.run(["qopt", *map(str, words)], text=True,
                          capture_output=True)
    assert done.returncode == 0, f"exit {done.returncode}: {done.stderr}"
    return done.stdout + done.stderr


def decibels(signal, noise):
    return 10 * np.log10(signal / noise) if signal and noise else 200.0


def score(want, got):
    """dB by element, and the mean over rows of a row's lost share, in dB."""
    assert (np.isnan(want) == np.isnan(got)).all(), "NaN on one side"
    odd = ~np.isfinite(want)
    same = np.where(np.isnan(want), 0, want) == np.where(np.isnan(got), 0, got)
    assert same[odd].all() and np.isfinite(got[~odd]).all(), "not finite"
    want = np.where(odd, 0, want).astype(float)
    noise = np.where(odd, 0, got - want) ** 2
    signal = want ** 2
    rows = signal.reshape(-1, want.shape[-1]).sum(1)
    lost = noise.reshape(-1, want.shape[-1]).sum(1)[rows > 0] / rows[rows > 0]
    mean = np.minimum(lost, 1).mean() if len(lost) else 0
    return decibels(signal.sum(), noise.sum()), decibels(1, mean)


def run(case, folder):
    text, inputs, options = case()
    model = onnx.parser.parse_model(text) if isinstance(text, str) else text
    onnx.checker.check_model(model)
    onnx.save(model, folder / "m.onnx")
    np.savez(folder / "x.npz", **inputs)
    flags = options.get("flags", ["--scheme", "w8a8"])
    data = ["--data", folder / "x.npz"] if options.get("data", True) else []
    said = qopt("compile", folder / "m.onnx", *data, "-o", folder / "m",
                "--progress", "none", *flags)
    for pattern in options.get("says", []):
        assert re.search(pattern, said), f"expected '{pattern}' in:\n{said}"
    for pattern in options.get("silent", []):
        assert not re.search(pattern, said), f"found '{pattern}' in:\n{said}"
    names = [output.name for output in model.graph.output]
    words = ["run", folder / "m", "-q"]
    for name in inputs:
        words += ["--input", f"{name}=@{folder}/x.npz:{name}"]
    for i, name in enumerate(names):
        words += ["--output", f"{name}=@{folder}/{i}.npy"]
    qopt(*words)
    reference = ReferenceEvaluator(model)
    samples = zip(*inputs.values())
    want = [reference.run(None, dict(zip(inputs, s))) for s in samples]
    for i, name in enumerate(names):
        got = np.load(folder / f"{i}.npy")
        exact = np.stack([results[i] for results in want]).reshape(got.shape)
        values, rows = score(exact, got)
        print(f"{case.__name__} {name}: {values:.1f} dB, rows {rows:.1f} dB")
        least = options.get("least", 25)
        assert min(values, rows) >= least, f"expected {least} dB"


def main():
    module = importlib.import_module(sys.argv[1])
    wanted = sys.argv[2:]
    failed = 0
    for name, case in vars(module).items():
        if not name.startswith("case_") or (wanted and name not in wanted):
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                with np.errstate(all="ignore"):
                    run(case, pathlib.Path(folder))
            except AssertionError as problem:
                print(f"{name}: {problem}")
                failed += 1
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
