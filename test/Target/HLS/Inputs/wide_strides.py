"""A subsampling conv whose stride exceeds its rows and pads, and data.

usage: wide_strides.py NET.onnx DATA.npy
"""
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

random = np.random.default_rng(3)
weight = (random.standard_normal((4, 3, 1, 1)) * 0.4).astype(np.float32)
graph = helper.make_graph(
    [helper.make_node("Conv", ["x", "w"], ["y"], kernel_shape=[1, 1],
                      strides=[12, 1], pads=[12, 0, 12, 0])],
    "wide_strides",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 4, 5])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4, 3, 5])],
    [numpy_helper.from_array(weight, "w")])
model = helper.make_model(graph,
                          opset_imports=[helper.make_opsetid("", 17)])
model.ir_version = 8
onnx.save(model, sys.argv[1])
np.save(sys.argv[2],
        random.standard_normal((4, 3, 4, 5)).astype(np.float32))
