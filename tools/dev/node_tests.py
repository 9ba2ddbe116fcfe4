#!/usr/bin/env python3
"""Runs the ONNX node tests through compiled code and prints one count.

Every case of onnx.backend.test.case.node is imported, compiled by the JIT and
run; outputs are compared with the tolerances of the onnx runner. A case is
`passed`, `refused` (an UnsupportedError that names what), `wrong` (values
differ) or `failed` (any other error or a crash). Inputs that determine shapes
are bound at compile time; cases that need it are counted apart.

Exit 1 if anything is wrong, failed, or fewer pass than tools/dev/node_tests.txt
says; `--update` writes that number.
"""
import argparse
import collections
import multiprocessing
import pathlib
import sys

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
FLOOR = ROOT / "tools" / "dev" / "node_tests.txt"


def load_cases(pattern):
    from onnx.backend.test.case.node import collect_testcases
    cases = collect_testcases(None)
    return [c for c in cases if pattern in c.name]


def compare(expected, actual, rtol, atol):
    """Empty string, or what differs."""
    expected = np.asarray(expected)
    if expected.dtype.kind == "O":
        return "object output"
    if expected.shape != actual.shape:
        return f"shape {actual.shape}, expected {expected.shape}"
    if expected.dtype != actual.dtype:
        return f"dtype {actual.dtype}, expected {expected.dtype}"
    if expected.dtype.kind in "fV":
        ok = np.allclose(expected.astype(np.float64),
                         actual.astype(np.float64), rtol, atol, equal_nan=True)
    else:
        ok = np.array_equal(expected, actual)
    return "" if ok else "values differ"


def run_case(case, constants):
    import qopt
    model = case.model.SerializeToString()
    names = [i.name for i in case.model.graph.input]
    for inputs, outputs in case.data_sets:
        feeds = dict(zip(names, [np.asarray(x) for x in inputs]))
        if any(x.dtype.kind in "OUS" for x in feeds.values()):
            return "refused", "strings or sequences"
        shapes = {n: x.shape for n, x in feeds.items()}
        consts = feeds if constants else {}
        program = qopt.compile_onnx(model, shapes=shapes, constants=consts)
        arguments = [feeds[n] for n in program.input_names]
        actual = program.run_list(arguments)
        for want, got in zip(outputs, actual):
            problem = compare(want, got, case.rtol or 1e-3, case.atol or 1e-7)
            if problem:
                return "wrong", problem
    return "passed", ""


def attempt(case):
    """First without constants, then with the inputs bound."""
    import qopt
    try:
        return run_case(case, constants=False)
    except qopt.UnsupportedError as error:
        first = str(error)
    except qopt.Error as error:
        first = str(error)
        return "failed", first
    try:
        status, note = run_case(case, constants=True)
        return ("passed bound" if status == "passed" else status), note
    except qopt.Error:
        return "refused", first


def worker(pipe, pattern, build):
    sys.path.insert(0, str(build / "python"))
    cases = load_cases(pattern)
    while (index := pipe.recv()) is not None:
        try:
            pipe.send(attempt(cases[index]))
        except Exception as error:  # a bug of the binding: reported, not hidden
            pipe.send(("failed", f"{type(error).__name__}: {error}"))


class Worker:
    """A process that outlives its crashes: a new one takes the next case."""

    def __init__(self, pattern, build):
        self.arguments = (pattern, build)
        self.start()

    def start(self):
        self.pipe, theirs = multiprocessing.Pipe()
        self.process = multiprocessing.Process(
            target=worker, args=(theirs, *self.arguments), daemon=True)
        self.process.start()

    def run(self, index, timeout):
        self.pipe.send(index)
        try:
            if self.pipe.poll(timeout):
                return self.pipe.recv()
            reason = f"no answer in {timeout} s"
        except EOFError:
            self.process.join()
            reason = f"crashed, exit {self.process.exitcode}"
        self.process.kill()
        self.start()
        return "failed", reason


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--filter", default="")
    parser.add_argument("--list", nargs="*", default=["wrong", "failed"],
                        help="statuses whose cases are printed")
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--timeout", type=float, default=60)
    options = parser.parse_args()
    cases = load_cases(options.filter)
    runner = Worker(options.filter, options.build.resolve())
    counts = collections.Counter()
    for index, case in enumerate(cases):
        status, note = runner.run(index, options.timeout)
        counts[status] += 1
        if status in options.list:
            print(f"{status}: {case.name}: {note.splitlines()[0] if note else ''}")
        if sys.stderr.isatty():
            print(f"\r{index + 1}/{len(cases)} {dict(counts)}", end="",
                  file=sys.stderr)
    total = counts["passed"] + counts["passed bound"]
    print(f"node tests: {total} of {len(cases)} pass through compiled code "
          f"({counts['passed bound']} with inputs bound at compile time), "
          f"{counts['refused']} refused by name, {counts['wrong']} wrong, "
          f"{counts['failed']} failed")
    if options.filter:
        return 1 if counts["wrong"] + counts["failed"] else 0
    if options.update:
        FLOOR.write_text(f"{total}\n")
    floor = int(FLOOR.read_text()) if FLOOR.exists() else 0
    if total < floor:
        print(f"expects at least {floor} passing cases ({FLOOR.name})")
    return 1 if counts["wrong"] + counts["failed"] or total < floor else 0


if __name__ == "__main__":
    sys.exit(main())
