"""A QONNX network of few bits with bipolar weights, and data.

usage: qonnx.py NET.onnx DATA.npy [float]

With "float" the input comes without an encoding.
"""
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

random = np.random.default_rng(3)
nodes, weights = [], []
DOMAIN = "qonnx.custom_op.general"


def constant(name, value):
    weights.append(numpy_helper.from_array(np.asarray(value, np.float32), name))
    return name


def quant(x, name, scale, bits, signed, mode="ROUND"):
    inputs = [x] + [constant(name + suffix, value) for suffix, value in
                    (("_s", scale), ("_z", 0), ("_b", bits))]
    nodes.append(helper.make_node("Quant", inputs, [name], domain=DOMAIN,
                                  name=name, signed=signed, narrow=0,
                                  rounding_mode=mode))
    return name


def linear(x, name, w):
    nodes.append(helper.make_node("MatMul", [x, w], [name], name=name))
    return name


x = "x" if len(sys.argv) > 3 else quant("x", "input", 0.05, 8, 1)
w = constant("w1", random.standard_normal((20, 12)))
nodes.append(helper.make_node("BipolarQuant", [w, constant("w1_s", 0.5)],
                              ["w1_q"], domain=DOMAIN, name="bipolar"))
x = linear(x, "first", "w1_q")
nodes.append(helper.make_node("Relu", [x], ["relu"], name="relu"))
x = quant("relu", "three_bits", 0.7, 3, 0)
w = quant(constant("w2", random.standard_normal((12, 9))), "w2_q", 0.3, 3, 1,
          "FLOOR")
x = linear(x, "second", w)
x = quant(x, "six_bits", 0.4, 6, 1)
w = quant(constant("w3", random.standard_normal((9, 5))), "w3_q", 0.9, 2, 1,
          "HALF_UP")
x = linear(x, "third", w)
x = quant(x, "output", 0.4, 8, 1)
nodes.append(helper.make_node("Identity", [x], ["y"]))
graph = helper.make_graph(
    nodes, "few_bits",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 20])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 5])], weights)
onnx.save(helper.make_model(
    graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17),
                                        helper.make_opsetid(DOMAIN, 1)]),
          sys.argv[1])
np.save(sys.argv[2], random.standard_normal((64, 20), dtype=np.float32) * 3)
