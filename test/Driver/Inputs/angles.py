# SPDX-License-Identifier: Apache-2.0
"""model.onnx: words, turned by the angles of their positions."""
import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper, numpy_helper

table = np.outer(np.arange(2048), 0.5 ** np.arange(8))
constants = {"words": np.random.default_rng(0).normal(size=(2048, 16)),
             "cos": np.cos(table) * 1.5, "sin": np.sin(table) * 1.5}
nodes = [helper.make_node("Gather", ["words", "ids"], ["x"]),
         helper.make_node("Gather", ["cos", "places"], ["c"]),
         helper.make_node("Gather", ["sin", "places"], ["s"]),
         helper.make_node("Split", ["x"], ["a", "b"], axis=-1, num_outputs=2)]
for sign, first, second, name in (("Sub", "a", "b", "l"),
                                  ("Add", "b", "a", "r")):
    nodes += [helper.make_node("Mul", [first, "c"], [name + "0"]),
              helper.make_node("Mul", [second, "s"], [name + "1"]),
              helper.make_node(sign, [name + "0", name + "1"], [name])]
nodes.append(helper.make_node("Concat", ["l", "r"], ["y"], axis=-1))
graph = helper.make_graph(
    nodes, "g", [helper.make_tensor_value_info(n, T.INT64, [5])
                 for n in ("ids", "places")],
    [helper.make_tensor_value_info("y", T.FLOAT, [5, 16])],
    [numpy_helper.from_array(x.astype(np.float32), n)
     for n, x in constants.items()])
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)],
                            ir_version=10), "model.onnx")
