# SPDX-License-Identifier: Apache-2.0
"""Operators that read or write at positions: Resize between elements, slices
and scatters at positions that are known at run time only."""
import dataclasses

import numpy as np
import pytest
from onnx import TensorProto
from onnx import helper as h
from onnx import numpy_helper

import qopt
from modules import run_model
from test_operators import F32, Case, check_case, floats

NOTHING = np.array([], F32)


def resize(attributes, extents=(1, 2, 4, 5), scales=None, sizes=None, roi=NOTHING,
           dtype=F32, opset=19, tag="", rtol=1e-4):
    """Either scales or sizes, all constant."""
    def make(rng):
        given = [rng.uniform(-3, 3, extents).astype(dtype), roi,
                 NOTHING if scales is None else np.array(scales, F32)]
        return given + ([] if sizes is None else [np.array(sizes)])
    bound = (1, 2, 3) if sizes is not None else (1, 2)
    name = "-".join(str(v) for v in attributes.values()) + tag
    return Case("Resize", make, attributes, bound=bound, opset=opset, rtol=rtol,
                tag=name)


CASES = [
    resize({"mode": mode, "coordinate_transformation_mode": transform},
           scales=(1, 1, 1.7, 0.6), tag="-scales")
    for mode in ("nearest", "linear", "cubic")
    for transform in ("half_pixel", "asymmetric", "half_pixel_symmetric",
                      "pytorch_half_pixel")]


def nearest_symmetric(x, scales, mode):
    """By the operator's text, in double. (onnx's evaluator shifts coordinates
    by one and takes another element where that rounds them to an integer.)"""
    choose = {"floor": np.floor, "ceil": np.ceil,
              "round_prefer_floor": lambda v: np.ceil(v - 0.5),
              "round_prefer_ceil": lambda v: np.floor(v + 0.5)}[mode]
    for axis, scale in enumerate(scales.astype(float)):
        n = x.shape[axis]
        count = int(n * scale)
        offset = n / 2 * (1 - count / (scale * n))
        at = offset + (np.arange(count) + 0.5) / scale - 0.5
        x = x.take(np.clip(choose(at).astype(int), 0, n - 1), axis)
    return x


CASES += [
    dataclasses.replace(
        resize({"mode": "nearest", "nearest_mode": nearest,
                "coordinate_transformation_mode": "half_pixel_symmetric"},
               extents=(1, 1, 9, 7), scales=(1, 1, factor, 1.0 / factor),
               tag=f"-{factor}"),
        expected=lambda x, roi, s, m=nearest: nearest_symmetric(x, s, m))
    for nearest in ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")
    for factor in (0.7, 1.3, 2.5)]
CASES += [
    resize({"mode": mode, "antialias": 1}, sizes=(1, 2, 2, 3),
           extents=(1, 2, 7, 11), tag="-antialias")
    for mode in ("linear", "cubic")]
CASES += [
    resize({"mode": "cubic", "exclude_outside": 1, "cubic_coeff_a": -0.5},
           sizes=(1, 2, 7, 3)),
    resize({"mode": "linear", "antialias": 1}, scales=(0.04,), extents=(100,),
           tag="-many-taps"),
    resize({"mode": "linear"}, dtype=np.float64, scales=(1, 1, 3, 0.5),
           tag="-f64"),
    # The evaluator rounds from double: a unit of the last place.
    resize({"mode": "linear"}, dtype=np.float16, scales=(1, 1, 3, 0.5),
           tag="-f16", rtol=1e-3),
    resize({"mode": "linear", "axes": [2, 0]}, scales=(2, 3),
           extents=(2, 3, 4), tag="-axes"),
    resize({"mode": "cubic"}, scales=(2,), extents=(1,), tag="-one"),
    resize({"mode": "linear"}, scales=(2, 2, 2), extents=(2, 3, 2),
           tag="-3d"),
    resize({"mode": "linear",
            "coordinate_transformation_mode": "tf_crop_and_resize",
            "extrapolation_value": 7.0},
           sizes=(1, 2, 5, 6),
           roi=np.array([0, 0, -0.2, 0.25, 1, 1, 0.9, 1.25], F32)),
]
CASES += [
    Case("Upsample", lambda r: [floats(r, (1, 2, 3, 4)),
                                np.array([1, 1, 2, 3], F32)],
         {"mode": "linear"}, bound=(1,), opset=9, rtol=1e-4,
         expected=lambda x, s: upsample(x))]


def upsample(x):
    """Asymmetric, by 2 and 3, the edge repeated."""
    for axis, factor in ((2, 2), (3, 3)):
        n = x.shape[axis]
        at = np.minimum(np.arange(n * factor) / factor, n - 1)
        low = at.astype(int)
        high = np.minimum(low + 1, n - 1)
        w = (at - low).reshape([-1 if d == axis else 1 for d in range(4)])
        x = (x.take(low, axis) * (1 - w) + x.take(high, axis) * w).astype(F32)
    return x


# --- Scatters whose indices are inputs ---

def scatter_elements(reduction, dtype=F32, axis=0, opset=18):
    def make(rng):
        x = rng.uniform(-9, 9, (5, 4)).astype(dtype)
        if reduction == "none":  # two updates of one element have no order
            indices = np.stack([rng.permutation(x.shape[axis])[:3]
                                for _ in range(x.shape[1 - axis])], axis=1 - axis)
        else:
            indices = rng.integers(-x.shape[axis], x.shape[axis],
                                   (3, 4) if axis == 0 else (5, 3))
        updates = rng.uniform(-9, 9, indices.shape).astype(dtype)
        return [x, indices, updates]
    return Case("ScatterElements", make, {"reduction": reduction, "axis": axis},
                opset=opset, tag=f"{reduction}-{np.dtype(dtype).name}-{axis}")


def scatter_nd(reduction, depth, dtype=F32, index=np.int64):
    def make(rng):
        x = rng.uniform(-9, 9, (4, 3, 2)).astype(dtype)
        indices = np.stack([rng.integers(0, x.shape[d], 5)
                            for d in range(depth)], -1)
        if reduction == "none":
            indices = np.unique(indices, axis=0)[:2]
        updates = rng.uniform(-9, 9, (len(indices), *x.shape[depth:]))
        return [x, indices.astype(index), updates.astype(dtype)]
    return Case("ScatterND", make, {"reduction": reduction}, opset=18,
                tag=f"{reduction}-{depth}-{np.dtype(dtype).name}")


REDUCTIONS = ("none", "add", "mul", "max", "min")
CASES += [scatter_elements(r, dtype) for r in REDUCTIONS
          for dtype in (F32, np.int32)]
CASES += [scatter_elements("add", axis=1), scatter_elements("none", axis=1),
          scatter_elements("add", np.int64), scatter_elements("max", np.uint8)]
CASES += [scatter_nd(r, depth) for r in REDUCTIONS for depth in (1, 2, 3)]
CASES += [scatter_nd("add", 2, np.int8), scatter_nd("add", 1, np.float64)]


# --- Slices that start at an input ---

CASES += [
    Case("Slice", lambda r: [floats(r, (7, 9)), np.array([start]),
                             np.array([start + 3]), np.array([1])],
         bound=(3,), declared=((7, 3),), tag=f"declared{start}")
    for start in (0, 2, 6, -5)]
CASES += [
    Case("Slice", lambda r: [floats(r, (7, 9)), np.array([5, 1]),
                             np.array([-99, 4]), np.array([0, 1]),
                             np.array([-2, 1])],
         bound=(3, 4), declared=((3, 3),), tag="two-axes-backwards"),
    Case("Slice", lambda r: [floats(r, (7, 9)), np.array([2]), np.array([9999]),
                             np.array([1])],
         bound=(2, 3), declared=((7, 7),), tag="to-the-end"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.op + c.tag)
def test_positions(case):
    check_case(case)


def make_model(nodes, inputs, outputs, weights=()):
    value = lambda n, t, s: h.make_tensor_value_info(n, t, s)
    graph = h.make_graph(nodes, "g", [value(*i) for i in inputs],
                         [value(*o) for o in outputs],
                         [numpy_helper.from_array(np.asarray(a), n)
                          for n, a in weights])
    return h.make_model(graph, ir_version=10,
                        opset_imports=[h.make_opsetid("", 18)])


# Infinity and NaN reach the results whose coefficient for them is not 0.
@pytest.mark.parametrize("mode", ["linear", "cubic"])
def test_resize_reads_its_neighbours_alone(mode):
    x = np.ones((1, 12), F32)
    x[0, 2], x[0, 9] = -np.inf, np.nan
    node = h.make_node("Resize", ["x", "", "s"], ["y"], mode=mode)
    loaded = qopt.load(make_model(
        [node], [("x", TensorProto.FLOAT, [1, 12])],
        [("y", TensorProto.FLOAT, [1, 24])],
        [("s", np.array([1, 2], F32))]))
    y, = run_model(loaded, x)
    # Position i lies at (i + 0.5) / 2 - 0.5, between two or four elements.
    at = (np.arange(24) + 0.5) / 2 - 0.5
    reach = 1 if mode == "linear" else 2
    touches = (abs(at - 2) < reach) | (abs(at - 9) < reach)
    assert np.array_equal(~np.isfinite(y[0]), touches)
    np.testing.assert_allclose(y[0][~touches], 1, rtol=1e-6)
    if mode == "linear":
        assert np.all(np.isneginf(y[0][abs(at - 2) < 1]))


# The last element lies at the last position, whatever was cut off the extent.
@pytest.mark.parametrize("mode", ["linear", "cubic"])
def test_align_corners_divides_by_the_resized_length(mode):
    x = np.random.default_rng(0).uniform(-3, 3, (1, 9)).astype(F32)
    node = h.make_node("Resize", ["x", "", "s"], ["y"], mode=mode,
                       coordinate_transformation_mode="align_corners")
    loaded = qopt.load(make_model(
        [node], [("x", TensorProto.FLOAT, [1, 9])],
        [("y", TensorProto.FLOAT, [1, 15])], [("s", np.array([1, 1.7], F32))]))
    y, = run_model(loaded, x)
    assert y.shape == (1, 15) and y[0, 0] == x[0, 0] and y[0, 14] == x[0, 8]
    if mode == "linear":
        np.testing.assert_allclose(
            y[0], np.interp(np.linspace(0, 8, 15), np.arange(9), x[0]), rtol=1e-5)


# What tf2onnx writes for the nearest resize of TensorFlow 2.
@pytest.mark.parametrize("opset", [11, 15])
def test_tf_half_pixel_for_nn(opset):
    x = np.arange(6, dtype=F32)[None]
    node = h.make_node(
        "Resize", ["x", "r" if opset == 11 else "", "s"], ["y"], mode="nearest",
        nearest_mode="floor",
        coordinate_transformation_mode="tf_half_pixel_for_nn")
    model = make_model([node], [("x", TensorProto.FLOAT, [1, 6])],
                       [("y", TensorProto.FLOAT, [1, 15])],
                       [("s", np.array([1, 2.5], F32)), ("r", NOTHING)])
    model.opset_import[0].version = opset
    y, = run_model(qopt.load(model), x)
    assert np.array_equal(y[0], np.floor((np.arange(15) + 0.5) / 2.5))


# The extent of the result is the difference of starts and ends, in all forms in
# which exporters write it.
@pytest.mark.parametrize("form", ["vector", "scalar", "where", "block"])
def test_slice_by_a_difference(form):
    scalar = form != "vector"
    nodes, weights = [], [("len", np.array([4])), ("ax", np.array([1])),
                          ("zero", np.array(0)), ("n", np.array(16)),
                          ("len0", np.array(4)), ("one", np.array(1)),
                          ("first", np.array([0]))]
    start = "i"
    if form == "where":  # negative starts count from the end
        nodes += [h.make_node("Less", ["i", "zero"], ["neg"]),
                  h.make_node("Add", ["i", "n"], ["back"]),
                  h.make_node("Where", ["neg", "back", "i"], ["from"])]
        start = "from"
    if form == "block":  # 4 i to 4 (i + 1)
        nodes += [h.make_node("Mul", ["i", "len0"], ["from"]),
                  h.make_node("Add", ["i", "one"], ["next"]),
                  h.make_node("Mul", ["len0", "next"], ["end"]),
                  h.make_node("Unsqueeze", ["from", "first"], ["b"]),
                  h.make_node("Unsqueeze", ["end", "first"], ["e"])]
    elif scalar:
        nodes += [h.make_node("Add", [start, "len0"], ["end"]),
                  h.make_node("Unsqueeze", [start, "first"], ["b"]),
                  h.make_node("Unsqueeze", ["end", "first"], ["e"])]
    else:
        nodes += [h.make_node("Add", ["len", "i"], ["e"]),
                  h.make_node("Identity", ["i"], ["b"])]
    nodes.append(h.make_node("Slice", ["x", "b", "e", "ax"], ["y"]))
    model = make_model(nodes, [("x", TensorProto.FLOAT, [1, 16, 6]),
                               ("i", TensorProto.INT64, [] if scalar else [1])],
                       [("y", TensorProto.FLOAT, None)], weights)
    loaded = qopt.load(model)
    x = np.random.default_rng(0).uniform(-3, 3, (1, 16, 6)).astype(F32)
    starts = [0, 1, 3] if form == "block" else [0, 5, 12]
    for at in starts + ([-8] if form == "where" else []):
        given = np.array(at if scalar else [at])
        y, = run_model(loaded, x, given)
        at = at * 4 if form == "block" else at % 16
        assert np.array_equal(y, x[:, at:at + 4])


# Updates behind the end are an error of the interpreter and left out by
# compiled code; a coordinate that is out of range reaches no other row.
def test_scatter_leaves_out_what_is_out_of_range():
    node = h.make_node("ScatterND", ["x", "i", "u"], ["y"])
    loaded = qopt.load(make_model(
        [node], [("x", TensorProto.FLOAT, [3, 4]), ("i", TensorProto.INT64, [3, 2]),
                 ("u", TensorProto.FLOAT, [3])],
        [("y", TensorProto.FLOAT, [3, 4])]))
    x = np.zeros((3, 4), F32)
    indices = np.array([[0, 5], [2**40, 0], [2, 3]])
    updates = np.array([1, 2, 3], F32)
    with pytest.raises(qopt.Error, match="ScatterND"):
        loaded.reference().run_list(x, indices, updates)
    y, = qopt.compile(loaded).run_list(x, indices, updates)
    x[2, 3] = 3
    assert np.array_equal(y, x)


def interpolate(x, factor, axis):
    """Linear, half pixels, in double."""
    n = x.shape[axis]
    at = np.clip((np.arange(int(n * factor)) + 0.5) / factor - 0.5, 0, n - 1)
    low = np.floor(at).astype(int)
    shape = [-1 if d == axis else 1 for d in range(x.ndim)]
    w = (at - low).reshape(shape)
    high = np.minimum(low + 1, n - 1)
    return x.take(low, axis) * (1 - w) + x.take(high, axis) * w


def quantized_resize(dtype, factors, scales, zeros, shape):
    nodes = [h.make_node("DequantizeLinear", ["x", "sx", "zx"], ["d"]),
             h.make_node("Resize", ["d", "", "f"], ["r"], mode="linear"),
             h.make_node("QuantizeLinear", ["r", "sy", "zy"], ["y"])]
    kind = h.np_dtype_to_tensor_dtype(np.dtype(dtype))
    model = make_model(
        nodes, [("x", kind, shape)], [("y", kind, None)],
        [("sx", F32(scales[0])), ("sy", F32(scales[1])),
         ("zx", np.array(zeros[0], dtype)), ("zy", np.array(zeros[1], dtype)),
         ("f", np.array(factors, F32))])
    return qopt.quantize(qopt.load(model), scheme="qdq")


# Stored integers are interpolated exactly and rounded once.
@pytest.mark.parametrize("dtype", [np.uint8, np.int8])
@pytest.mark.parametrize("factors", [
    (1, 1, 2, 2), (1, 1, 4, 4), (1, 1, 3, 2), (1, 1, 5, 7), (1, 1, 1, 4),
    (1, 1, 0.5, 3), (1, 2, 2, 2)])
def test_resize_of_bytes(dtype, factors):
    shape = (1, 3, 6, 10)
    x = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    x = x.view(dtype)
    zeros = (120, 131) if dtype is np.uint8 else (-8, 3)
    model = quantized_resize(dtype, factors, (0.5, 0.75), zeros, shape)
    assert "qg.resize" in model.to_mlir() and "ui8" in model.to_mlir() or \
        "si8" in model.to_mlir()
    y, = run_model(model, x)
    exact = x.astype(float) - zeros[0]
    for axis, factor in enumerate(factors):
        if factor != 1:
            exact = interpolate(exact, factor, axis)
    exact = exact * 0.5 / 0.75 + zeros[1]
    info = np.iinfo(dtype)
    # Half a step and what an f32 loses near a tie.
    wrong = np.abs(y - np.clip(exact, info.min, info.max))
    assert wrong.max() <= 0.5 + 1e-4


# Sums of cubic taps leave the range of the bytes: they saturate.
def test_cubic_resize_of_bytes_saturates():
    nodes = [h.make_node("DequantizeLinear", ["x", "s", "z"], ["d"]),
             h.make_node("Resize", ["d", "", "f"], ["r"], mode="cubic"),
             h.make_node("QuantizeLinear", ["r", "s", "z"], ["y"])]
    model = make_model(
        nodes, [("x", TensorProto.UINT8, [1, 8])],
        [("y", TensorProto.UINT8, None)],
        [("s", F32(1)), ("z", np.array(0, np.uint8)),
         ("f", np.array([1, 2], F32))])
    x = np.array([[0, 0, 255, 255, 0, 0, 255, 255]], np.uint8)
    y, = run_model(qopt.quantize(qopt.load(model), scheme="qdq"), x)
    assert y.min() == 0 and y.max() == 255
    assert y.dtype == np.uint8 and y.shape == (1, 16)


# Channels last, as behind a convolution: the same numbers, another loop.
@pytest.mark.parametrize("channels", [1, 3, 16, 19])
def test_resize_between_convolutions(channels):
    rng = np.random.default_rng(1)
    nodes = [h.make_node("Conv", ["x", "a"], ["c"]),
             h.make_node("Resize", ["c", "", "f"], ["r"], mode="linear"),
             h.make_node("Conv", ["r", "b"], ["y"])]
    model = make_model(
        nodes, [("x", TensorProto.FLOAT, [1, 2, 5, 6])],
        [("y", TensorProto.FLOAT, None)],
        [("a", floats(rng, (channels, 2, 1, 1))),
         ("b", floats(rng, (4, channels, 1, 1))),
         ("f", np.array([1, 1, 2, 4], F32))])
    loaded = qopt.load(model)
    x = floats(rng, (1, 2, 5, 6))
    y, = run_model(loaded, x)
    want = np.einsum("oc,nchw->nohw", floats_of(model, "a"), x)
    want = interpolate(interpolate(want, 2, 2), 4, 3)
    want = np.einsum("oc,nchw->nohw", floats_of(model, "b"), want)
    np.testing.assert_allclose(y, want, rtol=1e-4, atol=1e-4)
    data = floats(rng, (8, 1, 2, 5, 6))
    small = qopt.quantize(loaded, data=list(data), scheme="w8a8")
    z, = run_model(small, x)
    noise = 10 * np.log10((want**2).sum() / ((z - want)**2).sum())
    assert noise > 25


def floats_of(model, name):
    tensor, = [t for t in model.graph.initializer if t.name == name]
    return numpy_helper.to_array(tensor)[:, :, 0, 0]


# The taps of a resize are no weights: --weights leaves them alone.
def test_resize_is_not_counted_as_weights():
    nodes = [h.make_node("Resize", ["x", "", "f"], ["r"], mode="linear"),
             h.make_node("Conv", ["r", "w"], ["y"])]
    model = make_model(
        nodes, [("x", TensorProto.FLOAT, [1, 4, 16, 16])],
        [("y", TensorProto.FLOAT, None)],
        [("w", np.eye(4, dtype=F32).reshape(4, 4, 1, 1)),
         ("f", np.array([1, 1, 2, 2], F32))])
    data = floats(np.random.default_rng(0), (24, 1, 4, 16, 16))
    small = qopt.quantize(qopt.load(model), data=list(data), scheme="w4a8",
                          transforms="none")
    y, = run_model(small, data[0])
    want = interpolate(interpolate(data[0], 2, 2), 2, 3)
    assert 10 * np.log10((want**2).sum() / ((y - want)**2).sum()) > 30
