# SPDX-License-Identifier: Apache-2.0
"""Weights that a file stores, against exact arithmetic: interpreter and machine
code read the integers and scales of the file."""
import itertools

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

import qopt
from modules import run_model
from onnx_files import F32, load, model_of, value

MS = "com.microsoft"
TYPES = {"i8": (TensorProto.INT8, -128, 127), "u8": (TensorProto.UINT8, 0, 255),
         "i4": (TensorProto.INT4, -8, 7), "u4": (TensorProto.UINT4, 0, 15),
         "i2": (TensorProto.INT2, -2, 1), "u2": (TensorProto.UINT2, 0, 3)}


def tensor(name, kind, array):
    return helper.make_tensor(name, kind, array.shape, array.reshape(-1))


def run_scheme(folder, model, scheme, x):
    """Results under a scheme; interpreter and machine code agree."""
    module = qopt.quantize(load(folder, model), scheme=scheme)
    return run_model(module, x)[0]


def close(got, want, tolerance=1e-5):
    return np.abs(got - want).max() <= tolerance * np.abs(want).max()


def expand(parameters, shape, axis, block):
    """Parameters of every element."""
    array = np.asarray(parameters)
    if block:
        array = np.repeat(array, block, axis)
        return np.take(array, np.arange(shape[axis]), axis)
    if array.ndim == 0:
        return np.broadcast_to(array, shape)
    return np.broadcast_to(np.expand_dims(array, 1 - axis), shape)


def make_dequantized(kind, layout, shape, has_zero, scale_type=np.float32):
    """(model, weight in doubles) of x * dequantized [K, N]."""
    random = np.random.default_rng(len(kind) + shape[0])
    number, low, high = TYPES[kind]
    axis, block = {"tensor": (1, 0), "channel": (1, 0), "rows": (0, 0)}.get(
        layout, layout)
    k, n = shape
    if block:
        extents = [k, n]
        extents[axis] = -(-extents[axis] // block)
    else:
        extents = {"tensor": [], "channel": [n], "rows": [k]}[layout]
    codes = random.integers(low, high + 1, shape)
    codes[0, 0], codes[-1, -1] = low, high
    scales = (0.01 + random.random(extents)).astype(scale_type)
    zeros = random.integers(low, high + 1, extents) * has_zero
    tensors = [tensor("q", number, codes), numpy_helper.from_array(
        np.asarray(scales), "s"), tensor("z", number, np.asarray(zeros))]
    attributes = {"axis": axis, **({"block_size": block} if block else {})}
    inputs = ["q", "s", "z"] if has_zero else ["q", "s"]
    real = TensorProto.FLOAT16 if scale_type is np.float16 else F32
    nodes = [helper.make_node("DequantizeLinear", inputs, ["w"], **attributes),
             helper.make_node("MatMul", ["x", "w"], ["y"])]
    model = lambda rows: model_of(
        nodes, [value("x", [rows, k], real)], [value("y", [rows, n], real)],
        tensors if has_zero else tensors[:2], opset=25)
    weight = ((codes - expand(zeros, shape, axis, block)) *
              expand(scales.astype(float), shape, axis, block))
    return model, weight


LAYOUTS = ["tensor", "channel", "rows", (0, 32), (0, 16), (0, 7), (1, 32),
           (1, 16), (1, 5)]


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("has_zero", [False, True], ids=["zero", "points"])
def test_floats_times_stored_weights(tmp_path, kind, layout, has_zero):
    for (k, n), rows in [((70, 50), 1), ((64, 96), 37), ((33, 130), 5)]:
        model, weight = make_dequantized(kind, layout, (k, n), has_zero)
        x = np.random.default_rng(1).standard_normal((rows, k))
        x = x.astype(np.float32)
        for scheme in ("float", "qdq"):
            got = run_scheme(tmp_path, model(rows), scheme, x)
            assert close(got, x.astype(float) @ weight), (k, n, rows)


@pytest.mark.parametrize("kind,layout,has_zero", list(itertools.product(
    ["i8", "u8", "i4", "u4", "u2"], ["tensor", "channel", (0, 32), (0, 12)],
    [False, True])), ids=str)
def test_rows_that_are_rounded(tmp_path, kind, layout, has_zero):
    for rows, (k, n) in [(1, (96, 70)), (19, (100, 48))]:
        model, weight = make_dequantized(kind, layout, (k, n), has_zero)
        x = np.random.default_rng(2).standard_normal((rows, k))
        x = x.astype(np.float32)
        scale = np.abs(x).max(1, keepdims=True) / np.float32(127)
        rounded = np.rint(x / scale).astype(float) * scale
        got = run_scheme(tmp_path, model(rows), "w8a8-dyn", x)
        assert close(got, rounded @ weight)


def test_many_rows_in_tasks(tmp_path):
    """More rows than a task has, tiles that do not divide them, blocks of
    weights that end inside the matrix."""
    for layout in ("channel", (0, 32), (0, 128), (0, 256)):
        model, weight = make_dequantized("i4", layout, (300, 70), False)
        x = np.random.default_rng(3).standard_normal((299, 300))
        x = x.astype(np.float32)
        got = run_scheme(tmp_path, model(299), "float", x)
        assert close(got, x.astype(float) @ weight)


def test_scales_of_halves(tmp_path):
    model, weight = make_dequantized("i8", "channel", (48, 40), False,
                                     np.float16)
    x = np.random.default_rng(4).standard_normal((3, 48)).astype(np.float16)
    want = x.astype(float) @ weight
    got = run_scheme(tmp_path, model(3), "qdq", x)
    assert got.dtype == np.float16
    assert close(got.astype(float), want, 2e-3)


def pack(codes, bits):
    """Codes along the last axis, low bits first."""
    per = 8 // bits
    parts = [codes[..., i::per].astype(np.int64) << (i * bits)
             for i in range(per)]
    return sum(parts).astype(np.uint8)


def make_nbits(bits, block, zeros, level, shape, bias=False, rank=2):
    """(model, weight) of MatMulNBits; zeros: None, packed or float."""
    random = np.random.default_rng(bits + block)
    k, n = shape
    groups = -(-k // block)
    codes = random.integers(0, 1 << bits, (n, groups, block))
    scales = random.standard_normal((n, groups)).astype(np.float32)
    scales[0, 0] = -0.0
    points = np.full((n, groups), 1 << (bits - 1))
    tensors = [numpy_helper.from_array(pack(codes, bits), "b"),
               numpy_helper.from_array(scales.reshape(-1), "s")]
    inputs = ["x", "b", "s"]
    if zeros:
        points = random.integers(0, 1 << bits, (n, groups))
        stored = points.astype(np.float32)
        if zeros == "fractions":
            points = stored = (points + 0.25).astype(np.float32)
        if zeros == "packed":
            per = 8 // bits
            padded = np.zeros((n, -(-groups // per) * per), np.int64)
            padded[:, :groups] = points
            stored = pack(padded, bits).reshape(-1)
        tensors.append(numpy_helper.from_array(stored, "z"))
        inputs.append("z")
    offset = np.zeros(n, np.float32)
    if bias:
        offset = random.standard_normal(n).astype(np.float32)
        tensors.append(numpy_helper.from_array(offset, "c"))
        inputs += [""] * (5 - len(inputs)) + ["c"]
    node = helper.make_node("MatMulNBits", inputs, ["y"], domain=MS, K=k, N=n,
                            bits=bits, block_size=block, accuracy_level=level)
    leading = [3, 2][:rank - 1]
    model = model_of([node], [value("x", [*leading, k])],
                     [value("y", [*leading, n])], tensors, domains=[MS])
    real = (codes - points[..., None]) * scales[..., None].astype(float)
    weight = real.reshape(n, -1)[:, :k].T
    x = random.standard_normal((*leading, k)).astype(np.float32)
    return model, x, weight, offset


@pytest.mark.parametrize("bits", [2, 4, 8])
@pytest.mark.parametrize("zeros", [None, "packed", "float", "fractions"])
@pytest.mark.parametrize("block", [16, 32, 128])
def test_codes_of_matmul_nbits(tmp_path, bits, zeros, block):
    for shape, bias, rank in [((64, 20), False, 3), ((176, 33), True, 2),
                              ((128, 64), True, 1)]:
        model, x, weight, offset = make_nbits(bits, block, zeros, 0, shape, bias,
                                              rank)
        got = run_scheme(tmp_path, model, "qdq" if zeros != "fractions"
                         else "float", x)
        assert close(got, x.astype(float) @ weight + offset)


@pytest.mark.parametrize("zeros", [None, "packed", "float"])
@pytest.mark.parametrize("bits", [2, 4, 8])
def test_accuracy_level_rounds_rows(tmp_path, bits, zeros):
    model, x, weight, offset = make_nbits(bits, 32, zeros, 4, (96, 40), True)
    scale = np.abs(x).max(1, keepdims=True) / np.float32(127)
    rounded = np.rint(x / scale).astype(float) * scale
    got = run_scheme(tmp_path, model, "qdq", x)
    assert close(got, rounded @ weight + offset)


def test_group_indices_are_refused(tmp_path):
    model, *_ = make_nbits(4, 32, None, 0, (64, 16))
    node = model.graph.node[0]
    node.input.extend(["", "g"])
    model.graph.initializer.append(numpy_helper.from_array(
        np.zeros(64, np.int32), "g"))
    with pytest.raises(Exception, match="'g_idx'"):
        load(tmp_path, model)


def make_integer_product(a_kind, b_kind, zero, shape, point):
    """DynamicQuantizeLinear or a constant zero point, then MatMulInteger."""
    random = np.random.default_rng(7)
    rows, k, n = shape
    _, low, high = TYPES[b_kind]
    dtype = np.int8 if b_kind == "i8" else np.uint8
    b = random.integers(low, high + 1, (k, n)).astype(dtype)
    b_zero = {None: 0, "one": low + 3, "each": random.integers(
        low, high + 1, n)}[zero]
    tensors = [numpy_helper.from_array(b, "b"), numpy_helper.from_array(
        np.asarray(b_zero, dtype), "bz")]
    number, a_low, a_high = TYPES[a_kind]
    a_type = np.int8 if a_kind == "i8" else np.uint8
    a = random.integers(a_low, a_high + 1, (rows, k)).astype(a_type)
    inputs = [value("a", [rows, k], number)]
    if point == "input":
        inputs.append(value("az", [], number))
    else:
        tensors.append(numpy_helper.from_array(a_type(5), "az"))
    node = helper.make_node("MatMulInteger", ["a", "b", "az", "bz"], ["y"])
    model = model_of([node], inputs, [value("y", [rows, n],
                                            TensorProto.INT32)], tensors)
    want = (a.astype(np.int64) - 5) @ (b.astype(np.int64) - b_zero)
    feeds = [a] + ([np.asarray(a_type(5))] if point == "input" else [])
    return model, feeds, want


@pytest.mark.parametrize("a_kind,b_kind,zero,point", list(itertools.product(
    ["u8", "i8"], ["u8", "i8"], [None, "one", "each"], ["input", "constant"])))
def test_integer_products_are_exact(tmp_path, a_kind, b_kind, zero, point):
    for shape in [(5, 700, 33), (1, 3, 2)]:
        model, feeds, want = make_integer_product(a_kind, b_kind, zero, shape,
                                                  point)
        got = run_model(qopt.quantize(load(tmp_path, model), scheme="qdq"),
                        *feeds)[0]
        assert (got == want).all()


@pytest.mark.parametrize("pads,strides,group", [
    ([0, 0, 0, 0], [1, 1], 1), ([1, 1, 1, 1], [1, 1], 1),
    ([1, 0, 2, 1], [2, 1], 1), ([1, 1, 1, 1], [1, 1], 2)], ids=str)
@pytest.mark.parametrize("point", ["input", "constant"])
@pytest.mark.parametrize("b_kind", ["i8", "u8"])
def test_integer_convolutions_are_exact(tmp_path, pads, strides, group, point,
                                        b_kind):
    random = np.random.default_rng(8)
    channels, outputs = 64, 6
    _, low, high = TYPES[b_kind]
    dtype = np.int8 if b_kind == "i8" else np.uint8
    x = random.integers(0, 256, (1, channels, 5, 4)).astype(np.uint8)
    w = random.integers(low, high + 1,
                        (outputs, channels // group, 3, 3)).astype(dtype)
    zero = random.integers(low, high + 1, outputs)
    tensors = [numpy_helper.from_array(w, "w"),
               numpy_helper.from_array(zero.astype(dtype), "wz")]
    inputs = [value("x", x.shape, TensorProto.UINT8)]
    if point == "input":
        inputs.append(value("xz", [], TensorProto.UINT8))
    else:
        tensors.append(numpy_helper.from_array(np.uint8(200), "xz"))
    wide = np.pad(x.astype(np.int64) - 200, [(0, 0), (0, 0), (pads[0], pads[2]),
                                             (pads[1], pads[3])])
    height = (wide.shape[2] - 3) // strides[0] + 1
    width = (wide.shape[3] - 3) // strides[1] + 1
    want = np.zeros((1, outputs, height, width), np.int64)
    per = channels // group
    for o, i, j in itertools.product(range(outputs), range(height),
                                     range(width)):
        first = o // (outputs // group) * per
        window = wide[0, first:first + per, i * strides[0]:i * strides[0] + 3,
                      j * strides[1]:j * strides[1] + 3]
        want[0, o, i, j] = (window * (w[o].astype(np.int64) - zero[o])).sum()
    node = helper.make_node("ConvInteger", ["x", "w", "xz", "wz"], ["y"],
                            pads=pads, strides=strides, group=group)
    model = model_of([node], inputs, [value("y", want.shape,
                                            TensorProto.INT32)], tensors)
    feeds = [x] + ([np.asarray(np.uint8(200))] if point == "input" else [])
    got = run_model(qopt.quantize(load(tmp_path, model), scheme="qdq"),
                    *feeds)[0]
    assert (got == want).all()


@pytest.mark.parametrize("transposed,per_column,float_result",
                         list(itertools.product([0, 1], [False, True],
                                                [False, True])))
def test_gemm_of_stored_integers(tmp_path, transposed, per_column,
                                 float_result):
    random = np.random.default_rng(9)
    k, n = 24, 10
    a = random.integers(0, 256, (3, k)).astype(np.uint8)
    b = random.integers(-128, 128, (k, n)).astype(np.int8)
    c = random.integers(-500, 500, n).astype(np.int32)
    b_scale = np.float32(0.01)
    if per_column:
        b_scale = (0.01 + 0.01 * random.random(n)).astype(np.float32)
    named = {"as": np.float32(0.02), "az": np.uint8(120),
             "b": b.T.copy() if transposed else b, "bs": b_scale,
             "bz": np.zeros(np.shape(b_scale), np.int8), "c": c,
             "ys": np.float32(0.5), "yz": np.uint8(128)}
    inputs = ["a", "as", "az", "b", "bs", "bz", "c", "ys", "yz"]
    node = helper.make_node("QGemm", inputs[:7] if float_result else inputs,
                            ["y"], domain=MS, transB=transposed)
    model = model_of(
        [node], [value("a", a.shape, TensorProto.UINT8)],
        [value("y", [3, n], F32 if float_result else TensorProto.UINT8)],
        [numpy_helper.from_array(np.asarray(v), name)
         for name, v in named.items()], domains=[MS])
    sums = (a.astype(np.int64) - 120) @ b.astype(np.int64) + c
    real = sums * (np.float32(0.02) * b_scale).astype(float)
    got = run_model(qopt.quantize(load(tmp_path, model), scheme="qdq"), a)[0]
    if float_result:
        assert close(got, real)
    else:
        want = np.clip(np.rint(real / 0.5) + 128, 0, 255)
        assert np.abs(got.astype(int) - want).max() <= 1
