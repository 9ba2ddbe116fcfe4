"""Writes a detector to a folder: two lengths that data decide, on the first and
on the last dimension of outputs, and one output without a length."""
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True)
rng = np.random.default_rng(7)


def tensor(name, *shape):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


node = helper.make_node
constants = {
    "w": rng.standard_normal((8, 24)).astype(np.float32),
    "limit": np.array([5]), "overlap": np.array([.5], np.float32),
    "least": np.array([3], np.float32), "two": np.array(2),
    "zero": np.array([0]), "level": np.array(2, np.float32)}
onnx.save(helper.make_model(helper.make_graph(
    [node("MatMul", ["features", "w"], ["scores"]),
     node("NonMaxSuppression", ["boxes", "scores", "limit", "overlap", "least"],
          ["kept"]),
     node("Gather", ["kept", "two"], ["index"], axis=1),
     node("Squeeze", ["boxes", "zero"], ["flat"]),
     node("Gather", ["flat", "index"], ["found"], axis=0),
     node("Transpose", ["found"], ["columns"], perm=[1, 0]),
     node("Greater", ["scores", "level"], ["high"]),
     node("NonZero", ["high"], ["marks"])],
    "detector", [tensor("boxes", 1, 24, 4), tensor("features", 1, 3, 8)],
    [helper.make_empty_tensor_value_info(name)
     for name in ("columns", "scores", "found", "marks")],
    [numpy_helper.from_array(x, name) for name, x in constants.items()]),
    ir_version=9, opset_imports=[helper.make_opsetid("", 18)]),
    folder / "detector.onnx")

# Two that differ by a factor of what was found.
for name, factor in ("left", 2), ("right", 2.0002):
    onnx.save(helper.make_model(helper.make_graph(
        [node("NonZero", ["x"], ["places"]),
         node("Cast", ["places"], ["numbers"], to=TensorProto.FLOAT),
         node("Mul", ["numbers", "factor"], ["y"], name="scaled")],
        name, [tensor("x", 4, 5)], [helper.make_empty_tensor_value_info("y")],
        [numpy_helper.from_array(np.array(factor, np.float32), "factor")]),
        ir_version=9, opset_imports=[helper.make_opsetid("", 18)]),
        folder / f"{name}.onnx")
np.save(folder / "drawn.npy", rng.integers(0, 2, (6, 4, 5)).astype(np.float32))

low = rng.uniform(0, 1, (4, 1, 24, 2))
boxes = np.concatenate([low, low + rng.uniform(.1, .4, low.shape)], 3)
# The last sample has nothing.
features = rng.standard_normal((4, 1, 3, 8)) * np.array([1, .5, 2, 0]).reshape(
    4, 1, 1, 1)
for name, stack in ("boxes", boxes), ("features", features):
    stack = stack.astype(np.float32)
    np.save(folder / f"{name}.npy", stack)
    np.save(folder / f"{name}_0.npy", stack[0])
    stack.tofile(folder / f"{name}.raw")
