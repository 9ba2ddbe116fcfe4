#!/usr/bin/env python3
"""What exporters write: compiled, and beside ONNX Runtime.

    exporters.py --qopt build/bin/qopt --work build/exporters [--exporters torch ...]
                 [--only REGEX] [--again] [--scheme w8a8]

Each exporter gets a virtual environment of its own with pinned packages (gigabytes;
made once, below WORK/environments) and writes small networks with random weights
and 24 samples of their inputs (`bench/exporters/export_*.py`), once. Each network
that is measured is a line of WORK/rows-SCHEME.jsonl; a run goes on where the last
one stopped, unless `--again` says that qopt has changed. Of each network:

  float   `qopt compile --scheme float`, SQNR of the worst output against ONNX Runtime
          without optimizations, over all samples
  w8a8    calibrated on the first 16 samples, scored on the other 8
  ort     the same of ONNX Runtime's `quantize_static` (QDQ, per channel, min-max)
          (and how many products it leaves in float)
  wide    share of the products that are not in 8 bits, as `qopt check` counts

A refusal shows its first line, or the operators that `qopt ops` does not have. The
last lines count: of the networks whose operators qopt has, how many are right in
float (60 dB), and which are wrong or unquantized without a word. Exit code 1 where
one is.
"""
import argparse
import json
import logging
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnx

HERE = pathlib.Path(__file__).resolve().parent / "exporters"
# exporter: (environment, script and arguments)
EXPORTERS = {
    "torch": ("torch", ["export_torch.py"]),
    "torch-legacy": ("torch", ["export_torch.py", "--legacy"]),
    "tf2onnx": ("keras", ["export_keras.py"]),
    "jax2onnx": ("jax", ["export_jax.py"]),
    "scikit-learn": ("sklearn", ["export_sklearn.py"]),
    "paddle2onnx": ("paddle", ["export_paddle.py"]),
    "hgq2": ("hgq2", ["export_quantizers.py", "hgq2"]),
    "qkeras": ("qkeras", ["export_quantizers.py", "qkeras"]),
}
PACKAGES = {
    "torch": ["torch==2.15.0", "torchvision==0.29.2", "torchaudio==2.11.1",
              "timm==1.0.31", "transformers==5.24.0", "onnxscript==0.7.2", "onnx==1.23.2"],
    "keras": ["tensorflow-cpu==2.21.0", "tf2onnx==1.17.0"],
    "jax": ["jax2onnx==0.17.1", "flax==0.12.8", "equinox==0.13.8"],
    "sklearn": ["scikit-learn==1.9.1", "skl2onnx==1.20.0", "lightgbm==4.7.0",
                "onnxmltools==1.16.0", "xgboost==3.2.0", "catboost==1.2.10"],
    "hgq2": ["tensorflow-cpu==2.21.0", "keras==3.15.1", "hgq2==0.2.0",
             "tf2onnx==1.17.0"],
    "qkeras": ["tensorflow-cpu==2.21.0", "tf-keras==2.21.0", "qkeras==0.9.0",
               "tensorflow-model-optimization==0.8.1", "pyparsing<3.1",
               "tf2onnx==1.17.0"],
    "paddle": ["paddlepaddle==3.3.1", "paddle2onnx==2.1.0", "packaging"],
}
CALIBRATION = 16
RIGHT_DB = 60


def make_environment(folder, packages):
    """A virtual environment with these packages, once."""
    done = folder / "packages"
    if done.exists() and done.read_text() == "\n".join(packages):
        return
    print(f"installing {' '.join(packages)}", file=sys.stderr, flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
    subprocess.run([folder / "bin" / "pip", "install", "--quiet", *packages],
                   check=True)
    done.write_text("\n".join(packages))


def export(options, name):
    environment, command = EXPORTERS[name]
    folder = options.work / "environments" / environment
    make_environment(folder, PACKAGES[environment])
    out = options.work / "models" / name
    subprocess.run([folder / "bin" / "python", HERE / command[0], out, *command[1:],
                    "--only", options.only],
                   check=True, stderr=subprocess.DEVNULL)
    return sorted(path for path in out.iterdir()
                  if re.search(options.only, path.name))


def run_onnxruntime(model, samples, level="DISABLE_ALL"):
    import onnxruntime
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = 4
    settings.graph_optimization_level = getattr(
        onnxruntime.GraphOptimizationLevel, "ORT_" + level)
    session = onnxruntime.InferenceSession(
        str(model), settings, providers=["CPUExecutionProvider"])
    names = [value.name for value in session.get_outputs()]
    count = len(next(iter(samples.values())))
    rows = [session.run(None, {key: value[i] for key, value in samples.items()})
            for i in range(count)]
    return {name: pad_and_stack([row[j] for row in rows])
            for j, name in enumerate(names)}


def pad_and_stack(rows):
    """Zeros fill what is short where data decide extents; a record by class is its
    values."""
    rows = [np.asarray([list(entry.values()) for entry in row]
                       if isinstance(row, list) and isinstance(row[0], dict)
                       else row) for row in rows]
    extents = np.max([row.shape for row in rows], axis=0).astype(int)
    return np.stack([np.pad(row, [(0, n - m) for n, m in zip(extents, row.shape)])
                     for row in rows])


def crop(array, shape):
    """Without the zeros between a run-time extent and its bound."""
    if array.ndim != len(shape) or any(n < m for n, m in zip(array.shape, shape)):
        return array
    cut = array[tuple(map(slice, shape))]
    return cut if np.count_nonzero(cut) == np.count_nonzero(array) else array


def decibels(got, expected):
    """Of the worst output; what is not finite on one side only counts as 0 dB."""
    worst = np.inf
    for name, want in expected.items():
        want, have = want.astype(float), crop(got[name], want.shape).astype(float)
        finite = np.isfinite(want)
        if have.shape != want.shape or (np.isfinite(have) != finite).any():
            return 0.0
        noise = ((have - want)[finite] ** 2).sum()
        signal = (want[finite] ** 2).sum()
        if noise:
            worst = min(worst, 10 * np.log10(signal / noise) if signal else 0.0)
    return worst


def list_missing(options, model):
    """Operators of `model`, its functions and branches that qopt does not have."""
    listed = subprocess.run([options.qopt, "ops", "--format", "json"],
                            capture_output=True, text=True, check=True)
    known = {(row["domain"], row["op"]) for row in json.loads(listed.stdout)
             if row["supported"]}
    model = onnx.load(str(model), load_external_data=False)
    known |= {(made.domain, made.name) for made in model.functions}
    found = set()

    def visit(nodes):
        for node in nodes:
            domain = node.domain or "ai.onnx"
            if (domain, node.op_type) not in known and \
                    (node.domain, node.op_type) not in known:
                found.add(node.op_type)
            for attribute in node.attribute:
                for graph in [attribute.g, *attribute.graphs]:
                    visit(graph.node)

    visit(model.graph.node)
    for made in model.functions:
        visit(made.node)
    return sorted(found)


def first_error(text):
    lines = [line for line in text.splitlines() if line.startswith("error")]
    return (lines or text.strip().splitlines() or ["no message"])[0]


def run_qopt(options, model, samples, scheme, expected):
    """dB against `expected` and the artifact's folder, or the refusal's words."""
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        np.savez(scratch / "all.npz", **samples)
        np.savez(scratch / "calibration.npz",
                 **{key: value[:CALIBRATION] for key, value in samples.items()})
        bind = [argument for key, value in samples.items() for argument in
                ("--shape", f"{key}={'x'.join(map(str, value.shape[1:]))}")]
        data = [] if scheme == "float" or scheme.endswith("-dyn") else \
            ["--data", scratch / "calibration.npz"]
        done = subprocess.run(
            [options.qopt, "compile", model, "--scheme", scheme, *bind, *data,
             "-o", scratch / "m", "--progress", "none"],
            capture_output=True, text=True, timeout=900)
        if done.returncode:
            return dict(refused=first_error(done.stderr), exit=done.returncode)
        command = [options.qopt, "run", scratch / "m", "-q"]
        for key in samples:
            command += ["--input", f"{key}=@{scratch}/all.npz:{key}"]
        for i, key in enumerate(expected):
            command += ["--output", f"{key}=@{scratch}/{i}.npy"]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=900)
        if ran.returncode:
            return dict(refused=first_error(ran.stderr), exit=ran.returncode)
        got = {key: np.load(f"{scratch}/{i}.npy") for i, key in enumerate(expected)}
        explained = subprocess.run(
            [options.qopt, "check", scratch / "m", "--explain-float"],
            capture_output=True, text=True).stdout
        wide = re.search(r"([\d.]+) % wider", explained)
        skip = 0 if scheme == "float" else CALIBRATION
        return dict(
            db=float(decibels({k: v[skip:] for k, v in got.items()},
                              {k: v[skip:] for k, v in expected.items()})),
            wide=None if "MACs 0;" in explained
            else 100.0 if "nothing is quantized" in explained
            else float(wide[1]) if wide else None,
            said=done.stdout + done.stderr)


def count_float_products(model):
    """Products of a QDQ file that read a tensor as floats: recurrent layers and what
    stands in bodies always, which the quantizer leaves as they are."""
    products = ("Conv", "ConvTranspose", "Gemm", "MatMul", "Einsum")
    graph = onnx.load(model).graph
    made = {name: node.op_type for node in graph.node for name in node.output}

    def count_in_bodies(node):
        bodies = [attribute.g for attribute in node.attribute
                  if attribute.type == onnx.AttributeProto.GRAPH]
        return sum((inner.op_type in products) + count_in_bodies(inner)
                   for body in bodies for inner in body.node)

    return sum(node.op_type in ("LSTM", "GRU", "RNN") or
               node.op_type in products and
               any(made.get(name) != "DequantizeLinear" for name in node.input[:2])
               for node in graph.node) + sum(map(count_in_bodies, graph.node))


def preprocess(model, samples, target):
    """The file as ONNX Runtime's quantizer asks for it."""
    from onnxruntime import quantization as q
    q.shape_inference.quant_pre_process(str(model), target,
                                        skip_symbolic_shape=True)


def run_static(model, samples, expected, prepare=preprocess):
    """ONNX Runtime's own static quantizer (QDQ, u8s8, per channel, min-max) behind
    `prepare(model, samples, target)`, calibrated on the first samples and scored on
    the others, or why it refuses."""
    from onnxruntime import quantization as q

    class Reader(q.CalibrationDataReader):
        def __init__(self):
            self.rows = iter([{key: value[i] for key, value in samples.items()}
                              for i in range(CALIBRATION)])

        def get_next(self):
            return next(self.rows, None)

    def held_out(arrays):
        return {key: value[CALIBRATION:] for key, value in arrays.items()}

    with tempfile.TemporaryDirectory() as scratch:
        prepared, quantized = f"{scratch}/p.onnx", f"{scratch}/q.onnx"
        try:
            prepare(model, samples, prepared)
            q.quantize_static(prepared, quantized, Reader(), per_channel=True,
                              activation_type=q.QuantType.QUInt8,
                              weight_type=q.QuantType.QInt8)
            got = run_onnxruntime(quantized, held_out(samples))
        except Exception as error:
            return dict(refused=(str(error).splitlines() or ["?"])[0])
        return dict(db=float(decibels(got, held_out(expected))),
                    floats=count_float_products(quantized))


def measure(options, exporter, folder):
    row = dict(exporter=exporter, network=folder.name)
    if not (folder / "samples.npz").exists():
        return {**row, "not exported": (folder / "not-exported.txt").read_text()}
    model = folder / "model.onnx"
    samples = dict(np.load(folder / "samples.npz"))
    try:
        expected = run_onnxruntime(model, samples)
    except Exception as error:
        return {**row, "not exported": "ONNX Runtime: " +
                str(error).splitlines()[0][-160:]}
    start = time.time()
    row["float"] = run_qopt(options, model, samples, "float", expected)
    if "db" in row["float"]:
        row["quantized"] = run_qopt(options, model, samples, options.scheme, expected)
        row["ort"] = run_static(model, samples, expected)
    else:
        row["missing"] = list_missing(options, model)
    return {**row, "seconds": time.time() - start}


def cell(entry):
    if entry is None:
        return "-"
    if "db" in entry:
        floats = f" ({entry['floats']} in float)" if entry.get("floats") else ""
        return f"{entry['db']:.1f}{floats}"
    return "refused"


def print_row(row, scheme):
    start = f"| {row['exporter']} | {row['network']} |"
    if "not exported" in row:
        print(f"{start} not exported: {row['not exported'][:90]} | | | |", flush=True)
        return
    if row.get("missing"):
        print(f"{start} operator missing: {', '.join(row['missing'])} | | | |",
              flush=True)
        return
    quantized = row.get("quantized") or {}
    wide = "-" if quantized.get("wide") is None else f"{quantized['wide']:.0f} %"
    print(f"{start} {cell(row['float'])} | {cell(row.get('quantized'))} | "
          f"{cell(row.get('ort'))} | {wide} |", flush=True)
    for title, entry in (("float", row["float"]), (scheme, quantized)):
        if "refused" in entry:
            print(f"|   |   | {title}, exit {entry['exit']}: "
                  f"{entry['refused'][:200]} | | | |", flush=True)


def is_silent(row):
    """Products that are wider than the scheme asks, without a word about it."""
    quantized = row.get("quantized") or {}
    return (quantized.get("wide") or 0) > 0 and not re.search(
        "float|not quantized|wider", quantized["said"])


def is_below(row):
    """Like against like: not where ONNX Runtime left products in float."""
    quantized, static = row.get("quantized") or {}, row.get("ort") or {}
    return "db" in quantized and "db" in static and not static.get("floats") and \
        quantized["db"] < static["db"] - 0.5


def summarize(rows, scheme):
    """Counts, and what fails the bars: 0 where nothing is wrong or silent."""
    rows = [row for row in rows if "not exported" not in row]
    known = [row for row in rows if not row.get("missing")]
    right = [row for row in known if row["float"].get("db", 0) >= RIGHT_DB]
    lists = {
        "operator missing": [row for row in rows if row.get("missing")],
        "refused": [row for row in known if "refused" in row["float"] or
                    "refused" in row.get("quantized", {})],
        "wrong in float": [row for row in known if "db" in row["float"] and
                           row["float"]["db"] < RIGHT_DB],
        "unquantized without a word": [row for row in rows if is_silent(row)],
        f"{scheme} more than 0.5 dB below ONNX Runtime": [
            row for row in rows if is_below(row)],
    }
    print(f"\n{len(rows)} networks of {len({r['exporter'] for r in rows})} exporters; "
          f"operators known: {len(known)}, right in float: {len(right)} "
          f"({100 * len(right) / max(1, len(known)):.1f} %)")
    for title, some in lists.items():
        names = [f"{row['exporter']}/{row['network']}" for row in some]
        print(f"{title}: {', '.join(names) or 'none'}")
    return 1 if lists["wrong in float"] or lists["unquantized without a word"] or \
        len(right) < 0.95 * len(known) else 0


def read_rows(path):
    """The last line of each network."""
    lines = path.read_text().splitlines() if path.exists() else []
    rows = [json.loads(line) for line in lines]
    return {(row["exporter"], row["network"]): row for row in rows}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--qopt", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--exporters", nargs="*", default=list(EXPORTERS),
                        choices=list(EXPORTERS))
    parser.add_argument("--only", default="", help="networks whose name matches")
    parser.add_argument("--scheme", default="w8a8", help="beside float")
    parser.add_argument("--again", action="store_true",
                        help="measure what has a line as well")
    options = parser.parse_args()
    logging.getLogger().setLevel(logging.ERROR)  # of the quantizer
    options.qopt = options.qopt.resolve()
    options.work.mkdir(parents=True, exist_ok=True)
    path = options.work / f"rows-{options.scheme}.jsonl"
    done, rows = ({} if options.again else read_rows(path)), []
    print(f"| exporter | network | float dB | {options.scheme} dB | ort dB | wide |\n"
          "|---|---|---|---|---|---|")
    for exporter in options.exporters:
        for folder in export(options, exporter):
            row = done.get((exporter, folder.name)) or \
                measure(options, exporter, folder)
            rows.append(row)
            print_row(row, options.scheme)
            if (exporter, folder.name) not in done:
                with path.open("a") as lines:
                    lines.write(json.dumps(row) + "\n")
    return summarize(rows, options.scheme)


if __name__ == "__main__":
    sys.exit(main())
