#!/usr/bin/env python3
"""Products whose rows are rounded at run time, beside floats.

    dynamic.py --shared DIR --qopt build/bin/qopt --work WORK

A synthetic pre-norm transformer (random weights, some channels of its stream
much larger than others, as trained ones have) and the PP-OCR recogniser, under
`--scheme w8a8-dyn` and `w4a8-dyn`: no data are used for compiling. Printed are
the signal-to-noise ratio of the outputs against the float artifact and the
median times of both, called in turns on one thread. For the transformer, what
ONNX Runtime's quantize_dynamic gives is printed beside it.
"""
import argparse
import pathlib
import subprocess
import sys
import time

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from abi import Program
from compare import MODELS, preprocess

TOKENS, WIDTH, HEADS, HIDDEN, BLOCKS = 64, 256, 4, 1024, 2


def write_transformer(path):
    from onnx import TensorProto, helper, numpy_helper, save
    random = np.random.default_rng(0)
    nodes, weights = [], []

    def constant(name, array):
        weights.append(numpy_helper.from_array(array.astype(np.float32), name))
        return name

    def node(kind, *inputs, **attributes):
        name = f"{kind.lower()}_{len(nodes)}"
        nodes.append(helper.make_node(kind, inputs, [name], name, **attributes))
        return name

    def linear(x, n, k, name):
        w = constant(name + "_w", random.normal(size=(k, n)) / np.sqrt(k))
        b = constant(name + "_b", random.normal(size=n) * 0.1)
        return node("Add", node("MatMul", x, w), b)

    def norm(x, name):
        scale = random.uniform(0.5, 1.5, WIDTH)
        scale[random.choice(WIDTH, 6, False)] *= 12  # outlier channels
        return node("LayerNormalization", x, constant(name + "_s", scale),
                    constant(name + "_o", random.normal(size=WIDTH) * 0.1))

    weights.append(numpy_helper.from_array(
        np.array([1, TOKENS, HEADS, WIDTH // HEADS]), "split"))
    weights.append(numpy_helper.from_array(
        np.array([1, TOKENS, WIDTH]), "merged"))
    x = "x"
    for i in range(BLOCKS):
        y = norm(x, f"n{i}")
        q, k, v = (node("Transpose", node("Reshape", linear(
            y, WIDTH, WIDTH, f"{name}{i}"), "split"), perm=perm)
            for name, perm in (("q", [0, 2, 1, 3]), ("k", [0, 2, 3, 1]),
                               ("v", [0, 2, 1, 3])))
        root = constant(f"root{i}", np.array((WIDTH // HEADS) ** -0.5))
        p = node("Softmax", node("Mul", node("MatMul", q, k), root), axis=-1)
        a = node("Reshape", node("Transpose", node("MatMul", p, v),
                                 perm=[0, 2, 1, 3]), "merged")
        x = node("Add", x, linear(a, WIDTH, WIDTH, f"o{i}"))
        h = node("Gelu", linear(norm(x, f"m{i}"), HIDDEN, WIDTH, f"u{i}"))
        x = node("Add", x, linear(h, WIDTH, HIDDEN, f"d{i}"))
    info = lambda name: helper.make_tensor_value_info(
        name, TensorProto.FLOAT, [1, TOKENS, WIDTH])
    graph = helper.make_graph(nodes, "transformer", [info("x")], [info(x)],
                              weights)
    save(helper.make_model(graph, ir_version=9, opset_imports=[
        helper.make_opsetid("", 20)]), path)
    return [random.normal(size=(1, TOKENS, WIDTH)).astype(np.float32)
            for _ in range(20)]


def build(options, name, model, scheme, extra):
    stem = options.work / f"dyn_{name}_{scheme}"
    subprocess.run([str(options.qopt), "compile", str(model), "--scheme",
                    scheme, *extra, "--emit=object,header,shared", "-o",
                    str(stem)], check=True, stderr=subprocess.DEVNULL)
    return Program(stem)


def sqnr(want, got):
    want = np.concatenate([w.ravel() for w in want]).astype(np.float64)
    got = np.concatenate([g.ravel() for g in got]).astype(np.float64)
    return 10 * np.log10((want ** 2).sum() / ((want - got) ** 2).sum())


def run(program, samples):
    out = []
    for x in samples:
        program.feed([x])
        out.append(program.run()[0].copy())
    return out


def time_in_turns(programs, rounds):
    times = {name: [] for name in programs}
    for _ in range(rounds):
        for name, program in programs.items():
            start = time.perf_counter()
            program.run()
            times[name].append(time.perf_counter() - start)
    return {name: np.median(values) for name, values in times.items()}


def score_peer(path, samples, want):
    import onnxruntime as ort
    from onnxruntime.quantization import QuantType, quantize_dynamic
    target = path.with_name("transformer_ort.onnx")
    quantize_dynamic(str(path), str(target), per_channel=True,
                     weight_type=QuantType.QInt8)
    session = ort.InferenceSession(str(target),
                                   providers=["CPUExecutionProvider"])
    got = [session.run(None, {"x": x})[0] for x in samples]
    print(f"{'transformer':<12} ONNX Runtime quantize_dynamic "
          f"{sqnr(want, got):6.2f} dB", flush=True)


def score(options, name, model, samples, extra=()):
    programs = {scheme: build(options, name, model, scheme, extra)
                for scheme in ("float", "w8a8-dyn", "w4a8-dyn")}
    want = run(programs["float"], samples)
    times = time_in_turns(programs, options.rounds)
    for scheme, program in programs.items():
        if scheme == "float":
            continue
        print(f"{name:<12} {scheme:<9} {sqnr(want, run(program, samples)):6.2f}"
              f" dB  {times[scheme] * 1e3:8.3f} ms, float "
              f"{times['float'] * 1e3:8.3f} ms, "
              f"{times['float'] / times[scheme]:.2f}x", flush=True)
    return want


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--shared", type=pathlib.Path, required=True)
    parser.add_argument("--qopt", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--rounds", type=int, default=31)
    parser.add_argument("--models", nargs="*", default=["transformer", "rec"])
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    if "transformer" in options.models:
        path = options.work / "transformer.onnx"
        samples = write_transformer(path)
        want = score(options, "transformer", path, samples)
        score_peer(path, samples, want)
    if "rec" in options.models:
        spec = MODELS["rec"]
        shape = [int(n) for n in spec["shape"].split("=")[1].split("x")]
        feeds = preprocess(options, spec, {"x": shape})
        samples = [feed["x"] for feed in feeds[:20]]
        score(options, "rec", options.shared / "models" / spec["file"], samples,
              ["--shape", spec["shape"]])


if __name__ == "__main__":
    sys.exit(main())
