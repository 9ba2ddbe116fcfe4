# SPDX-License-Identifier: Apache-2.0
"""Ops of the integer dialect against exact arithmetic: Python's integers and
fractions, rounded here. Machine code gives the interpreter's bits."""
import functools
import itertools
from fractions import Fraction

import numpy as np
import pytest

from modules import run_op, text_of, type_of

INT32_EDGES = [-2**31, -2**31 + 1, -2**24 - 1, -2**24, -129, -128, -3, -2, -1,
               0, 1, 2, 3, 127, 128, 255, 256, 2**24, 2**24 + 1, 2**24 + 3,
               2**31 - 2, 2**31 - 1]


def round_half_even(x):
    return round(Fraction(x))  # Python rounds fractions half to even


def to_f32(x):
    """The f32 nearest to an exact number, as a fraction; ties to even."""
    x = Fraction(x)
    if x == 0:
        return x
    # Denominators are powers of two: 24 bits are left behind the shift.
    drop = abs(x.numerator).bit_length() - 24
    if drop <= 0:
        return x
    return Fraction(round_half_even(Fraction(x.numerator, 2**drop)) * 2**drop,
                    x.denominator)


def fixed_scale(scale, bits):
    """multiplier * 2^exponent, the mantissa rounded half to even."""
    scale, exponent = Fraction(scale), 0
    while scale * Fraction(2) ** -exponent >= 2**bits:
        exponent += 1
    while scale * Fraction(2) ** -exponent < 2 ** (bits - 1):
        exponent -= 1
    return round_half_even(scale * Fraction(2) ** -exponent) * \
        Fraction(2) ** exponent


def power_of_two(scale):
    """The power nearest by ratio."""
    return min((Fraction(2) ** e for e in range(-70, 40)),
               key=lambda p: max(p / scale, scale / p))


@functools.cache
def scale_in_mode(mode, scale):
    scale = Fraction(float(np.float32(scale)))
    if mode == "pow2":
        return power_of_two(scale)
    return fixed_scale(scale, int(mode.split(":")[1]))


def requantize(mode, x, scale, zero, low, high):
    if mode == "f32":
        exact = to_f32(to_f32(x) * Fraction(float(np.float32(scale))))
    else:
        exact = x * scale_in_mode(mode, scale)
    return min(max(round_half_even(exact) + zero, low), high)


def attribute(mode):
    kind, _, bits = mode.partition(":")
    return f'mode <"{kind}", {bits}>' if bits else f'mode <"{kind}">'


MODES = ["f32", "fixed:31", "fixed:24", "fixed:17", "fixed:2", "pow2"]


def read_back(y, is_unsigned):
    return y.view(np.uint8) if is_unsigned else y


@pytest.mark.parametrize("is_unsigned", [False, True], ids=["si8", "ui8"])
@pytest.mark.parametrize("mode", MODES)
def test_requantize_accumulators(tmp_path, mode, is_unsigned):
    """Edges of i32, ties and random accumulators; a scale per channel."""
    rng = np.random.default_rng(1)
    scales = np.array([0.5, 1.0, 3.0, 0.0009765625, 2.0**-31, 0.1, 1.7e-7,
                       0.70710677], np.float32)
    values = INT32_EDGES + list(rng.integers(-2**31, 2**31, 40)) + \
        list(rng.integers(-4000, 4000, 40))
    x = np.repeat(np.array(values, np.int32)[:, None], len(scales), axis=1)
    low, high, zero = (0, 250, 7) if is_unsigned else (-100, 127, -3)
    flag = "unsigned " if is_unsigned else ""
    y = run_op(tmp_path,
               f"fxp.requantize %a0 scales {text_of(scales)} : tensor<8xf32> "
               f"x_zp 0 zp {zero} clamp [{low}, {high}] {flag}"
               f"{attribute(mode)} : {type_of(x.shape, 'i32')} -> "
               f"{type_of(x.shape, 'i8')}",
               [(x, "i32")], [(x.shape, "i8")])
    want = [[requantize(mode, int(v), s, zero, low, high) for v, s in
             zip(row, scales)] for row in x]
    assert read_back(y, is_unsigned).tolist() == want


@pytest.mark.parametrize("mode", MODES)
def test_requantize_bytes(tmp_path, mode):
    """All bytes, read as unsigned, with a zero point on either side."""
    x = np.arange(256).astype(np.uint8).view(np.int8)
    y = run_op(tmp_path,
               "fxp.requantize %a0 scales dense<0.75> : tensor<1xf32> x_zp 200 "
               f"x_unsigned zp -20 clamp [-128, 127] {attribute(mode)} : "
               "tensor<256xi8> -> tensor<256xi8>",
               [(x, "i8")], [((256,), "i8")])
    assert y.tolist() == [requantize(mode, v - 200, 0.75, -20, -128, 127)
                          for v in range(256)]


@pytest.mark.parametrize("width,low,high", [(16, -2**15, 2**15 - 1),
                                            (32, -2**31, 2**31 - 1)])
def test_requantize_to_wide_formats(tmp_path, width, low, high):
    x = np.array(INT32_EDGES, np.int32)
    y = run_op(tmp_path,
               f"fxp.requantize %a0 scales dense<0.37> : tensor<1xf32> x_zp 0 "
               f'zp 5 clamp [{low}, {high}] mode <"f32"> : '
               f"{type_of(x.shape, 'i32')} -> {type_of(x.shape, f'i{width}')}",
               [(x, "i32")], [(x.shape, f"i{width}")])
    assert y.tolist() == [requantize("f32", int(v), 0.37, 5, low, high)
                          for v in x]


@functools.cache
def common_scales(mode, scales):
    """Both scales as the mode has them, the smaller on the larger's grid."""
    exact = [Fraction(float(np.float32(s))) for s in scales]
    signs = [1 if s > 0 else -1 for s in exact]
    if mode == "f32":
        return exact
    if mode == "pow2":
        return [sign * power_of_two(abs(s)) for sign, s in zip(signs, exact)]
    bits = int(mode.split(":")[1])
    own = [fixed_scale(abs(s), bits) for s in exact]
    step = Fraction(2) ** -80
    while max(own) / step >= 2**bits:
        step *= 2
    return [sign * round_half_even(s / step) * step
            for sign, s in zip(signs, own)]


def add(mode, a, b, scales, zero, low, high):
    left, right = common_scales(mode, scales)
    exact = a * left + b * right
    if mode == "f32":
        exact = to_f32(a * left + to_f32(b * right))
    return min(max(round_half_even(exact) + zero, low), high)


@pytest.mark.parametrize("scales", [(0.5, 0.5), (1.0, -1.0), (0.3, 0.0041),
                                    (0.0123, 1.9), (0.8, -0.1)], ids=str)
@pytest.mark.parametrize("mode", ["f32", "fixed:31", "fixed:17", "pow2"])
def test_add(tmp_path, mode, scales):
    """Every 9th pair of bytes, signed with unsigned, in a broadcast."""
    a = np.arange(0, 256, 9).astype(np.uint8)
    b = np.arange(-128, 128, 9).astype(np.int8)
    shape = (len(a), len(b))
    y = run_op(tmp_path,
               f"fxp.add %a0, %a1 scales [{scales[0]:.9e}, {scales[1]:.9e}] "
               f"zps [128, -3] zp 9 clamp [2, 255] lhs_unsigned unsigned "
               f"{attribute(mode)} : ({type_of((len(a), 1), 'i8')}, "
               f"{type_of((len(b),), 'i8')}) -> {type_of(shape, 'i8')}",
               [(a.view(np.int8)[:, None].copy(), "i8"), (b, "i8")],
               [(shape, "i8")])
    want = [[add(mode, int(l) - 128, int(r) + 3, scales, 9, 2, 255) for r in b]
            for l in a]
    assert y.view(np.uint8).tolist() == want


def test_mul_of_all_signs(tmp_path):
    a = np.arange(256).astype(np.uint8)
    shape = (256, 256)
    for left, right in itertools.product([False, True], repeat=2):
        flags = " lhs_unsigned" * left + " rhs_unsigned" * right
        y = run_op(tmp_path,
                   f"fxp.mul %a0, %a1 zps [5, -7]{flags} : (tensor<256x1xi8>, "
                   "tensor<256xi8>) -> tensor<256x256xi32>",
                   [(a.view(np.int8)[:, None].copy(), "i8"),
                    (a.view(np.int8), "i8")], [(shape, "i32")])
        x = (a if left else a.view(np.int8)).astype(np.int64) - 5
        z = (a if right else a.view(np.int8)).astype(np.int64) + 7
        assert np.array_equal(y, x[:, None] * z)


@pytest.mark.parametrize("seed", range(2))
def test_lut(tmp_path, seed):
    rng = np.random.default_rng(seed)
    table = rng.integers(-128, 128, 256).astype(np.int8)
    # A length that vectors do not divide.
    x = rng.integers(-128, 128, (3, 333)).astype(np.int8)
    y = run_op(tmp_path,
               f"fxp.lut %a0 table {text_of(table)} : tensor<256xi8> : "
               "tensor<3x333xi8> -> tensor<3x333xi8>",
               [(x, "i8")], [(x.shape, "i8")])
    assert np.array_equal(y, table[x.view(np.uint8)])


def windows(x, kernel, strides, pads, dilations):
    """Yields ((n, h, w), window [taps, C] without what is outside)."""
    n, height, width, _ = x.shape
    for b in range(n):
        for i, top in enumerate(range(-pads[0], height + pads[2] -
                                      (kernel[0] - 1) * dilations[0],
                                      strides[0])):
            for j, left in enumerate(range(-pads[1], width + pads[3] -
                                           (kernel[1] - 1) * dilations[1],
                                           strides[1])):
                rows = [top + k * dilations[0] for k in range(kernel[0])]
                columns = [left + k * dilations[1] for k in range(kernel[1])]
                taps = [(r, c) for r in rows for c in columns]
                yield (b, i, j), taps


def inside(x, taps):
    return [(k, r, c) for k, (r, c) in enumerate(taps)
            if 0 <= r < x.shape[1] and 0 <= c < x.shape[2]]


def extents(x, kernel, strides, pads, dilations):
    return tuple((x.shape[1 + d] + pads[d] + pads[2 + d] -
                  (kernel[d] - 1) * dilations[d] - 1) // strides[d] + 1
                 for d in range(2))


WINDOWS = [((2, 2), (2, 2), (0, 0, 0, 0), (1, 1)),
           ((3, 3), (1, 1), (1, 1, 1, 1), (1, 1)),
           ((3, 2), (2, 1), (1, 0, 2, 1), (1, 2)),
           ((1, 5), (1, 3), (0, 2, 0, 2), (1, 1)),
           ((7, 9), (1, 1), (0, 0, 0, 0), (1, 1))]


def window_text(kernel, strides, pads, dilations):
    return (f"kernel {list(kernel)} strides {list(strides)} pads {list(pads)} "
            f"dilations {list(dilations)}")


@pytest.mark.parametrize("is_unsigned", [False, True], ids=["si8", "ui8"])
@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_pools(tmp_path, window, is_unsigned):
    rng = np.random.default_rng(3)
    x = rng.integers(-128, 128, (2, 7, 9, 5)).astype(np.int8)
    shape = (2, *extents(x, *window), 5)
    flag = " x_unsigned" if is_unsigned else ""
    top = run_op(tmp_path, f"fxp.max_pool %a0 {window_text(*window)}{flag} : "
                 f"tensor<2x7x9x5xi8> -> {type_of(shape, 'i8')}",
                 [(x, "i8")], [(shape, "i8")])
    total = run_op(tmp_path,
                   f"fxp.sum_pool %a0 {window_text(*window)} x_zp 11{flag} : "
                   f"tensor<2x7x9x5xi8> -> {type_of(shape, 'i32')}",
                   [(x, "i8")], [(shape, "i32")])
    values = (x.view(np.uint8) if is_unsigned else x).astype(np.int64)
    for (b, i, j), taps in windows(x, *window):
        seen = np.array([values[b, r, c] for _, r, c in inside(x, taps)])
        assert np.array_equal(read_back(top, is_unsigned)[b, i, j],
                              seen.max(axis=0))
        assert np.array_equal(total[b, i, j], (seen - 11).sum(axis=0))


@pytest.mark.parametrize("axes", [(0,), (1, 2), (0, 3), (0, 1, 2, 3)], ids=str)
def test_sum(tmp_path, axes):
    rng = np.random.default_rng(4)
    x = rng.integers(-128, 128, (2, 3, 17, 5)).astype(np.int8)
    shape = tuple(e for i, e in enumerate(x.shape) if i not in axes)
    y = run_op(tmp_path, f"fxp.sum %a0 axes {list(axes)} x_zp 200 x_unsigned : "
               f"tensor<2x3x17x5xi8> -> {type_of(shape, 'i32')}",
               [(x, "i8")], [(shape, "i32")])
    want = (x.view(np.uint8).astype(np.int64) - 200).sum(axis=axes)
    assert np.array_equal(y, want)


# (x, weight, window, groups): odd channels, groups, depthwise, one pixel.
CONVOLUTIONS = [((1, 5, 6, 3), (5, 3, 3, 3), WINDOWS[1], 1),
                ((2, 5, 5, 7), (9, 1, 1, 7), ((1, 1), (1, 1), (0,) * 4, (1, 1)), 1),
                ((1, 7, 9, 6), (4, 3, 2, 3), WINDOWS[2], 2),
                ((1, 7, 9, 5), (5, 3, 3, 1), WINDOWS[1], 5),
                ((1, 7, 9, 3), (6, 2, 2, 1), WINDOWS[0], 3),
                ((1, 1, 1, 67), (11, 1, 1, 67), ((1, 1), (1, 1), (0,) * 4, (1, 1)), 1)]


@pytest.mark.parametrize("is_unsigned", [False, True], ids=["si8", "ui8"])
@pytest.mark.parametrize("case", CONVOLUTIONS, ids=lambda c: f"{c[0]}*{c[1]}")
def test_conv(tmp_path, case, is_unsigned):
    """Constant weights (a kernel) and computed ones (the generic form)."""
    xs, ws, window, groups = case
    kernel, strides, pads, dilations = window
    rng = np.random.default_rng(5)
    x = rng.integers(-128, 128, xs).astype(np.int8)
    w = rng.integers(-128, 128, ws).astype(np.int8)
    bias = rng.integers(-9999, 9999, ws[0]).astype(np.int32)
    zero = 131 if is_unsigned else -7
    shape = (xs[0], *extents(x, *window), ws[0])
    values = (x.view(np.uint8) if is_unsigned else x).astype(np.int64) - zero
    want = np.zeros(shape, np.int64)
    per_in, per_out = xs[3] // groups, ws[0] // groups
    flat = w.reshape(ws[0], -1, per_in).astype(np.int64)
    for (b, i, j), taps in windows(x, *window):
        for o in range(ws[0]):
            start = o // per_out * per_in
            want[b, i, j, o] = bias[o] + sum(
                int(values[b, r, c, start:start + per_in] @ flat[o, k])
                for k, r, c in inside(x, taps))
    flag = " x_unsigned" if is_unsigned else ""
    text = (f"fxp.conv %a0, %W, %B strides {list(strides)} pads {list(pads)} "
            f"dilations {list(dilations)} groups {groups} x_zp {zero}{flag} : "
            f"({type_of(xs, 'i8')}, {type_of(ws, 'i8')}, "
            f"{type_of((ws[0],), 'i32')}) -> {type_of(shape, 'i32')}")
    fixed = run_op(tmp_path, text.replace("%W", "%c0").replace("%B", "%c1"),
                   [(x, "i8")], [(shape, "i32")], [(w, "i8"), (bias, "i32")])
    free = run_op(tmp_path, text.replace("%W", "%a1").replace("%B", "%a2"),
                  [(x, "i8"), (w, "i8"), (bias, "i32")], [(shape, "i32")])
    assert np.array_equal(fixed, want)
    assert np.array_equal(free, want)


@pytest.mark.parametrize("transposed", [False, True],
                         ids=["KxN", "NxK"])
@pytest.mark.parametrize("batch", [(), (3,), (2, 3)], ids=str)
@pytest.mark.parametrize(
    "signs", list(itertools.product([False, True], repeat=2)), ids=str)
def test_matmul(tmp_path, batch, transposed, signs):
    """Two activations with zero points, in batches."""
    rng = np.random.default_rng(6)
    a = rng.integers(-128, 128, (*batch, 5, 19)).astype(np.int8)
    b = rng.integers(-128, 128,
                     (*batch, *((11, 19) if transposed else (19, 11)))).astype(
                         np.int8)
    bias = rng.integers(-9999, 9999, 11).astype(np.int32)
    shape = (*batch, 5, 11)
    y = run_op(tmp_path, "fxp.matmul %a0, %a1, %c0 lhs_zp 3"
               + " lhs_unsigned" * signs[0] + " rhs_zp -5"
               + " rhs_unsigned" * signs[1] + " transpose_rhs" * transposed
               + f" : ({type_of(a.shape, 'i8')}, {type_of(b.shape, 'i8')}, "
               f"tensor<11xi32>) -> {type_of(shape, 'i32')}",
               [(a, "i8"), (b, "i8")], [(shape, "i32")], [(bias, "i32")])
    left = (a.view(np.uint8) if signs[0] else a).astype(np.int64) - 3
    right = (b.view(np.uint8) if signs[1] else b).astype(np.int64) + 5
    if transposed:
        right = np.swapaxes(right, -1, -2)
    assert np.array_equal(y, left @ right + bias)


def test_matmul_at_the_edge_of_32_bits(tmp_path):
    """255 * -128 * 65,000 + bias stays just inside."""
    k = 65000
    a = np.full((1, k), -1, np.int8)  # 255
    w = np.full((k, 2), -128, np.int8)
    bias = np.array([0, -2**31 + 255 * 128 * k], np.int32)
    y = run_op(tmp_path, "fxp.matmul %a0, %c0, %c1 lhs_zp 0 lhs_unsigned rhs_zp "
               f"0 : (tensor<1x{k}xi8>, tensor<{k}x2xi8>, tensor<2xi32>) -> "
               "tensor<1x2xi32>", [(a, "i8")], [((1, 2), "i32")],
               [(w, "i8"), (bias, "i32")])
    assert y.tolist() == [[-255 * 128 * k, -2**31]]


SPECIAL = [0.0, -0.0, np.nan, np.inf, -np.inf, 1e30, -1e30, 1e-45, 0.25, 0.75,
           -0.25, -0.75, 1.25, 63.75, 64.25, -64.25]


@pytest.mark.parametrize("is_unsigned", [False, True], ids=["si8", "ui8"])
def test_quantize(tmp_path, is_unsigned):
    """A scale and a zero point per row; ties; NaN gives the zero point."""
    rng = np.random.default_rng(7)
    x = np.array([SPECIAL + list(rng.normal(0, 30, 33))] * 3, np.float32)
    scales = np.array([0.5, 0.1, 3.0], np.float32)
    zeros = [0, 100, 5]
    low, high = (0, 255) if is_unsigned else (-128, 127)
    flag = " unsigned" if is_unsigned else ""
    y = run_op(tmp_path,
               f"fxp.quantize %a0 scales {text_of(scales)} : tensor<3xf32> zps "
               f"{zeros} axis 0 clamp [{low}, {high}]{flag} : "
               f"{type_of(x.shape, 'f32')} -> {type_of(x.shape, 'i8')}",
               [(x, "f32")], [(x.shape, "i8")])
    for row, scale, zero, got in zip(x, scales, zeros,
                                     read_back(y, is_unsigned)):
        steps = np.rint(np.where(np.isnan(row), 0, row) / scale)
        want = np.clip(steps + zero, low, high)
        assert got.tolist() == want.astype(np.int64).tolist()


def test_dequantize(tmp_path):
    """One rounding: f32(x - zp) * scale."""
    x = np.arange(256).astype(np.uint8).view(np.int8).reshape(2, 128)
    scales = np.array([0.1, 7.3], np.float32)
    y = run_op(tmp_path,
               f"fxp.dequantize %a0 scales {text_of(scales)} : tensor<2xf32> "
               "zps [3, 250] axis 0 x_unsigned : tensor<2x128xi8> -> "
               "tensor<2x128xf32>", [(x, "i8")], [(x.shape, "f32")])
    stored = x.view(np.uint8).astype(np.int64) - np.array([[3], [250]])
    want = stored.astype(np.float32) * scales[:, None]
    assert y.tobytes() == want.tobytes()
