# SPDX-License-Identifier: Apache-2.0
"""Embedding tables are stored in rows of 8 bits, or 4, and decoded exactly."""
import numpy as np
import pytest

import qopt
from modules import run_model

pytest.importorskip("onnx")
from onnx import TensorProto as T, helper as h, numpy_helper

ROWS = 700


def build(columns, product=True, shape=(2, 5)):
    rng = np.random.default_rng(0)
    scales = np.exp(rng.normal(size=(ROWS, 1)))
    table = (rng.normal(size=(ROWS, columns)) * scales).astype(np.float32)
    table[3] = 0
    table[4] = -table[5]
    weight = (rng.normal(size=(columns, 8)) / columns).astype(np.float32)
    nodes = [h.make_node("Gather", ["table", "i"], ["e"], name="words")]
    if product:
        nodes.append(h.make_node("MatMul", ["e", "w"], ["y"], name="head"))
    result = "y" if product else "e"
    graph = h.make_graph(
        nodes, "g", [h.make_tensor_value_info("i", T.INT64, shape)],
        [h.make_empty_tensor_value_info(result)],
        [numpy_helper.from_array(table, "table"),
         numpy_helper.from_array(weight, "w")][:1 + product])
    source = h.make_model(graph, opset_imports=[h.make_opsetid("", 17)],
                          ir_version=8)
    return qopt.load(source.SerializeToString()), table


def samples(count=4, shape=(2, 5)):
    rng = np.random.default_rng(1)
    return [rng.integers(-ROWS, ROWS, shape) for _ in range(count)]


@pytest.mark.parametrize("columns", [24, 25, 64])
@pytest.mark.parametrize("bits", [8, 4])
def test_rows_in_few_bits(columns, bits):
    model, table = build(columns, product=False)
    settings = {} if bits == 8 else {"layers": {"words": {"weights": "si4"}}}
    quantized = qopt.quantize(model, data=samples(), scheme="w8a8-dyn",
                              **settings)
    assert f"{ROWS}x{columns}xf32" not in quantized.to_mlir()
    rows = samples()[0]
    rows[0, :3] = 3, 4, 5
    got, = run_model(quantized, rows)
    want = table[rows]
    assert np.all(got[0, 0] == 0)
    assert np.array_equal(got[0, 1], -got[0, 2])
    magnitude = np.abs(want).max(-1, keepdims=True)
    # Half a step; of four bits more where saturating pays.
    bound = 0.501 / 127 if bits == 8 else 0.4
    assert np.all(np.abs(got - want) <= bound * magnitude)
    error = np.mean((got - want) ** 2)
    signal = np.mean(want ** 2)
    assert 10 * np.log10(signal / error) > (40 if bits == 8 else 15)


@pytest.mark.parametrize("scheme", ["w8a8", "w4a8", "w8a8-dyn", "w4a8-dyn"])
def test_every_scheme(scheme):
    model, table = build(64)
    quantized = qopt.quantize(model, data=samples(), scheme=scheme)
    assert f"{ROWS}x64xf32" not in quantized.to_mlir()
    run_model(quantized, samples()[0])


def test_a_recipe_keeps_a_table_float():
    model, table = build(64, product=False)
    quantized = qopt.quantize(model, data=samples(), scheme="w8a8-dyn",
                              layers={"words": {"weights": "f32"}})
    assert f"{ROWS}x64xf32" in quantized.to_mlir()
    rows = samples()[0]
    got, = run_model(quantized, rows)
    assert np.array_equal(got, table[rows])


def test_small_tables_and_float_schemes_stay_as_they_are():
    model, table = build(8, product=False)
    quantized = qopt.quantize(model, data=samples(), scheme="w8a8-dyn")
    got, = run_model(quantized, samples()[0])
    assert np.array_equal(got, table[samples()[0]])
    model, table = build(64, product=False)
    got, = run_model(qopt.quantize(model, scheme="float"), samples()[0])
    assert np.array_equal(got, table[samples()[0]])
