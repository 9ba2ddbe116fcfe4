# SPDX-License-Identifier: Apache-2.0
"""Ops between encodings by the formulas of their pages, computed with NumPy's
f32; through convert-qg-to-fxp, the interpreter and machine code."""
import numpy as np
import pytest

from modules import run_module, text_of

F32 = np.float32
A = ("ui8", F32(0.037), 121)
B = ("si8", F32(0.05), 9)
Y = ("ui8", F32(0.11), 17)
Z = ("si8", F32(0.073), -40)


def kind(encoding):
    name, scale, zero = encoding
    return f"!qg.q<{name}, {float(scale):.9e} : {zero}>"


def limits(encoding):
    return (0, 255) if encoding[0] == "ui8" else (-128, 127)


def draw(rng, encoding, shape):
    low, high = limits(encoding)
    return rng.integers(low, high + 1, shape).astype(
        np.uint8 if encoding[0] == "ui8" else np.int8)


def steps(x, encoding):
    return x.astype(np.int64) - encoding[2]


def store(real, encoding, clamp=None):
    """rne(real) + zero point, saturated; `real` is f32 in steps."""
    low, high = clamp or limits(encoding)
    y = np.clip(np.rint(real.astype(F32)).astype(np.float64) + encoding[2], low,
                high)
    return y.astype(np.uint8 if encoding[0] == "ui8" else np.int8)


def ratio(*scales):
    """f32 of a quotient of scales that is computed in double."""
    top, *rest = (np.float64(s) for s in scales)
    for s in rest:
        top /= s
    return F32(top)


def run(folder, body, arguments, results, resources=""):
    """`body` defines %y from %a0, %a1, ..."""
    inputs = ", ".join(f"%a{i}: tensor<{t}>" for i, (_, t) in
                       enumerate(arguments))
    outs = ", ".join(f"tensor<{t}>" for t in results)
    text = (f"func.func @main({inputs}) -> ({outs}) {{\n  {body}\n  return %y : "
            f"{outs}\n}}\n{resources}")
    return run_module(folder, text, *(a for a, _ in arguments))[0]


def test_requantize(tmp_path):
    x = np.arange(256).astype(np.uint8)
    y = run(tmp_path, f"%y = qg.requantize %a0 : tensor<256x{kind(A)}> -> "
            f"tensor<256x{kind(Z)}>", [(x, f"256x{kind(A)}")],
            [f"256x{kind(Z)}"])
    want = store(steps(x, A).astype(F32) * ratio(A[1], Z[1]), Z)
    assert np.array_equal(y, want)


@pytest.mark.parametrize("op", ["add", "sub", "mul"])
@pytest.mark.parametrize("clamp", [None, (17, 200)], ids=str)
def test_binary(tmp_path, op, clamp):
    rng = np.random.default_rng(0)
    a, b = draw(rng, A, (64, 1)), draw(rng, B, (64,))
    tail = f" clamp [{clamp[0]}, {clamp[1]}]" if clamp else ""
    y = run(tmp_path, f"%y = qg.binary {op} %a0, %a1{tail} : "
            f"(tensor<64x1x{kind(A)}>, tensor<64x{kind(B)}>) -> "
            f"tensor<64x64x{kind(Y)}>",
            [(a, f"64x1x{kind(A)}"), (b, f"64x{kind(B)}")],
            [f"64x64x{kind(Y)}"])
    left, right = steps(a, A), steps(b, B)
    if op == "mul":
        real = (left * right).astype(F32) * F32(
            np.float64(A[1]) * np.float64(B[1]) / np.float64(Y[1]))
    else:
        # The product is exact in double, the sum is rounded twice only where
        # it has more than 53 bits: 8 + 24 bits shifted by at most 8.
        sign = 1 if op == "add" else -1
        other = right.astype(F32) * (sign * ratio(B[1], Y[1]))
        real = (left.astype(np.float64) * np.float64(ratio(A[1], Y[1])) +
                other.astype(np.float64)).astype(F32)
    assert np.array_equal(y, store(real, Y, clamp))


@pytest.mark.parametrize("seed", range(3))
def test_conv(tmp_path, seed):
    """Scales per channel, a real bias, a clamp."""
    rng = np.random.default_rng(seed)
    x = draw(rng, A, (1, 5, 6, 3))
    w = rng.integers(-127, 128, (4, 2, 2, 3)).astype(np.int8)
    scales = rng.uniform(0.002, 0.02, 4).astype(F32)
    bias = rng.normal(0, 2, 4).astype(F32)
    weight = f"4x2x2x3x!qg.q<si8, axis = 0, dense_resource<ws> : tensor<4xf32>>"
    blob = scales.tobytes().hex().upper()
    y = run(tmp_path,
            f"%w = qg.constant {text_of(w)} : tensor<4x2x2x3xi8> -> "
            f"tensor<{weight}>\n"
            f"  %b = qg.constant {text_of(bias)} : tensor<4xf32> -> tensor<4xf32>\n"
            "  %y = qg.conv %a0, %w bias %b strides [1, 2] pads [1, 0, 0, 1] "
            f"dilations [1, 1] groups 1 clamp [17, 230] : "
            f"(tensor<1x5x6x3x{kind(A)}>, tensor<{weight}>, tensor<4xf32>) -> "
            f"tensor<1x5x3x4x{kind(Y)}>", [(x, f"1x5x6x3x{kind(A)}")],
            [f"1x5x3x4x{kind(Y)}"],
            "{-# dialect_resources: { builtin: { ws: \"0x04000000" + blob +
            "\" } } #-}\n")
    # Positions outside are zero: no steps from the zero point.
    padded = np.pad(steps(x, A), ((0, 0), (1, 0), (0, 1), (0, 0)))
    start = np.rint(bias.astype(np.float64) /
                    (np.float64(A[1]) * scales.astype(np.float64)))
    acc = np.zeros((1, 5, 3, 4), np.int64)
    for i in range(5):
        for j in range(3):
            part = padded[0, i:i + 2, 2 * j:2 * j + 2]
            acc[0, i, j] = (w.astype(np.int64) * part).sum(axis=(1, 2, 3))
    acc += start.astype(np.int64)
    factor = (np.float64(A[1]) * scales.astype(np.float64) /
              np.float64(Y[1])).astype(F32)
    assert np.array_equal(y, store(acc.astype(F32) * factor, Y, (17, 230)))


def test_matmul_to_floats(tmp_path):
    """Nothing rounds the result: f32(acc) * f32(sx * sw)."""
    rng = np.random.default_rng(4)
    a, b = draw(rng, A, (5, 9)), draw(rng, B, (9, 7))
    y = run(tmp_path, f"%y = qg.matmul %a0, %a1 : (tensor<5x9x{kind(A)}>, "
            f"tensor<9x7x{kind(B)}>) -> tensor<5x7xf32>",
            [(a, f"5x9x{kind(A)}"), (b, f"9x7x{kind(B)}")], ["5x7xf32"])
    acc = steps(a, A) @ steps(b, B)
    scale = F32(np.float64(A[1]) * np.float64(B[1]))
    assert y.tobytes() == (acc.astype(F32) * scale).tobytes()


def test_average_pool(tmp_path):
    rng = np.random.default_rng(5)
    x = draw(rng, A, (1, 6, 9, 5))
    y = run(tmp_path, "%y = qg.pool avg %a0 kernel [2, 3] strides [2, 3] pads "
            f"[0, 0, 0, 0] dilations [1, 1] : tensor<1x6x9x5x{kind(A)}> -> "
            f"tensor<1x3x3x5x{kind(Z)}>", [(x, f"1x6x9x5x{kind(A)}")],
            [f"1x3x3x5x{kind(Z)}"])
    acc = steps(x, A).reshape(1, 3, 2, 3, 3, 5).sum(axis=(2, 4))
    factor = F32(np.float64(A[1]) / (np.float64(Z[1]) * 6))
    assert np.array_equal(y, store(acc.astype(F32) * factor, Z))


def test_sum(tmp_path):
    rng = np.random.default_rng(6)
    x = draw(rng, B, (3, 33, 5))
    y = run(tmp_path, f"%y = qg.reduce sum %a0 axes [1] : "
            f"tensor<3x33x5x{kind(B)}> -> tensor<3x5x{kind(Y)}>",
            [(x, f"3x33x5x{kind(B)}")], [f"3x5x{kind(Y)}"])
    acc = steps(x, B).sum(axis=1)
    assert np.array_equal(y, store(acc.astype(F32) * ratio(B[1], Y[1]), Y))


def test_concat_of_two_encodings(tmp_path):
    rng = np.random.default_rng(7)
    a, b = draw(rng, A, (3, 5)), draw(rng, B, (3, 4))
    y = run(tmp_path, f"%y = qg.concat %a0, %a1 axis 1 : (tensor<3x5x{kind(A)}>,"
            f" tensor<3x4x{kind(B)}>) -> tensor<3x9x{kind(A)}>",
            [(a, f"3x5x{kind(A)}"), (b, f"3x4x{kind(B)}")],
            [f"3x9x{kind(A)}"])
    moved = store(steps(b, B).astype(F32) * ratio(B[1], A[1]), A)
    assert np.array_equal(y, np.concatenate([a, moved], axis=1))


def test_padding_is_the_zero_point(tmp_path):
    rng = np.random.default_rng(8)
    x = draw(rng, Z, (2, 3))
    y = run(tmp_path, f"%y = qg.pad constant %a0 low [1, 0] high [0, 2] : "
            f"(tensor<2x3x{kind(Z)}>) -> tensor<3x5x{kind(Z)}>",
            [(x, f"2x3x{kind(Z)}")], [f"3x5x{kind(Z)}"])
    assert np.array_equal(y, np.pad(x, ((1, 0), (0, 2)), constant_values=Z[2]))


def test_maximum_of_unsigned_bytes(tmp_path):
    rng = np.random.default_rng(9)
    x = draw(rng, A, (1, 4, 4, 3))
    y = run(tmp_path, "%y = qg.pool max %a0 kernel [2, 2] strides [2, 2] pads "
            f"[0, 0, 0, 0] dilations [1, 1] : tensor<1x4x4x3x{kind(A)}> -> "
            f"tensor<1x2x2x3x{kind(A)}>", [(x, f"1x4x4x3x{kind(A)}")],
            [f"1x2x2x3x{kind(A)}"])
    assert np.array_equal(y, x.reshape(1, 2, 2, 2, 2, 3).max(axis=(2, 4)))


@pytest.mark.parametrize("function", ["relu", "sigmoid", "tanh", "exp", "sqrt",
                                      "floor"])
def test_tables(tmp_path, function):
    """A function between two encodings is a table: all 256 entries, at most
    one step from the function in double, and exact where it has no rounding."""
    x = np.arange(256).astype(np.uint8)
    y = run(tmp_path, f"%f = qg.dequantize %a0 : tensor<256x{kind(A)}> -> "
            f"tensor<256xf32>\n  %g = qg.unary {function} %f : tensor<256xf32> "
            f"-> tensor<256xf32>\n  %y = qg.quantize %g : tensor<256xf32> -> "
            f"tensor<256x{kind(Y)}>", [(x, f"256x{kind(A)}")],
            [f"256x{kind(Y)}"])
    real = steps(x, A).astype(F32) * A[1]
    exact = {"relu": lambda v: np.maximum(v, 0), "tanh": np.tanh, "exp": np.exp,
             "sigmoid": lambda v: 1 / (1 + np.exp(-v)), "floor": np.floor,
             "sqrt": lambda v: np.where(v < 0, np.nan, np.sqrt(np.abs(v)))}
    wide = exact[function](real.astype(np.float64))
    value = np.where(np.isnan(wide), 0, wide).astype(F32)
    want = store(value / Y[1], Y)
    difference = np.abs(y.astype(int) - want)
    assert difference.max() <= (0 if function in ("relu", "floor") else 1)
    assert np.count_nonzero(difference) <= 1


@pytest.mark.parametrize("name,low,high", [("ui16", 0, 65535),
                                           ("si16", -32768, 32767)])
def test_sixteen_bits(tmp_path, name, low, high):
    rng = np.random.default_rng(10)
    x = np.concatenate([rng.normal(0, 9, 99),
                        [np.nan, np.inf, -np.inf, 0.0125, -0.0125]]).astype(F32)
    encoding = f"!qg.q<{name}, 5.0e-4 : 100>"
    y = run(tmp_path, f"%q = qg.quantize %a0 : tensor<104xf32> -> "
            f"tensor<104x{encoding}>\n  %y = qg.dequantize %q : "
            f"tensor<104x{encoding}> -> tensor<104xf32>", [(x, "104xf32")],
            ["104xf32"])
    real = np.where(np.isnan(x), F32(0), x) / F32(5e-4)
    stored = np.clip(np.rint(real).astype(np.float64) + 100, low, high)
    assert y.tobytes() == ((stored - 100).astype(F32) * F32(5e-4)).tobytes()
