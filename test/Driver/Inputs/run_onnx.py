"""run_onnx.py MODEL INPUTS EXPECTED: compares ONNX Runtime with an array."""
import sys

import numpy as np
import onnx
import onnxruntime

model, inputs, expected = sys.argv[1], np.load(sys.argv[2]), np.load(sys.argv[3])
onnx.checker.check_model(onnx.load(model), full_check=True)
print("ops:", *sorted({node.op_type for node in onnx.load(model).graph.node}))
# Its fused u8 x s8 kernels saturate on processors without VNNI; without them
# every node computes what ONNX says.
options = onnxruntime.SessionOptions()
options.graph_optimization_level = (
    onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL)
session = onnxruntime.InferenceSession(
    model, options, providers=["CPUExecutionProvider"])
name = session.get_inputs()[0].name
got = np.concatenate([session.run(None, {name: x[None]})[0] for x in inputs])
same = (got.argmax(-1) == expected.argmax(-1)).sum()
print(f"same class: {same} of {len(got)}")
# Floats add up in another order, and a value halfway between two steps may
# round the other way inside; the bias is whole accumulator steps on both sides.
error = np.abs(got - expected) / np.ptp(expected)
print("equal:", bool(error.max() < 1e-6))
graph = onnx.load(model).graph
maker = {name: node for node in graph.node for name in node.output}
stored = {tensor.name: tensor.data_type for tensor in graph.initializer}
biases = {stored[maker[node.input[2]].input[0]] for node in graph.node
          if node.op_type in ("Conv", "Gemm") and len(node.input) > 2}
print("biases:", *(onnx.TensorProto.DataType.Name(t) for t in biases))
