# SPDX-License-Identifier: Apache-2.0
"""write_doubles.py FOLDER: m.onnx, one product of f64, and x.npy for it."""
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
rng = np.random.default_rng(0)
graph = helper.make_graph(
    [helper.make_node("MatMul", ["x", "w"], ["y"])], "g",
    [helper.make_tensor_value_info("x", TensorProto.DOUBLE, [1, 8])],
    [helper.make_tensor_value_info("y", TensorProto.DOUBLE, [1, 4])],
    [numpy_helper.from_array(rng.standard_normal((8, 4)), "w")])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
model.ir_version = 8
onnx.save(model, folder / "m.onnx")
np.save(folder / "x.npy", rng.standard_normal((4, 1, 8)))
