# SPDX-License-Identifier: Apache-2.0
"""MatMul and Gemm of integers: exact, modulo 2^bits, as NumPy has them."""
import numpy as np
import pytest
from onnx import TensorProto as T
from onnx import helper, numpy_helper

import qopt
from onnx_files import load, model_of, run, value

TYPES = {T.INT32: np.int32, T.INT64: np.int64, T.UINT32: np.uint32,
         T.UINT64: np.uint64}
SHAPES = [((3, 4), (4, 5)), ((2, 3, 4), (4, 5)), ((2, 1, 3, 4), (6, 4, 1)),
          ((4,), (4, 5)), ((3, 4), (4,)), ((4,), (4,)), ((2, 4), (3, 4, 5)),
          ((3, 0), (0, 2)), ((1, 1), (1, 1))]


def draw(rng, shape, dtype):
    info = np.iinfo(dtype)
    return rng.integers(info.min, info.max, shape, dtype, endpoint=True)


@pytest.mark.parametrize("kind", TYPES, ids=T.DataType.Name)
@pytest.mark.parametrize("constant", [False, True])
def test_matmul(tmp_path, kind, constant):
    rng = np.random.default_rng(0)
    for left, right in SHAPES:
        a, b = (draw(rng, s, TYPES[kind]) for s in (left, right))
        want = a @ b
        model = model_of(
            [helper.make_node("MatMul", ["a", "b"], ["y"])],
            [value("a", left, kind)] + [value("b", right, kind)] *
            (not constant), [value("y", want.shape, kind)],
            [numpy_helper.from_array(b, "b")] if constant else [])
        got = run(tmp_path, model, *([a] if constant else [a, b]))[0]
        assert np.array_equal(got, want), (left, right)


@pytest.mark.parametrize("transposed", [0, 1])
def test_gemm(tmp_path, transposed):
    rng = np.random.default_rng(1)
    a, b, c = (draw(rng, s, np.int32) for s in ((3, 4), (4, 5), (5,)))
    given = (a.T, b.T) if transposed else (a, b)
    model = model_of(
        [helper.make_node("Gemm", ["a", "b", "c"], ["y"], transA=transposed,
                          transB=transposed, alpha=2.0, beta=-3.0)],
        [value(n, x.shape, T.INT32) for n, x in zip("abc", (*given, c))],
        [value("y", [3, 5], T.INT32)])
    got = run(tmp_path, model, *map(np.ascontiguousarray, given), c)[0]
    assert np.array_equal(got, np.int32(2) * (a @ b) + np.int32(-3) * c)


def test_refusals(tmp_path):
    a = [value(n, [2, 2], T.INT32) for n in "ab"]
    gemm = model_of([helper.make_node("Gemm", ["a", "b"], ["y"], alpha=.5)], a,
                    [value("y", [2, 2], T.INT32)])
    with pytest.raises(qopt.UnsupportedError, match="whole numbers"):
        load(tmp_path, gemm)
    large = model_of([helper.make_node("MatMul", ["a", "b"], ["y"])],
                     [value(n, [512, 512], T.INT32) for n in "ab"],
                     [value("y", [512, 512], T.INT32)])
    with pytest.raises(qopt.Error, match="at most 2\\^26 products"):
        load(tmp_path, large)


def test_dynamic_quantization_of_zeros(tmp_path):
    """By the letter the zero point is 0 / 0; ONNX Runtime has a scale of 1."""
    model = model_of(
        [helper.make_node("DynamicQuantizeLinear", ["x"], ["y", "s", "z"])],
        [value("x", [4])], [value("y", [4], T.UINT8), value("s", []),
                            value("z", [], T.UINT8)])
    y, s, z = run(tmp_path, model, np.zeros(4, np.float32))
    assert not y.any() and s == 1 and z == 0
