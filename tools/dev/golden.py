#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Do today's sources write the bytes that yesterday's wrote?

    golden.py write FILE [--qopt build/bin/qopt] [--shared DIR] [--only REGEX]
    golden.py check FILE ...

`write` compiles every network in every scheme and keeps the SHA-256 of each
result: objects for three kinds of x86-64 and AArch64, header, ONNX, quantized
IR, profile, and the folders of C and HLS. `check` does it again and names what
differs; exit status 1. Run it before and after a change that is not meant to
change bytes. Data are random numbers of a fixed seed, so that nothing but the
models is needed; without --shared the networks of the tests are all there is.
A combination that is refused has the refusal's code as its value.

Nothing of the machine enters: targets are named, never `native`.
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
INPUTS = ROOT / "test" / "Driver" / "Inputs"

# name: file below the tests or below SHARED/models, flags, samples
TESTS = {name: (INPUTS / f"{name}.onnxtxt", [], 8)
         for name in ("cnn", "depthwise", "products")}
SHARED = {
    "autoencoder": ("ad_autoencoder_int8_qdq", [], 4),
    "espcn": ("espcn_brevitas_qonnx", [], 2),
    "resnet8": ("ic_resnet8_float", [], 8),
    "resnet8-qdq": ("ic_resnet8_int8_qdq", [], 4),
    "kws": ("kws_dscnn_int8_qdq", [], 4),
    "kws-mlp": ("kws_mlp_w3a3_qonnx", [], 4),
    "mnist": ("mnist_cnn_float", [], 8),
    "vww": ("vww_mobilenetv1_float", [], 4),
    "vww-qdq": ("vww_mobilenetv1_int8_qdq", [], 4),
    # Small bindings: the same layers in less time.
    "rec": ("ppocrv4_rec_float", ["--shape", "x=1x3x48x96"], 2),
    "det": ("ppocrv4_det_float", ["--shape", "x=1x3x64x64"], 2),
}
# Rounding of the large networks on data takes minutes.
INTERNAL = 70  # the exit code of a defect
SLOW = re.compile(r"^(rec|det)/w4a[48]$")

FLOAT_MODEL = ["float", "w8a8", "w4a8", "w4a4", "w8a8-dyn", "w4a8-dyn",
               "w8a8 --weights nf4", "w8a8 --weights lut3",
               "w4a8 --weights si4:g32 --rounding nearest",
               "w8a8 --method min-max --bias-correction off"]
TARGETS = {"x86-64-v2": "x86-64-v2", "avx2": "x86-64-v3",
           "vnni": "x86-64-v4:+avx512vnni",
           "arm64": "aarch64-linux-gnu:cortex-a76"}


def run_qopt(options, words):
    done = subprocess.run([str(options.qopt), *map(str, words), "-q", "-j", "1"],
                          text=True, capture_output=True)
    if done.returncode == 0:
        return None
    if done.returncode < 0 or done.returncode == INTERNAL:
        sys.exit(f"qopt {' '.join(map(str, words))} died with "
                 f"{done.returncode}:\n{done.stderr[-2000:]}")
    return f"refused with {done.returncode}"


def get_hashes(folder):
    """Files of a folder by name; locks hold hashes of the rest."""
    result = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != "lock.json":
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            result[path.relative_to(folder).as_posix()] = digest[:16]
    return result


def compile_one(options, model, flags, samples, scheme):
    """All results of one network in one scheme: {target/file: hash}."""
    name, *more = scheme.split()
    data = []
    if name in ("w8a8", "w4a8", "w4a4"):
        data = ["--data", "random:7", "--samples", samples]
    base = ["compile", model, "--scheme", name, *more, *flags]
    rows = {}
    with tempfile.TemporaryDirectory() as work:
        work = Path(work)
        profile = []
        for target, spec in TARGETS.items():
            folder = work / target
            folder.mkdir()
            emit = "object" if profile else "object,header,onnx"
            refusal = run_qopt(options, base + (profile or data) + [
                "--emit=" + emit, "--target", spec, "-o", folder / "m"])
            if refusal and emit != "object":  # ONNX cannot say all of it
                emit = "object,header"
                refusal = run_qopt(options, base + data + [
                    "--emit=" + emit, "--target", spec, "-o", folder / "m"])
            rows |= {f"{target}/{key}": value for key, value in (
                {"": refusal} if refusal else get_hashes(folder)).items()}
        for kind, target in (("c", []), ("hls", ["--target", "xc7z020"])):
            refusal = run_qopt(options, base + data + [
                "--emit=" + kind, *target, "-o", f"{work}/{kind}/"])
            rows |= {f"{kind}/{key}": value for key, value in (
                {"": refusal} if refusal
                else get_hashes(work / kind)).items()}
    return rows


def get_jobs(options):
    models = dict(TESTS)
    if options.shared:
        models |= {name: (options.shared / "models" / f"{file}.onnx", *rest)
                   for name, (file, *rest) in SHARED.items()}
    for name, (file, flags, samples) in models.items():
        quantized = "qdq" in str(file) or "qonnx" in str(file)
        for scheme in ["qdq"] if quantized else FLOAT_MODEL:
            row = f"{name}/{scheme}"
            if options.only and not options.only.search(row):
                continue
            if SLOW.match(row) and not options.all:
                continue
            yield row, (options, file, flags, samples, scheme)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("mode", choices=["write", "check"])
    parser.add_argument("file", type=Path)
    parser.add_argument("--qopt", type=Path,
                        default=ROOT / "build" / "bin" / "qopt")
    parser.add_argument("--shared", type=Path)
    parser.add_argument("--only", type=re.compile)
    parser.add_argument("--all", action="store_true",
                        help="the slow combinations as well")
    options = parser.parse_args()
    jobs = list(get_jobs(options))
    found = {}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        futures = {row: pool.submit(compile_one, *job) for row, job in jobs}
        for number, (row, future) in enumerate(futures.items(), 1):
            found[row] = future.result()
            print(f"[{number}/{len(jobs)}] {row}: {len(found[row])} files",
                  file=sys.stderr)
    if options.mode == "write":
        options.file.write_text(json.dumps(found, indent=1, sort_keys=True))
        return 0
    kept = json.loads(options.file.read_text())
    differing = 0
    for row in found:
        for key in sorted({*found[row], *kept.get(row, {})}):
            old, new = kept.get(row, {}).get(key), found[row].get(key)
            if old != new:
                differing += 1
                print(f"{row}: {key}: {old} before, {new} now")
    files = sum(map(len, found.values()))
    print(f"{files} files of {len(found)} rows, {differing} differ")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
