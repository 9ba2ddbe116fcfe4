"""external_model.py DIR [SEED]: DIR/model.onnx, two layers of 512 whose weights
lie in DIR/model.data, one of them transposed on the way in; DIR/x.npy."""
import os
import sys

import numpy as np
from onnx import TensorProto, helper, save

folder, seed = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0
os.makedirs(folder, exist_ok=True)
rng = np.random.default_rng(seed)
tensors = []
with open(folder + "/model.data", "wb") as file:
    for i in range(2):
        # At a page, where it is mapped, and at none.
        offset = (8192, 12288 + 4 * 512 * 512 + 4)[i]
        file.seek(offset)
        values = rng.standard_normal((512, 512), dtype=np.float32) / 16
        values.tofile(file)
        tensor = TensorProto(name=f"w{i}", data_type=TensorProto.FLOAT,
                             dims=values.shape,
                             data_location=TensorProto.EXTERNAL)
        for key, value in (("location", "model.data"), ("offset", offset),
                           ("length", values.nbytes)):
            tensor.external_data.add(key=key, value=str(value))
        tensors.append(tensor)
nodes = [helper.make_node("Gemm", ["x", "w0"], ["h"], name="first", transB=1),
         helper.make_node("MatMul", ["h", "w1"], ["y"], name="second")]
graph = helper.make_graph(
    nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT,
                                               ["rows", 512])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", 512])],
    tensors)
save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)],
                       ir_version=10), folder + "/model.onnx")
np.save(folder + "/x.npy", rng.standard_normal((2, 512), dtype=np.float32))
