# SPDX-License-Identifier: Apache-2.0
"""More steps than one function of the entry calls, with one constant that all
of them read."""
import numpy as np
import pytest

import qopt
from modules import run_model

pytest.importorskip("onnx")
from onnx import TensorProto as T, helper as h, numpy_helper


def build(layers, extent=4):
    rng = np.random.default_rng(0)
    nodes, constants, at = [], [], "x"
    constants.append(numpy_helper.from_array(
        rng.normal(size=extent).astype(np.float32), "bias"))
    for i in range(layers):
        weight = rng.normal(size=(extent, extent)) / np.sqrt(extent)
        constants.append(numpy_helper.from_array(
            weight.astype(np.float32), f"w{i}"))
        nodes += [h.make_node("MatMul", [at, f"w{i}"], [f"m{i}"]),
                  h.make_node("Add", [f"m{i}", "bias"], [f"a{i}"]),
                  h.make_node("Tanh", [f"a{i}"], [f"t{i}"])]
        at = f"t{i}"
    graph = h.make_graph(
        nodes, "g", [h.make_tensor_value_info("x", T.FLOAT, [1, extent])],
        [h.make_tensor_value_info(at, T.FLOAT, [1, extent])], constants)
    return h.make_model(graph, opset_imports=[h.make_opsetid("", 17)],
                        ir_version=8)


@pytest.mark.parametrize("layers", [255, 256, 257, 600])
def test_entry_of_many_steps(layers):
    source = build(layers)
    x = np.random.default_rng(1).normal(size=(1, 4)).astype(np.float32)
    got, = run_model(qopt.load(source.SerializeToString()), x)
    want = x
    weights = {c.name: numpy_helper.to_array(c)
               for c in source.graph.initializer}
    for i in range(layers):
        want = np.tanh(want @ weights[f"w{i}"] + weights["bias"])
    np.testing.assert_allclose(got, want, rtol=1e-3, atol=1e-4)
