#!/usr/bin/env python3
"""Networks that nobody tuned for, beside ONNX Runtime and OpenVINO.

    fresh.py --qopt build/bin/qopt --work WORK [--only REGEX] [--seconds 3] [--again]

torchvision's, timm's and transformers' own networks (`exporters/export_fresh.py`), with
random weights, exported once by torch's exporter of today in an environment that
`exporters.py` makes; the peers get one of their own. Everything runs on one thread, is
called in turns, and its least time counts (other jobs make calls longer, never
shorter):

  int8   `qopt compile --scheme w8a8`, and the faster of both peers on the file of
         ONNX Runtime's `quantize_static` (QDQ, per channel, min-max)
  float  `--scheme float`, and the faster of both peers on the exported file

Quotients above 1 say that qopt is faster; `own` is float over int8. Each network is a
line of WORK/fresh.jsonl; a run goes on where the last one stopped, unless `--again`.
The geometric means count networks of which the peer takes 0.2 ms or more. Exit code 1
where a network is refused.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
PEERS = ["onnx==1.23.2", "onnxruntime==1.31.1", "openvino==2026.4.1", "sympy"]
LEAST_MS = 0.2


def quantize(model, samples, target):
    from onnxruntime import quantization as q

    class Reader(q.CalibrationDataReader):
        def __init__(self):
            self.rows = iter([{k: v[i] for k, v in samples.items()} for i in range(8)])

        def get_next(self):
            return next(self.rows, None)

    prepared = target.with_suffix(".prepared.onnx")
    try:
        q.shape_inference.quant_pre_process(str(model), str(prepared))
    except Exception:  # its shape inference fails on some of torch's files
        prepared = model
    q.quantize_static(str(prepared), str(target), Reader(), per_channel=True)


def open_onnxruntime(path, feeds):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(
        str(path), options, providers=["CPUExecutionProvider"])
    binding = session.io_binding()
    for name, value in feeds.items():
        binding.bind_cpu_input(name, value)
    for output in session.get_outputs():
        binding.bind_output(output.name)
    return lambda: session.run_with_iobinding(binding)


def open_openvino(path, feeds):
    import openvino
    model = openvino.Core().compile_model(str(path), "CPU", {
        "INFERENCE_NUM_THREADS": 1, "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32"})
    request = model.create_infer_request()
    for name, value in feeds.items():
        request.set_tensor(name, openvino.Tensor(value))
    return request.infer


def open_qopt(options, model, scheme, folder, feeds):
    from abi import Program
    stem = folder / f"qopt_{scheme}"
    data = [] if scheme == "float" else ["--data", str(folder / "calibration.npz")]
    done = subprocess.run(
        [str(options.qopt), "compile", str(model), "--scheme", scheme, *data,
         "--emit=object,header,shared", "-o", str(stem), "--progress", "none"],
        capture_output=True, text=True)
    if done.returncode:
        lines = [x for x in done.stderr.splitlines() if x.startswith("error")]
        raise RuntimeError((lines or ["no message"])[0])
    program = Program(stem)
    program.feed([feeds[name] for name in program.names])
    return program.run


def take_turns(calls, seconds):
    """Least milliseconds of each."""
    import numpy as np
    least = dict.fromkeys(calls, np.inf)
    for call in calls.values():
        call()
    end = time.time() + seconds
    rounds = 0
    while time.time() < end or rounds < 7:
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            least[name] = min(least[name], (time.perf_counter() - start) * 1e3)
        rounds += 1
    return least


def measure(options, model):
    import numpy as np
    folder = options.work / "compiled" / model.parent.name
    folder.mkdir(parents=True, exist_ok=True)
    samples = dict(np.load(model.with_name("samples.npz")))
    np.savez(folder / "calibration.npz", **{k: v[:8] for k, v in samples.items()})
    feeds = {k: np.ascontiguousarray(v[8]) for k, v in samples.items()}
    row = {"network": model.parent.name}
    quantized = folder / "quantized.onnx"
    calls = {}
    for name, make in [
            ("q8", lambda: open_qopt(options, model, "w8a8", folder, feeds)),
            ("qf", lambda: open_qopt(options, model, "float", folder, feeds)),
            ("ort8", lambda: (quantize(model, samples, quantized),
                              open_onnxruntime(quantized, feeds))[1]),
            ("ov8", lambda: open_openvino(quantized, feeds)),
            ("ortf", lambda: open_onnxruntime(model, feeds)),
            ("ovf", lambda: open_openvino(model, feeds))]:
        try:
            calls[name] = make()
        except Exception as error:
            lines = str(error).strip().splitlines() or [type(error).__name__]
            row.setdefault("refused", {})[name] = lines[0][:200]
    row.update(take_turns(calls, options.seconds))
    return row


def quotients(row):
    best8 = min(row.get("ort8", 1e9), row.get("ov8", 1e9))
    bestf = min(row.get("ortf", 1e9), row.get("ovf", 1e9))
    own8, ownf = row.get("q8", 1e9), row.get("qf", 1e9)
    return best8, best8 / own8, bestf, bestf / ownf, ownf / own8


def report(rows):
    import numpy as np
    print("| network | int8 ms | x peer | float ms | x peer | own |")
    print("|---|---|---|---|---|---|")
    counted = []
    for row in sorted(rows, key=lambda row: quotients(row)[1]):
        best8, by8, bestf, byf, own = quotients(row)
        print(f"| {row['network']} | {row.get('q8', 0):.2f} | {by8:.2f} | "
              f"{row.get('qf', 0):.2f} | {byf:.2f} | {own:.2f} |"
              + "".join(f" {k}: {v}" for k, v in row.get("refused", {}).items()))
        if best8 >= LEAST_MS and "q8" in row and "qf" in row:
            counted.append((by8, byf))
    if counted:
        int8, real = np.exp(np.log(counted).mean(axis=0))
        print(f"{len(counted)} networks of {LEAST_MS} ms and more: int8 {int8:.2f}x "
              f"(least {min(c[0] for c in counted):.2f}), float {real:.2f}x (least "
              f"{min(c[1] for c in counted):.2f})")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--qopt", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--again", action="store_true")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    peers = options.work / "environments" / "peers"
    if pathlib.Path(sys.prefix) != peers.resolve():
        import exporters
        exporters.EXPORTERS["fresh"] = ("torch", ["export_fresh.py"])
        exporters.export(options, "fresh")
        exporters.make_environment(peers, PEERS)
        os.execv(peers / "bin" / "python", [
            str(peers / "bin" / "python"), *sys.argv])
    lines = options.work / "fresh.jsonl"
    rows = {row["network"]: row for row in map(
        json.loads, lines.read_text().splitlines() if lines.exists() else [])}
    for model in sorted((options.work / "models" / "fresh").glob("*/model.onnx")):
        name = model.parent.name
        if not re.search(options.only, name) or (name in rows and not options.again):
            continue
        rows[name] = measure(options, model)
        with lines.open("a") as file:
            print(json.dumps(rows[name]), file=file)
        print(name, {k: round(v, 3) for k, v in rows[name].items()
                     if isinstance(v, float)}, rows[name].get("refused", ""),
              file=sys.stderr, flush=True)
    report(rows.values())
    return 1 if any({"q8", "qf"} & row.get("refused", {}).keys()
                    for row in rows.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
