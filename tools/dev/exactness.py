#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Do all objects of a model compute what the interpreter computes?

Compiles a model once for every target, links each object with
test/Integration/Inputs/run_objects.c, runs it here or in qemu-aarch64, and
counts the elements that differ from `qopt run --reference`. NaNs are equal.

    exactness.py MODEL ARRAY.npy [--samples N] [--only NAME,..]
                 [-- FLAGS OF qopt compile]

ARRAY holds samples along its first dimension, as the model takes them after
preprocessing. Exit status 1 if an element differs.
"""
import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
RUNNER = ROOT / "test" / "Integration" / "Inputs" / "run_objects.c"
LEVELS = {"avx512_vnni": "icelake-server", "avx_vnni": "alderlake"}


def cpu_flags():
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return set()
    lines = [line for line in text.splitlines() if line.startswith("flags")]
    return set(lines[0].split()) if lines else set()


def targets():
    """(name, --target, C compiler, what runs it) of all that can run here."""
    cc = shutil.which("cc") or shutil.which("gcc")
    found = [("native", "native", cc, [])] if cc else []
    if cc and platform.machine() == "x86_64":
        flags = cpu_flags()
        if {"avx2", "fma"} <= flags:
            found.append(("x86-64-v3", "x86-64-v3", cc, []))
            found.append(("avx2", "x86-64:+avx2,+fma,+f16c", cc, []))
        found += [(flag, cpu, cc, []) for flag, cpu in LEVELS.items()
                  if flag in flags]
    cross, qemu = map(shutil.which, ("aarch64-linux-gnu-gcc", "qemu-aarch64"))
    if cross and qemu:
        for name, features in [("aarch64", ""), ("aarch64+dotprod", "+dotprod")]:
            found.append((name, f"aarch64-linux-gnu:generic:{features}", cross,
                          [qemu]))
    return found


def run(command):
    done = subprocess.run([str(part) for part in command], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        sys.exit(f"{command[0]} gave {done.returncode}:\n{done.stdout}")


def read_reference(qopt, folder, stem, samples):
    """Outputs of the interpreter: one array of all samples."""
    outputs = []
    for i, sample in enumerate(samples):
        np.save(folder / "in.npy", sample)
        run([qopt, "run", stem, "--reference", "--pre", "none", "--input",
             f"@{folder}/in.npy", "-o", f"@{folder}/out.npy", "-q"])
        outputs.append(np.load(folder / "out.npy"))
    return np.stack(outputs)


def count_differences(expected, got):
    bits = np.dtype(f"u{expected.dtype.itemsize}")
    differ = expected.view(bits) != got.view(bits)
    if expected.dtype.kind == "f":
        differ &= ~(np.isnan(expected) & np.isnan(got))
    return int(differ.sum())


def check(qopt, model, samples, flags, folder, only):
    """Yields (target, elements, differing elements)."""
    expected = None
    for name, target, compiler, runner in targets():
        if only and name not in only:
            continue
        stem = folder / "model"
        run([qopt, "compile", model, "-o", stem, "--target", target, "-q",
             *flags])
        if expected is None:
            expected = read_reference(qopt, folder, stem, samples)
        static = ["-static"] if runner else []
        run([compiler, "-O1", *static, "-I", ROOT / "include", RUNNER,
             f"{stem}.o", "-DMODELS=X(model)", "-o", folder / "run"])
        (folder / "model.in").write_bytes(
            b"".join(np.ascontiguousarray(s).tobytes() for s in samples))
        run([*runner, folder / "run", folder])
        got = np.frombuffer((folder / "model.out").read_bytes(),
                            expected.dtype)
        if got.size != expected.size:
            sys.exit(f"{name}: expected {expected.size} elements, got "
                     f"{got.size}")
        yield name, got.size, count_differences(expected,
                                                got.reshape(expected.shape))


def main():
    arguments, flags = sys.argv[1:], []
    if "--" in arguments:
        at = arguments.index("--")
        arguments, flags = arguments[:at], arguments[at + 1:]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("array")
    parser.add_argument("--samples", type=int, default=2)
    parser.add_argument("--only", default="", help="targets, by their names")
    parser.add_argument("--qopt", default=os.environ.get("QOPT", "qopt"))
    options = parser.parse_args(arguments)
    samples = np.load(options.array)[:options.samples, None]
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for name, elements, differing in check(
                options.qopt, options.model, samples, flags, Path(folder),
                [n for n in options.only.split(",") if n]):
            print(f"{name}: {differing} of {elements} elements differ",
                  flush=True)
            failed |= differing != 0
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
