#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Can the model's outputs be had from the emitted files alone?

    interfaces.py --qopt build/bin/qopt --work DIR [--cases DIR] [--only REGEX]
                  [--targets c hls]

For every case (a folder with model.onnx and calib.npz) and every network of
bench/coverage, the C folder and the FPGA project are taken as a stranger would:
manifest.json or report.json say what each array is, NAME_host.h turns the
model's inputs into those arrays and what comes back into the model's outputs,
and the C or the C simulation lies between. The results are compared, element
by element, with what the interpreter gives for an object of the same options,
whose manifest says what its own integers stand for: 0 may differ. The header,
NAME_info and the manifest must say the same of every array. Exit status 1 if
anything differs.
"""
import argparse
import ctypes
import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx

sys.path.insert(0, str(Path(__file__).resolve().parent / "coverage"))
from networks import NETWORKS, build  # noqa: E402

SAMPLES = 4
DTYPES = ["float32", "float64", "float16", "uint16", "int8", "int16", "int32",
          "int64", "uint8", "uint16", "uint32", "uint64", "uint8"]  # qopt_rt.h
REQUANTIZE = {"c": "fixed:31", "hls": "fixed:17"}


class Refused(Exception):
    """The network is not taken; nothing is wrong."""


class Wrong(Exception):
    """The files do not say what the code does."""


def run(command, **options):
    done = subprocess.run([str(part) for part in command], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=600, **options)
    return done.returncode, done.stdout


def must(command, **options):
    code, text = run(command, **options)
    if code:
        raise Wrong(f"{command[0]}: exit {code}: {text.strip()[-300:]}")


def get_dtype(name):
    return np.dtype("float32" if name == "float" else name.removesuffix("_t"))


def pointers(arrays):
    return (ctypes.c_void_p * max(len(arrays), 1))(
        *[a.ctypes.data for a in arrays])


class Host:
    """NAME_host.h, compiled."""

    def __init__(self, header, rows):
        self.functions = [row["host"]["function"] for row in rows]
        for row in rows:
            if row["host"]["function"] is None:
                raise Refused("the host's part has no form in C: " + ", ".join(
                    op["op"] for op in row["host"]["ops"]))
        source = f'#include "{header}"\n' + "".join(
            f"void call_{name}(const void *const *inputs, "
            f"const void *const *outputs, void *to) {{\n  "
            f"(void)outputs;\n  {name}(inputs, "
            f"{'outputs, ' if '_read_' in name else ''}to);\n}}\n"
            for name in self.functions)
        path = header.parent / "host_calls.c"
        path.write_text(source)
        library = header.parent / "host_calls.so"
        must(["gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-O1",
              "-Wno-unused-function", "-ffp-contract=off", "-shared", "-fPIC",
              path, "-o", library, "-lm"])
        self.library = ctypes.CDLL(str(library))

    def call(self, name, inputs, outputs, row):
        result = np.zeros(row["shape"], get_dtype(row["type"]))
        self.library[f"call_{name}"](pointers(inputs), pointers(outputs),
                                     ctypes.c_void_p(result.ctypes.data))
        return result


def check_range(rows, arrays):
    for row, array in zip(rows, arrays):
        if array.size and "low" in row and not (row["low"] <= array.min() and
                               array.max() <= row["high"]):
            raise Wrong(f"'{row['name']}' leaves {row['low']}..{row['high']}")


class Tensor(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p),
                ("dims", ctypes.POINTER(ctypes.c_int64)),
                ("rank", ctypes.c_uint32), ("dtype", ctypes.c_uint32),
                ("bytes", ctypes.c_uint64), ("scale", ctypes.c_float),
                ("zero_point", ctypes.c_int32)]


class Info(ctypes.Structure):
    _fields_ = [("abi", ctypes.c_uint32), ("n_inputs", ctypes.c_uint32),
                ("n_outputs", ctypes.c_uint32), ("n_layers", ctypes.c_uint32),
                ("inputs", ctypes.POINTER(Tensor)),
                ("outputs", ctypes.POINTER(Tensor))]


class Call(ctypes.Structure):
    _fields_ = [("abi", ctypes.c_uint32), ("threads", ctypes.c_uint32),
                ("inputs", ctypes.c_void_p), ("outputs", ctypes.c_void_p),
                ("arena", ctypes.c_void_p), ("rest", ctypes.c_void_p * 5)]


def check_info(tensors, rows):
    for tensor, row in zip(tensors, rows):
        said = (tensor.name.decode(), tensor.dims[:tensor.rank],
                DTYPES[tensor.dtype], np.float32(tensor.scale),
                tensor.zero_point)
        wanted = (row["name"], row["shape"], get_dtype(row["type"]).name,
                  np.float32(row.get("scale", 0)), row.get("zero_point", 0))
        if said != wanted:
            raise Wrong(f"NAME_info says {said}, the manifest {wanted}")


def check_header(text, facts):
    """The lines of the C header say what the manifest says."""
    pattern = r"^/\* (input|output) (\d+): '(.*)', (\w+) \[([\dx]*)\](.*) \*/"
    found = re.findall(pattern, text, re.M)
    rows = [("input", r) for r in facts["inputs"]] + \
        [("output", r) for r in facts["outputs"]]
    if len(found) != len(rows):
        raise Wrong("the header has other arrays than the manifest")
    for (kind, _, _, ctype, shape, rest), (wanted, row) in zip(found, rows):
        encoding = re.search(r"stands for (\S+)f \* \(x - (-?\d+)\)", rest)
        scale = np.float32(encoding[1]) if encoding else 0
        limits = re.search(r"x from (-?\d+) to (-?\d+)", rest)
        low, high = None, None
        if get_dtype(ctype).kind != "f":
            info = np.iinfo(get_dtype(ctype))
            low, high = map(int, limits.groups()) if limits else \
                (info.min, info.max)
        said = (kind, ctype, shape, scale, int(encoding[2]) if encoding else 0,
                low, high)
        right = (wanted, row["type"], "x".join(map(str, row["shape"])),
                 np.float32(row.get("scale", 0)), row.get("zero_point", 0),
                 row.get("low"), row.get("high"))
        if said != right:
            raise Wrong(f"the header says {said}, the manifest {right}")


class CModel:
    """A folder of --emit=c."""

    def __init__(self, folder):
        self.facts = json.loads((folder / "manifest.json").read_text())
        symbol = self.facts["symbol"]
        self.header = folder / f"{symbol}_host.h"
        check_header((folder / f"{symbol}.h").read_text(), self.facts)
        library = folder / "model.so"
        must(["gcc", "-std=c99", "-O1", "-shared", "-fPIC",
              folder / f"{symbol}.c", "-o", library])
        self.library = ctypes.CDLL(str(library))
        get = self.library[f"{symbol}_info"]
        get.restype = ctypes.POINTER(Info)
        info = get().contents
        check_info(info.inputs[:info.n_inputs], self.facts["inputs"])
        check_info(info.outputs[:info.n_outputs], self.facts["outputs"])
        self.run_model = self.library[f"{symbol}_run"]

    def run(self, inputs):
        outputs = [np.zeros(row["shape"], get_dtype(row["type"]))
                   for row in self.facts["outputs"]]
        room = np.zeros(self.facts["arena_bytes"] + 64, np.uint8)
        ins, outs = pointers(inputs), pointers(outputs)
        call = Call(1, 1, ctypes.addressof(ins), ctypes.addressof(outs),
                    room.ctypes.data + -room.ctypes.data % 64)
        if self.run_model(ctypes.byref(call)):
            raise Wrong("NAME_run refuses the call")
        return outputs


class HLSModel:
    """A folder of --emit=hls: its sources and a program around the top."""

    def __init__(self, folder):
        self.facts = json.loads((folder / "report.json").read_text())
        self.top, self.folder = self.facts["top"], folder
        self.header = folder / "src" / f"{self.top}_host.h"
        text = (folder / "src" / f"{self.top}.h").read_text()
        self.check(text)
        (folder / "stranger.cpp").write_text(self.write_program(text))
        sources = sorted((folder / "src").glob("*.cpp"))
        must(["g++", "-O0", "-std=c++14", "-w", "-isystem", folder / "sim",
              *sources, folder / "stranger.cpp", "-o", folder / "stranger"])

    def check(self, text):
        """What the header says of a stream is what the report says."""
        pattern = (r"^// (\w+): (\d+) tokens of (\d+) (signed|unsigned) "
                   r"(\d+)-bit .*\n//   '.*' \[([\dx]*)\](.*)$")
        said = {f[0]: f[1:] for f in re.findall(pattern, text, re.M)}
        rows = self.facts["inputs"] + self.facts["outputs"]
        for row in rows:
            stream = row["stream"]
            sign = "signed" if stream["signed"] else "unsigned"
            wanted = (str(stream["tokens"]), str(stream["lanes"]), sign,
                      str(stream["bits"]), "x".join(map(str, row["shape"])))
            if stream["signed"] and row["type"].startswith("u"):
                raise Wrong(f"'{row['name']}' and its stream differ in sign")
            if said.get(stream["port"], ())[:5] != wanted:
                raise Wrong(f"the header says {said.get(stream['port'])}, the "
                            f"report {wanted}")
            found = re.search(r"stands for (\S+)f \* \(x - (-?\d+)\)",
                              said[stream["port"]][5])
            if "scale" in row and (not found or np.float32(found[1]) !=
                                   np.float32(row["scale"]) or
                                   int(found[2]) != row["zero_point"]):
                raise Wrong(f"'{row['name']}' has another scale in the header")
        if len(said) != len(rows):
            raise Wrong("the header has other streams than the report")

    def write_program(self, text):
        order = re.findall(r"hls::stream<.*> &(\w+)", text)
        rows = {row["stream"]["port"]: (kind, row)
                for kind in ("inputs", "outputs") for row in self.facts[kind]}
        lines = [f'#include "src/{self.top}.h"', "#include <cstdint>",
                 "#include <cstdio>", "int main() {"]
        types = re.findall(r"(hls::stream<.*>) &(\w+)", text)
        for kind, name in types:
            lines.append(f"{kind} {name};")
        for row in self.facts["inputs"]:
            s = row["stream"]
            lines += [
                f"for (int t = 0; t < {s['tokens']}; ++t) {{",
                f"  ap_uint<{s['bits'] * s['lanes']}> word = 0;",
                f"  for (int l = 0; l < {s['lanes']}; ++l) {{",
                f"    {row['type']} x; if (std::fread(&x, sizeof x, 1, stdin)"
                " != 1) return 1;",
                f"    word.range(l * {s['bits']} + {s['bits'] - 1}, "
                f"l * {s['bits']}) = x;",
                "  }", f"  {s['port']}.write(word);", "}"]
        lines.append(f"{self.top}({', '.join(order)});")
        for row in self.facts["outputs"]:
            s = row["stream"]
            sign = "" if s["signed"] else "u"
            lines += [
                f"for (int t = 0; t < {s['tokens']}; ++t) {{",
                f"  ap_uint<{s['bits'] * s['lanes']}> word = "
                f"{s['port']}.read();",
                f"  for (int l = 0; l < {s['lanes']}; ++l) {{",
                f"    ap_{sign}int<{s['bits']}> v = word.range(l * "
                f"{s['bits']} + {s['bits'] - 1}, l * {s['bits']});",
                f"    {row['type']} x = (long long)v; "
                "std::fwrite(&x, sizeof x, 1, stdout);",
                "  }", "}"]
        assert set(order) == set(rows)
        return "\n".join(lines + ["}", ""])

    def run(self, inputs):
        done = subprocess.run([self.folder / "stranger"], timeout=300,
                              input=b"".join(a.tobytes() for a in inputs),
                              stdout=subprocess.PIPE)
        if done.returncode:
            raise Wrong("the simulation stops")
        at, outputs = 0, []
        for row in self.facts["outputs"]:
            dtype, count = get_dtype(row["type"]), int(np.prod(row["shape"]))
            outputs.append(np.frombuffer(done.stdout, dtype, count, at)
                           .reshape(row["shape"]).copy())
            at += count * dtype.itemsize
        return outputs


def compile_model(qopt, model, data, where, flags):
    code, text = run([qopt, "compile", model, "--data", data, *flags, "-o",
                      where, "-q"])
    if code == 3:
        raise Refused(next(iter(re.findall(r"^note: (.*)", text, re.M)),
                           text.strip().splitlines()[0]))
    if code:
        raise Wrong(f"compile: exit {code}: {text.strip()[:300]}")


def store(row, values):
    """As the manifest of an object says."""
    if "scale" not in row or values.dtype.kind in "iu":
        return values
    dtype = np.dtype({"u": "uint", "i": "int"}[row["dtype"][0]] +
                     row["dtype"][1:])
    info = np.iinfo(dtype)
    steps = np.rint(values.astype(np.float32) / np.float32(row["scale"]))
    low, high = row.get("low", info.min), row.get("high", info.max)
    return np.clip(steps.astype(np.float64) + row["zero_point"], low,
                   high).astype(dtype)


def read(row, stored):
    if "scale" not in row or stored.dtype.kind == "f":
        return stored
    return (stored.astype(np.int64) - row["zero_point"]).astype(np.float32) * \
        np.float32(row["scale"])


class Oracle:
    """The interpreter on an object of the same rounding."""

    def __init__(self, qopt, model, data, folder, flags):
        self.qopt, self.stem, self.folder = qopt, folder / "oracle", folder
        compile_model(qopt, model, data, self.stem, flags)
        self.manifest = json.loads(
            (folder / "oracle.qopt/manifest.json").read_text())

    def run(self, sample):
        command = [self.qopt, "run", self.stem, "--reference", "-q"]
        rows = self.manifest["inputs"]
        for k, row in enumerate(rows):
            np.save(self.folder / f"in{k}.npy", store(row, sample[row["name"]]))
            command += ["--input", f"{row['name']}=@{self.folder}/in{k}.npy"]
        for k, row in enumerate(self.manifest["outputs"]):
            command += ["--output", f"{row['name']}=@{self.folder}/out{k}.npy"]
        must(command)
        return {row["name"]: read(row, np.load(self.folder / f"out{k}.npy"))
                for k, row in enumerate(self.manifest["outputs"])}


def compare(device, samples, oracle):
    """Elements that differ of how many."""
    facts = device.facts
    host = Host(device.header, facts["inputs"] + facts["results"])
    differing = compared = 0
    for i in range(SAMPLES):
        sample = {name: array[i % len(array)]
                  for name, array in samples.items()}
        inputs = [np.ascontiguousarray(sample[row["name"]],
                                       get_dtype(row["type"]))
                  for row in facts["arguments"]]
        for row, array in zip(facts["arguments"], inputs):
            if array.size != np.prod(row["shape"], dtype=int):
                raise Wrong(f"argument '{row['name']}' is {array.shape}")
        ports = [host.call(row["host"]["function"], inputs, [], row)
                 for row in facts["inputs"]]
        check_range(facts["inputs"], ports)
        outputs = device.run(ports)
        check_range(facts["outputs"], outputs)
        wanted = oracle.run(sample)
        if {row["name"] for row in facts["results"]} != set(wanted):
            raise Wrong(f"results {[r['name'] for r in facts['results']]} of "
                        f"{list(wanted)}")
        for row in facts["results"]:
            got = host.call(row["host"]["function"], inputs, outputs, row)
            right = np.asarray(wanted[row["name"]]).reshape(-1)
            if "values" in row:  # the model's own floats
                right = right.astype(row["values"])
            differing += int(np.sum(got.reshape(-1).astype(right.dtype) !=
                                    right))
            compared += right.size
    return differing, compared


def try_route(target, qopt, model, samples, folder, flags=()):
    """A row of the table: `ok`, `refused: why` or `wrong: what`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        data = folder / "data.npz"
        np.savez(data, **samples)
        emit = {"c": ["--emit=c"],
                "hls": ["--emit=hls", "--target=xc7z020", "--vectors", "1"]}
        where = folder / {"c": "mcu", "hls": "fpga"}[target]
        compile_model(qopt, model, data, f"{where}/",
                      [*emit[target], *flags])
        device = {"c": CModel, "hls": HLSModel}[target](where)
        oracle = Oracle(qopt, model, data, folder, [
            "--integer-only", f"--requant={REQUANTIZE[target]}",
            "--emit=object,header,shared", *flags])
        differing, compared = compare(device, samples, oracle)
        return f"{'wrong' if differing else 'ok'}: {differing} of {compared}"
    except Refused as error:
        return f"refused: {error}"
    except (Wrong, subprocess.TimeoutExpired) as error:
        return f"wrong: {error}"


def collect(arguments):
    """Names, models and samples."""
    work = Path(arguments.work).resolve()
    if arguments.cases:
        for case in sorted(Path(arguments.cases).iterdir()):
            if (case / "model.onnx").exists() and \
                    (case / "calib.npz").exists():
                data = np.load(case / "calib.npz")
                yield case.name, case / "model.onnx", {k: data[k] for k in data}
    for name in NETWORKS:
        net = build(name)
        folder = work / name.replace("/", "-")
        folder.mkdir(parents=True, exist_ok=True)
        onnx.save(net.model(), folder / "model.onnx")
        yield name, folder / "model.onnx", net.samples(16)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--qopt", default="qopt")
    parser.add_argument("--work", required=True)
    parser.add_argument("--cases")
    parser.add_argument("--only", default="")
    parser.add_argument("--targets", nargs="+", default=["c", "hls"],
                        choices=["c", "hls"])
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    work = Path(arguments.work).resolve()

    def row(entry):
        name, model, samples = entry
        return name, {
            target: try_route(target, arguments.qopt, model, samples,
                              work / name.replace("/", "-") / target)
            for target in arguments.targets}

    entries = [e for e in collect(arguments) if re.search(arguments.only, e[0])]
    with ThreadPoolExecutor(arguments.jobs) as pool:
        rows = list(pool.map(row, entries))
    for name, results in rows:
        print(name)
        for target, text in results.items():
            print(f"  {target:4} {text}")
    for target in arguments.targets:
        texts = [results[target] for _, results in rows]
        count = {kind: sum(text.startswith(kind) for text in texts)
                 for kind in ("ok", "refused", "wrong")}
        print(f"{target}: {count}")
    sys.exit(any(text.startswith("wrong") for _, results in rows
                 for text in results.values()))


if __name__ == "__main__":
    main()
