# SPDX-License-Identifier: Apache-2.0
"""Convolutions and products with 16-bit integers: exact sums, rounded once, in
products of bytes on every machine."""
import dataclasses

import numpy as np
import pytest

import qopt
from modules import run_model

pytest.importorskip("onnx")
from onnx import TensorProto as T, helper as h, numpy_helper

F32, F64 = np.float32, np.float64


@dataclasses.dataclass
class Case:
    name: str
    x: tuple
    w: tuple
    xtype: str = "int16"
    wtype: str = "int8"
    zero: int = 0
    axis: int = -1  # of the weight's scales
    bias: float = 0
    conv: dict = None
    computed: bool = False  # the weight is an input
    largest: bool = False


CONV = {"pads": [1, 1, 1, 1]}
CASES = [
    Case("16x8", (1, 4, 32), (32, 16)),
    Case("16x8-per-channel", (3, 4, 32), (32, 16), axis=1, bias=3),
    Case("16x8-sums-beyond-32-bits", (2, 5, 3000), (3000, 7), bias=2000,
         largest=True),
    Case("16x16", (1, 4, 33), (33, 16), wtype="int16"),
    Case("16x16-largest", (1, 4, 70), (70, 5), wtype="int16", largest=True),
    Case("8x16", (1, 4, 32), (32, 16), xtype="int8", zero=-3, wtype="int16"),
    Case("u16x8", (1, 4, 32), (32, 16), xtype="uint16", zero=32768),
    Case("u16x8-odd-zero", (1, 4, 32), (32, 16), xtype="uint16", zero=12345),
    Case("u16x8-no-zero", (1, 4, 32), (32, 16), xtype="uint16"),
    Case("16-zero", (1, 4, 32), (32, 16), zero=-777, bias=1),
    Case("16x16-computed", (2, 4, 32), (2, 32, 16), wtype="int16",
         computed=True),
    Case("conv", (1, 8, 7, 7), (12, 8, 3, 3), conv=CONV, axis=0, bias=2),
    Case("conv-zero", (1, 8, 7, 7), (12, 8, 3, 3), conv=CONV, zero=1000),
    Case("conv-depthwise", (1, 8, 7, 7), (8, 1, 3, 3),
         conv={**CONV, "group": 8, "strides": [2, 2]}, axis=0),
    Case("conv-16x16", (1, 8, 7, 7), (12, 8, 1, 1), conv={}, wtype="int16"),
    Case("one", (1, 1, 1), (1, 1)),
]


def make(case):
    rng = np.random.default_rng(0)
    info = np.iinfo(case.wtype)
    low, high = -info.max, info.max
    w = rng.integers(low, high + 1, case.w)
    if case.largest:
        w = np.where(rng.random(case.w) < 0.5, high, high - 1)
    w = w.astype(case.wtype)
    extents = () if case.axis < 0 else (case.w[case.axis],)
    ws = (rng.uniform(0.5, 1.5, extents) / info.max).astype(F32)
    xs = F32(6 / (np.iinfo(case.xtype).max))
    channels = case.w[0] if case.conv is not None else case.w[-1]
    bias = (case.bias * rng.normal(size=channels)).astype(F32)
    return xs, w, ws, bias


def build(case, xs, w, ws, bias):
    dtype = np.dtype(case.xtype)
    constants = {"xs": xs, "z": np.array(case.zero, dtype), "ws": ws}
    axis = {} if case.axis < 0 else {"axis": case.axis}
    inputs = [h.make_tensor_value_info("x", T.FLOAT, case.x)]
    nodes = [h.make_node("QuantizeLinear", ["x", "xs", "z"], ["q"]),
             h.make_node("DequantizeLinear", ["q", "xs", "z"], ["d"])]
    if case.computed:
        inputs.append(h.make_tensor_value_info("v", T.FLOAT, case.w))
        constants["wz"] = np.array(0, case.wtype)
        nodes.append(h.make_node("QuantizeLinear", ["v", "ws", "wz"], ["w"]))
        nodes.append(h.make_node("DequantizeLinear", ["w", "ws", "wz"],
                                 ["wd"]))
    else:
        constants["w"] = w
        nodes.append(h.make_node("DequantizeLinear", ["w", "ws"], ["wd"],
                                 **axis))
    if case.conv is not None:
        operands = ["d", "wd"] + (["b"] if case.bias else [])
        nodes.append(h.make_node("Conv", operands, ["y"], **case.conv))
    else:
        nodes.append(h.make_node("MatMul", ["d", "wd"],
                                 ["m" if case.bias else "y"]))
        if case.bias:
            nodes.append(h.make_node("Add", ["m", "b"], ["y"]))
    if case.bias:
        constants["b"] = bias
    graph = h.make_graph(nodes, "g", inputs,
                         [h.make_empty_tensor_value_info("y")],
                         [numpy_helper.from_array(np.asarray(v), k)
                          for k, v in constants.items()])
    source = h.make_model(graph, opset_imports=[h.make_opsetid("", 21)],
                          ir_version=10)
    return qopt.load(source.SerializeToString())


def convolve(case, x, w):
    pads = case.conv.get("pads", [0] * 4)
    step = case.conv.get("strides", [1, 1])
    group = case.conv.get("group", 1)
    x = np.pad(x, [(0, 0), (0, 0), (pads[0], pads[2]), (pads[1], pads[3])])
    windows = np.lib.stride_tricks.sliding_window_view(
        x, w.shape[2:], axis=(2, 3))[:, :, ::step[0], ::step[1]]
    parts = zip(np.split(windows, group, 1), np.split(w, group, 0))
    return np.concatenate([np.einsum("nchwkl,ockl->nohw", a, b)
                           for a, b in parts], 1)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_sums_are_exact(case):
    xs, w, ws, bias = make(case)
    model = qopt.quantize(build(case, xs, w, ws, bias), scheme="qdq")
    text = model.to_mlir()
    products = [line for line in text.splitlines()
                if "= qg.matmul" in line or "= qg.conv" in line]
    assert products and all(" -> tensor" in line and "xi32>" in line
                            for line in products), text
    rng = np.random.default_rng(1)
    info = np.iinfo(case.xtype)
    x = rng.uniform(-7, 7, case.x).astype(F32)
    if case.largest:
        x = np.full(case.x, 6.5, F32)
    if case.xtype == "uint16" and case.zero == 0:
        x = np.abs(x)
    feeds = [x]
    if case.computed:
        feeds.append((w * ws).astype(F32))
    got, = run_model(model, *feeds)
    q = np.clip(np.rint(x / xs) + case.zero, info.min, info.max)
    integers = (q - case.zero).astype(np.int64)
    wide = w.astype(np.int64)
    last = (1, -1, 1, 1) if case.conv is not None else (-1,)
    sums = (convolve(case, integers, wide) if case.conv is not None
            else np.matmul(integers, wide))
    scale = (F64(xs) * ws.astype(F64)).reshape(last if ws.ndim else ())
    if case.bias:
        sums = sums + np.rint(bias.reshape(last) / scale).astype(np.int64)
    want = sums.astype(F32) * scale.astype(F32)
    assert got.dtype == F32
    assert np.array_equal(got, want)


def test_matmul_between_16_bit_tensors():
    case = CASES[0]
    xs, w, ws, bias = make(case)
    model = build(case, xs, w, ws, bias)
    x = np.random.default_rng(2).normal(size=case.x).astype(F32)
    got, = run_model(qopt.quantize(model, scheme="qdq"), x)
    exact = np.matmul(x.astype(F64), w.astype(F64) * F64(ws))
    noise = np.mean((got - exact) ** 2)
    assert 10 * np.log10(np.mean(exact ** 2) / noise) > 80
