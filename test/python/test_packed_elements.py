# SPDX-License-Identifier: Apache-2.0
"""Integers of 2 and 4 bits and floats of 4, 6 and 8 in ONNX files: every code,
in raw bytes and as numbers; values of ml_dtypes."""
import ml_dtypes
import numpy as np
import pytest
from onnx import TensorProto as T
from onnx import helper

import qopt
from onnx_files import load, model_of, run, value

FLOATS = {T.FLOAT8E4M3FN: (ml_dtypes.float8_e4m3fn, 8),
          T.FLOAT8E4M3FNUZ: (ml_dtypes.float8_e4m3fnuz, 8),
          T.FLOAT8E5M2: (ml_dtypes.float8_e5m2, 8),
          T.FLOAT8E5M2FNUZ: (ml_dtypes.float8_e5m2fnuz, 8),
          T.FLOAT8E8M0: (ml_dtypes.float8_e8m0fnu, 8),
          T.FLOAT6E2M3: (ml_dtypes.float6_e2m3fn, 6),
          T.FLOAT6E3M2: (ml_dtypes.float6_e3m2fn, 6),
          T.FLOAT4E2M1: (ml_dtypes.float4_e2m1fn, 4)}
INTEGERS = {T.INT2: (-2, 1), T.UINT2: (0, 3), T.INT4: (-8, 7),
            T.UINT4: (0, 15)}
BITS = {T.INT2: 2, T.UINT2: 2, T.INT4: 4, T.UINT4: 4}


def tensor(kind, codes, bits, raw):
    """`codes` as ONNX packs them: lowest bits first."""
    stream = sum(int(c) << (i * bits) for i, c in enumerate(codes))
    data = stream.to_bytes((len(codes) * bits + 7) // 8, "little")
    result = T(data_type=kind, dims=[len(codes)], name="w")
    if raw:
        result.raw_data = data
    else:
        result.int32_data.extend(codes if bits == 6 else data)
    return result


def dequantized(folder, w, count, scale=1.0):
    model = model_of(
        [helper.make_node("DequantizeLinear", ["w", "s"], ["d"]),
         helper.make_node("Add", ["x", "d"], ["y"])],
        [value("x", [count])], [value("y", [count])],
        [w, helper.make_tensor("s", T.FLOAT, [], [scale])], opset=25)
    # -0 leaves every number what it is, zeros among them.
    return run(folder, model, np.full(count, -0.0, np.float32))[0]


@pytest.mark.parametrize("raw", [True, False], ids=["raw", "numbers"])
@pytest.mark.parametrize("kind", FLOATS, ids=T.DataType.Name)
def test_every_code_of_floats(tmp_path, kind, raw):
    dtype, bits = FLOATS[kind]
    # One short of all: the last group is not whole.
    codes = np.arange(2**bits - 1, dtype=np.uint8)[::-1]
    want = codes.view(dtype).astype(np.float32)
    got = dequantized(tmp_path, tensor(kind, codes, bits, raw), len(codes))
    assert np.array_equal(got, want, equal_nan=True)
    assert np.array_equal(np.signbit(got[want == 0]),
                          np.signbit(want[want == 0]))


@pytest.mark.parametrize("raw", [True, False], ids=["raw", "numbers"])
@pytest.mark.parametrize("kind", INTEGERS, ids=T.DataType.Name)
def test_every_code_of_integers(tmp_path, kind, raw):
    low, high = INTEGERS[kind]
    values = np.r_[np.arange(low, high + 1), low, high, low]
    codes = values & (2**BITS[kind] - 1)
    got = dequantized(tmp_path, tensor(kind, codes, BITS[kind], raw),
                      len(codes), 0.5)
    assert np.array_equal(got, values * np.float32(0.5))


def test_of_moved_codes(tmp_path):
    """A transpose in front of DequantizeLinear; a Constant node."""
    codes = np.arange(12, dtype=np.uint8)
    w = tensor(T.FLOAT8E4M3FN, codes, 8, True)
    w.dims[:] = [3, 4]
    model = model_of(
        [helper.make_node("Constant", [], ["c"], value=w),
         helper.make_node("Transpose", ["c"], ["t"], perm=[1, 0]),
         helper.make_node("DequantizeLinear", ["t", "s"], ["d"]),
         helper.make_node("MatMul", ["x", "d"], ["y"])],
        [value("x", [1, 4])], [value("y", [1, 3])],
        [helper.make_tensor("s", T.FLOAT, [], [2.0])])
    x = np.eye(4, dtype=np.float32)[1:2]
    want = codes.view(ml_dtypes.float8_e4m3fn).astype(np.float32)
    assert np.array_equal(run(tmp_path, model, x)[0],
                          x @ want.reshape(3, 4).T * 2)


def test_of_power_of_two_scales(tmp_path):
    """Blocks of four bits times E8M0, as microscaling files have them."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 16, 64)
    scales = rng.integers(120, 134, 8).astype(np.uint8)
    w = tensor(T.FLOAT4E2M1, codes, 4, True)
    w.dims[:] = [16, 4]
    s = T(data_type=T.FLOAT8E8M0, dims=[2, 4], name="s",
          raw_data=scales.tobytes())
    model = model_of(
        [helper.make_node("DequantizeLinear", ["w", "s"], ["d"], axis=0,
                          block_size=8, output_dtype=T.FLOAT),
         helper.make_node("MatMul", ["x", "d"], ["y"])],
        [value("x", [1, 16])], [value("y", [1, 4])], [w, s], opset=25)
    real = codes.astype(np.uint8).view(ml_dtypes.float4_e2m1fn).astype(
        np.float32).reshape(16, 4) * np.repeat(
            scales.view(ml_dtypes.float8_e8m0fnu).astype(np.float32).reshape(
                2, 4), 8, axis=0)
    x = np.eye(16, dtype=np.float32)[5:6]
    assert np.array_equal(run(tmp_path, model, x)[0], x @ real)


def cast(folder, x, source, kind):
    model = model_of(
        [helper.make_node("Cast", ["x"], ["a"], to=kind),
         helper.make_node("Cast", ["a"], ["y"], to=T.INT32)],
        [value("x", x.shape, source)], [value("y", x.shape, T.INT32)],
        opset=25)
    return run(folder, model, x)[0]


@pytest.mark.parametrize("kind", INTEGERS, ids=T.DataType.Name)
def test_casts_of_integers_keep_the_low_bits(tmp_path, kind):
    low, high = INTEGERS[kind]
    for dtype, source in ((np.int8, T.INT8), (np.uint8, T.UINT8),
                          (np.int32, T.INT32), (np.int64, T.INT64)):
        x = np.arange(-40, 40).astype(dtype)
        want = (x.astype(np.int64) - low) % (high - low + 1) + low
        assert np.array_equal(cast(tmp_path, x, source, kind), want)


@pytest.mark.parametrize("kind", INTEGERS, ids=T.DataType.Name)
def test_casts_of_floats_truncate_and_keep_the_low_bits(tmp_path, kind):
    low, high = INTEGERS[kind]
    x = np.array([-1e9, -9, -2.5, -1.5, -.6, .4, .6, 1.5, 3, 7.6, 15.5, 1e9],
                 np.float32)
    want = (np.trunc(x).astype(np.int64) - low) % (high - low + 1) + low
    assert np.array_equal(cast(tmp_path, x, T.FLOAT, kind), want)


@pytest.mark.parametrize("kind", [T.INT2, T.UINT4], ids=T.DataType.Name)
def test_quantize_to_packed(tmp_path, kind):
    low, high = INTEGERS[kind]
    x = np.linspace(-10, 10, 41, dtype=np.float32)
    model = model_of(
        [helper.make_node("QuantizeLinear", ["x", "s"], ["q"],
                          output_dtype=kind),
         helper.make_node("DequantizeLinear", ["q", "s"], ["y"])],
        [value("x", x.shape)], [value("y", x.shape)],
        [helper.make_tensor("s", T.FLOAT, [], [0.5])], opset=25)
    want = np.clip(np.rint(x * 2), low, high) * np.float32(0.5)
    assert np.array_equal(run(tmp_path, model, x)[0], want)


@pytest.mark.parametrize("kind", [T.FLOAT8E5M2, T.FLOAT8E4M3FN, T.FLOAT4E2M1],
                         ids=T.DataType.Name)
def test_small_floats_in_and_out(tmp_path, kind):
    """Inputs and results are held as f32; what is quantized is rounded."""
    dtype, _ = FLOATS[kind]
    x = np.array([0.5, -1, 3, 2], dtype).astype(np.float32)
    model = model_of(
        [helper.make_node("DequantizeLinear", ["x", "s"], ["d"]),
         helper.make_node("QuantizeLinear", ["d", "t"], ["y"],
                          output_dtype=kind)],
        [value("x", x.shape, kind)], [value("y", x.shape, kind)],
        [helper.make_tensor("s", T.FLOAT, [], [0.7]),
         helper.make_tensor("t", T.FLOAT, [], [0.3])], opset=23)
    want = (x * np.float32(0.7) / np.float32(0.3)).astype(dtype)
    assert np.array_equal(run(tmp_path, model, x)[0], want.astype(np.float32))


SPECIAL = [0.0, -0.0, 0.48, 0.25, 1.05, -3.5, -8, 9, 1e6, 1e-7, np.nan, np.inf,
           -np.inf, -4, 0.01, 448, 464, 464.1, 480, -480, 240, 248, 57344, 61440,
           61440.1, 65536, 2.0**-9, 2.0**-10, 1.5 * 2.0**-10, 2.0**-16,
           2.0**-17, 1.5 * 2.0**-17, 1.0625, 1.1875, 1e30, 2.0**-120]


def small(folder, x, kind, **attributes):
    model = model_of(
        [helper.make_node("Cast", ["x"], ["q"], to=kind, **attributes),
         helper.make_node("Cast", ["q"], ["y"], to=T.FLOAT)],
        [value("x", x.shape)], [value("y", x.shape)], opset=25)
    return run(folder, model, x)[0]


@pytest.mark.parametrize("saturate", [0, 1])
@pytest.mark.parametrize("kind", [k for k in FLOATS if k != T.FLOAT8E8M0],
                         ids=T.DataType.Name)
def test_casts_to_small_floats(tmp_path, kind, saturate):
    dtype, bits = FLOATS[kind]
    random = np.random.default_rng(3)
    x = np.array([*SPECIAL, *random.normal(size=200) *
                  np.exp2(random.uniform(-18, 18, 200))], np.float32)
    info = ml_dtypes.finfo(dtype)
    with np.errstate(all="ignore"):
        want = (np.clip(x, info.min, info.max) if saturate else x).astype(
            dtype).astype(np.float32)
    if bits < 8:  # without a NaN: 0
        want[np.isnan(x)] = 0
    got = small(tmp_path, x, kind, saturate=saturate)
    assert np.array_equal(got, want, equal_nan=True)
    known = (got == 0) & ~np.isnan(x)
    assert np.array_equal(np.signbit(got[known]), np.signbit(want[known]))


@pytest.mark.parametrize("mode", ["up", "down", "nearest"])
def test_casts_to_powers_of_two(tmp_path, mode):
    x = np.array([1, 1.1, 1.4, 1.5, 1.6, 2, 3, 4, 1e30, 2.0**127, 3e38,
                  2.0**-126, 2.0**-127, 1.5 * 2.0**-126, np.inf, np.nan],
                 np.float32)
    exponent = np.floor(np.log2(x[:-2].astype(np.float64)))
    rest = x[:-2] / np.exp2(exponent)
    up = {"up": rest > 1, "down": rest < 0, "nearest": rest >= 1.5}[mode]
    for saturate in (0, 1):
        want = np.exp2(np.minimum(exponent + up, 127 if saturate else 128))
        want = np.where(want > 2.0**127, np.nan, want)
        got = small(tmp_path, x, T.FLOAT8E8M0, round_mode=mode,
                    saturate=saturate)
        assert np.array_equal(got, [*want, np.nan, np.nan], equal_nan=True)
