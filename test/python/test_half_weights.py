# SPDX-License-Identifier: Apache-2.0
"""Weights of 16-bit floats stay in 16 bits in the object, and give the bits of
the interpreter, which knows floats of 32 bits only."""
import ml_dtypes
import numpy as np
import pytest
from onnx import TensorProto as T
from onnx import helper

import qopt
from modules import run_model
from onnx_files import load, model_of, value

TYPES = {"bf16": (T.BFLOAT16, ml_dtypes.bfloat16),
         "f16": (T.FLOAT16, np.float16)}


def weights_of(rng, shape, dtype):
    """Normal numbers, the least and the largest, and zeros of both signs."""
    w = rng.standard_normal(shape).astype(dtype)
    info = ml_dtypes.finfo(dtype)
    w.flat[:5] = [0, -0.0, info.smallest_subnormal, -info.tiny, info.max / 64]
    return w


def model_with(nodes, w, kind, shape, out):
    tensor = T(data_type=kind, dims=w.shape, name="w", raw_data=w.tobytes())
    return model_of(
        [helper.make_node("Cast", ["w"], ["c"], to=T.FLOAT), *nodes],
        [value("x", shape)], [value("y", out)], [tensor])


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("rows", [1, 7, 64])
def test_matmul(tmp_path, name, rows):
    rng = np.random.default_rng(rows)
    kind, dtype = TYPES[name]
    w = weights_of(rng, (100, 77), dtype)
    model = model_with([helper.make_node("MatMul", ["x", "c"], ["y"])], w, kind,
                       [rows, 100], [rows, 77])
    x = rng.standard_normal((rows, 100)).astype(np.float32)
    y = run_model(load(tmp_path, model), x)[0]
    want = x.astype(np.float64) @ w.astype(np.float64)
    assert np.abs(y - want).max() <= 1e-5 * np.abs(want).max()


@pytest.mark.parametrize("name", TYPES)
def test_conv(tmp_path, name):
    rng = np.random.default_rng(2)
    kind, dtype = TYPES[name]
    w = weights_of(rng, (24, 20, 3, 3), dtype)
    model = model_with([helper.make_node("Conv", ["x", "c"], ["y"],
                                         pads=[1, 1, 1, 1])], w, kind,
                       [1, 20, 6, 6], [1, 24, 6, 6])
    x = rng.standard_normal((1, 20, 6, 6)).astype(np.float32)
    run_model(load(tmp_path, model), x)


@pytest.mark.parametrize("name, most", [("bf16", 2.1), ("f16", 2.1),
                                        ("f32", 4.1)])
def test_bytes(tmp_path, name, most):
    """Bytes of a weight in the object, padding included."""
    rng = np.random.default_rng(3)
    kind, dtype = TYPES.get(name, (T.FLOAT, np.float32))
    w = rng.standard_normal((256, 256)).astype(dtype)
    model = model_with([helper.make_node("MatMul", ["x", "c"], ["y"])], w, kind,
                       [1, 256], [1, 256])
    path = tmp_path / "m.o"
    qopt.build(load(tmp_path, model), tmp_path / "m", emit=["object"],
               scheme="float")
    assert path.stat().st_size <= most * w.size + 20000
