# SPDX-License-Identifier: Apache-2.0
"""Layers with so many products that a sum of bytes could leave 32 bits."""
import numpy as np
import onnx
from onnx import helper, numpy_helper

random = np.random.default_rng(3)
DEPTH = 72000


def dense(flags, says):
    w = np.sign(random.normal(size=(2, DEPTH))) * random.uniform(
        .9, 1, (2, DEPTH)) / DEPTH
    nodes = [helper.make_node("Gemm", ["x", "w", "b"], ["y"], transB=1)]
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes, "g", [info("x", 1, [1, DEPTH])], [info("y", 1, [1, 2])],
        [numpy_helper.from_array(w.astype(np.float32), "w"),
         numpy_helper.from_array(np.array([.5, -.25], np.float32), "b")])
    model = helper.make_model(
        graph, ir_version=9, opset_imports=[helper.make_opsetid("", 18)])
    x = random.random((3, 1, DEPTH)).astype(np.float32)
    return model, {"x": x}, {"least": 35, "flags": flags, "says": says}


def case_steps_are_widened():
    return dense(["--scheme", "w8a8"], ["so that sums fit 32 bits: 'Gemm_0'"])


def case_rows_fit_by_their_weights():
    model, x, options = dense(["--scheme", "w8a8-dyn"], [])
    return model, x, {**options, "data": False}
