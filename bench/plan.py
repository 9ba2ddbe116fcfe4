#!/usr/bin/env python3
"""Planned bit widths beside uniform ones, on samples that took no part.

    plan.py --shared DIR --qopt build/bin/qopt --work WORK [--cases rec-4 ...]

`qopt plan` gets the first 100 samples; the plan and the best uniform format
that keeps the same budget are compiled (8-bit activations) and the compiled
functions scored on the other samples against the float model: the mean
Kullback-Leibler divergence of the output's rows and the ratio of signal to
error. Budgets are average bits of the elements of the weights that the plan
decides. Rounded weights and sensitivities are kept in WORK: another budget of
the same model costs seconds, and --fresh starts anew.

Cases with a time budget write a cost file on this machine, plan by it, and time
the compiled plan beside the one with 8-bit weights: one thread, by turns,
lower quartiles. "infeasible" is an answer where the smallest time is beyond the
budget.
"""
import argparse
import json
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from abi import Program
from compare import MODELS

# case: (model, average bits, most KL in terms of uniform's, least dB)
CASES = {
    "rec-4": ("rec", 4.0, 0.8, None),
    "rec-3.5": ("rec", 3.5, 1.0, None),
    "rec-3": ("rec", 3.0, 1.0, None),
    "vww-4.02": ("vww", 4.02, 1.0, 17.0),
}
# case: (model, budgets); latencies refer to 8-bit weights.
TIMED = {
    "vww-time": ("vww", "latency=1.1x", "size=0.6x"),
    "vww-faster": ("vww", "latency=0.8x"),
    "resnet8-time": ("resnet8", "latency=1.2x", "size=0.6x"),
    "resnet8-faster": ("resnet8", "latency=0.8x"),
}
SAMPLES = 100
CLOSE = 0.1  # of the predicted time


def arguments(options, spec):
    flags = [str(options.shared / "models" / spec["file"]),
             "--data", str(options.shared / "data" / spec["data"]),
             "--samples", str(SAMPLES), "--pre", spec["pre"]]
    return flags + (["--shape", spec["shape"]] if "shape" in spec else [])


def run(options, *words, expected=(0,)):
    start = time.time()
    done = subprocess.run([str(options.qopt), *words], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode not in expected:
        sys.exit(" ".join(words) + "\n" + done.stderr[-2000:])
    if done.returncode:
        return done.stderr
    return time.time() - start


def make_plan(options, model, bits):
    """One output name per model: all budgets share what is kept beside it."""
    path = options.work / f"{model}.json"
    if options.fresh:
        shutil.rmtree(path.with_suffix(".candidates"), ignore_errors=True)
        path.with_suffix(".sensitivity.json").unlink(missing_ok=True)
        options.fresh = False
    seconds = run(options, "plan", *arguments(options, MODELS[model]),
                  "--budget", f"avg-bits={bits}", "--plan-samples",
                  str(options.plan_samples), "-o", str(path))
    kept = options.work / f"{model}-{bits}.json"
    shutil.copy(path, kept)
    return kept, json.loads(kept.read_text()), seconds


def compile_model(options, model, name, flags):
    stem = options.work / f"{model}-{name}"
    seconds = run(options, "compile", *arguments(options, MODELS[model]),
                  *flags, "--emit=shared", "-o", str(stem))
    return Program(stem), seconds


def divergence(exact, other):
    p, q = (np.maximum(np.asarray(a, np.float64), 1e-12)
            for a in (exact, other))
    if np.all(np.abs(p.sum(-1) - 1) < 1e-3):
        return float((p * (np.log(p) - np.log(q))).sum(-1).mean())
    return float(((p - q) ** 2).sum() / (p ** 2).sum())


def score(task, program):
    exact = task.float_out()
    outputs = []
    for i in range(task.ncal, len(task)):
        program.feed([task.batch(i)])
        outputs.append(program.run()[0].copy())
    kl = np.mean([divergence(a, b.reshape(a.shape))
                  for a, b in zip(exact, outputs)])
    num, den, extra = task.per_sample(outputs)
    return {"kl": float(kl), "db": extra["sqnr_db"],
            "metric": 100 * num.sum() / den.sum(), "n": len(outputs)}


def show(name, bits, figures, seconds):
    print(f"  {name:<16} {bits:6.3f} bits  KL {figures['kl']:.5f}  "
          f"{figures['db']:6.2f} dB  metric {figures['metric']:6.2f}  "
          f"({figures['n']} samples, compiled in {seconds:.0f} s)", flush=True)


def evaluate(options, case):
    model, bits, share, least = CASES[case]
    path, plan, seconds = make_plan(options, model, bits)
    used = {b["name"]: b["used"] for b in plan["budgets"]}
    print(f"{case}: planned in {seconds:.0f} s, measured {plan['measured']:.5f}"
          f" on {plan['held_back']} samples held back; {plan['rounds'][-1]}")
    fitting = [p for p in plan["uniform"] if p["used"]["avg-bits"] <= bits]
    best = min(fitting, key=lambda p: p["measured"])
    from score import Task
    task = Task(model, str(options.shared / "models"),
                str(options.shared / "data"), cache=str(options.work))
    program, spent = compile_model(options, model, f"planned-{bits}",
                                   ["--plan", str(path)])
    planned = score(task, program)
    show("planned", used["avg-bits"], planned, spent)
    program, spent = compile_model(
        options, model, best["name"],
        ["--scheme", "w4a8", "--weights", best["name"],
         "--transforms", "none"])
    uniform = score(task, program)
    show("uniform " + best["name"], best["used"]["avg-bits"], uniform, spent)
    ratio = planned["kl"] / uniform["kl"]
    met = ratio <= share and (least is None or planned["db"] >= least)
    print(f"  KL {ratio:.2f}x of uniform (bar {share}x)" +
          ("" if least is None else f", bar {least} dB") +
          ("" if met else ", MISSED"), flush=True)
    return met, {"planned": planned, "uniform": uniform, "seconds": seconds,
                 "rounds": plan["rounds"]}


def typical_times(programs, rounds=501):
    """Microseconds a call, by turns; the lower quartile, as in cost files."""
    times = [[] for _ in programs]
    for _ in range(rounds):
        for program, row in zip(programs, times):
            program.run()
            start = time.perf_counter()
            program.run()
            row.append((time.perf_counter() - start) * 1e6)
    return [statistics.quantiles(row, n=4)[0] for row in times]


def evaluate_time(options, case):
    model, *budgets = TIMED[case]
    path = options.work / f"{model}.json"
    flags = [word for budget in budgets for word in ("--budget", budget)]
    answer = run(options, "plan", *arguments(options, MODELS[model]), *flags,
                 "--cost", "measured", "-o", str(path), expected=(0, 7))
    print(f"{case}: {', '.join(budgets)}")
    if isinstance(answer, str):
        print("  infeasible: " + "; ".join(
            line.removeprefix("note: ") for line in answer.splitlines()
            if line.startswith("note: ")), flush=True)
        return True, {"infeasible": True}
    plan = json.loads(path.read_text())
    kept = options.work / f"{case}.json"
    shutil.copy(path, kept)
    used = {b["name"]: (b["used"], b.get("limit")) for b in plan["budgets"]}
    wide = [p for p in plan["uniform"] if p["name"] == "si8"][0]["used"]
    planned, _ = compile_model(options, model, case, ["--plan", str(kept)])
    bytes8, _ = compile_model(options, model, "wide", ["--scheme", "w8a8"])
    predicted = used["latency"][0]
    measured, reference = typical_times([planned, bytes8])
    off = measured / reference / (predicted / wide["latency"]) - 1
    print(f"  size {used['size'][0]:.0f} of {used['size'][1] or 0:.0f} bytes, "
          f"time {predicted:.1f} of {used['latency'][1]:.1f} us by the cost "
          f"file (8 bits {wide['latency']:.1f})\n  compiled {measured:.1f} us, "
          f"8 bits {reference:.1f} us: ratio {measured / reference:.3f}, "
          f"predicted {predicted / wide['latency']:.3f}, off by "
          f"{off * 100:+.1f} % (bar {CLOSE * 100:.0f} %)", flush=True)
    return abs(off) <= CLOSE, {
        "predicted": predicted, "measured": measured, "reference": reference}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--shared", type=pathlib.Path, required=True)
    parser.add_argument("--qopt", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--cases", nargs="*", default=[*CASES, *TIMED])
    parser.add_argument("--plan-samples", type=int, default=32)
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    sys.path.insert(0, str(options.shared / "peers" / "accuracy"))
    results = {case: (evaluate_time if case in TIMED else evaluate)(
        options, case) for case in options.cases}
    if options.json:
        options.json.write_text(json.dumps(
            {case: figures for case, (_, figures) in results.items()},
            indent=1))
    return 0 if all(met for met, _ in results.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
