# SPDX-License-Identifier: Apache-2.0
"""Biases and normalizations among sums of few bits against NumPy in float32:
nothing of them is rounded to whole sums, in front of floats, signs and bytes."""
import numpy as np
import pytest
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper

import qopt
from modules import run_model

F32 = np.float32
QONNX = "qonnx.custom_op.general"


def build(nodes, shape, outputs, weights, pads=()):
    graph = h.make_graph(
        nodes, "g", [h.make_tensor_value_info("x", T.FLOAT, shape)],
        [h.make_empty_tensor_value_info(o) for o in outputs],
        [numpy_helper.from_array(np.asarray(a, F32), n)
         for n, a in weights.items()] +
        [numpy_helper.from_array(np.asarray(pads, np.int64), "pads")])
    return qopt.load(h.make_model(
        graph, ir_version=9,
        opset_imports=[h.make_opsetid("", 17), h.make_opsetid(QONNX, 1)])
        .SerializeToString())


def quant(x, scale, bits, y):
    return h.make_node("Quant", [x, scale, "zero", bits], [y], domain=QONNX,
                       signed=1, narrow=0, rounding_mode="ROUND")


def sign(x, y):
    return h.make_node("BipolarQuant", [x, "one"], [y], domain=QONNX)


def bipolar(x):
    return np.where(x >= 0, F32(1), F32(-1))


def run(model, *inputs):
    """Of the interpreter, which machine code has to give as well."""
    return run_model(qopt.quantize(model, None, "qdq"), *inputs)


NUMBERS = {"zero": 0, "one": 1, "two": 2, "four": 4, "eight": 8}


@pytest.mark.parametrize("bits", ["two", "four", "eight"])
@pytest.mark.parametrize("extent", [1, 4, 33])
def test_bias_of_bipolar_weights(bits, extent):
    rng = np.random.default_rng(extent)
    w = rng.standard_normal((extent, 6)).astype(F32)
    b = rng.standard_normal(6).astype(F32)
    model = build([quant("x", "one", bits, "q"), sign("w", "v"),
                   h.make_node("MatMul", ["q", "v"], ["m"]),
                   h.make_node("Add", ["m", "b"], ["y"]), sign("y", "s")],
                  (32, extent), ["y", "s"], {"w": w, "b": b, **NUMBERS})
    x = rng.integers(-3, 3, (32, extent)).astype(F32)
    limit = 2 ** (NUMBERS[bits] - 1)
    y = np.clip(x, -limit, limit - 1) @ bipolar(w) + b
    got = run(model, x)
    np.testing.assert_array_equal(got[0], y)
    np.testing.assert_array_equal(got[1], bipolar(y))


@pytest.mark.parametrize("form", ["greater", "less", "where", "channels"])
def test_steps_of_other_forms(form):
    """Also ties: half of the biases are numbers that sums can be."""
    rng = np.random.default_rng(len(form))
    w = rng.integers(-1, 2, (9, 8)).astype(F32)
    b = rng.integers(-3, 4, 8) / F32(2)
    nodes = {
        "greater": [h.make_node("Greater", ["a", "zero"], ["c"]),
                    h.make_node("Cast", ["c"], ["t"], to=T.FLOAT)],
        "less": [h.make_node("LessOrEqual", ["a", "zero"], ["c"]),
                 h.make_node("Cast", ["c"], ["t"], to=T.FLOAT)],
        "where": [h.make_node("GreaterOrEqual", ["a", "one"], ["c"]),
                  h.make_node("Where", ["c", "zero", "one"], ["t"])],
        "channels": [h.make_node("Mul", ["a", "factors"], ["n"]),
                     h.make_node("Less", ["zero", "n"], ["c"]),
                     h.make_node("Cast", ["c"], ["t"], to=T.FLOAT)]}
    factors = np.where(np.arange(8) % 3 == 0, F32(-0.3), F32(1.7))
    model = build([quant("x", "one", "four", "q"), quant("w", "one", "two", "v"),
                   h.make_node("MatMul", ["q", "v"], ["m"]),
                   h.make_node("Add", ["m", "b"], ["a"]), *nodes[form],
                   quant("t", "one", "two", "s"),
                   h.make_node("MatMul", ["s", "v2"], ["y"])],
                  (64, 9), ["y"],
                  {"w": w, "b": b, "v2": np.eye(8), "factors": factors,
                   **NUMBERS})
    x = rng.integers(-8, 8, (64, 9)).astype(F32)
    a = x @ w + b
    steps = {"greater": a > 0, "less": a <= 0, "where": ~(a >= 1),
             "channels": a * factors > 0}[form].astype(F32)
    np.testing.assert_array_equal(run(model, x)[0], steps)
    assert 0 < np.mean(steps) < 1


@pytest.mark.parametrize("pads", [0, 1])
def test_maximum_in_front_of_a_normalization(pads):
    rng = np.random.default_rng(pads)
    w = rng.standard_normal((5, 3, 3, 3)).astype(F32)
    gamma = rng.uniform(0.5, 1.5, 5).astype(F32)
    beta = rng.standard_normal(5).astype(F32)
    model = build([quant("x", "one", "four", "q"), sign("w", "v"),
                   h.make_node("Conv", ["q", "v"], ["m"], pads=[pads] * 4),
                   h.make_node("MaxPool", ["m"], ["p"], kernel_shape=[2, 2],
                               strides=[2, 2]),
                   h.make_node("BatchNormalization",
                               ["p", "gamma", "beta", "mean", "variance"],
                               ["n"], epsilon=0.0),
                   sign("n", "y")],
                  (2, 3, 8, 8), ["y"],
                  {"w": w, "gamma": gamma, "beta": beta, "mean": np.zeros(5),
                   "variance": np.ones(5), **NUMBERS})
    x = rng.integers(-8, 8, (2, 3, 8, 8)).astype(F32)
    padded = np.pad(x, [(0, 0), (0, 0), (pads, pads), (pads, pads)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (2, 3))
    sums = np.einsum("nchwij,ocij->nohw", windows, bipolar(w))
    n, o, height, width = sums.shape
    pooled = sums.reshape(n, o, height // 2, 2, width // 2, 2).max((3, 5))
    y = bipolar(pooled * gamma[:, None, None] + beta[:, None, None])
    np.testing.assert_array_equal(run(model, x)[0], y)


@pytest.mark.parametrize("bits, most", [(2, 0.02), (3, 0.02), (4, 0.02)])
def test_bias_in_front_of_bytes(bits, most):
    """The grid is 2^(8 - bits) times as fine as the sums."""
    rng = np.random.default_rng(bits)
    w = rng.integers(-2 ** (bits - 1), 2 ** (bits - 1), (8, 16)).astype(F32)
    b = rng.uniform(-2, 2, 16).astype(F32)
    model = build([quant("x", "one", "four", "q"), quant("w", "one", "bits", "v"),
                   h.make_node("MatMul", ["q", "v"], ["m"]),
                   h.make_node("Add", ["m", "b"], ["a"]),
                   quant("a", "step", "eight", "y")], (64, 8), ["y"],
                  {"w": w, "b": b, "bits": bits, "step": 0.75, **NUMBERS})
    x = rng.integers(-8, 8, (64, 8)).astype(F32)
    y = np.clip(np.rint((x @ w + b) / F32(0.75)), -128, 127) * F32(0.75)
    assert np.mean(run(model, x)[0] != y) <= most


def larq(name, x):
    """The sign that Larq exports, and others that mean the same."""
    return {
        "two-signs": [h.make_node("Sign", [x], ["t0"]),
                      h.make_node("Add", ["t0", "tenth"], ["t1"]),
                      h.make_node("Sign", ["t1"], ["t"])],
        "where": [h.make_node("GreaterOrEqual", [x, "zero"], ["t0"]),
                  h.make_node("Where", ["t0", "one", "minus"], ["t"])],
        "less": [h.make_node("Less", [x, "zero"], ["t0"]),
                 h.make_node("Where", ["t0", "minus", "one"], ["t"])]}[name]


@pytest.mark.parametrize("pooled", [False, True])
@pytest.mark.parametrize("form", ["two-signs", "where", "less"])
def test_binary_network_of_floats(form, pooled):
    """Quantized by samples, nothing is rounded: the inputs lie on the grid of
    8 bits, all others are signs. Padding is 1, as Larq has it."""
    rng = np.random.default_rng(len(form))
    pm = lambda *shape: np.where(rng.random(shape) < .5, F32(1), F32(-1))
    w0, w1, w2 = pm(4, 2, 3, 3), pm(6, 4, 3, 3), pm(6 * (16 if pooled else 64), 3)
    b = rng.standard_normal((6, 1, 1)).astype(F32)
    again = [h.make_node(n.op_type, ["a" if i == "m" else f"v{i}" if i[0] == "t"
                                     and i != "tenth" else i for i in n.input],
                         [f"v{o}" for o in n.output]) for n in larq(form, "m")]
    pool = [h.make_node("MaxPool" if pooled else "Identity", ["c"], ["p"],
                        **(dict(kernel_shape=[2, 2], strides=[2, 2])
                           if pooled else {}))]
    model = build([h.make_node("Conv", ["x", "w0"], ["m"], pads=[1] * 4),
                   *larq(form, "m"),
                   h.make_node("Pad", ["t", "pads", "one"], ["s"]),
                   h.make_node("Conv", ["s", "w1"], ["c"]), *pool,
                   h.make_node("Add", ["p", "b"], ["a"]), *again,
                   h.make_node("Flatten", ["vt"], ["f"]),
                   h.make_node("MatMul", ["f", "w2"], ["y"])],
                  (1, 2, 8, 8), ["y"],
                  {"w0": w0, "w1": w1, "w2": w2, "b": b, "tenth": .1,
                   "minus": -1, **NUMBERS}, pads=[0, 0, 1, 1, 0, 0, 1, 1])
    x = (rng.integers(0, 256, (24, 1, 2, 8, 8)) / F32(255)).astype(F32)
    x[0, 0, 0, 0, :2] = 0, 1

    def conv(x, w, value):
        padded = np.pad(x, [(0, 0), (1, 1), (1, 1)], constant_values=value)
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (1, 2))
        return np.einsum("chwij,ocij->ohw", windows.astype(np.float64), w)

    quantized = qopt.quantize(model, scheme="w8a8", data=list(x))
    for sample in x[:2]:
        sums = conv(bipolar(np.rint(conv(sample[0] * 255., w0, 0))), w1, 1)
        if pooled:
            sums = sums.reshape(6, 4, 2, 4, 2).max((2, 4))
        y = bipolar(sums + b).reshape(1, -1) @ w2
        np.testing.assert_array_equal(run_model(quantized, sample)[0], y)
