"""A float network of every kind of layer with random weights, and data.

usage: network.py NET.onnx DATA.npy
"""
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

random = np.random.default_rng(7)
nodes, weights = [], []


def constant(name, shape, scale):
    values = (random.standard_normal(shape) * scale).astype(np.float32)
    weights.append(numpy_helper.from_array(values, name))
    return name


def conv(x, name, outputs, inputs, kernel, groups=1, **attributes):
    w = constant(name + "_w", (outputs, inputs // groups, *kernel), 0.4)
    b = constant(name + "_b", (outputs,), 0.2)
    nodes.append(helper.make_node("Conv", [x, w, b], [name + "_y"], name=name,
                                  kernel_shape=kernel, group=groups,
                                  **attributes))
    return name + "_y"


def node(op, inputs, name, **attributes):
    nodes.append(helper.make_node(op, inputs, [name + "_y"], name=name,
                                  **attributes))
    return name + "_y"


x = conv("x", "conv", 8, 3, (3, 3), pads=[1, 1, 1, 1])
x = node("Relu", [x], "relu")
skip = x
x = conv(x, "depthwise", 8, 8, (3, 3), groups=8, pads=[1, 1, 1, 1])
x = node("Relu", [x], "relu_2")
x = conv(x, "pointwise", 8, 8, (1, 1))
x = node("Add", [x, skip], "residual")
x = node("MaxPool", [x], "max_pool", kernel_shape=[3, 3], strides=[2, 2],
         pads=[1, 1, 1, 1])
a = conv(x, "strided", 12, 8, (5, 3), strides=[2, 1], pads=[2, 1, 2, 1])
b = conv(x, "subsampled", 12, 8, (1, 1), strides=[2, 1])
a = node("Sigmoid", [a], "sigmoid")
b = node("Sigmoid", [b], "sigmoid_2")
x = node("Mul", [a, b], "gate")
x = node("AveragePool", [x], "average_pool", kernel_shape=[2, 2],
         strides=[1, 2])
x = conv(x, "grouped", 12, 12, (2, 1), groups=3, pads=[1, 0, 0, 0])
x = node("Relu", [x], "relu_3")
x = node("DepthToSpace", [x], "shuffle", blocksize=2, mode="CRD")
x = conv(x, "last", 12, 3, (3, 3))
x = node("GlobalAveragePool", [x], "global_pool")
x = node("Flatten", [x], "flatten")
w = constant("dense_w", (5, 12), 0.5)
c = constant("dense_b", (5,), 0.3)
nodes.append(helper.make_node("Gemm", [x, w, c], ["dense_y"], name="dense",
                              transB=1))
nodes.append(helper.make_node("Softmax", ["dense_y"], ["y"], name="softmax"))
graph = helper.make_graph(
    nodes, "layers",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 10, 9])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 5])], weights)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)],
                          ir_version=8)
onnx.checker.check_model(model)
onnx.save(model, sys.argv[1])
np.save(sys.argv[2], random.standard_normal((32, 3, 10, 9), dtype=np.float32))
