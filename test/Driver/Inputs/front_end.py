"""Writes a network that begins as audio networks do (product, square, sum,
logarithm), with a second branch, and samples for it, into a folder."""
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

folder = sys.argv[1]
rng = np.random.default_rng(0)
array = lambda name, *shape: numpy_helper.from_array(
    rng.standard_normal(shape).astype(np.float32), name)
node = helper.make_node
graph = helper.make_graph(
    [node("MatMul", ["x", "w1"], ["a"], "first"),
     node("Mul", ["a", "a"], ["p"], "power"),
     node("Add", ["p", "eps"], ["e"], "shift"),
     node("Log", ["e"], ["l"], "log"),
     node("MatMul", ["l", "w2"], ["b"], "second"),
     node("MatMul", ["x", "w4"], ["c"], "side"),
     node("Relu", ["b"], ["r"], "relu"),
     node("Add", ["r", "c"], ["s"], "sum"),
     node("MatMul", ["s", "w3"], ["z"], "third"),
     node("Softmax", ["z"], ["y"], "soft")],
    "front", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 8])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 5])],
    [array("w1", 8, 8), array("w2", 8, 6), array("w3", 6, 5),
     array("w4", 8, 6),
     numpy_helper.from_array(np.float32(1e-4), "eps")])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
model.ir_version = 8
onnx.save(model, f"{folder}/front.onnx")
np.save(f"{folder}/x.npy", rng.standard_normal((32, 8)).astype(np.float32))
