# SPDX-License-Identifier: Apache-2.0
"""Attention's masks that are shorter than the keys, by ONNX's reference."""
import numpy as np
import pytest
from onnx import TensorProto as T
from onnx import helper
from onnx.reference import ReferenceEvaluator

from onnx_files import model_of, run, value


@pytest.mark.parametrize("kind", [np.float32, np.bool_], ids=["float", "bool"])
@pytest.mark.parametrize("length", [1, 2, 3])
@pytest.mark.parametrize("rank", [2, 4])
def test_short_masks(tmp_path, kind, length, rank):
    rng = np.random.default_rng(length)
    q = rng.standard_normal((1, 2, 2, 4)).astype(np.float32)
    k, v = rng.standard_normal((2, 1, 2, 3, 4)).astype(np.float32)
    mask = rng.standard_normal((1, 2, 2, length)[4 - rank:]).astype(kind)
    model = model_of(
        [helper.make_node("Attention", ["q", "k", "v", "m"], ["y"])],
        [value("q", q.shape), value("k", k.shape), value("v", v.shape),
         value("m", mask.shape, T.BOOL if kind is np.bool_ else T.FLOAT)],
        [value("y", q.shape)], opset=24)
    want = ReferenceEvaluator(model).run(
        None, {"q": q, "k": k, "v": v, "m": mask})[0]
    assert np.allclose(run(tmp_path, model, q, k, v, mask)[0], want, atol=1e-6)
