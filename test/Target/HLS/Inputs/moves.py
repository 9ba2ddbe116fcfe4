"""Split, Slice, Tile and Expand between layers, and data.

usage: moves.py NET.onnx DATA.npy
"""
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

random = np.random.default_rng(11)
nodes, weights = [], []


def constant(name, values):
    weights.append(numpy_helper.from_array(np.asarray(values), name))
    return name


def node(op, inputs, outputs, **attributes):
    nodes.append(helper.make_node(op, inputs, outputs, name=outputs[0],
                                  **attributes))


def conv(x, name, outputs, inputs, kernel):
    shape = (outputs, inputs, kernel, kernel)
    w = constant(name + "_w",
                 (random.standard_normal(shape) * .4).astype(np.float32))
    node("Conv", [x, w], [name], kernel_shape=[kernel] * 2,
         pads=[kernel // 2] * 4)


def integers(name, *values):
    return constant(name, np.array(values, np.int64))


conv("x", "first", 8, 3, 3)
node("Relu", ["first"], ["relu"])
node("Split", ["relu", integers("sizes", 2, 6)], ["few", "many"], axis=1)
conv("few", "few_conv", 4, 2, 3)
conv("many", "many_conv", 4, 6, 1)
node("Concat", ["few_conv", "many_conv"], ["both"], axis=1)
node("Slice", ["both", integers("starts", 1, 0), integers("ends", 9, 6),
               integers("axes", 2, 3), integers("steps", 2, 1)], ["rows"])
conv("rows", "rows_conv", 6, 8, 1)
node("Relu", ["rows_conv"], ["relu_2"])
node("GlobalAveragePool", ["relu_2"], ["mean"])
node("Expand", ["mean", integers("shape", 1, 6, 2, 3)], ["grown"])
node("Tile", ["grown", integers("repeats", 1, 1, 2, 1)], ["tiled"])
conv("tiled", "last", 3, 6, 1)
graph = helper.make_graph(
    nodes, "moves",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 9, 7])],
    [helper.make_tensor_value_info("last", TensorProto.FLOAT, [1, 3, 4, 3])],
    weights)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)],
                          ir_version=8)
onnx.checker.check_model(model)
onnx.save(model, sys.argv[1])
np.save(sys.argv[2], random.standard_normal((32, 3, 9, 7), dtype=np.float32))
