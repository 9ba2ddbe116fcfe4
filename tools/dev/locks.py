#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Do equal locks mean equal bytes, and does --lock make them again?

    locks.py [--pairs 200] [--seed 1] [--again 20] [--qopt build/bin/qopt]

Compiles pairs of random option sets of a small network; the second differs from
the first in up to three options, of which some are other words for the same
thing (a default spelled out, data under another name, another -j). With the
hashes of results left out of both locks:

    equal locks   => every file has equal bytes
    unequal bytes => unequal locks, for each option that makes them so

Then some of the locks are compiled again by `--lock` alone, and every file must
be the same. Exit status 1 and a line per violation otherwise; a run in which an
option never changed bytes, or no locks were equal, says so.
"""
import argparse
import collections
import concurrent.futures
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "test" / "Driver" / "Inputs" / "cnn.onnxtxt"

# option: values; None leaves it out. The first of a list is drawn more often.
OPTIONS = {
    "model": ["cnn.onnxtxt", "same.onnxtxt"],
    "scheme": ["w8a8", "w4a8", "w4a4", "float", "w8a8-dyn", "w4a8-dyn", None],
    "weights": [None, "si8", "si4", "nf4", "lut3", "si4:g4", "ui5"],
    "rounding": [None, "gptq", "nearest"],
    "average-bits": [None, "0", "4.6", "6"],
    "activations": [None, "ui8", "ui6"],
    "transforms": [None, "none", "equalization", "smoothing"],
    "bias-correction": [None, "on", "off"],
    "requant": [None, "f32", "fixed:31", "fixed:9", "pow2"],
    "method": [None, "mse", "min-max", "percentile:99", "entropy"],
    "per-channel-acts": [None, ""],
    "samples": [None, "4", "8"],
    "skip": [None, "0", "3"],
    "layer": [None, "head=weights:f32", "body*=weights:si4",
              "*=rounding:nearest", "stem*=weights:si8"],
    "data": ["{work}/digits.npy", "{work}/copy.npy", "image={work}/digits.npy",
             "{work}/other.npy", "random:7", "random:8", "random:uniform:7"],
    "pre": [None, "none", "image=scale:1/255"],
    "target": ["x86-64-v3", "x86_64-unknown-linux-gnu:x86-64-v3",
               "x86-64-v4:+avx512vnni", "aarch64-linux-gnu:cortex-a76",
               "xc7z020"],
    "opt-level": [None, "3", "2", "0"],
    "symbol-prefix": [None, "net", "other"],
    "emit": ["object", "object,header", "static", "llvm-ir", "c", "hls"],
    "integer-only": [None, ""],
    "outputs": [None, "model", "quantized"],
    "clock": [None, "10ns", "5ns"],
    "vectors": [None, "2", "3"],
    "cycles": [None, "0", "3000"],
    "llvm-arg": [None, "-align-all-functions=6"],
    "jobs": [None, "1", "2"],
}
# What no file of the results may show.
HARMLESS = {"model", "jobs"}


def draw(generator):
    options = {}
    for name, values in OPTIONS.items():
        if generator.random() < 0.25:
            options[name] = generator.choice(values)
        else:
            options[name] = values[0]
    if options["emit"] != "hls":
        options["clock"] = options["vectors"] = options["cycles"] = None
        if options["target"] == "xc7z020":
            options["target"] = "x86-64-v3"
    else:
        options["target"] = "xc7z020"
        options["vectors"] = options["vectors"] or "2"
    if options["emit"] == "c":
        options["target"] = None
    if options["scheme"] in ("float", "w8a8-dyn", "w4a8-dyn"):
        options["data"] = None
    return options


def vary(options, generator):
    other = dict(options)
    for name in generator.sample(sorted(OPTIONS), generator.randint(1, 3)):
        other[name] = generator.choice(OPTIONS[name])
    return other


def get_hashes(folder):
    return {path.relative_to(folder).as_posix():
            hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*")) if path.is_file()}


class Compiler:
    def __init__(self, qopt, work):
        self.qopt, self.work, self.known = qopt, work, {}

    def run(self, words):
        return subprocess.run([str(self.qopt), *words, "-q"], text=True,
                              capture_output=True)

    def compile(self, options):
        """(lock without results, {file: hash}, lock file), or None: refused."""
        key = json.dumps(options, sort_keys=True)
        if key not in self.known:
            self.known[key] = self.compile_anew(options, len(self.known))
        return self.known[key]

    def compile_anew(self, options, number):
        folder = self.work / f"{number}"
        words = ["compile", str(self.work / options["model"]), "-o",
                 str(folder / "net")]
        for name, value in options.items():
            if value is not None and name != "model":
                words.append(f"--{name}=" + value.format(work=self.work)
                             if value else f"--{name}")
        done = self.run(words)
        if done.returncode:
            if done.returncode < 0 or done.returncode == 70:
                sys.exit(f"{words}\n{done.stderr}")
            return None
        path = folder / ("net" if (folder / "net" / "lock.json").exists()
                         else "net.qopt") / "lock.json"
        lock = json.loads(path.read_text())
        del lock["results"]
        return strip_names(lock), strip_locks(get_hashes(folder)), path


def strip_names(value):
    """Files are known by their hashes, whatever they are called."""
    if isinstance(value, list):
        return [strip_names(v) for v in value]
    if isinstance(value, dict):
        return {k: strip_names(v) for k, v in value.items()
                if not (k == "name" and "sha256" in value)}
    return value


def strip_locks(hashes):
    return {k: v for k, v in hashes.items() if Path(k).name != "lock.json"}


def get_results(hashes):
    """What was asked for; the bundle beside it holds the lock's own words."""
    return {k: v for k, v in hashes.items() if ".qopt/" not in k}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--again", type=int, default=20)
    parser.add_argument("--qopt", type=Path,
                        default=ROOT / "build" / "bin" / "qopt")
    arguments = parser.parse_args()
    generator = random.Random(arguments.seed)
    problems = []
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        rng = np.random.default_rng(0)
        digits = rng.random((12, 1, 6, 6), dtype=np.float32)
        np.save(work / "digits.npy", digits)
        np.save(work / "copy.npy", digits)
        np.save(work / "other.npy", digits[::-1].copy())
        for name in OPTIONS["model"]:
            shutil.copy(MODEL, work / name)
        compiler = Compiler(arguments.qopt, work)
        equal, unequal, pairs = 0, collections.Counter(), 0
        while pairs < arguments.pairs:
            first = draw(generator)
            second = vary(first, generator)
            a, b = compiler.compile(first), compiler.compile(second)
            if not a or not b:
                continue
            pairs += 1
            changed = [k for k in OPTIONS if first[k] != second[k]]
            same = get_results(a[1]) == get_results(b[1])
            equal += a[0] == b[0]
            if a[0] == b[0] and a[1] != b[1]:
                problems.append("equal locks, other bytes: " + ", ".join(
                    f"{k} {first[k]} | {second[k]}" for k in changed))
            if not same:
                for k in changed:
                    unequal[k] += 1
                if len(changed) == 1 and changed[0] in HARMLESS:
                    problems.append(f"--{changed[0]} changes bytes")
        made = [row for row in compiler.known.values() if row]
        count = min(arguments.again, len(made))
        for number, row in enumerate(generator.sample(made, count)):
            folder = work / "again" / f"{number}"
            stem = folder / row[2].parent.name.removesuffix(".qopt")
            words = ["compile", str(MODEL), "--lock", str(row[2]), "-o",
                     str(stem)]
            for entry in json.loads(row[2].read_text())["data"]:
                if "sha256" in entry:
                    words += ["--data", str(work / entry["name"])]
            done = compiler.run(words)
            if done.returncode:
                problems.append(f"--lock {row[2]}: {done.stderr}")
            elif strip_locks(get_hashes(folder)) != row[1]:
                problems.append(f"--lock {row[2]}: other bytes")
    print("\n".join(problems))
    print(f"{pairs} pairs, {equal} with equal locks, {count} made again: "
          f"{len(problems)} violations")
    never = sorted(set(OPTIONS) - set(unequal) - HARMLESS)
    if never:
        print("in no pair with other bytes: " + ", ".join(never))
    return 1 if problems or not equal else 0


if __name__ == "__main__":
    sys.exit(main())
