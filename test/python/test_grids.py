# SPDX-License-Identifier: Apache-2.0
"""Networks that write their quantization as arithmetic against exact integers:
as they are, and as `--scheme qdq` makes integers of them."""
import re

import numpy as np
import pytest
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper

import qopt
from modules import run_model

F32 = np.float32


def build(nodes, inputs, outputs, weights, opset=17):
    graph = h.make_graph(
        nodes, "g", [h.make_tensor_value_info(*i) for i in inputs],
        [h.make_tensor_value_info(*o) for o in outputs],
        [numpy_helper.from_array(np.asarray(a), n) for n, a in weights.items()])
    return qopt.load(h.make_model(
        graph, opset_imports=[h.make_opsetid("", opset)],
        ir_version=9).SerializeToString())


def check(model, want, *inputs, scheme="qdq"):
    """Float, and integers in interpreter and machine code, to the bit."""
    np.testing.assert_array_equal(model.reference().run_list(*inputs)[0], want)
    quantized = qopt.quantize(model, None, scheme)
    np.testing.assert_array_equal(run_model(quantized, *inputs)[0], want)
    return quantized.to_mlir()


def around_ties(shape, step, seed=0):
    """Whole, half and other numbers of steps, and some that saturate."""
    rng = np.random.default_rng(seed)
    x = rng.integers(-40, 41, shape) / 2 * step
    noise = rng.standard_normal(shape) * 10 * step
    return np.where(rng.random(shape) < .6, x, noise).astype(F32)


def product(x, w):
    """Of numbers on grids of powers of two: exact."""
    return (x.astype(np.float64) @ w.astype(np.float64)).astype(F32)


@pytest.mark.parametrize("low, high", [(-8, 7), (-7, 7), (-128, 127), (-3, 5)])
@pytest.mark.parametrize("op", ["Clip", "MaxMin"])
def test_clip_between_encodings(op, low, high):
    rng = np.random.default_rng(1)
    w = rng.integers(-7, 8, (9, 5)).astype(np.int8)
    x = around_ties((4, 9), .25)
    clip = ([h.make_node("Clip", ["q", "low", "high"], ["c"])] if op == "Clip"
            else [h.make_node("Max", ["low", "q"], ["m"]),
                  h.make_node("Min", ["m", "high"], ["c"])])
    model = build(
        [h.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]), *clip,
         h.make_node("DequantizeLinear", ["c", "s", "z"], ["d"]),
         h.make_node("DequantizeLinear", ["w", "ws", "z"], ["v"]),
         h.make_node("MatMul", ["d", "v"], ["y"])],
        [("x", T.FLOAT, x.shape)], [("y", T.FLOAT, (4, 5))],
        {"s": F32(.25), "z": np.int8(0), "low": np.int8(low),
         "high": np.int8(high), "w": w, "ws": F32(.125)})
    d = np.clip(np.rint(x / F32(.25)), low, high) * .25
    text = check(model, product(d, w * .125), x)
    bits = max(low.bit_length() if low == -8 else 4, 4) if high <= 7 else 8
    assert f"!qg.q<si{bits}, 2.500000e-01 : 0>" in text


MOVES = {
    "Relu": ("Relu", ["q"], {}, lambda q: np.maximum(q, 0)),
    "Pad": ("Pad", ["q", "pads", "low"], {},
            lambda q: np.pad(q, ((0, 0), (1, 2)), constant_values=-8)),
    "Concat": ("Concat", ["q", "row"], {"axis": 0},
               lambda q: np.concatenate([q, [[-3] * 9]])),
    "Transpose": ("Transpose", ["q"], {"perm": [1, 0]}, lambda q: q.T),
    "Where": ("Where", ["mask", "q", "low"], {},
              lambda q: np.where(np.arange(9) % 2 == 0, q, -8)),
    "Max": ("Max", ["q", "row"], {}, lambda q: np.maximum(q, -3)),
    "Resize": ("Resize", ["q", "", "scales"],
               {"mode": "nearest", "nearest_mode": "floor",
                "coordinate_transformation_mode": "asymmetric"},
               lambda q: np.repeat(q, 2, 1)),
    "Slice": ("Slice", ["q", "one", "five", "one"], {}, lambda q: q[:, 1:5]),
}


@pytest.mark.parametrize("name", MOVES)
@pytest.mark.parametrize("zero", [0, -8, 3])
def test_ops_on_stored_integers(name, zero):
    """They move and select integers: the product behind them is one of
    integers, under the zero point of the file."""
    op, inputs, attributes, function = MOVES[name]
    x = around_ties((4, 9), .5)
    q = np.clip(np.rint(x / F32(.5)) + zero, -128, 127)
    d = (function(q) - zero) * .5
    w = np.random.default_rng(2).integers(-127, 128, (d.shape[1], 5))
    model = build(
        [h.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]),
         h.make_node(op, inputs, ["c"], **attributes),
         h.make_node("DequantizeLinear", ["c", "s", "z"], ["d"]),
         h.make_node("DequantizeLinear", ["w", "ws"], ["v"]),
         h.make_node("MatMul", ["d", "v"], ["y"])],
        [("x", T.FLOAT, x.shape)], [("y", T.FLOAT, (len(d), 5))],
        {"s": F32(.5), "z": np.int8(zero), "low": np.int8(-8),
         "w": w.astype(np.int8), "ws": F32(.25), "row": np.full((1, 9), -3, np.int8),
         "pads": np.array([0, 1, 0, 2]), "mask": np.arange(9) % 2 == 0,
         "scales": np.array([1, 2], F32), "one": np.array([1]),
         "five": np.array([5])})
    text = check(model, product(d, w * .25), x)
    shape = "x".join(map(str, d.shape))
    assert re.search(rf"qg.matmul .*\(tensor<{shape}x!qg.q<[us]i\d, 5.0", text)


def ste(x, y, steps, low, high, weights, form):
    """x + (q(x) - x) in the forms that it is written in."""
    weights |= {y + "s": F32(steps), y + "i": F32(1 / steps),
                y + "l": F32(low), y + "h": F32(high)}
    nodes = [h.make_node("Mul", [x, y + "s"], [y + "t"]),
             h.make_node("Round", [y + "t"], [y + "r"]),
             h.make_node("Clip", [y + "r", y + "l", y + "h"], [y + "c"]),
             h.make_node("Mul", [y + "c", y + "i"], [y + "q"])]
    if form == "sub":
        return nodes + [h.make_node("Sub", [y + "q", x], [y + "d"]),
                        h.make_node("Add", [x, y + "d"], [y])]
    return nodes + [h.make_node("Neg", [x], [y + "n"]),
                    h.make_node("Add", [y + "q", y + "n"], [y + "d"]),
                    h.make_node("Add", [y + "d", x], [y])]


@pytest.mark.parametrize("form", ["sub", "neg"])
def test_straight_through_quantizers(form):
    rng = np.random.default_rng(3)
    weights = {"w": (rng.integers(-7, 8, (4, 3, 3, 3)) / 8).astype(F32),
               "b": (rng.integers(-15, 16, 4) / 16).astype(F32),
               "v": (rng.integers(-7, 8, (100, 3)) / 16).astype(F32)}
    x = around_ties((1, 3, 7, 7), 1 / 32)
    nodes = ste("x", "a", 32, -127, 127, weights, form)
    nodes += [h.make_node("Conv", ["a", "w", "b"], ["c"]),
              h.make_node("Relu", ["c"], ["r"])]
    nodes += ste("r", "e", 16, 0, 63, weights, form)
    nodes += [h.make_node("Flatten", ["e"], ["f"]),
              h.make_node("MatMul", ["f", "v"], ["y"])]
    model = build(nodes, [("x", T.FLOAT, x.shape)], [("y", T.FLOAT, (1, 3))],
                  weights)
    a = np.clip(np.rint(x.astype(np.float64) * 32), -127, 127) / 32
    c = np.zeros((1, 4, 5, 5)) + weights["b"].reshape(1, 4, 1, 1)
    for i in range(3):
        for j in range(3):
            c += np.einsum("nchw,oc->nohw", a[:, :, i:i + 5, j:j + 5],
                           weights["w"][:, :, i, j].astype(np.float64))
    e = np.clip(np.rint(np.maximum(c, 0) * 16), 0, 63) / 16
    text = check(model, product(e.reshape(1, -1), weights["v"]), x)
    assert "!qg.q<si8, 3.125000e-02 : 0>" in text
    assert "!qg.q<ui6, 6.250000e-02 : 0>" in text
    assert "!qg.q<si4" in text


@pytest.mark.parametrize("compare", ["select", "clip"])
def test_floor_of_a_half_more(compare):
    """Half up, by feature: what half to even rounds the other way is kept."""
    bits = np.array([6, 6, 5, 4, 6, 3, 6, 2])
    size = np.array([0, -1, 1, 1, 0, 2, -2, 2])
    low, high = -2.0 ** size, 2.0 ** size - 2.0 ** -bits
    x = (np.random.default_rng(4).integers(-300, 300, (6, 8)) / 128).astype(F32)
    w = (np.random.default_rng(5).integers(-31, 32, (8, 5)) / 64).astype(F32)
    bound = ([h.make_node("Greater", ["x", "high"], ["g"]),
              h.make_node("Where", ["g", "high", "x"], ["m"]),
              h.make_node("Less", ["m", "low"], ["l"]),
              h.make_node("Where", ["l", "low", "m"], ["b"])]
             if compare == "select" else
             [h.make_node("Min", ["x", "high"], ["m"]),
              h.make_node("Max", ["m", "low"], ["b"])])
    model = build(
        bound + [h.make_node("Mul", ["b", "p"], ["t"]),
                 h.make_node("Add", ["t", "half"], ["u"]),
                 h.make_node("Floor", ["u"], ["f"]),
                 h.make_node("Div", ["f", "p"], ["q"]),
                 h.make_node("MatMul", ["q", "w"], ["y"])],
        [("x", T.FLOAT, x.shape)], [("y", T.FLOAT, (6, 5))],
        {"p": (2.0 ** bits).astype(F32), "half": F32(.5), "w": w,
         "low": low.astype(F32), "high": high.astype(F32)})
    q = np.floor(np.clip(x, low, high) * 2.0 ** bits + .5) / 2.0 ** bits
    text = check(model, product(q, w), x)
    assert "!qg.q<si9, 1.562500e-02 : 0>" in text


def wrapped(x, steps, modulus, inverse, half):
    """The operators of HGQ2's rounding, in f32."""
    y = np.floor(x * steps + half) * inverse + modulus / 2
    return (y - np.floor(y / modulus) * modulus - modulus / 2).astype(F32)


@pytest.mark.parametrize("mode", ["tensor", "feature", "exact"])
@pytest.mark.parametrize("half", [.5, 0])
def test_fixed_point_that_wraps(mode, half):
    """An inverse to its last bit: float keeps the operators' bits, integers are
    those of the exact inverse."""
    steps = np.full((1, 7), 16, F32)
    modulus = np.full((1, 7), 8, F32)
    if mode == "feature":
        steps, modulus = 2 ** np.array([[4, 2, 3, 1, 4, 0, 2]], F32), \
            2 ** np.array([[1, 3, 2, 4, 3, 4, 0]], F32)
    inverse = 1 / steps
    if mode != "exact":
        inverse = np.nextafter(inverse, F32(0))
    w = (np.random.default_rng(5).integers(-7, 8, (7, 3)) / 16).astype(F32)
    model = build(
        [h.make_node("Mul", ["x", "s"], ["t"]), h.make_node("Sub", ["t", "t"], ["n"]),
         h.make_node("Add", ["t", "half"], ["u"]), h.make_node("Floor", ["u"], ["f"]),
         h.make_node("Add", ["f", "n"], ["g"]), h.make_node("Mul", ["g", "i"], ["r"]),
         h.make_node("Add", ["r", "o"], ["v"]), h.make_node("Div", ["v", "m"], ["a"]),
         h.make_node("Floor", ["a"], ["b"]), h.make_node("Mul", ["b", "m"], ["c"]),
         h.make_node("Sub", ["v", "c"], ["d"]), h.make_node("Sub", ["d", "o"], ["e"]),
         h.make_node("MatMul", ["e", "w"], ["y"])],
        [("x", T.FLOAT, (5, 7))], [("y", T.FLOAT, (5, 3))],
        {"s": steps, "half": F32(half), "i": inverse, "o": modulus / 2,
         "m": modulus, "w": w})
    # No multiple of the modulus: there the missing bit decides.
    x = np.random.default_rng(6).uniform(-20, 20, (5, 7)).astype(F32)
    x = np.where(np.floor(x * steps + half) % (steps * modulus)
                 == steps * modulus / 2, F32(.25), x)
    want = product(wrapped(x, steps, modulus, 1 / steps, F32(half)), w)
    for scheme in ["qdq", "w8a8"]:
        data = [x] if scheme == "w8a8" else None
        quantized = qopt.quantize(model, scheme=scheme, data=data)
        np.testing.assert_array_equal(run_model(quantized, x)[0], want)
    own = wrapped(x, steps, modulus, inverse, F32(half)).astype(np.float64) @ w
    kept = qopt.quantize(model, None, "float")
    np.testing.assert_allclose(run_model(kept, x)[0], own, rtol=1e-6, atol=1e-6)
    assert ("qg.quantize" in kept.to_mlir()) == (mode == "exact")


def test_integers_as_floats():
    """NEMO, QuantLib, DORY: images of integers, scaled by Mul and Floor."""
    rng = np.random.default_rng(6)
    w = rng.integers(-128, 128, (6, 5)).astype(F32)
    v = rng.integers(-16, 16, (5, 3)).astype(F32)
    x = rng.integers(0, 256, (4, 6)).astype(F32)
    model = build(
        [h.make_node("Floor", ["x"], ["xf"]),
         h.make_node("Clip", ["xf", "zero", "top"], ["xc"]),
         h.make_node("MatMul", ["xc", "w"], ["a"]),
         h.make_node("Mul", ["a", "m"], ["b"]),
         h.make_node("Floor", ["b"], ["c"]),
         h.make_node("Clip", ["c", "zero", "top"], ["d"]),
         h.make_node("MatMul", ["d", "v"], ["y"])],
        [("x", T.FLOAT, x.shape)], [("y", T.FLOAT, (4, 3))],
        {"w": w, "v": v, "m": F32(1 / 64), "zero": F32(0), "top": F32(255)})
    d = np.clip(np.floor(x.astype(np.float64) @ w / 64), 0, 255)
    text = check(model, product(d, v), x)
    assert "!qg.q<ui8, 1.000000e+00 : 0>" in text and "!qg.q<si5" in text


def test_rows_rounded_at_run_time_are_not_rounded_again():
    """Reciprocals of row scales have no encoding; w8a8 leaves the file's own
    rounding alone."""
    rng = np.random.default_rng(7)
    x = (rng.standard_normal((5, 16)) *
         np.geomspace(.01, 100, 5)[:, None]).astype(F32)
    w = rng.standard_normal((16, 4)).astype(F32)
    model = build(
        [h.make_node("Abs", ["x"], ["a"]),
         h.make_node("ReduceMax", ["a"], ["m"], axes=[1], keepdims=1),
         h.make_node("Div", ["m", "top"], ["s"]),
         h.make_node("Reciprocal", ["s"], ["i"]),
         h.make_node("Mul", ["x", "i"], ["t"]),
         h.make_node("Round", ["t"], ["r"]),
         h.make_node("Clip", ["r", "low", "top"], ["c"]),
         h.make_node("Cast", ["c"], ["q"], to=T.INT8),
         h.make_node("Cast", ["q"], ["f"], to=T.FLOAT),
         h.make_node("Mul", ["f", "s"], ["d"]),
         h.make_node("MatMul", ["d", "w"], ["y"])],
        [("x", T.FLOAT, x.shape)], [("y", T.FLOAT, (5, 4))],
        {"low": F32(-127), "top": F32(127), "w": w})
    want = model.reference().run_list(x)[0]
    for scheme in ("w8a8", "w8a8-dyn"):
        profile = qopt.calibrate(model, [x]) if scheme == "w8a8" else None
        got = run_model(qopt.quantize(model, profile, scheme), x)[0]
        np.testing.assert_array_equal(got, want)


def decode(form, q, zero, scales, weights):
    """Nodes that make [K, N] floats of stored integers, and these floats."""
    k, n = 64, 24
    weights |= {"q": q, "s": scales, "z": np.asarray(zero, F32)}
    if form == "groups":
        weights |= {"gs": np.array([n, k // 16, 16]), "fs": np.array([n, k])}
        nodes = [h.make_node("Reshape", ["q", "gs"], ["g"]),
                 h.make_node("Cast", ["g"], ["f"], to=T.FLOAT),
                 h.make_node("Sub", ["f", "z"], ["c"]),
                 h.make_node("Mul", ["c", "s"], ["m"]),
                 h.make_node("Reshape", ["m", "fs"], ["r"]),
                 h.make_node("Transpose", ["r"], ["w"], perm=[1, 0])]
        reals = ((q.reshape(n, -1, 16).astype(F32) - zero) * scales)
        return nodes, reals.reshape(n, k).T
    if form == "nibbles":
        weights |= {"mask": np.uint8(15), "four": np.uint8(4),
                    "axis": np.array([-1]), "fs": np.array([n, k])}
        nodes = [h.make_node("BitwiseAnd", ["q", "mask"], ["lo"]),
                 h.make_node("BitShift", ["q", "four"], ["hi"],
                             direction="RIGHT"),
                 h.make_node("Unsqueeze", ["lo", "axis"], ["l1"]),
                 h.make_node("Unsqueeze", ["hi", "axis"], ["h1"]),
                 h.make_node("Concat", ["l1", "h1"], ["st"], axis=-1),
                 h.make_node("Reshape", ["st", "fs"], ["r"]),
                 h.make_node("Cast", ["r"], ["f"], to=T.FLOAT),
                 h.make_node("Sub", ["f", "z"], ["c"]),
                 h.make_node("Mul", ["s", "c"], ["m"]),
                 h.make_node("Transpose", ["m"], ["w"], perm=[1, 0])]
        codes = np.stack([q & 15, q >> 4], -1).reshape(n, k)
        return nodes, ((codes.astype(F32) - zero) * scales).T
    nodes = [h.make_node("Cast", ["q"], ["f"], to=T.FLOAT),
             h.make_node("Sub", ["f", "z"], ["c"]),
             h.make_node("Div" if form == "div" else "Mul", ["c", "s"], ["w"])]
    steps = q.astype(F32) - zero
    return nodes, steps / scales if form == "div" else steps * scales


WEIGHTS = {
    # form, integers, zero points, scales, format
    "int8": ("plain", lambda r: r.integers(-128, 128, (64, 24)).astype(np.int8),
             0, lambda r: (r.random(24) + .1).astype(F32), "si8, axis = 1"),
    "uint8": ("plain", lambda r: r.integers(0, 256, (64, 24)).astype(np.uint8),
              128, lambda r: F32(.03), "si8, 0.03"),
    "quotient": ("div", lambda r: r.integers(-8, 8, (64, 24)).astype(np.int8),
                 0, lambda r: F32(8), "si4, 1.250000e-01"),
    "groups": ("groups", lambda r: r.integers(-8, 8, (24, 64)).astype(np.int8),
               np.random.default_rng(3).integers(-2, 3, (24, 4, 1)),
               lambda r: (r.random((24, 4, 1)) + .1).astype(F32),
               "si4, axis = 1, group = 16"),
    "nibbles": ("nibbles",
                lambda r: r.integers(0, 256, (24, 32)).astype(np.uint8), 8,
                lambda r: (r.random((24, 1)) + .1).astype(F32),
                "si4, axis = 1"),
    "int2": ("groups", lambda r: r.integers(-2, 2, (24, 64)).astype(np.int8),
             0, lambda r: (r.random((24, 4, 1)) + .1).astype(F32),
             "si2, axis = 1, group = 16"),
}


@pytest.mark.parametrize("name", WEIGHTS)
def test_weights_by_arithmetic(name):
    form, integers, zero, scales, kind = WEIGHTS[name]
    rng = np.random.default_rng(8)
    weights = {}
    nodes, reals = decode(form, integers(rng), np.asarray(zero), scales(rng),
                          weights)
    # Rows of ones pick weights: products and sums are exact.
    x = np.eye(64, dtype=F32)[::5]
    model = build(nodes + [h.make_node("MatMul", ["x", "w"], ["y"])],
                  [("x", T.FLOAT, x.shape)], [("y", T.FLOAT, (13, 24))],
                  weights, opset=18)
    text = check(model, reals.astype(F32)[::5], x)
    assert "!qg.q<" + kind.split(", 0.")[0] in text
    check(model, reals.astype(F32)[::5], x, scheme="float")
    # Rows are rounded at run time, the weights are those of the file.
    noise = rng.standard_normal((13, 64)).astype(F32)
    want = noise @ reals.astype(np.float64)
    for scheme in ("w8a8-dyn", "w4a8-dyn"):
        got = run_model(qopt.quantize(model, None, scheme), noise)[0]
        error = np.sum((got - want) ** 2) / np.sum(want ** 2)
        assert error < 2e-4, scheme  # 37 dB


def test_factor_behind_the_product():
    """torch converts small integers itself: their scale is behind."""
    rng = np.random.default_rng(9)
    w = rng.integers(-128, 128, (16, 6)).astype(F32)
    s = (rng.random(6) + .1).astype(F32)
    x = np.eye(16, dtype=F32)
    model = build([h.make_node("MatMul", ["x", "w"], ["p"]),
                   h.make_node("Mul", ["p", "s"], ["y"])],
                  [("x", T.FLOAT, x.shape)], [("y", T.FLOAT, (16, 6))],
                  {"w": w, "s": s})
    assert "!qg.q<si8, axis = 1" in check(model, w * s, x)


GRIDS = {
    # nodes from x to q, constants, what they compute, format
    "truncation": ([("Mul", ["x", "p"], "t"), ("Clip", ["t", "lo", "hi"], "c"),
                    ("Cast", ["c"], "i", T.INT32), ("Cast", ["i"], "f", T.FLOAT),
                    ("Div", ["f", "p"], "q")],
                   {"p": F32(16), "lo": F32(-100), "hi": F32(100)},
                   lambda x: np.trunc(np.clip(x * 16, -100, 100)) / 16,
                   "si8, 6.250000e-02 : 0"),
    "wrap": ([("Mul", ["x", "p"], "t"), ("Floor", ["t"], "f"),
              ("Cast", ["f"], "i", T.INT32), ("Add", ["i", "hi"], "a"),
              ("Mod", ["a", "n"], "m"), ("Cast", ["m"], "mf", T.FLOAT),
              ("Sub", ["mf", "h"], "s"), ("Div", ["s", "p"], "q")],
             {"p": F32(8), "h": F32(16), "hi": np.int32(16),
              "n": np.int32(32)},
             lambda x: (np.mod(np.floor(x * 8) + 16, 32) - 16) / 8,
             "ui5, 1.250000e-01 : 16"),
    "wrap by floor": ([("Mul", ["x", "p"], "t"), ("Round", ["t"], "r"),
                       ("Div", ["r", "n"], "d"), ("Floor", ["d"], "f"),
                       ("Mul", ["f", "n"], "m"), ("Sub", ["r", "m"], "s"),
                       ("Div", ["s", "p"], "q")],
                      {"p": F32(8), "n": F32(32)},
                      lambda x: np.mod(np.rint(x * 8), 32) / 8,
                      "ui5, 1.250000e-01 : 0"),
    "saturating cast": ([("Div", ["x", "s"], "t"), ("Round", ["t"], "r"),
                         ("Add", ["r", "z"], "a"), ("Cast", ["a"], "u", T.UINT8),
                         ("Cast", ["u"], "f", T.FLOAT), ("Sub", ["f", "z"], "c"),
                         ("Max", ["c", "lo"], "m"), ("Mul", ["m", "s"], "q")],
                        {"s": F32(.25), "z": F32(3), "lo": F32(-2)},
                        lambda x: np.maximum(
                            np.clip(np.rint(x / .25) + 3, 0, 255) - 3, -2) / 4,
                        "si9, 2.500000e-01 : 0"),
    "levels by division": ([("Clip", ["x", "zero", "one"], "c"),
                            ("Mul", ["c", "n"], "t"), ("Round", ["t"], "r"),
                            ("Div", ["r", "n"], "q")],
                           {"zero": F32(0), "one": F32(1), "n": F32(15)},
                           lambda x: np.rint(np.clip(x, 0, 1) * F32(15))
                           / F32(15), "ui4, 0.066666"),
    "zero point inside": ([("Mul", ["x", "i"], "t"), ("Add", ["t", "z"], "a"),
                           ("Round", ["a"], "r"), ("Clip", ["r", "lo", "hi"], "c"),
                           ("Sub", ["c", "z"], "m"), ("Mul", ["m", "s"], "q")],
                          {"i": F32(4), "s": F32(.25), "z": F32(5),
                           "lo": F32(0), "hi": F32(63)},
                          lambda x: (np.clip(np.rint(x * 4 + 5), 0, 63) - 5) / 4,
                          "ui6, 2.500000e-01 : 5"),
}


@pytest.mark.parametrize("name", GRIDS)
def test_roundings(name):
    """Truncation, wrapping, saturating conversions: what is no rounding half to
    even is kept as it is."""
    steps, constants, function, kind = GRIDS[name]
    x = around_ties((4, 9), .125, seed=11) * F32(4)
    x[0, :3] = 100, -100, 31.9375
    w = (np.random.default_rng(12).integers(-7, 8, (9, 5)) / 8).astype(F32)
    nodes = [h.make_node(op, inputs, [output],
                         **({"to": more[0]} if more else {}))
             for op, inputs, output, *more in steps]
    model = build(nodes + [h.make_node("MatMul", ["q", "w"], ["y"])],
                  [("x", T.FLOAT, x.shape)], [("y", T.FLOAT, (4, 5))],
                  constants | {"w": w})
    q = function(x.astype(np.float64)).astype(F32)
    text = qopt.quantize(model, None, "qdq").to_mlir()
    assert "!qg.q<" + kind in text
    for scheme in ("float", "qdq"):
        got = run_model(qopt.quantize(model, None, scheme), x)[0]
        np.testing.assert_allclose(got, product(q, w), rtol=1e-6, atol=1e-6)


def test_codes_of_half_floats():
    """torch writes the decoding in f16: codes and scales are those of the file,
    the product in f16 is not rounded to 11 bits first."""
    rng = np.random.default_rng(13)
    codes = rng.integers(-8, 8, (32, 8)).astype(np.int8)
    scales = (rng.random(8) + .1).astype(np.float16)
    x = np.eye(32, dtype=np.float16)
    model = build([h.make_node("Cast", ["c"], ["f"], to=T.FLOAT16),
                   h.make_node("Mul", ["f", "s"], ["w"]),
                   h.make_node("MatMul", ["x", "w"], ["y"])],
                  [("x", T.FLOAT16, x.shape)], [("y", T.FLOAT16, (32, 8))],
                  {"c": codes, "s": scales})
    quantized = qopt.quantize(model, None, "qdq")
    assert "!qg.q<si4, axis = 1" in quantized.to_mlir()
    want = (codes.astype(F32) * scales.astype(F32)).astype(np.float16)
    np.testing.assert_array_equal(run_model(quantized, x)[0], want)


def test_default_scheme():
    """Pixels rounded in front of a float network make no quantized network of
    it: with data it is quantized, and the rounding of the file stays."""
    rng = np.random.default_rng(14)
    weights = {f"w{i}": rng.standard_normal((8, 8)).astype(F32) for i in range(3)}
    nodes = [h.make_node("Floor", ["x"], ["f"]),
             h.make_node("Clip", ["f", "lo", "hi"], ["c"]),
             h.make_node("MatMul", ["c", "w0"], ["a"]),
             h.make_node("Sigmoid", ["a"], ["b"]),
             h.make_node("MatMul", ["b", "w1"], ["d"]),
             h.make_node("Sigmoid", ["d"], ["e"]),
             h.make_node("MatMul", ["e", "w2"], ["y"])]
    model = build(nodes, [("x", T.FLOAT, (4, 8))], [("y", T.FLOAT, (4, 8))],
                  weights | {"lo": F32(0), "hi": F32(15)})
    x = (rng.random((4, 8)) * 16).astype(F32)
    assert qopt.quantize(model, data=[x]).recipe["scheme"] == "w8a8"
    assert qopt.quantize(model).recipe["scheme"] == "qdq"
