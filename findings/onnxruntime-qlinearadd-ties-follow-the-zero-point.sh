#!/usr/bin/env bash
# ONNX Runtime 1.31.1: com.microsoft's QLinearAdd and QLinearMul add the zero point
# of the result before they round, QuantizeLinear adds it afterwards. With an odd
# zero point all ties of the fused operator are one step away from those of
# DequantizeLinear, Add or Mul, QuantizeLinear, which it replaces: switching the
# optimizations off changes results although both round half to even.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  onnx==1.23.2 onnxruntime==1.31.1 numpy==2.4.6
"$work/venv/bin/python" - <<'END'
import numpy as np
import onnx
from onnx import TensorProto, helper


def make_model(nodes, inputs, outputs, constants=(), opset=21, domains=()):
    graph = helper.make_graph(nodes, "g", inputs, outputs, list(constants))
    opsets = [helper.make_opsetid("", opset)]
    opsets += [helper.make_opsetid(name, 1) for name in domains]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=11)
    onnx.checker.check_model(model)
    return model.SerializeToString()


value = helper.make_tensor_value_info

import onnxruntime


def run(model, **feeds):
    return onnxruntime.InferenceSession(model).run(None, feeds)[0].tolist()

a = np.arange(8, dtype=np.uint8)
kinds = TensorProto.FLOAT, TensorProto.UINT8


def constants(zero):
    rows = {"sa": 1.0, "za": 0, "b": 1, "sb": 0.5, "zb": 0, "sc": 1.0,
            "zc": zero}
    return [helper.make_tensor(name, kinds[isinstance(number, int)], [],
                               [number]) for name, number in rows.items()]


def compare(zero):
    fused = make_model(
        [helper.make_node("QLinearMul", ["a", "sa", "za", "b", "sb", "zb",
                                         "sc", "zc"], ["y"],
                          domain="com.microsoft")],
        [value("a", TensorProto.UINT8, a.shape)],
        [value("y", TensorProto.UINT8, a.shape)], constants(zero),
        domains=["com.microsoft"])
    parts = make_model(
        [helper.make_node("DequantizeLinear", ["a", "sa", "za"], ["fa"]),
         helper.make_node("DequantizeLinear", ["b", "sb", "zb"], ["fb"]),
         helper.make_node("Mul", ["fa", "fb"], ["fy"]),
         helper.make_node("QuantizeLinear", ["fy", "sc", "zc"], ["y"])],
        [value("a", TensorProto.UINT8, a.shape)],
        [value("y", TensorProto.UINT8, a.shape)], constants(zero))
    plain = onnxruntime.SessionOptions()
    plain.graph_optimization_level = (
        onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL)
    apart = onnxruntime.InferenceSession(parts, plain).run(None, {"a": a})[0]
    print("zero point", zero, "QLinearMul", run(fused, a=a), "in parts",
          apart.tolist())
    return run(fused, a=a), apart.tolist()


assert compare(0) == ([0, 0, 1, 2, 2, 2, 3, 4],) * 2
assert compare(1) == ([1, 2, 2, 2, 3, 4, 4, 4], [1, 1, 2, 3, 3, 3, 4, 5])
END
