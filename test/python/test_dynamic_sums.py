# SPDX-License-Identifier: Apache-2.0
"""What follows a product: zero points, scales and gates that are known at run time,
by element, row, column or tensor. Kernels take it along."""
import numpy as np
import pytest
from onnx import TensorProto as T
from onnx import helper, numpy_helper

import qopt
from modules import run_model
from onnx_files import load, model_of, run, value

# Of the left operand: rows, and what is in front of them.
SHAPES = [(1, 24), (17, 24), (2, 5, 24), (3, 1, 24)]
CHANNELS = [1, 17, 100]


def make(shape, channels, scales, weight):
    """round(x) * w as integers, then as floats times `scales`, plus r."""
    out = (*shape[:-1], channels)
    nodes = [
        helper.make_node("DynamicQuantizeLinear", ["x"], ["q", "one", "z"]),
        helper.make_node("MatMulInteger", ["q", "w", "z"], ["a"]),
        helper.make_node("Cast", ["a"], ["f"], to=T.FLOAT),
        helper.make_node("Mul", ["s", "one"], ["t"]),
        helper.make_node("Mul", ["f", "t"], ["m"]),
        helper.make_node("Add", ["m", "r"], ["y"]),
    ]
    return model_of(nodes,
                    [value("x", shape), value("s", scales), value("r", out)],
                    [value("y", out)], [numpy_helper.from_array(weight, "w")])


@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("by", ["tensor", "row", "channel", "element"])
def test_scales(tmp_path, shape, channels, by):
    rng = np.random.default_rng(channels)
    out = (*shape[:-1], channels)
    scales = {"tensor": (), "row": (*shape[:-1], 1), "channel": (channels,),
              "element": out}[by]
    weight = rng.integers(-128, 128, (shape[-1], channels), np.int8)
    # From -100 to 155: the step is 1, the zero point 100.
    x = rng.integers(-100, 156, shape).astype(np.float32)
    x.flat[:2] = -100, 155
    s = np.asarray(rng.random(scales), np.float32)
    r = rng.standard_normal(out).astype(np.float32)
    want = (x.astype(np.int32) @ weight.astype(np.int32)).astype(np.float32) * s + r
    model = qopt.quantize(load(tmp_path, make(shape, channels, scales, weight)),
                          None, "qdq")
    assert "qg.q<" in model.to_mlir()
    got = run_model(model, x, s, r)[0]
    np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-4)


def test_gate_of_channels(tmp_path):
    """A float convolution times a gate, for one image and for two."""
    rng = np.random.default_rng(0)
    weight = rng.standard_normal((20, 6, 1, 1)).astype(np.float32)
    for batch in (1, 2):
        for gate in ((batch, 20, 1, 1), (1, 20, 1, 1), (batch, 1, 5, 9),
                     (1, 1, 1, 1)):
            model = model_of(
                [helper.make_node("Conv", ["x", "w"], ["c"]),
                 helper.make_node("Mul", ["c", "g"], ["y"])],
                [value("x", [batch, 6, 5, 9]), value("g", gate)],
                [value("y", [batch, 20, 5, 9])],
                [numpy_helper.from_array(weight, "w")])
            x = rng.standard_normal((batch, 6, 5, 9)).astype(np.float32)
            g = rng.standard_normal(gate).astype(np.float32)
            want = np.einsum("nchw,oc->nohw", x, weight[:, :, 0, 0]) * g
            got = run(tmp_path, model, x, g)[0]
            np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-4)
