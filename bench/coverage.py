#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which ordinary networks do targets without floats take, and rightly?

    coverage.py --qopt build/bin/qopt --work DIR [--only REGEX] [--targets c object hls]
                [--csim] [--jobs N]

Networks of bench/coverage/, made anew each time, go to plain C, to
an object for a Cortex-M4 and to an FPGA project. What the C computes is found
out from its files alone: the header says how each port stores its numbers,
main.c runs it; the decibels are those of its results against ONNX Runtime's
floats (for QONNX: the imported model's). Beside them, every stored element is compared with the
interpreter's; --csim does the same with C simulation of the FPGA project.

A row says `ok`, `wrong` (below 10 dB, or a differing element) or the first
reason of a refusal. The last lines count. Exit status 1 if a row is wrong.
"""
import argparse
import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort

sys.path.insert(0, str(Path(__file__).resolve().with_suffix("")))
import outside  # noqa: E402, F401
import rewritten  # noqa: E402, F401
from networks import NETWORKS, build  # noqa: E402

CALIBRATION, COMPARED = 16, 4
LEAST_DB = 10
TARGETS = {
    "c": ["--emit=c"],
    "object": ["--emit=object,header", "--target=thumbv7em-none-eabi",
               "--mcpu=cortex-m4"],
    "hls": ["--emit=hls", "--target=xc7z020", "--vectors", "4"]}


def run(command, **options):
    done = subprocess.run([str(part) for part in command], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=600, **options)
    return done.returncode, done.stdout


def get_reason(text):
    lines = [line for line in text.splitlines() if line.strip()]
    notes = [line for line in lines if line.startswith("note: ")]
    errors = [line for line in lines if line.startswith("error")]
    return (notes or errors or lines or ["?"])[0].removeprefix("note: ")


class Port:
    """One array of the interface, as the header has it."""

    def __init__(self, kind, name, dtype, shape, rest):
        self.kind, self.name = kind, name
        self.dtype = np.dtype("float32" if dtype == "float"
                              else dtype.removesuffix("_t"))
        self.shape = [int(extent) for extent in shape.split("x")] \
            if shape else []
        encoding = re.search(r"stands for (\S+) \* \(x - (-?\d+)\)", rest)
        self.scale = np.float32(encoding[1].rstrip("f")) if encoding else None
        self.zero = int(encoding[2]) if encoding else 0
        limits = re.search(r"x from (-?\d+) to (-?\d+)", rest)
        self.low, self.high = map(int, limits.groups()) if limits else \
            (None, None)

    def store(self, values):
        # Integers are handed over as they are, whatever they stand for.
        if self.scale is None or values.dtype.kind in "iu":
            return values.astype(self.dtype)
        info = np.iinfo(self.dtype)
        low, high = (info.min, info.max) if self.low is None else \
            (self.low, self.high)
        steps = np.rint(values.astype(np.float32) / self.scale) + self.zero
        return np.clip(steps, low, high).astype(self.dtype)

    def read(self, stored):
        if self.scale is None:
            return stored
        return (stored.astype(np.float64) - self.zero) * self.scale


def read_ports(header):
    pattern = r"^/\* (input|output) \d+: '(.*)', (\w+) \[([\dx]*)\](.*)"
    return [Port(*found.groups())
            for found in re.finditer(pattern, header, re.M)]


def expect(net, model, samples, qopt, folder):
    """Float results by sample, in order of the outputs."""
    if not net.qonnx:
        session = ort.InferenceSession(model.SerializeToString(),
                                       providers=["CPUExecutionProvider"])
        return [session.run(None, {n: a[i] for n, a in samples.items()})
                for i in range(COMPARED)]
    results = []
    for i in range(COMPARED):
        arguments = []
        for name, array in samples.items():
            np.save(folder / "in.npy", array[i])
            arguments += ["--input", f"{name}=@{folder}/in.npy"]
        code, text = run([qopt, "run", folder / "model.onnx", "--reference",
                          *arguments, "-o", f"@{folder}/out.npy", "-q"])
        if code:
            raise RuntimeError(text)
        results.append([np.load(folder / "out.npy")])
    return results


def get_db(wanted, got):
    wanted, got = np.asarray(wanted, np.float64), np.asarray(got, np.float64)
    error = np.sum((wanted - got) ** 2)
    return 99.0 if error == 0 else 10 * np.log10(np.sum(wanted ** 2) / error)


def check_c(folder, net, samples, wanted, qopt):
    """Decibels of the worst output and the number of elements that differ."""
    symbol = json.loads((folder / "manifest.json").read_text())["symbol"]
    ports = read_ports((folder / f"{symbol}.h").read_text())
    inputs = [p for p in ports if p.kind == "input"]
    outputs = [p for p in ports if p.kind == "output"]
    stored = [[p.store(samples[p.name][i]) for p in inputs]
              for i in range(COMPARED)]
    (folder / "in.bin").write_bytes(
        b"".join(a.tobytes() for row in stored for a in row))
    command = ["gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-O1",
               f"{symbol}.c", "main.c", "-o", "program"]
    for step in (command, ["./program", "in.bin", "out.bin"]):
        code, text = run(step, cwd=folder)
        if code:
            return None, text
    data, at, results = (folder / "out.bin").read_bytes(), 0, []
    for _ in range(COMPARED):
        row = []
        for p in outputs:
            count = int(np.prod(p.shape))
            row.append(np.frombuffer(data, p.dtype, count, at)
                       .reshape(p.shape))
            at += count * p.dtype.itemsize
        results.append(row)
    if at != len(data):
        return None, "the header's outputs are not what main.c writes"
    names = {p.name: k for k, p in enumerate(outputs)}
    worst = 99.0
    for k, name in enumerate(net.outputs):
        if name not in names:
            return None, f"output '{name}' is not in the header"
        p = outputs[names[name]]
        worst = min(worst, get_db(
            np.stack([w[k] for w in wanted]).reshape(-1),
            np.stack([p.read(r[names[name]]) for r in results]).reshape(-1)))
    return worst, count_differing(folder, inputs, outputs, stored, results,
                                  qopt)


def count_differing(folder, inputs, outputs, stored, results, qopt):
    count = 0
    for row, result in zip(stored, results):
        command = [qopt, "run", folder / "quantized.mlirbc", "--reference",
                   "-q"]
        for k, (p, array) in enumerate(zip(inputs, row)):
            np.save(folder / f"in{k}.npy", array)
            command += ["--input", f"{p.name}=@{folder}/in{k}.npy"]
        for k, p in enumerate(outputs):
            command += ["--output", f"{p.name}=@{folder}/out{k}.npy"]
        code, text = run(command)
        if code:
            return text
        for k, array in enumerate(result):
            count += int(np.sum(np.load(folder / f"out{k}.npy").reshape(-1)
                                != array.reshape(-1)))
    return count


def check_ports(folder):
    """What the report and the header of an FPGA project say of the ports' signs
    differently; None if nothing."""
    report = json.loads((folder / "report.json").read_text())
    header = (folder / "src" / f"{report['top']}.h").read_text()
    for kind, ports in (("in", report["inputs"]), ("out", report["outputs"])):
        signs = re.findall(rf"^// {kind}_\w+: .* (signed|unsigned) \d+-bit",
                           header, re.M)
        said = ["signed" if p["signed"] else "unsigned" for p in ports]
        if signs != said:
            return f"{kind}: the header says {signs}, the report {said}"
    return None


def cover(name, arguments):
    net = build(name)
    folder = Path(arguments.work).resolve() / name.replace("/", "-")
    folder.mkdir(parents=True, exist_ok=True)
    model = net.model()
    onnx.save(model, folder / "model.onnx")
    np.savez(folder / "data.npz", **net.samples(CALIBRATION))
    samples = net.samples(COMPARED, seed=1)
    wanted = expect(net, model, samples, arguments.qopt, folder)
    row = {"name": name}
    for target in arguments.targets:
        out = folder / f"{target}_code"
        where = out / "m" if target == "object" else f"{out}/"
        out.mkdir(exist_ok=True)
        code, text = run([arguments.qopt, "compile", folder / "model.onnx",
                          "--data", folder / "data.npz", *TARGETS[target],
                          "-o", where, "-q"])
        if code:
            row[target] = get_reason(text) if code == 3 else \
                f"wrong: exit {code}: {get_reason(text)}"
            continue
        row[target] = "ok"
        if target == "c":
            db, differing = check_c(out, net, samples, wanted, arguments.qopt)
            if db is None or differing:
                row[target] = f"wrong: {differing} differ" if db else \
                    f"wrong: {differing}"
            else:
                row[target] = ("ok" if db >= LEAST_DB else "wrong:") + \
                    f" {db:.1f} dB"
        elif target == "hls" and check_ports(out):
            row[target] = "wrong: " + check_ports(out)
        elif target == "hls" and arguments.csim:
            code, text = run(["make", "-C", out, "csim", "CXXFLAGS=-O0 "
                              "-std=c++14 -w"])
            if code or " 0 mismatches" not in text:
                row[target] = "wrong: " + text.strip().splitlines()[-1]
    return row


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--qopt", default="qopt")
    parser.add_argument("--work", required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--targets", nargs="+", default=list(TARGETS),
                        choices=list(TARGETS))
    parser.add_argument("--csim", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    names = [n for n in NETWORKS if re.search(arguments.only, n)]
    with ThreadPoolExecutor(arguments.jobs) as pool:
        rows = list(pool.map(lambda n: cover(n, arguments), names))
    for row in rows:
        print(row["name"])
        for target in arguments.targets:
            print(f"  {target:7} {row[target]}")
    isWrong = False
    for target in arguments.targets:
        taken = sum(row[target].startswith("ok") for row in rows)
        wrong = sum(row[target].startswith("wrong") for row in rows)
        isWrong |= wrong > 0
        print(f"{target}: {taken} of {len(rows)} "
              f"({100 * taken / max(len(rows), 1):.0f} %), {wrong} wrong")
    (Path(arguments.work) / "coverage.json").write_text(
        json.dumps(rows, indent=1))
    sys.exit(isWrong)


if __name__ == "__main__":
    main()
