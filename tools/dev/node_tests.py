#!/usr/bin/env python3
"""Runs the ONNX node tests through compiled code and prints one count.

Every case of onnx.backend.test.case.node is imported, compiled by the JIT and
run; outputs are compared with the tolerances of the onnx runner. A case is
`passed`, `refused` (an UnsupportedError that names what), `wrong` (values
differ), `rounding`, `no oracle` (see ROUNDING, NO_ORACLE) or `failed` (any other
error or a crash).
Inputs that determine shapes, then all but the first, then all if they are
numbers and shapes (Range, windows) are bound at compile time where a case is
refused otherwise; these are counted apart, the last by themselves.

Floats of at most 8 bits are held as f32, integers of 2 and 4 bits as bytes;
values and types are compared in that form.

Exit 1 if anything is wrong, failed, or fewer pass than tools/dev/node_tests.txt
says; `--update` writes that number.
"""
import argparse
import collections
import itertools
import multiprocessing
import multiprocessing.connection
import pathlib
import sys
import time
import warnings

import numpy as np
import onnx.numpy_helper

ROOT = pathlib.Path(__file__).resolve().parents[2]
FLOOR = ROOT / "tools" / "dev" / "node_tests.txt"


# Attention in f16: the expected values round every step inside the softmax,
# ours only the results of ops (test/python/test_f16_rounding.py: both claims,
# and that ours are nearer to the exact ones). Two elements of 192 differ by
# more than the tolerance. The inverse transforms have zeros of 1e-9 from a sum in
# f64, where sums of numbers up to 50 in f32 leave 4e-7. Counted apart, neither as
# passed nor as wrong.
ROUNDING = {"test_attention_4d_causal_fp16",
            "test_attention_4d_causal_fp16_expanded",
            "test_dft_inverse", "test_dft_inverse_opset19"}
# The reference evaluator is no oracle. It divides by the unrounded length of the
# resized tensor less 1, where the operator's text and ONNX Runtime take the tensor's
# own length; and its random numbers are NumPy's, which no text asks for.
NO_ORACLE = {"test_resize_downsample_scales_linear_align_corners",
             "test_resize_downsample_scales_cubic_align_corners",
             "test_training_dropout", "test_training_dropout_default",
             "test_training_dropout_mask", "test_training_dropout_default_mask",
             *(f"test_bernoulli{kind}{form}" for kind in ("", "_double", "_seed")
               for form in ("", "_expanded"))}


def load_cases(pattern):
    from onnx.backend.test.case.node import collect_testcases
    warnings.simplefilter("ignore")  # the cases overflow on purpose
    cases = collect_testcases(None)
    return [c for c in cases if pattern in c.name]


def to_array(value):
    """An array of the elements that qopt has for those of the case."""
    if hasattr(value, "SerializeToString"):  # some cases give a TensorProto
        value = onnx.numpy_helper.to_array(value)
    value = np.array(value)
    name = value.dtype.name
    if name.startswith(("float4_", "float6_", "float8_")):
        return value.astype(np.float32)
    if name in ("int2", "int4"):
        return value.astype(np.int8)
    if name in ("uint2", "uint4"):
        return value.astype(np.uint8)
    return value


def compare(expected, actual, rtol, atol):
    """Empty string, or what differs."""
    expected = to_array(expected)
    if expected.dtype.kind == "O":
        return "object output"
    if expected.dtype.name == "bfloat16":
        rtol = max(rtol, 2**-6)  # as the onnx runner: two steps of bfloat16
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


def run_case(case, bound):
    """Compiles and runs one case; `bound` says which inputs are constants."""
    import qopt
    model = case.model.SerializeToString()
    names = [i.name for i in case.model.graph.input]
    for inputs, outputs in case.data_sets:
        if any(isinstance(x, (list, dict, tuple)) or x is None
               for x in [*inputs, *outputs]):
            return "refused", "sequences, maps and optionals"
        feeds = dict(zip(names, map(to_array, inputs)))
        if any(x.dtype.kind in "OUS" for x in feeds.values()):
            return "refused", "strings"
        consts = {n: feeds[n] for n in bound(feeds)}
        shapes = {n: x.shape for n, x in feeds.items()}
        program = qopt.compile_onnx(model, shapes=shapes, constants=consts)
        actual = program.run_list([feeds[n] for n in program.input_names])
        for want, got in zip(outputs, actual, strict=True):
            problem = compare(want, got, case.rtol or 1e-3, case.atol or 1e-7)
            if problem:
                if problem == "values differ" and case.name in ROUNDING:
                    return "rounding", problem
                if problem == "values differ" and case.name in NO_ORACLE:
                    return "no oracle", problem
                return "wrong", problem
    return "passed", ""


def bind_nothing(feeds):
    return []


def bind_shapes(feeds):
    """Integer vectors and scalars: shapes, axes, pads, repeats, counts."""
    return [n for n, x in feeds.items()
            if x.dtype in (np.int64, np.int32) and x.ndim <= 1]


def bind_parameters(feeds):
    """Everything but the first input, as weights and scales would be."""
    return list(feeds)[1:]


def bind_all(feeds):
    """Where every input is a number or says what shape the result has."""
    shapes = bind_shapes(feeds)
    if all(n in shapes or x.ndim == 0 for n, x in feeds.items()):
        return list(feeds)
    return []


def attempt(case):
    """Without constants; if that is refused, with inputs bound."""
    import qopt
    first = ""
    for bind in (bind_nothing, bind_shapes, bind_parameters, bind_all):
        try:
            status, note = run_case(case, bind)
        except qopt.UnsupportedError as error:
            status, note = "refused", str(error)
        except qopt.Error as error:
            if bind is not bind_nothing and error.exit_code != 70:
                continue  # what was bound cannot be a constant here
            return "failed", f"{type(error).__name__}: {error}"
        if status == "passed" and bind is not bind_nothing:
            return "passed whole" if bind is bind_all else "passed bound", note
        if status != "refused":
            return status, note
        first = first or note
    return "refused", first


def worker(pipe, cases, build):
    sys.path.insert(0, str(build / "python"))
    while (index := pipe.recv()) is not None:
        try:
            pipe.send(attempt(cases[index]))
        except Exception as error:  # a bug of the binding: reported, not hidden
            pipe.send(("failed", f"{type(error).__name__}: {error}"))


class Worker:
    """A process that outlives its crashes: a new one takes the next case."""

    def __init__(self, cases, build):
        self.arguments = (cases, build)
        self.start()

    def start(self):
        context = multiprocessing.get_context("fork")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=worker, daemon=True,
                                       args=(theirs, *self.arguments))
        self.process.start()
        theirs.close()

    def send(self, index, timeout):
        self.index, self.deadline = index, time.monotonic() + timeout
        self.pipe.send(index)

    def finish(self):
        """The answer, or why there is none; None while it may still come."""
        reason = "no answer in time"
        try:
            if self.pipe.poll():
                return self.pipe.recv()
            if time.monotonic() < self.deadline:
                return None
        except (EOFError, ConnectionResetError):
            self.process.join()
            reason = f"crashed, exit {self.process.exitcode}"
        self.process.kill()
        self.start()
        return "failed", reason


def run_all(cases, build, jobs, timeout):
    """(status, note) of every case, in order."""
    results = [None] * len(cases)
    left = iter(range(len(cases)))
    busy = []
    for index in itertools.islice(left, jobs):
        busy.append(Worker(cases, build))
        busy[-1].send(index, timeout)
    while busy:
        multiprocessing.connection.wait([w.pipe for w in busy], timeout=1)
        for runner in list(busy):
            if (answer := runner.finish()) is None:
                continue
            results[runner.index] = answer
            if (index := next(left, None)) is None:
                runner.process.kill()
                busy.remove(runner)
            else:
                runner.send(index, timeout)
    return results


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--filter", default="")
    parser.add_argument("--list", nargs="*", default=["wrong", "failed"],
                        help="statuses whose cases are printed")
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--timeout", type=float, default=60)
    options = parser.parse_args()
    cases = load_cases(options.filter)
    results = run_all(cases, options.build.resolve(), options.jobs,
                      options.timeout)
    counts = collections.Counter(status for status, _ in results)
    for case, (status, note) in zip(cases, results):
        if status in options.list:
            print(f"{status}: {case.name}: {note.splitlines()[0] if note else ''}")
    bound = counts["passed bound"] + counts["passed whole"]
    total = counts["passed"] + bound
    print(f"node tests: {total} of {len(cases)} pass through compiled code "
          f"({bound} with inputs bound at compile time, "
          f"{counts['passed whole']} of them with all), "
          f"{counts['refused']} refused by name, {counts['rounding']} differ "
          f"by rounding, {counts['no oracle']} have no oracle, "
          f"{counts['wrong']} wrong, "
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
