#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Encoders of random weights with outlier channels, in 8 bits.

encoders.py [--blocks 2 3 6 12] [--flags FLAG...]: for pre- and post-norm, causal
and masked, 1 % of the channels of norm gains and residual stream 20 to 60 times
the median: SQNR in dB on held-out samples of `qopt compile --scheme w8a8` and of
ONNX Runtime's quantize_static (QDQ) under its three calibrations.
"""
import argparse
import itertools
import logging
import os
import pathlib
import subprocess
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper
from onnxruntime.quantization import (CalibrationDataReader, CalibrationMethod,
                                      QuantFormat, QuantType, quantize_static)

WIDTH, HEADS, LENGTH, HELD_OUT, SAMPLES = 128, 4, 32, 8, 24


class Encoder:
    """Builds the graph; `random` gives every weight."""

    def __init__(self, blocks, is_pre, is_causal, seed):
        self.random = np.random.default_rng(seed)
        self.nodes, self.constants = [], {}
        count = max(1, round(WIDTH * .01))
        self.outliers = self.random.choice(WIDTH, count, replace=False)
        if is_causal:
            mask = np.triu(np.full((LENGTH, LENGTH), -np.inf, np.float32), 1)
            self.constant("causal", mask[None, None])
        x = "x"
        for block in range(blocks):
            for part in (self.attention, self.feed_forward):
                inside = self.norm(x, block) if is_pre else x
                y = self.op("Add", x, part(inside, is_causal))
                x = y if is_pre else self.norm(y, block)
        self.op("Identity", x, out="y")

    def constant(self, name, value):
        self.constants[name] = np.asarray(value)
        return name

    def weight(self, *shape):
        name = f"w{len(self.constants)}"
        scale = shape[0] ** -.5
        value = self.random.normal(size=shape) * scale
        return self.constant(name, value.astype(np.float32))

    def op(self, kind, *inputs, out=None, **attributes):
        out = out or f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [out], f"n{out}",
                                           **attributes))
        return out

    def norm(self, x, block):
        gain = self.random.uniform(.5, 1.5, WIDTH)
        gain[self.outliers] *= self.random.uniform(20, 60, len(self.outliers))
        name = f"g{len(self.constants)}"
        self.constant(name, gain.astype(np.float32))
        bias = self.constant(f"b{len(self.constants)}",
                             self.random.normal(size=WIDTH).astype(np.float32) * .1)
        return self.op("LayerNormalization", x, name, bias, axis=-1)

    def heads(self, x, order):
        shape = self.constant("split", np.array([0, LENGTH, HEADS, WIDTH // HEADS]))
        return self.op("Transpose", self.op("Reshape", x, shape), perm=order)

    def attention(self, x, is_causal):
        q, k, v = (self.op("MatMul", x, self.weight(WIDTH, WIDTH))
                   for _ in range(3))
        scores = self.op("MatMul", self.heads(q, [0, 2, 1, 3]),
                         self.heads(k, [0, 2, 3, 1]))
        scale = self.constant("scale", np.float32((WIDTH / HEADS) ** -.5))
        scores = self.op("Mul", scores, scale)
        scores = self.op("Add", scores, "causal" if is_causal else "mask")
        joined = self.op("MatMul", self.op("Softmax", scores, axis=-1),
                         self.heads(v, [0, 2, 1, 3]))
        shape = self.constant("join", np.array([0, LENGTH, WIDTH]))
        flat = self.op("Reshape", self.op("Transpose", joined, perm=[0, 2, 1, 3]),
                       shape)
        return self.op("MatMul", flat, self.weight(WIDTH, WIDTH))

    def feed_forward(self, x, is_causal):
        y = self.op("MatMul", x, self.weight(WIDTH, 4 * WIDTH))
        half = self.constant("half", np.float32(.5))
        one = self.constant("one", np.float32(1))
        root = self.constant("root", np.float32(2 ** .5))
        gate = self.op("Add", self.op("Erf", self.op("Div", y, root)), one)
        y = self.op("Mul", self.op("Mul", y, gate), half)
        return self.op("MatMul", y, self.weight(4 * WIDTH, WIDTH))

    def model(self, is_causal):
        info = helper.make_tensor_value_info
        inputs = [info("x", 1, [1, LENGTH, WIDTH])]
        if not is_causal:
            inputs.append(info("mask", 1, [1, 1, 1, LENGTH]))
        graph = helper.make_graph(
            self.nodes, "encoder", inputs, [info("y", 1, [1, LENGTH, WIDTH])],
            [numpy_helper.from_array(v, n) for n, v in self.constants.items()])
        return helper.make_model(graph, ir_version=9,
                                 opset_imports=[helper.make_opsetid("", 17)])


def make_samples(encoder, is_causal):
    x = encoder.random.normal(size=(SAMPLES, 1, LENGTH, WIDTH))
    x[..., encoder.outliers] *= encoder.random.uniform(20, 60)
    inputs = {"x": x.astype(np.float32)}
    if not is_causal:
        lengths = encoder.random.integers(LENGTH // 2, LENGTH + 1, SAMPLES)
        low = np.where(np.arange(LENGTH) < lengths[:, None], 0, -1e9)
        inputs["mask"] = low.astype(np.float32)[:, None, None, None]
    return inputs


class Reader(CalibrationDataReader):
    def __init__(self, inputs, count):
        self.samples = iter([{k: v[i] for k, v in inputs.items()}
                             for i in range(count)])

    def get_next(self):
        return next(self.samples, None)


def run(path, inputs, first):
    session = onnxruntime.InferenceSession(path)
    return np.stack([session.run(None, {k: v[i] for k, v in inputs.items()})[0]
                     for i in range(first, SAMPLES)])


def sqnr(want, got):
    got = got.reshape(want.shape).astype(float)
    if not np.isfinite(got).all():
        return -np.inf
    return 10 * np.log10((want ** 2).sum() / ((want - got) ** 2).sum())


def run_qopt(qopt, folder, inputs, flags):
    seen = SAMPLES - HELD_OUT
    np.savez(folder / "seen.npz", **{k: v[:seen] for k, v in inputs.items()})
    np.savez(folder / "rest.npz", **{k: v[seen:] for k, v in inputs.items()})
    subprocess.run([qopt, "compile", folder / "m.onnx", "--scheme", "w8a8",
                    "--data", folder / "seen.npz", "-o", folder / "m", "-q",
                    "--progress", "none", *flags], check=True)
    words = [qopt, "run", folder / "m", "-q", "--output", f"y=@{folder}/y.npy"]
    for name in inputs:
        words += ["--input", f"{name}=@{folder}/rest.npz:{name}"]
    subprocess.run(words, check=True)
    return np.load(folder / "y.npy")


def run_others(folder, inputs, want):
    scores = {}
    for method in ("MinMax", "Entropy", "Percentile"):
        out = str(folder / f"{method}.onnx")
        try:
            quantize_static(
                str(folder / "m.onnx"), out, Reader(inputs, SAMPLES - HELD_OUT),
                quant_format=QuantFormat.QDQ, per_channel=True,
                activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
                calibrate_method=getattr(CalibrationMethod, method))
            scores[method] = sqnr(want, run(out, inputs, SAMPLES - HELD_OUT))
        except Exception as problem:  # -inf ends two of them
            logging.info("%s: %s", method, problem)
            scores[method] = -np.inf
    return scores


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", type=int, nargs="+", default=[2, 3, 6, 12])
    parser.add_argument("--flags", nargs="*", default=[])
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    qopt = os.environ.get("QOPT", "build/bin/qopt")
    print("| encoder | qopt w8a8 | ONNX Runtime MinMax, Entropy, Percentile |"
          " over the best |\n|---|---|---|---|")
    kinds = itertools.product(arguments.blocks, (True, False), (True, False))
    for seed, (blocks, is_pre, is_causal) in enumerate(kinds):
        encoder = Encoder(blocks, is_pre, is_causal, seed)
        inputs = make_samples(encoder, is_causal)
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            onnx.save(encoder.model(is_causal), folder / "m.onnx")
            want = run(str(folder / "m.onnx"), inputs,
                       SAMPLES - HELD_OUT).astype(float)
            ours = sqnr(want, run_qopt(qopt, folder, inputs, arguments.flags))
            others = run_others(folder, inputs, want)
        print(f"| {blocks} blocks, {'pre' if is_pre else 'post'}-norm, "
              f"{'causal' if is_causal else 'masked'} | {ours:.1f} | "
              f"{', '.join(f'{v:.1f}' for v in others.values())} | "
              f"{ours - max(others.values()):+.1f} |", flush=True)


if __name__ == "__main__":
    main()
