"""large_table.py FOLDER: table.onnx, a Gather in 2 GiB of external floats, of
which all but the first kibibyte are a hole of the file."""
import pathlib
import sys

import numpy as np
from onnx import TensorProto as T
from onnx import helper as h

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
rows, columns = 1 << 21, 256
with open(folder / "table.data", "wb") as file:
    file.write(np.ones(columns, np.float32).tobytes())
    file.truncate(4 * rows * columns)
table = T(name="w", data_type=T.FLOAT, dims=[rows, columns],
          data_location=T.EXTERNAL)
table.external_data.add(key="location", value="table.data")
graph = h.make_graph([h.make_node("Gather", ["w", "i"], ["y"])], "g",
                     [h.make_tensor_value_info("i", T.INT64, [2])],
                     [h.make_tensor_value_info("y", T.FLOAT, [2, columns])],
                     [table])
model = h.make_model(graph, opset_imports=[h.make_opsetid("", 17)],
                     ir_version=9)
(folder / "table.onnx").write_bytes(model.SerializeToString())
