# SPDX-License-Identifier: Apache-2.0
"""Products of stored integers as ONNX Runtime's optimizer writes them."""
import numpy as np
import pytest

from test_decoder_operators import check, normal


def integers(*shape, dtype=np.uint8, seed=0):
    info = np.iinfo(dtype)
    return np.random.default_rng([seed, *shape]).integers(
        info.min, info.max + 1, shape).astype(dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8])
@pytest.mark.parametrize("columns,zero,bias", [
    (False, False, False), (True, True, True), (True, False, True),
    (False, True, False)])
@pytest.mark.parametrize("shape", [(3, 8), (2, 3, 8)])
def test_rows_rounded_at_run_time(tmp_path, dtype, columns, zero, bias, shape):
    n = (5,) if columns else ()
    feeds = {"a": normal(*shape), "b": integers(8, 5, dtype=dtype),
             "s": np.asarray(np.abs(normal(*n)) + 0.01, np.float32),
             "z": np.asarray(integers(*n, dtype=dtype)) if zero else None,
             "bias": normal(5) if bias else None}
    check(tmp_path, "DynamicQuantizeMatMul", feeds, atol=2e-3,
          constants=["b", "s", "z", "bias"])


@pytest.mark.parametrize("dtypes", [(np.uint8, np.int8), (np.uint8, np.uint8),
                                    (np.int8, np.int8)])
@pytest.mark.parametrize("constant", [True, False])
@pytest.mark.parametrize("columns", [True, False])
def test_scaled_sums(tmp_path, dtypes, constant, columns):
    n = (5,) if columns else ()
    feeds = {"a": integers(2, 3, 8, dtype=dtypes[0]),
             "b": integers(8, 5, dtype=dtypes[1]),
             "sa": np.array(0.02, np.float32),
             "sb": np.asarray(np.abs(normal(*n)), np.float32),
             "za": np.array(117 - 100 * (dtypes[0] == np.int8), dtypes[0]),
             "zb": np.asarray(integers(*n, dtype=dtypes[1])), "bias": normal(5)}
    check(tmp_path, "MatMulIntegerToFloat", feeds, atol=2e-3,
          constants=["b", "sb", "zb", "za", "bias"] if constant else [])


@pytest.mark.parametrize("form", ["plain", "columns", "mask", "past"])
def test_attention(tmp_path, form):
    feeds = {"x": integers(2, 5, 8), "w": integers(8, 24, dtype=np.int8),
             "b": normal(24), "sx": np.array(0.02, np.float32),
             "sw": np.array(0.01, np.float32), "mask": None,
             "zx": np.array(120, np.uint8), "zw": None, "past": None}
    outputs = ["y"]
    if form == "columns":
        feeds["sw"] = np.abs(normal(24)) * np.float32(0.01)
        feeds["zw"] = integers(24, dtype=np.int8) // np.int8(32)
    elif form == "mask":
        feeds["mask"] = np.array([5, 3], np.int32)
    elif form == "past":
        feeds["past"] = normal(2, 2, 2, 3, 4)
        outputs.append("present")
    check(tmp_path, "QAttention", feeds, outputs, num_heads=2, atol=1e-4,
          constants=["w", "b", "sw", "zw"],
          unidirectional=int(form == "past"))
