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
def test_casts_of_floats_truncate(tmp_path, kind):
    low, high = INTEGERS[kind]
    x = np.array([-1e9, -9, -2.5, -1.5, -.6, .4, .6, 1.5, 3, 7.6, 15.5, 1e9],
                 np.float32)
    want = np.clip(np.trunc(x), low, high)
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


def refusal_of(folder, nodes, kind):
    w = tensor(kind, [1], 8, True)
    model = model_of(nodes, [value("x", [1])], [value("y", [1])],
                     [w, helper.make_tensor("s", T.FLOAT, [], [0.5])])
    with pytest.raises(qopt.Error) as refused:
        load(folder, model)
    return str(refused.value)


def test_floats_of_8_bits_are_constants_only(tmp_path):
    like = [helper.make_node("CastLike", ["x", "w"], ["y"])]
    assert "conversion to floats of 8 bits is not supported" in refusal_of(
        tmp_path, like, T.FLOAT8E5M2)
    quantize = [helper.make_node("QuantizeLinear", ["x", "s", "w"], ["y"])]
    assert "expects to quantize to integers, floats of 8 bits are supported " \
        "in constants only" in refusal_of(tmp_path, quantize, T.FLOAT8E5M2)
