# SPDX-License-Identifier: Apache-2.0
"""Reference semantics of imported operators against onnx's own evaluator, on
random shapes and values; machine code gives the interpreter's bits."""
import dataclasses
import warnings

import numpy as np
import pytest
from onnx import TensorProto
from onnx import helper as h
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator

import qopt
from modules import run_model

F32 = np.float32
SPECIAL = np.array([0.0, -0.0, np.nan, np.inf, -np.inf, 1e-40, -1e-40, 88.7,
                    -103.9, 3e38, -3e38, 1.0, -1.0, 0.5, -0.5, 2.5], F32)


@dataclasses.dataclass
class Case:
    """`make(rng)` gives the inputs, `bound` those that are initializers;
    `expected` stands in where onnx's evaluator is wrong."""
    op: str
    make: object
    attributes: dict = dataclasses.field(default_factory=dict)
    bound: tuple = ()
    outputs: int = 1
    opset: int = 21
    rtol: float = 1e-5
    tag: str = ""
    expected: object = None
    domain: str = ""
    """Shapes that the file declares of the results."""
    declared: tuple = ()

    @property
    def name(self):
        return self.op + ("-" + self.tag if self.tag else "")


def floats(rng, shape, low=-3.0, high=3.0):
    return rng.uniform(low, high, shape).astype(F32)


def shape(rng, rank=None, most=7):
    rank = int(rng.integers(1, 5)) if rank is None else rank
    return tuple(int(d) for d in rng.integers(1, most + 1, rank))


def broadcast(rng):
    """Two shapes that broadcast; the second is shorter."""
    full = shape(rng, int(rng.integers(2, 5)))
    left = [d if rng.random() < 0.7 else 1 for d in full]
    right = [d if rng.random() < 0.7 else 1 for d in full[1:]]
    return tuple(left), tuple(right)


def image(rng, channels=None, least=5):
    return (int(rng.integers(1, 3)), channels or int(rng.integers(1, 6)),
            int(rng.integers(least, 10)), int(rng.integers(least, 10)))


# --- One tensor ---

def unary(op, low=-3.0, high=3.0, special=True, **more):
    def make(rng):
        x = floats(rng, shape(rng, most=9), low, high)
        return [np.concatenate([x.ravel(), SPECIAL]) if special else x]
    return Case(op, make, **more)


CASES = [unary(op) for op in
         ["Abs", "Neg", "Relu", "Floor", "Ceil", "Round", "Sqrt", "Exp", "Log",
          "Erf", "Sigmoid", "Tanh", "Sign", "Reciprocal", "Atan", "Asinh",
          "IsNaN", "Softsign", "HardSigmoid", "HardSwish"]]
CASES += [unary(op, low, high, special=False) for op, low, high in
          [("Sin", -30, 30), ("Cos", -30, 30), ("Tan", -1.5, 1.5),
           ("Asin", -1, 1), ("Acos", -1, 1), ("Sinh", -5, 5), ("Cosh", -5, 5),
           ("Acosh", 1, 9), ("Atanh", -0.99, 0.99), ("Softplus", -20, 20)]]
CASES += [unary(op, special=False, attributes=attributes, rtol=2e-5)
          for op, attributes in
          [("Elu", {"alpha": 0.7}), ("Selu", {}), ("Celu", {"alpha": 1.7}),
           ("LeakyRelu", {"alpha": 0.2}), ("ThresholdedRelu", {"alpha": 0.8}),
           ("Mish", {}), ("Gelu", {})]]
CASES += [unary("Gelu", special=False, attributes={"approximate": "tanh"},
                tag="tanh", rtol=2e-5),
          unary("Shrink", special=False,
                attributes={"lambd": 1.0, "bias": 0.5})]


# --- Two and more tensors ---

def binary(op, dtype=F32, low=-3, high=4, attributes=None, tag=""):
    def make(rng):
        arrays = []
        for s in broadcast(rng):
            x = rng.uniform(low, high, s)
            if np.dtype(dtype).kind == "b":
                x = x > 0.5
            elif np.dtype(dtype).kind in "iu":
                x = np.floor(x)
            arrays.append(x.astype(dtype))
        return arrays
    return Case(op, make, attributes or {}, tag=tag or
                ("" if dtype is F32 else np.dtype(dtype).name))


CASES += [binary(op) for op in ["Add", "Sub", "Mul", "Div", "Less", "Greater",
                                "LessOrEqual", "GreaterOrEqual", "Max", "Min"]]
CASES += [binary(op, dtype, -100, 100) for dtype in (np.int8, np.int32)
          for op in ("Add", "Sub", "Mul", "Equal", "Less", "Max", "Min")]
CASES += [binary("Add", np.uint8, 0, 255), binary("Mul", np.uint8, 0, 255),
          binary("Less", np.uint8, 0, 255), binary("Max", np.uint8, 0, 255)]
CASES += [binary(op, bool, 0, 1) for op in ("And", "Or", "Xor")]
CASES += [binary(op, np.uint8, 0, 255)
          for op in ("BitwiseAnd", "BitwiseOr", "BitwiseXor")]
CASES += [
    Case("Pow", lambda r: [floats(r, (3, 7), 0.1, 3), floats(r, (7,))],
         rtol=1e-4),
    Case("Mod", lambda r: [r.integers(-99, 99, (5, 7)),
                           r.choice([-7, -3, 2, 5], (7,))]),
    Case("Mod", lambda r: [floats(r, (5, 7), -9, 9), floats(r, (7,), 0.5, 3)],
         {"fmod": 1}, tag="fmod"),
    Case("Sum", lambda r: [floats(r, (2, 1, 4)), floats(r, (3, 1)),
                           floats(r, ())]),
    # The evaluator adds in place and cannot broadcast the first.
    Case("Mean", lambda r: [floats(r, (2, 1, 4)), floats(r, (3, 1)),
                            floats(r, (4,))],
         expected=lambda a, b, c: (a + b + c) / F32(3)),
    Case("Where", lambda r: [r.random((2, 1, 4)) < 0.5, floats(r, (3, 1)),
                             floats(r, (1, 4))]),
    Case("Clip", lambda r: [floats(r, shape(r)), F32(-0.5), F32(1.25)]),
    Case("PRelu", lambda r: [floats(r, (2, 3, 5)), floats(r, (3, 1))]),
]


# --- Linear ---

def transposed_conv(x, w):
    """Windows of 2 x 2 with stride 2 do not overlap."""
    y = np.einsum("nchw,cokl->nohkwl", x, w)
    n, o, height, _, width, _ = y.shape
    return y.reshape(n, o, 2 * height, 2 * width)


def conv(groups=1, outputs=3, channels=4, tag="", **attributes):
    def make(rng):
        x = floats(rng, image(rng, channels))
        w = floats(rng, (outputs, channels // groups,
                         *attributes.get("kernel_shape", (3, 3))))
        return [x, w, floats(rng, (outputs,))]
    return Case("Conv", make, {"group": groups, **attributes}, rtol=1e-4,
                bound=(1, 2), tag=tag)


CASES += [
    conv(tag="plain"), conv(tag="pads", pads=[1, 0, 2, 1], strides=[2, 1]),
    conv(2, 6, tag="groups"), conv(4, 4, tag="depthwise", pads=[1] * 4),
    conv(4, 8, tag="multiplied"), conv(tag="dilated", dilations=[2, 2]),
    conv(tag="pointwise", kernel_shape=[1, 1]),
    conv(tag="same", auto_pad="SAME_UPPER", strides=[2, 2]),
    Case("Conv", lambda r: [floats(r, (2, 3, 17)), floats(r, (5, 3, 4))],
         {"strides": [3]}, rtol=1e-4, tag="1d"),
    Case("ConvTranspose",
         lambda r: [floats(r, (1, 3, 5, 4)), floats(r, (3, 2, 3, 3)),
                    floats(r, (2,))],
         {"strides": [2, 2], "pads": [1, 1, 1, 1], "output_padding": [1, 1]},
         bound=(1, 2), rtol=1e-4),
    Case("ConvTranspose",
         lambda r: [floats(r, (2, 4, 4, 5)), floats(r, (4, 3, 2, 2))],
         {"strides": [2, 2], "group": 2}, bound=(1,), rtol=1e-4, tag="groups",
         expected=lambda x, w: np.concatenate(
             [transposed_conv(x[:, :2], w[:2]), transposed_conv(x[:, 2:], w[2:])],
             axis=1)),
    Case("MatMul", lambda r: [floats(r, (2, 3, 5, 7)), floats(r, (3, 7, 4))],
         rtol=1e-4, tag="batches"),
    Case("MatMul", lambda r: [floats(r, (9, 33)), floats(r, (33, 17))],
         bound=(1,), rtol=1e-4, tag="constant"),
    Case("MatMul", lambda r: [floats(r, (33,)), floats(r, (2, 33, 3))],
         rtol=1e-4, tag="vector"),
    Case("Gemm", lambda r: [floats(r, (7, 5)), floats(r, (3, 7)),
                            floats(r, (5, 1))],
         {"transA": 1, "transB": 1, "alpha": 0.5, "beta": 2.0}, rtol=1e-4),
    Case("Einsum", lambda r: [floats(r, (2, 5, 3, 4)), floats(r, (2, 6, 3, 4))],
         {"equation": "bqhd,bkhd->bhqk"}, rtol=1e-4),
]


# --- Pools, reductions, normalizations ---

def pool(op, tag="", **attributes):
    return Case(op, lambda r: [floats(r, image(r))], attributes, tag=tag)


CASES += [
    pool("MaxPool", kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 1, 1]),
    pool("MaxPool", "ceil", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1),
    pool("MaxPool", "dilated", kernel_shape=[2, 2], dilations=[2, 3]),
    pool("AveragePool", kernel_shape=[3, 3], pads=[1] * 4),
    pool("AveragePool", "counts", kernel_shape=[3, 3], pads=[1] * 4,
         count_include_pad=1),
    pool("AveragePool", "ceil", kernel_shape=[3, 3], strides=[2, 2],
         ceil_mode=1),
    pool("GlobalAveragePool"), pool("GlobalMaxPool"),
    pool("LpPool", kernel_shape=[2, 2], strides=[2, 2]),
]


def reduction(op, axes, low=-3.0, keep=1, rtol=1e-4):
    return Case(op, lambda r: [floats(r, shape(r, 3, 40), low),
                               np.array(axes)],
                {"keepdims": keep}, bound=(1,), rtol=rtol,
                tag="".join(map(str, axes)))


CASES += [reduction(op, [2]) for op in
          ["ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceL1",
           "ReduceL2", "ReduceSumSquare", "ReduceLogSumExp"]]
CASES += [reduction("ReduceSum", [0, 1, 2], keep=0),
          reduction("ReduceMean", [-3, -1], keep=0),
          reduction("ReduceProd", [0], 0.5),
          reduction("ReduceLogSum", [1], 0.1)]
CASES += [
    Case(op, lambda r: [np.round(floats(r, (4, 5, 6)))],
         {"axis": axis, "keepdims": 0, "select_last_index": last},
         tag=f"{axis}{last}")
    for op in ("ArgMax", "ArgMin") for axis, last in ((-1, 0), (0, 1))]
CASES += [
    Case(op, lambda r: [floats(r, shape(r, 3, 20), -9, 9)], {"axis": axis},
         rtol=2e-5, tag=str(axis))
    for op in ("Softmax", "LogSoftmax", "Hardmax") for axis in (-1, 1)]
CASES += [
    Case("LayerNormalization",
         lambda r: [floats(r, (3, 5, 18)), floats(r, (5, 18)),
                    floats(r, (5, 18))],
         {"axis": 1}, rtol=1e-4),
    Case("GroupNormalization",
         lambda r: [floats(r, (2, 6, 4, 3)), floats(r, (6,)), floats(r, (6,))],
         {"num_groups": 3}, rtol=1e-4),
    Case("InstanceNormalization",
         lambda r: [floats(r, (2, 3, 4, 5)), floats(r, (3,)), floats(r, (3,))],
         rtol=1e-4),
    Case("BatchNormalization",
         lambda r: [floats(r, (2, 3, 4, 5)), floats(r, (3,)), floats(r, (3,)),
                    floats(r, (3,)), floats(r, (3,), 0.1, 2)],
         bound=(1, 2, 3, 4), rtol=1e-4),
    Case("LpNormalization", lambda r: [floats(r, (3, 7))], {"axis": 1}),
    # The evaluator leaves out the last channel of every window.
    Case("LRN", lambda r: [floats(r, (1, 7, 3, 2))], {"size": 3, "alpha": 0.5},
         rtol=1e-4, expected=lambda x: x / (1 + 0.5 / 3 * sum(
             np.pad(x**2, ((0, 0), (1, 1), (0, 0), (0, 0)))[:, i:i + 7]
             for i in range(3))) ** F32(0.75)),
    Case("CumSum", lambda r: [floats(r, (3, 9)), np.array(1)],
         {"reverse": 1, "exclusive": 1}, bound=(1,)),
]


# --- Movement ---

CASES += [
    Case("Transpose", lambda r: [floats(r, (2, 3, 4, 5))],
         {"perm": [2, 0, 3, 1]}),
    Case("Reshape", lambda r: [floats(r, (2, 3, 4)), np.array([0, -1, 2])],
         bound=(1,)),
    Case("Slice", lambda r: [floats(r, (7, 9)), np.array([5, -1]),
                             np.array([-99, 0]), np.array([0, 1]),
                             np.array([-2, -3])], bound=(1, 2, 3, 4)),
    Case("Split", lambda r: [floats(r, (7, 3)), np.array([2, 4, 1])],
         {"axis": 0}, bound=(1,), outputs=3),
    Case("Concat", lambda r: [floats(r, (2, 1)), floats(r, (2, 3)),
                              floats(r, (2, 2))], {"axis": 1}),
    Case("Expand", lambda r: [floats(r, (3, 1)), np.array([2, 1, 4])],
         bound=(1,)),
    Case("Tile", lambda r: [floats(r, (2, 3)), np.array([3, 2])], bound=(1,)),
    Case("Gather", lambda r: [floats(r, (4, 5)), r.integers(-5, 5, (2, 3))],
         {"axis": 1}),
    Case("GatherElements", lambda r: [floats(r, (4, 5)),
                                      r.integers(-4, 4, (3, 5))], {"axis": 0}),
    Case("GatherND", lambda r: [floats(r, (3, 4, 5)), r.integers(0, 3, (6, 2))]),
    Case("ScatterElements", lambda r: [floats(r, (5, 4)),
                                       r.permutation(5)[:3, None] *
                                       np.ones((1, 4), np.int64),
                                       floats(r, (3, 4))], bound=(1,)),
    Case("ScatterND", lambda r: [floats(r, (5, 4)), r.permutation(5)[:2, None],
                                 floats(r, (2, 4))], bound=(1,)),
    Case("OneHot", lambda r: [r.integers(-4, 4, (3, 2)), np.array(4),
                              np.array([-1, 2], F32)], bound=(1, 2)),
    Case("Trilu", lambda r: [floats(r, (2, 4, 5)), np.array(-1)], bound=(1,)),
    Case("DepthToSpace", lambda r: [floats(r, (1, 8, 2, 3))],
         {"blocksize": 2, "mode": "CRD"}),
    Case("SpaceToDepth", lambda r: [floats(r, (1, 2, 4, 6))], {"blocksize": 2}),
]
CASES += [
    Case("Pad", lambda r: [floats(r, (4, 5)), np.array([1, 2, 3, 0])],
         {"mode": mode}, bound=(1,), tag=mode)
    for mode in ("constant", "reflect", "edge", "wrap")]
CASES += [
    Case("Resize", lambda r: [floats(r, (1, 2, 4, 5)), np.array([], F32),
                              np.array([], F32), np.array([1, 2, 7, 3])],
         {"mode": mode, "coordinate_transformation_mode": transform},
         bound=(1, 2, 3), rtol=1e-4, tag=f"{mode}-{transform}")
    for mode in ("nearest", "linear", "cubic")
    for transform in ("half_pixel", "asymmetric", "align_corners")]


# --- Composite ops (attention, rotary embedding, gates, caches) ---

def attention(tag, operands, attributes=None, opset=25):
    return Case("Attention", operands, attributes or {}, opset=opset,
                rtol=1e-4, tag=tag)


def grouped(rng, *more):
    """Four query heads on two key heads, and what else there is."""
    return [floats(rng, (2, 4, 3, 5)), floats(rng, (2, 2, 7, 5)),
            floats(rng, (2, 2, 7, 6)), *more]


CASES += [
    attention("grouped", grouped),
    attention("flat", lambda r: [floats(r, (2, 3, 8)), floats(r, (2, 7, 4)),
                                 floats(r, (2, 7, 6))],
              {"q_num_heads": 4, "kv_num_heads": 2}),
    attention("causal-window",
              lambda r: [floats(r, (1, 2, 9, 4)) for _ in range(3)],
              {"is_causal": 1, "left_window_size": 3}),
    attention("two-windows",
              lambda r: [floats(r, (1, 2, 9, 4)) for _ in range(3)],
              {"left_window_size": 1, "right_window_size": 2}),
    attention("mask-cap", lambda r: grouped(r, floats(r, (2, 1, 3, 7))),
              {"softcap": 2.0, "scale": 0.9}),
    # One row may attend nothing.
    attention("truth-mask",
              lambda r: grouped(r, np.arange(21).reshape(3, 7) > 8)),
    attention("past",
              lambda r: [*[floats(r, (1, 2, 3, 4)) for _ in range(3)],
                         floats(r, (3, 8)), *[floats(r, (1, 2, 5, 4))] * 2],
              {"is_causal": 1}),
    Case("RMSNormalization", lambda r: [floats(r, (3, 5, 18)),
                                        floats(r, (18,))],
         opset=23, rtol=1e-4),
    Case("SwiGLU", lambda r: [floats(r, (3, 17)), floats(r, (3, 17))],
         {"alpha": 1.5}, opset=28),
]
CASES += [
    Case("RotaryEmbedding",
         lambda r: [floats(r, (2, 3, 5, 8)), floats(r, (2, 5, 4)),
                    floats(r, (2, 5, 4))],
         {"interleaved": interleaved}, opset=23, tag=f"interleaved{interleaved}")
    for interleaved in (0, 1)]
CASES += [
    Case("RotaryEmbedding",
         lambda r: [floats(r, (2, 5, 18)), floats(r, (9, 2)), floats(r, (9, 2)),
                    r.integers(0, 9, (2, 5))],
         {"num_heads": 3, "rotary_embedding_dim": 4}, opset=23, tag="partial"),
    Case("TensorScatter",
         lambda r: [floats(r, (2, 3, 8, 4)), floats(r, (2, 3, 3, 4)),
                    np.array([1, 5])], opset=24),
    Case("TensorScatter",
         lambda r: [floats(r, (2, 8, 3, 4)), floats(r, (2, 5, 3, 4)),
                    np.array([6, 3])],
         {"mode": "circular", "axis": 1}, opset=24, tag="circular"),
    Case("TensorScatter",
         lambda r: [floats(r, (2, 8, 4)), floats(r, (2, 3, 4))], opset=24,
         tag="from-the-start"),
]


# --- Quantization ---

def encoded(op, dtype, tag):
    info = np.iinfo(dtype)

    def make(rng):
        zero = np.array(rng.integers(info.min, info.max + 1), dtype)
        scale = F32(rng.uniform(0.01, 0.5))
        if op == "QuantizeLinear":
            return [floats(rng, (5, 9), -40, 40), scale, zero]
        x = rng.integers(info.min, info.max + 1, (5, 9)).astype(dtype)
        return [x, scale, zero]
    return Case(op, make, bound=(1, 2), tag=tag)


CASES += [encoded(op, dtype, np.dtype(dtype).name)
          for op in ("QuantizeLinear", "DequantizeLinear")
          for dtype in (np.int8, np.uint8, np.int16, np.uint16)]
CASES += [
    Case("DequantizeLinear",
         lambda r: [r.integers(-128, 128, (3, 4, 5)).astype(np.int8),
                    floats(r, (4,), 0.1, 1), np.zeros(4, np.int8)],
         {"axis": 1}, bound=(0, 1, 2), tag="axis"),
    Case("DynamicQuantizeLinear", lambda r: [floats(r, (4, 7))], outputs=3),
    Case("DynamicQuantizeLinear", lambda r: [floats(r, (4, 7), 1, 3)],
         outputs=3, tag="positive"),
    Case("DynamicQuantizeLinear", lambda r: [floats(r, (4, 7), -9, -1)],
         outputs=3, tag="negative"),
    Case("MatMulInteger",
         lambda r: [r.integers(0, 256, (3, 300)).astype(np.uint8),
                    r.integers(-128, 128, (300, 5)).astype(np.int8),
                    np.array(7, np.uint8), np.array(-3, np.int8)],
         bound=(2, 3)),
    Case("ConvInteger",
         lambda r: [r.integers(0, 256, (1, 3, 5, 5)).astype(np.uint8),
                    r.integers(0, 256, (2, 3, 3, 3)).astype(np.uint8),
                    np.array(9, np.uint8), np.array(4, np.uint8)],
         bound=(2, 3)),
]


def build(case, arrays):
    names = [f"a{i}" for i in range(len(arrays))]
    results = [f"y{i}" for i in range(case.outputs)]
    node = h.make_node(case.op, names, results, domain=case.domain,
                       **case.attributes)
    inputs, weights = [], []
    for i, (name, array) in enumerate(zip(names, arrays)):
        array = np.asarray(array)
        if i in case.bound:
            weights.append(numpy_helper.from_array(array, name))
            continue
        inputs.append(h.make_tensor_value_info(
            name, h.np_dtype_to_tensor_dtype(array.dtype), array.shape))
    outputs = [h.make_empty_tensor_value_info(name) for name in results]
    for i, extents in enumerate(case.declared):
        outputs[i] = h.make_tensor_value_info(results[i], TensorProto.FLOAT,
                                              extents)
    graph = h.make_graph([node], "g", inputs, outputs, weights)
    opsets = [h.make_opsetid("", case.opset)]
    if case.domain:
        opsets.append(h.make_opsetid(case.domain, 5))
    return h.make_model(graph, ir_version=10, opset_imports=opsets)


def check_close(got, want, rtol):
    want = np.asarray(want)
    assert got.shape == want.shape and got.dtype == want.dtype
    if want.dtype.kind != "f":
        assert np.array_equal(got, want)
        return
    finite = want[np.isfinite(want)]
    scale = float(np.max(np.abs(finite), initial=0.0))
    # A sum is as exact as its largest terms; one of special values is not
    # measured against them.
    atol = 1e-6 if scale > 1e6 else rtol * min(scale, 1.0) * 0.1 + 1e-38
    np.testing.assert_allclose(got, want, rtol=rtol, atol=max(atol, 2e-7))


def check_case(case):
    for seed in range(3):
        arrays = case.make(np.random.default_rng(seed))
        model = build(case, arrays)
        given = [np.asarray(a) for i, a in enumerate(arrays)
                 if i not in case.bound]
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            want = case.expected(*arrays) if case.expected else \
                ReferenceEvaluator(model).run(
                    None, {f"a{i}": np.asarray(a) for i, a in enumerate(arrays)
                           if i not in case.bound})
        if not isinstance(want, (list, tuple)):
            want = [want]
        loaded = qopt.load(model)
        got = run_model(loaded, *given) if seed == 0 else \
            loaded.reference().run_list(*given)
        for a, b in zip(got, want, strict=True):
            check_close(a, b, case.rtol)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_operator(case):
    check_case(case)
