# SPDX-License-Identifier: Apache-2.0
"""Averages over many positions: as exact as a sum by rows, and the same bits in
interpreter and machine code."""
import numpy as np
import onnx
import pytest
from onnx import TensorProto
from onnx import helper as h

import qopt
from test_operators import F32, floats

SHAPES = [(1, 4, 120, 120), (2, 3, 32, 33), (1, 1, 1, 2000), (1, 2, 2000, 1),
          (1, 2, 12, 11, 13), (1, 3, 31, 33)]


def run_both(node, x, output):
    graph = h.make_graph(
        [node], "g", [h.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)],
        [h.make_tensor_value_info("y", TensorProto.FLOAT, output)])
    model = h.make_model(graph, ir_version=8,
                         opset_imports=[h.make_opsetid("", 17)])
    onnx.checker.check_model(model)
    loaded = qopt.load(model)
    (code,) = qopt.compile(loaded).run_list(x)
    (oracle,) = loaded.reference().run_list(x)
    np.testing.assert_array_equal(code, oracle)
    return code


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("constant", [False, True])
def test_global_average(shape, constant):
    """Equal elements are the worst: each addition rounds to the same side."""
    x = np.full(shape, 1 / 3, F32) if constant else floats(
        np.random.default_rng(1), shape) + F32(1)
    axes = tuple(range(2, len(shape)))
    want = x.astype(float).mean(axes, keepdims=True)
    got = run_both(h.make_node("GlobalAveragePool", ["x"], ["y"]), x, want.shape)
    # Of n additions each is off by half a unit of the sum at most.
    bound = sum(shape[2:]) * 2.0**-24
    np.testing.assert_allclose(got, want, rtol=bound)


@pytest.mark.parametrize("pads", [[0, 0, 0, 0], [3, 1, 2, 4]])
@pytest.mark.parametrize("include", [0, 1])
def test_large_windows_that_overlap(pads, include):
    x = floats(np.random.default_rng(2), (1, 2, 50, 47))
    node = h.make_node("AveragePool", ["x"], ["y"], kernel_shape=[32, 33],
                       strides=[7, 5], pads=pads, count_include_pad=include)
    height = (50 + pads[0] + pads[2] - 32) // 7 + 1
    width = (47 + pads[1] + pads[3] - 33) // 5 + 1
    got = run_both(node, x, (1, 2, height, width))
    (low, left, high, right) = pads
    around = ((0, 0), (0, 0), (low, high), (left, right))
    wide = np.pad(x.astype(float), around)
    counts = np.pad(np.ones_like(x, float), around, constant_values=include)
    for i in range(height):
        for j in range(width):
            at = (..., slice(7 * i, 7 * i + 32), slice(5 * j, 5 * j + 33))
            want = wide[at].sum((2, 3)) / counts[at].sum((2, 3))
            np.testing.assert_allclose(got[:, :, i, j], want, atol=1e-6)
