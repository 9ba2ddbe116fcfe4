# SPDX-License-Identifier: Apache-2.0
"""How often f16 rounds: once per ONNX op, from exact arithmetic. The node test
`attention_4d_causal_fp16` rounds every step inside its softmax as well, and
disagrees with this in two elements of 192 by more than the runner allows."""
import dataclasses

import numpy as np
import pytest

import qopt
from modules import run_model, same_bits

pytest.importorskip("onnx")
from onnx import TensorProto as T, helper as h, numpy_helper

f16, f64 = np.float16, np.float64


def rounded(x):
    return x.astype(f16).astype(f64)


def softmax_once(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return rounded(e / e.sum(-1, keepdims=True))


def softmax_stepwise(x):
    """The function body that ONNX gives for Softmax, each op in f16."""
    e = rounded(np.exp(rounded(x - x.max(-1, keepdims=True))))
    return rounded(e / rounded(e.sum(-1, keepdims=True)))


def attention(q, k, v, softmax):
    q, k, v = (x.astype(f64) for x in (q, k, v))
    scale = f64(f16(np.sqrt(1 / np.sqrt(q.shape[-1]))))
    scores = rounded(rounded(q * scale)
                     @ rounded(k * scale).transpose(0, 1, 3, 2))
    seen = np.tri(q.shape[2], k.shape[2], dtype=bool)
    return (softmax(np.where(seen, scores, -np.inf)) @ v).astype(f16)


def error(y, exact):
    return np.sqrt(np.mean(((y.astype(f64) - exact) / exact) ** 2))


@pytest.mark.parametrize("name", ["test_attention_4d_causal_fp16",
                                  "test_attention_4d_causal_fp16_expanded"])
def test_one_rounding_per_op(name):
    from onnx.backend.test.case.node import collect_testcases
    case = next(c for c in collect_testcases(None) if c.name == name)
    (inputs, (expected,)), = case.data_sets
    feeds = dict(zip([i.name for i in case.model.graph.input], inputs))
    program = qopt.compile_onnx(case.model.SerializeToString(),
                                shapes={n: x.shape for n, x in feeds.items()})
    got, = program.run_list([feeds[n] for n in program.input_names])

    q, k, v = inputs[:3]
    assert np.array_equal(got, attention(q, k, v, softmax_once))
    # What the test expects is the same with more roundings.
    assert np.array_equal(expected, attention(q, k, v, softmax_stepwise))
    d = q.shape[-1]
    scores = q.astype(f64) @ k.astype(f64).transpose(0, 1, 3, 2) / np.sqrt(d)
    seen = np.tri(q.shape[2], k.shape[2], dtype=bool)
    e = np.exp(np.where(seen, scores, -np.inf))
    exact = e / e.sum(-1, keepdims=True) @ v.astype(f64)
    assert error(got, exact) < error(expected, exact)
    assert np.allclose(got.astype(f64), exact, rtol=1e-3, atol=1e-7)


VECTORS = "scale", "bias", "mean", "variance"


@dataclasses.dataclass
class Case:
    """An op of x [2, 6, 5, 7] (or `shape`) and of `vectors`, all of one narrow
    type, after which an input of axes may follow."""
    op: str
    attributes: dict = dataclasses.field(default_factory=dict)
    vectors: int = 0
    axes: tuple = ()
    shape: tuple = (2, 6, 5, 7)
    opset: int = 21
    copies: int = 0


REDUCTIONS = ["ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp",
              "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd",
              "ReduceSum", "ReduceSumSquare"]
WINDOW = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}
CASES = [
    *(Case(op, {"keepdims": keep}, axes=axes) for op in REDUCTIONS
      for keep, axes in [(1, (3,)), (0, (1, 2)), (0, ())]),
    Case("ReduceMean", {"axes": [-1]}, shape=(1, 4, 768), opset=17),
    *(Case(op, {"axis": axis}, opset=opset)
      for op in ["Softmax", "LogSoftmax"]
      for axis, opset in [(-1, 13), (1, 13), (1, 11)]),
    *(Case("LpNormalization", {"axis": axis, "p": p}, opset=opset)
      for axis in (-1, 1) for p in (1, 2) for opset in (17, 22)),
    Case("LRN", {"size": 3}),
    Case("LRN", {"size": 4, "alpha": 2.0, "beta": 0.5, "bias": 0.25}),
    Case("LRN", {"size": 1, "alpha": 1.0}, shape=(1, 3)),
    Case("MeanVarianceNormalization"),
    Case("MeanVarianceNormalization", {"axes": [1]}),
    Case("BatchNormalization", vectors=4),
    Case("InstanceNormalization", vectors=2),
    Case("GroupNormalization", {"num_groups": 2}, vectors=2),
    Case("LayerNormalization", vectors=2, shape=(2, 5, 6)),
    Case("RMSNormalization", vectors=1, shape=(2, 5, 6), opset=23),
    Case("AveragePool", WINDOW), Case("MaxPool", WINDOW),
    Case("AveragePool", {**WINDOW, "count_include_pad": 1, "ceil_mode": 1,
                         "strides": [2, 2]}),
    *(Case("LpPool", {**WINDOW, "p": p}) for p in (1, 2, 3)),
    Case("GlobalAveragePool"), Case("GlobalMaxPool"),
    Case("GlobalLpPool", {"p": 2}),
    Case("Mean", copies=3), Case("Sum", copies=3), Case("Softplus"),
    Case("Celu"), Case("Elu"), Case("Selu"), Case("Mish"), Case("HardSwish"),
    Case("HardSigmoid"), Case("Softsign"), Case("Gelu"),
    Case("Einsum", {"equation": "abcd->acd"}),
    Case("CumSum", axes=3),
]


def build(case, code, dtype, x):
    names, constants = ["x"] * max(case.copies, 1), []
    channels = case.shape[1 if case.op[0] in "BIG" else -1]
    rng = np.random.default_rng(5)
    for name in VECTORS[:case.vectors]:
        values = rng.uniform(0.5, 2, channels).astype(dtype).astype(np.float32)
        constants.append(h.make_tensor(name, code, [channels], values))
        names.append(name)
    if case.axes:
        constants.append(numpy_helper.from_array(np.int64(case.axes), "axes"))
        names.append("axes")
    graph = h.make_graph([h.make_node(case.op, names, ["y"],
                                      **case.attributes)], "g",
                         [h.make_tensor_value_info("x", code, x.shape)],
                         [h.make_empty_tensor_value_info("y")], constants)
    opset = h.make_opsetid("", case.opset)
    return qopt.load(h.make_model(graph, opset_imports=[opset],
                                  ir_version=10).SerializeToString())


@pytest.mark.parametrize("magnitude", [120.0, 3e-4])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(
    [case.op, *(f"{k}{v}".replace(" ", "") for k, v in
                [*case.attributes.items(), ("axes", case.axes)])]))
def test_steps_in_f32_and_one_rounding(case, dtype, magnitude):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    dtype = np.dtype(getattr(ml_dtypes, dtype, dtype))
    code = h.np_dtype_to_tensor_dtype(dtype)
    rng = np.random.default_rng(1)
    x = (magnitude * rng.normal(1, 0.5, case.shape)).astype(dtype)
    wide = x.astype(np.float32)
    exact = build(case, T.FLOAT, dtype, x).reference()(wide)
    got, = run_model(build(case, code, dtype, x), x)
    with np.errstate(over="ignore"):
        want = exact.astype(dtype)
    assert got.dtype == dtype
    assert same_bits(got.astype(np.float32), want.astype(np.float32))


def test_values_whose_sum_is_beyond_f16():
    x = (120 + 8 * np.random.default_rng(2).normal(size=(2, 4, 768))).astype(f16)
    case = Case("ReduceMean", axes=(-1,), opset=18)
    got, = run_model(build(case, T.FLOAT16, f16, x), x)
    assert np.array_equal(got, x.astype(f64).mean(-1, keepdims=True).astype(f16))
    norm = np.sqrt((x.astype(f64) ** 2).sum(-1, keepdims=True))
    got, = run_model(build(Case("LpNormalization", {"axis": -1}), T.FLOAT16,
                           f16, x), x)
    # Quotients of f32 are rounded twice: one bit next to a tie.
    np.testing.assert_array_max_ulp(got, (x / norm).astype(f16), 1)


def test_squares_that_vanish_in_f16():
    x = np.full((1, 1, 8), 2e-5, f16)
    got, = run_model(build(Case("LpNormalization", {"axis": -1}), T.FLOAT16,
                           f16, x), x)
    assert np.array_equal(got, np.full(x.shape, 1 / np.sqrt(8)).astype(f16))
