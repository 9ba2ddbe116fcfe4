# SPDX-License-Identifier: Apache-2.0
"""Constants of any rank and on either side of a product are linear layers:
right in float, and quantized by every scheme."""
import dataclasses

import numpy as np
import pytest

import qopt
from modules import run_model

pytest.importorskip("onnx")
from onnx import TensorProto as T, helper as h, numpy_helper


@dataclasses.dataclass
class Case:
    name: str
    x: tuple
    w: tuple
    left: bool = False
    equation: str = ""
    layers: int = 1

    @property
    def order(self):
        return ("w", "x") if self.left else ("x", "w")


CASES = [
    Case("one-matrix", (4, 8, 32), (1, 32, 16)),
    Case("one-matrix-of-rank-4", (2, 3, 8, 32), (1, 1, 32, 16)),
    Case("rank-3-behind-rank-2", (8, 32), (1, 32, 16)),
    Case("left", (4, 32, 8), (16, 32), left=True),
    Case("left-of-rank-3", (4, 32, 8), (1, 16, 32), left=True),
    Case("left-before-rank-2", (32, 8), (1, 16, 32), left=True),
    Case("experts", (3, 8, 32), (3, 32, 16), layers=3),
    Case("experts-and-batches", (2, 3, 8, 32), (3, 32, 16), layers=3),
    Case("experts-of-one-input", (8, 32), (3, 32, 16), layers=3),
    Case("experts-of-inputs", (2, 1, 8, 32), (3, 32, 16), layers=3),
    Case("stack-of-stacks", (2, 3, 8, 32), (2, 3, 32, 16), layers=6),
    Case("stack-by-batch", (1, 3, 8, 32), (2, 1, 32, 16), layers=2),
    Case("left-experts", (3, 32, 8), (3, 16, 32), left=True, layers=3),
    Case("one-row", (3, 1, 32), (3, 32, 16), layers=3),
    Case("one-column", (4, 8, 32), (1, 32, 1)),
    Case("einsum-heads", (2, 8, 32), (32, 4, 8), equation="bsd,dhe->bshe"),
    Case("einsum-heads-joined", (2, 8, 4, 8), (4, 8, 32),
         equation="bshd,hde->bse"),
    Case("einsum-by-head", (2, 8, 4, 16), (4, 16, 8),
         equation="bshd,hde->bshe", layers=4),
    Case("einsum-left", (2, 8, 32), (16, 32), left=True,
         equation="ed,bsd->bes"),
]


def build(case):
    rng = np.random.default_rng(0)
    w = (rng.normal(size=case.w) / np.sqrt(32)).astype(np.float32)
    attributes = {"equation": case.equation} if case.equation else {}
    node = h.make_node("Einsum" if case.equation else "MatMul", case.order,
                       ["y"], name="product", **attributes)
    graph = h.make_graph([node], "g",
                         [h.make_tensor_value_info("x", T.FLOAT, case.x)],
                         [h.make_empty_tensor_value_info("y")],
                         [numpy_helper.from_array(w, "w")])
    opset = [h.make_opsetid("", 17)]
    source = h.make_model(graph, opset_imports=opset, ir_version=8)
    return qopt.load(source.SerializeToString()), w


def exact(case, x, w):
    operands = {"x": x.astype(np.float64), "w": w.astype(np.float64)}
    operands = [operands[name] for name in case.order]
    return (np.einsum(case.equation, *operands) if case.equation
            else np.matmul(*operands))


def samples(case, count):
    rng = np.random.default_rng(1)
    return [rng.normal(size=case.x).astype(np.float32) for _ in range(count)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_float(case):
    model, w = build(case)
    x, = samples(case, 1)
    got, = run_model(model, x)
    np.testing.assert_allclose(got, exact(case, x, w), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("scheme", ["w8a8", "w8a8-dyn", "w4a8"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_quantized(case, scheme):
    model, w = build(case)
    data = samples(case, 4)
    quantized = qopt.quantize(model, data=data, scheme=scheme)
    text = quantized.to_mlir()
    products = [line for line in text.splitlines()
                if "qg.matmul" in line or "qg.dynamic_matmul" in line]
    assert len(products) == case.layers
    format = "si4" if scheme == "w4a8" else "si8"
    assert all(format in line for line in products), products
    got, = run_model(quantized, data[0])
    want = exact(case, data[0], w)
    noise = np.mean((got - want) ** 2)
    least = 18 if scheme == "w4a8" else 30
    assert 10 * np.log10(np.mean(want ** 2) / noise) > least


@pytest.mark.parametrize("axis", [None, 0, 2])
@pytest.mark.parametrize("count", [1, 3])
def test_stored_integers_stay_what_they_are(count, axis):
    rng = np.random.default_rng(3)
    w = rng.integers(-127, 128, (count, 32, 16)).astype(np.int8)
    extents = (1,) if axis is None else (w.shape[axis],)
    scale = rng.uniform(0.01, 0.02, extents).astype(np.float32)
    if axis is None:
        scale = scale.reshape(())
    attributes = {} if axis is None else {"axis": axis}
    nodes = [h.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]),
             h.make_node("DequantizeLinear", ["q", "s", "z"], ["d"]),
             h.make_node("DequantizeLinear", ["w", "ws"], ["wd"],
                         **attributes),
             h.make_node("MatMul", ["d", "wd"], ["m"]),
             h.make_node("QuantizeLinear", ["m", "s", "z"], ["mq"]),
             h.make_node("DequantizeLinear", ["mq", "s", "z"], ["y"])]
    constants = {"s": np.float32(0.25), "z": np.int8(0), "w": w, "ws": scale}
    graph = h.make_graph(
        nodes, "g", [h.make_tensor_value_info("x", T.FLOAT, [count, 8, 32])],
        [h.make_empty_tensor_value_info("y")],
        [numpy_helper.from_array(np.asarray(v), k)
         for k, v in constants.items()])
    source = h.make_model(graph, opset_imports=[h.make_opsetid("", 17)],
                          ir_version=8)
    model = qopt.load(source.SerializeToString())
    x = rng.normal(size=(count, 8, 32)).astype(np.float32)
    quantized = qopt.quantize(model, scheme="qdq")
    text = quantized.to_mlir()
    products = [line for line in text.splitlines() if "qg.matmul" in line]
    assert len(products) == count
    assert all("si8" in line for line in products), products
    got, = run_model(quantized, x)
    q = np.clip(np.rint(x / np.float32(0.25)), -128, 127)
    factor = scale if axis != 0 else scale[:, None, None]
    want = np.einsum("bmk,bkn->bmn", q, w.astype(np.float64)) * 0.25 * factor
    want = np.clip(np.rint(want / 0.25), -128, 127) * 0.25
    np.testing.assert_allclose(got, want, atol=0.2501)
    assert np.mean(got != want.astype(np.float32)) < 0.01
