#!/usr/bin/env python3
"""LSTM and GRU beside ONNX Runtime's, in float; int8 weights beside float.

    recurrent.py --qopt build/bin/qopt --work WORK [--seconds 8]

One layer of 64 steps, batch 1, as wide as its input, on one thread, inputs and
outputs bound. Both are called in turns; what is printed are the least times of
the thread (other jobs on the machine make them longer, never shorter), their
quotient, that of the medians, and the largest difference; then what int8
weights times rows rounded at run time leave of the float results, in dB. Exit 1
where qopt is less than 1.2 times as fast, differs by more than 1e-5 or keeps less
than 25 dB.
"""
import argparse
import pathlib
import subprocess
import sys
import time

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from abi import Program
from matmul_nbits import open_peer

GATES = {"LSTM": 4, "GRU": 3}
HIDDEN, STEPS = (64, 128, 256, 512), 64
SPEED, DIFFERENCE, DECIBELS = 1.2, 1e-5, 25


def write_model(path, kind, hidden):
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    random = np.random.default_rng(0)
    rows = GATES[kind] * hidden
    shapes = {"w": (1, rows, hidden), "r": (1, rows, hidden), "b": (1, 2 * rows)}
    constants = [numpy_helper.from_array(
        random.uniform(-1, 1, s).astype(np.float32) / np.float32(hidden**0.5), k)
        for k, s in shapes.items()]
    before = {"linear_before_reset": 1} if kind == "GRU" else {}
    node = helper.make_node(kind, ["x", "w", "r", "b"], ["y"], name=kind,
                            hidden_size=hidden, **before)
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        [node], "g", [info("x", TensorProto.FLOAT, [STEPS, 1, hidden])],
        [info("y", TensorProto.FLOAT, [STEPS, 1, 1, hidden])], constants)
    onnx.save(helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def compile_model(options, model, scheme):
    stem = model.with_name(f"{model.stem}_{scheme.replace('-', '_')}")
    subprocess.run([str(options.qopt), "compile", str(model), "--scheme",
                    scheme, "--emit=object,header,shared", "-o", str(stem)],
                   check=True, stderr=subprocess.DEVNULL)
    return Program(stem)


def measure(options, kind, hidden):
    model = options.work / f"{kind.lower()}_{hidden}.onnx"
    write_model(model, kind, hidden)
    x = np.random.default_rng(1).normal(size=(STEPS, 1, hidden)).astype(np.float32)
    peer, peer_result = open_peer(model, x)
    exact = peer_result().astype(np.float64)

    def run(scheme):
        program = compile_model(options, model, scheme)
        program.feed([x])
        return program, program.run()[0].reshape(exact.shape).astype(np.float64)

    _, rounded = run("w8a8-dyn")
    decibels = 10 * np.log10((exact**2).sum() / ((rounded - exact)**2).sum())
    program, result = run("float")
    worst = np.abs(result - exact).max()
    times = [[], []]
    end = time.time() + options.seconds
    while time.time() < end or len(times[0]) < 20:
        for call, values in zip((program.run, peer), times):
            start = time.thread_time()
            call()
            values.append(time.thread_time() - start)
    return times, worst, decibels


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--qopt", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--seconds", type=float, default=8)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    good = True
    for kind in GATES:
        for hidden in HIDDEN:
            times, worst, decibels = measure(options, kind, hidden)
            own, peer = (min(values) for values in times)
            medians = np.median(times[1]) / np.median(times[0])
            good &= peer >= SPEED * own and worst <= DIFFERENCE
            good &= decibels >= DECIBELS
            print(f"{kind:<4} {hidden:>3}: qopt {own * 1e6:8.1f} us, onnxruntime "
                  f"{peer * 1e6:8.1f} us, {peer / own:5.2f}x (medians "
                  f"{medians:.2f}x), differs by {worst:.1g}; w8a8-dyn "
                  f"{decibels:.1f} dB", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
