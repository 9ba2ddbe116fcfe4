#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does one integer graph give the same bytes on every route?

    four_ways.py SHARED --qopt build/bin/qopt [--only NAME ...] [--samples N]
                 [--requant fixed:31] [--cxx clang++-22] [--optimize -O2]
                 [--work FOLDER]

`qopt compile --emit=c` writes the integer graph that its C came from. That
graph goes four ways: the interpreter, an object for this machine, the C, and
C simulation of the FPGA project. All get the same stored integers, real
samples and random bytes in turn, and their outputs are compared with the
interpreter's. One row a network; exit status 1 if an element differs or a
route refuses a network that it is expected to take.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
RUNNER = ROOT / "test" / "Integration" / "Inputs" / "run_objects.c"
sys.path.insert(0, str(Path(__file__).resolve().parent))
from mcu import Model  # noqa: E402

CALIBRATION = 8  # samples in front of those that are compared

# name: model, kind of samples (see samples.py), quantized here
NETWORKS = {"ad": ("ad_autoencoder_int8_qdq", "ad", False),
            "ic": ("ic_resnet8_int8_qdq", "ic", False),
            "kws": ("kws_dscnn_int8_qdq", "kws", False),
            "vww": ("vww_mobilenetv1_int8_qdq", "vww", False),
            "mnist-w8a8": ("mnist_cnn_float", "mnist", True),
            "ic-w8a8": ("ic_resnet8_float", "icf", True),
            "kws-qonnx": ("kws_mlp_w3a3_qonnx", "kws-image", False)}
# Quantization in front and 32-bit sums behind belong to the caller.
FLAGS = {"kws-qonnx": ["--outputs=quantized"]}


def run(command):
    done = subprocess.run([str(part) for part in command], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def must(command):
    code, text = run(command)
    if code:
        sys.exit(f"{' '.join(map(str, command[:3]))} ... gave {code}:\n{text}")
    return text


def get_reason(text):
    """What a refusal says: its error and the first notes."""
    lines = [line for line in text.splitlines()
             if line.startswith(("error", "note"))]
    return "; ".join(lines[:3]) or text.strip()[-200:]


def read_samples(shared, kind, count, at):
    if kind == "kws-image":
        rows = np.load(shared / "data" / "kws_mfcc_s8.npy")[:count]
        return (rows * np.float32(0.33674246)).reshape(-1, 1, 10, 49)
    must([sys.executable, ROOT / "test" / "Integration" / "Inputs" /
          "samples.py", shared, at, kind, count])
    return np.load(at)


def simulate(project, count, options):
    """(elements compared, mismatches) of a project's C simulation."""
    must(["make", "-s", "-j2", "-C", project, f"CXX={options.cxx}",
          f"CXXFLAGS=-std=c++14 {options.optimize}", "build/csim"])
    _, text = run([project / "build" / "csim", project / "tb" / "vectors.bin",
                   count])
    counts = re.search(r"(\d+) compared, (\d+) mismatches", text)
    if not counts:
        sys.exit(text)
    return [int(number) for number in counts.groups()]


HLS = ["--emit=hls", "--target=xc7z020", "--clock=10ns", "-q"]


def store(model, samples, count):
    """Stored integers: real samples, and random bytes in every other place."""
    scale, zero = re.search(r"input 0: .* stands for ([\d.e-]+)f \* \(x - (-?\d+)",
                            model.header).groups()
    info = np.iinfo(model.dtype)
    real = np.clip(np.rint(samples[:count] / float(scale)) + int(zero),
                   info.min, info.max).astype(model.dtype)
    stored = real.reshape([-1] + model.shape)
    stored[1::2] = model.make_samples(len(stored))[1::2]
    return stored


class Routes:
    """All routes of the integer graph in `folder`; bytes of all outputs."""

    def __init__(self, model, stored, folder, options):
        self.model, self.stored = model, stored
        self.folder, self.options = folder, options
        self.graph = model.folder / "quantized.mlirbc"

    def interpret(self):
        return self.model.interpret(self.stored, self.options.qopt)

    def run_object(self):
        stem = self.folder / "model"
        code, text = run([self.options.qopt, "compile", self.graph, "--scheme",
                          "float", "-q", "-o", stem])
        if code:
            return None, get_reason(text)
        must(["cc", "-O1", "-I", ROOT / "include", RUNNER, f"{stem}.o",
              "-DMODELS=X(model)", "-o", self.folder / "run"])
        (self.folder / "model.in").write_bytes(self.stored.tobytes())
        must([self.folder / "run", self.folder])
        return (self.folder / "model.out").read_bytes(), ""

    def run_c(self):
        program = self.folder / "c"
        must(["cc", "-std=c99", "-O1", self.model.folder / "main.c",
              self.model.folder / f"{self.model.symbol}.c", "-o", program])
        (self.folder / "c.in").write_bytes(self.stored.tobytes())
        must([program, self.folder / "c.in", self.folder / "c.out"])
        return (self.folder / "c.out").read_bytes(), ""

    def run_hls(self, expected):
        """What the test bench counts. It is given the interpreter's bytes of
        the whole graph: the project's own come from the device's part."""
        at = self.folder / "fpga"
        count = len(self.stored)
        np.save(self.folder / "stored.npy", self.stored)
        code, text = run([self.options.qopt, "compile", self.graph, "--scheme",
                          "float", *HLS, "--vectors", count, "--data",
                          self.folder / "stored.npy", "-o", f"{at}/"])
        if code:
            return None, get_reason(text)
        vectors = at / "tb" / "vectors.bin"
        frames = np.frombuffer(vectors.read_bytes(), np.uint8)
        frames = frames.reshape(count, -1).copy()
        # The device's ports are as wide as what they hold.
        outputs = np.frombuffer(expected, self.model.result).reshape(count, -1)
        width = (frames.shape[1] - self.model.input_bytes) // outputs.shape[1]
        kind = np.dtype(f"{outputs.dtype.kind}{width}")
        frames[:, self.model.input_bytes:] = outputs.astype(kind).view(np.uint8)
        vectors.write_bytes(frames.tobytes())
        return simulate(at, count, self.options), ""


def compare(got, expected, kind):
    if len(got) != len(expected):
        return "other size"
    return int((np.frombuffer(got, kind) !=
                np.frombuffer(expected, kind)).sum())


def check(name, options, folder):
    """A row: elements, then what differs by route, or why it refuses."""
    file, kind, own = NETWORKS[name]
    model = options.shared / "models" / f"{file}.onnx"
    flags = ["--requant", options.requant] + FLAGS.get(name, [])
    samples = read_samples(options.shared, kind, CALIBRATION + options.samples,
                           folder / "samples.npy")
    if own:
        np.save(folder / "data.npy", samples[:CALIBRATION])
        flags += ["--data", folder / "data.npy", "--scheme", "w8a8"]
    code, text = run([options.qopt, "compile", model, "--emit=c", "-q", *flags,
                      "-o", f"{folder}/net/"])
    if code:
        return {}, {"C99": get_reason(text)}
    c = Model(folder / "net")
    stored = store(c, samples[CALIBRATION:], options.samples)
    routes = Routes(c, stored, folder, options)
    expected = routes.interpret()
    row, reasons = {}, {}
    elements = len(expected) // c.result.itemsize
    for route, start in (("object", routes.run_object), ("C99", routes.run_c)):
        got, reason = start()
        if got is None:
            reasons[route] = reason
        else:
            row[route] = compare(got, expected, c.result)
    counts, reason = routes.run_hls(expected)
    if counts is None:
        reasons["HLS"] = reason
    else:
        row["HLS"] = counts[1] if counts[0] == elements else counts
    row["elements"] = elements
    return row, reasons


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("shared", type=Path)
    parser.add_argument("--qopt", default=os.environ.get("QOPT", "qopt"))
    parser.add_argument("--only", nargs="*", choices=list(NETWORKS))
    parser.add_argument("--samples", type=int, default=100)
    parser.add_argument("--requant", default="fixed:31")
    parser.add_argument("--cxx", default="clang++-22")
    parser.add_argument("--optimize", default="-O2", help="of C simulation")
    parser.add_argument("--work", type=Path, help="keeps what is built")
    options = parser.parse_args()
    print("| network | elements | object | C99 | HLS |\n|---|---|---|---|---|")
    failed = False
    for name in options.only or NETWORKS:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            if options.work:
                folder = options.work / name
                folder.mkdir(parents=True, exist_ok=True)
            row, reasons = check(name, options, folder)
        cells = [str(row.get(route, "refused"))
                 for route in ("object", "C99", "HLS")]
        print(f"| {name} | {row.get('elements', '-')} | {' | '.join(cells)} |",
              flush=True)
        for route, reason in reasons.items():
            print(f"{name}: {route} refuses: {reason}", flush=True)
        failed |= any(cell != "0" for cell in cells)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
