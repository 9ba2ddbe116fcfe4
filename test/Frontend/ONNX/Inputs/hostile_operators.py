"""hostile_operators.py FOLDER: imports operators with extreme numbers where
they take counts, indices and sizes. Prints each that ends otherwise than with a
graph (0), "not supported" (3) or "contradicts itself" (4), and how many there
were."""
import pathlib
import subprocess
import sys

import numpy as np
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
EXTREMES = [2**62, 2**40, 0, -1]
ML, MS = "ai.onnx.ml", "com.microsoft"
count = 0


def longs(*values):
    return np.array(values, np.int64)


def case(op, shapes, *constants, domain="", outputs=1, **attributes):
    """One node on inputs of these shapes and then on constants."""
    global count
    count += 1
    names = [f"x{i}" for i in range(len(shapes))]
    arrays = [f"c{i}" for i in range(len(constants))]
    results = [f"y{i}" for i in range(outputs)]
    node = h.make_node(op, names + arrays, results, domain=domain, **attributes)
    graph = h.make_graph(
        [node], "g",
        [h.make_tensor_value_info(n, T.FLOAT, s) for n, s in zip(names, shapes)],
        [h.make_tensor_value_info(n, T.FLOAT, None) for n in results],
        [numpy_helper.from_array(np.asarray(array), name)
         for name, array in zip(arrays, constants)])
    opsets = [h.make_opsetid("", 21), h.make_opsetid(ML, 5),
              h.make_opsetid(MS, 1)]
    path = folder / f"{count}.onnx"
    path.write_bytes(h.make_model(graph, opset_imports=opsets, ir_version=10)
                     .SerializeToString())
    done = subprocess.run(["qopt", "import", path], capture_output=True,
                          timeout=60)
    if done.returncode not in (0, 3, 4):
        print(op, attributes, [c.tolist() for c in map(np.asarray, constants)],
              "exit", done.returncode)


TREE = dict(n_targets=1, nodes_featureids=[0, 0, 0],
            nodes_falsenodeids=[2, 0, 0], nodes_truenodeids=[1, 0, 0],
            nodes_modes=["BRANCH_LEQ", "LEAF", "LEAF"], nodes_nodeids=[0, 1, 2],
            nodes_treeids=[0, 0, 0], nodes_values=[0.5, 0.0, 0.0],
            target_ids=[0, 0], target_nodeids=[1, 2], target_treeids=[0, 0],
            target_weights=[1.0, 2.0])
ROI = [[1, 2, 6, 6], [3, 4]]
for v in EXTREMES:
    for name in ("output_height", "sampling_ratio"):
        case("RoiAlign", ROI, longs(0, 0, 0), **{name: v})
    case("RoiAlign", ROI, longs(0, v, 0))
    case("TopK", [[2, 6]], longs(v), outputs=2)
    case("NonMaxSuppression", [[1, 6, 4], [1, 2, 6]], longs(v))
    case("Compress", [[2, 6]], np.ones(6, bool), axis=v)
    case("Unique", [[2, 6]], outputs=4, axis=v)
    case("LSTM", [[3, 2, 4]], np.ones((1, 16, 4), np.float32),
         np.ones((1, 16, 4), np.float32), hidden_size=v)
    case("GroupQueryAttention", [[1, 2, 8], [1, 2, 4], [1, 2, 4]], domain=MS,
         num_heads=v, kv_num_heads=1)
    case("STFT", [[1, 16, 1]], longs(v)[0], np.ones(4, np.float32), longs(4)[0])
    case("Col2Im", [[1, 5, 5]], longs(5, v), longs(1, 5))
    for name in ("nodes_featureids", "nodes_falsenodeids", "nodes_nodeids",
                 "target_ids", "target_nodeids", "target_treeids", "n_targets"):
        value = v if name == "n_targets" else [v, *TREE[name][1:]]
        case("TreeEnsembleRegressor", [[2, 3]], domain=ML,
             **{**TREE, name: value})
# A node that is its own child; lists of other lengths; thresholds without order.
for name, value in (("nodes_truenodeids", [0, 0, 0]),
                    ("nodes_modes", ["LEAF"]), ("target_weights", [1.0]),
                    ("nodes_values", [float("nan")] * 3)):
    case("TreeEnsembleRegressor", [[2, 3]], domain=ML, **{**TREE, name: value})
for scale in (float("nan"), float("inf"), 1e38, -1.0):
    case("RoiAlign", ROI, longs(0, 0, 0), spatial_scale=scale)
print(count, "cases")
