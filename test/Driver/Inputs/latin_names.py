"""Writes a model whose names are in Latin-1, as older exporters wrote them, and
samples for it; prints how often a file has the byte and how often its form; or
writes a module of MLIR with the bytes themselves."""
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

# Of the names, `#` becomes the byte E4.
NAMES = ["ein#", "w#1", "mitte#", "relu#", "w#2", "aus#", "schicht#1",
         "schicht#2", "netz#"]


def write(folder):
    rng = np.random.default_rng(3)
    weight = lambda name, *shape: numpy_helper.from_array(
        rng.standard_normal(shape).astype(np.float32), name)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["ein#", "w#1"], ["mitte#"], "schicht#1"),
         helper.make_node("Relu", ["mitte#"], ["relu#"], "relu#"),
         helper.make_node("MatMul", ["relu#", "w#2"], ["aus#"], "schicht#2")],
        "netz#",
        [helper.make_tensor_value_info("ein#", TensorProto.FLOAT, [1, 6])],
        [helper.make_tensor_value_info("aus#", TensorProto.FLOAT, [1, 3])],
        [weight("w#1", 6, 4), weight("w#2", 4, 3)])
    model = helper.make_model(graph,
                              opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    data = model.SerializeToString()
    for name in NAMES:
        data = data.replace(name.encode(), name.replace("#", "\xe4").encode(
            "latin-1"))
    open(f"{folder}/latin.onnx", "wb").write(data)
    np.save(f"{folder}/x.npy", rng.standard_normal((16, 6)).astype(np.float32))


if sys.argv[1] == "count":
    data = open(sys.argv[2], "rb").read()
    print(data.count(b"\xe4"), data.count(b"\\xE4"), data.count(b"#"))
elif sys.argv[1] == "mlir":
    text = open(sys.argv[2]).read().replace("\\\\xE4", "\\E4")
    open(sys.argv[3], "w").write(text)
else:
    write(sys.argv[1])
