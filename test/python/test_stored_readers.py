# SPDX-License-Identifier: Apache-2.0
"""Constants that a file stores in integers, read by other than one product:
rows, sums, stacks, convolutions. Interpreter and machine code give what exact
arithmetic on the file's integers gives."""
import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

import qopt
from modules import run_model
from onnx_files import F32, load, model_of, value
from test_stored_weights import TYPES, close, tensor

I64 = TensorProto.INT64


def store(kind, shape, axis, block, has_zero=False, scale_type=np.float32):
    """(node, initializers, doubles) of a constant; block 0: by channel, axis
    None: one scale."""
    random = np.random.default_rng(sum(shape) + 7 * block)
    number, low, high = TYPES[kind]
    codes = random.integers(low, high + 1, shape)
    extents = [] if axis is None else [shape[axis]]
    if block:
        extents = list(shape)
        extents[axis] = -(-shape[axis] // block)
    scales = np.asarray((0.01 + random.random(extents)).astype(scale_type))
    zeros = np.asarray(random.integers(low, high + 1, extents) * has_zero)

    def spread(parameters):
        if block:
            return np.take(np.repeat(parameters, block, axis),
                           np.arange(shape[axis]), axis)
        if axis is None:
            return parameters
        return parameters.reshape([-1] + [1] * (len(shape) - axis - 1))

    attributes = {} if axis is None else {"axis": axis}
    if block:
        attributes["block_size"] = block
    inputs = ["q", "s"] + ["z"] * has_zero
    node = helper.make_node("DequantizeLinear", inputs, ["w"], **attributes)
    tensors = [tensor("q", number, codes), numpy_helper.from_array(scales, "s"),
               tensor("z", number, zeros)]
    real = (codes - spread(zeros)) * spread(scales.astype(float))
    return node, tensors[:len(inputs)], real


def check(folder, model, want, *inputs, scheme="float", tolerance=1e-5):
    """The module, whose two routes agree with each other and with `want`."""
    module = qopt.quantize(load(folder, model), scheme=scheme)
    got, = run_model(module, *inputs)
    assert close(np.asarray(got, float), want, tolerance)
    return module


TABLES = [("i8", (30, 16), 1, 8), ("i4", (30, 16), 1, 8), ("u4", (30, 10), 1, 5),
          ("i2", (9, 20), 1, 4), ("u2", (9, 7), 1, 7), ("u8", (30, 16), 0, 8),
          ("i4", (31, 9), 0, 5), ("i4", (8, 10), 1, 4), ("i8", (12, 5), 0, 0),
          ("u4", (12, 5), 1, 0), ("i4", (12, 5), None, 0),
          ("i8", (6, 4, 8), 2, 4), ("i4", (6, 4, 3), 1, 0), ("i8", (6,), 0, 2)]


@pytest.mark.parametrize("scale_type", [np.float32, np.float16])
@pytest.mark.parametrize("has_zero", [False, True])
@pytest.mark.parametrize("table", TABLES, ids=str)
def test_rows_of_stored_tables(tmp_path, table, has_zero, scale_type):
    node, tensors, real = store(*table, has_zero, scale_type)
    kind = F32 if scale_type is np.float32 else TensorProto.FLOAT16
    picked = np.array([[0, -1, 3], [5, 2, -2]])
    model = model_of([node, helper.make_node("Gather", ["w", "i"], ["y"])],
                     [value("i", [2, 3], I64)],
                     [value("y", [2, 3, *real.shape[1:]], kind)], tensors, 25)
    tolerance = 1e-6 if scale_type is np.float32 else 1e-3
    check(tmp_path, model, real[picked], picked, tolerance=tolerance)


def test_picked_rows_are_stored_as_the_file_has_them(tmp_path):
    """Four bits share bytes, scales are the file's halves."""
    node, tensors, real = store("i4", (64, 32), 1, 16, True, np.float16)
    model = model_of([node, helper.make_node("Gather", ["w", "i"], ["y"])],
                     [value("i", [2], I64)],
                     [value("y", [2, 32], TensorProto.FLOAT16)], tensors, 25)
    module = qopt.quantize(load(tmp_path, model), scheme="float")
    text = module.to_mlir()
    assert "tensor<64x16xui8>" in text and "tensor<64x2xf16>" in text
    assert "qg.dequantize" not in text


@pytest.mark.parametrize("kind", ["i8", "u4", "i2"])
@pytest.mark.parametrize("axis, block", [(0, 8), (1, 4), (1, 0), (None, 0)])
def test_sums_of_stored_constants(tmp_path, kind, axis, block):
    node, tensors, real = store(kind, (30, 16), axis, block, True)
    x = np.random.default_rng(0).standard_normal((30, 16)).astype(np.float32)
    one = numpy_helper.from_array(np.array([0]), "zero")
    nodes = [node, helper.make_node("Add", ["w", "x"], ["a"]),
             helper.make_node("ReduceSum", ["w", "zero"], ["r"], keepdims=0),
             helper.make_node("Add", ["a", "r"], ["y"])]
    model = model_of(nodes, [value("x", [30, 16])], [value("y", [30, 16])],
                     [*tensors, one], 25)
    check(tmp_path, model, real + x + real.sum(0), x)


@pytest.mark.parametrize("scheme", ["float", "qdq", "w8a8-dyn"])
@pytest.mark.parametrize("shape, axis, block", [
    ((2, 32, 6), 1, 16), ((3, 5, 8), 2, 4), ((1, 33, 6), 1, 16),
    ((2, 33, 6), 1, 16), ((4, 8, 3), 0, 2), ((2, 2, 16, 5), 2, 8)], ids=str)
def test_stacks_of_stored_matrices(tmp_path, shape, axis, block, scheme):
    node, tensors, real = store("i4", shape, axis, block, True)
    rows = (*shape[:-2], 3, shape[-2])
    x = np.random.default_rng(1).standard_normal(rows).astype(np.float32)
    model = model_of([node, helper.make_node("MatMul", ["x", "w"], ["y"])],
                     [value("x", rows)], [value("y", [*rows[:-1], shape[-1]])],
                     tensors, 25)
    if scheme == "qdq" and (axis == 0 or shape == (2, 33, 6)):
        return  # no encoding: arithmetic
    module = check(tmp_path, model, x @ real, x, scheme=scheme,
                   tolerance=0.02 if scheme == "w8a8-dyn" else 1e-5)
    assert "qg.dequantize" not in module.to_mlir()


def test_stored_stacks_are_transposed(tmp_path):
    node, tensors, real = store("u4", (2, 6, 32), 2, 16, True)
    x = np.random.default_rng(1).standard_normal((2, 3, 32)).astype(np.float32)
    nodes = [node, helper.make_node("Transpose", ["w"], ["t"], perm=[0, 2, 1]),
             helper.make_node("MatMul", ["x", "t"], ["y"])]
    model = model_of(nodes, [value("x", [2, 3, 32])], [value("y", [2, 3, 6])],
                     tensors, 25)
    module = check(tmp_path, model, x @ real.transpose(0, 2, 1), x)
    assert "group = 16" in module.to_mlir()


def convolve(x, w, strides, dilations, pads, groups):
    """In doubles."""
    x = np.pad(x.astype(float), [(0, 0), (0, 0), (pads[0], pads[2]),
                                 (pads[1], pads[3])])
    kernel = w.shape[2:]
    extents = [(x.shape[2 + d] - dilations[d] * (kernel[d] - 1) - 1) // strides[d]
               + 1 for d in range(2)]
    outputs, inputs = w.shape[0] // groups, w.shape[1]
    result = np.zeros((x.shape[0], w.shape[0], *extents))
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            a, b = i * dilations[0], j * dilations[1]
            seen = x[:, :, a:a + strides[0] * extents[0]:strides[0],
                     b:b + strides[1] * extents[1]:strides[1]]
            seen = seen[:, :, :extents[0], :extents[1]]
            for g in range(groups):
                o = slice(g * outputs, (g + 1) * outputs)
                result[:, o] += np.einsum(
                    "nchw,oc->nohw", seen[:, g * inputs:(g + 1) * inputs],
                    w[o, :, i, j])
    return result


WINDOWS = [([1, 1], [1, 1], [0, 0, 0, 0]), ([2, 1], [1, 2], [1, 0, 2, 3])]


@pytest.mark.parametrize("window", WINDOWS, ids=["dense", "strided"])
@pytest.mark.parametrize("kind", ["i8", "u4"])
@pytest.mark.parametrize("shape, groups, axis, block", [
    ((6, 8, 3, 3), 1, 1, 4), ((6, 8, 3, 3), 1, 0, 3), ((6, 4, 3, 2), 1, 3, 2),
    ((5, 4, 1, 1), 1, 1, 2), ((6, 8, 3, 3), 1, 0, 0), ((6, 8, 3, 3), 1, None, 0),
    ((8, 4, 3, 3), 2, 1, 4), ((8, 1, 3, 3), 8, 0, 0), ((6, 9, 3, 3), 1, 1, 4),
    ((6, 4, 2, 2), 1, 1, 0)], ids=str)
def test_convolutions_with_stored_weights(tmp_path, shape, groups, axis, block,
                                          kind, window):
    strides, dilations, pads = window
    node, tensors, real = store(kind, shape, axis, block, True)
    x = np.random.default_rng(2).standard_normal(
        (2, shape[1] * groups, 7, 8)).astype(np.float32)
    want = convolve(x, real, strides, dilations, pads, groups)
    conv = helper.make_node("Conv", ["x", "w"], ["y"], group=groups,
                            strides=strides, dilations=dilations, pads=pads)
    model = model_of([node, conv], [value("x", x.shape)],
                     [value("y", want.shape)], tensors, 25)
    module = check(tmp_path, model, want, x)
    text = module.to_mlir()
    assert "qg.dequantize" not in text
    if groups == 1 and (axis is None or (axis, block) in [(0, 0), (1, 4)]) and (
            shape[1] != 9):
        assert "qg.matmul" in text and "qg.conv" not in text


def test_blocked_convolution_of_bytes(tmp_path):
    """Activations that the file rounds: a product of bytes, in groups."""
    node, tensors, real = store("i8", (6, 8, 3, 3), 1, 4)
    steps = np.random.default_rng(2).integers(-128, 128, (1, 8, 6, 6))
    x = (steps * 0.125).astype(np.float32)
    want = convolve(x, real, [1, 1], [1, 1], [1, 1, 1, 1], 1)
    nodes = [helper.make_node("QuantizeLinear", ["x", "xs", "xz"], ["xq"]),
             helper.make_node("DequantizeLinear", ["xq", "xs", "xz"], ["xd"]),
             node, helper.make_node("Conv", ["xd", "w"], ["y"],
                                    pads=[1, 1, 1, 1])]
    tensors += [numpy_helper.from_array(np.float32(0.125), "xs"),
                numpy_helper.from_array(np.int8(0), "xz")]
    model = model_of(nodes, [value("x", x.shape)], [value("y", want.shape)],
                     tensors, 25)
    module = check(tmp_path, model, want, x, scheme="qdq", tolerance=1e-6)
    text = module.to_mlir()
    assert "group = 4" in text and "qg.dequantize" not in text


def test_blocked_convolution_is_rounded_as_w8a8_asks(tmp_path):
    """Bytes of activations, the blocks of the file."""
    node, tensors, real = store("i4", (6, 8, 3, 3), 1, 4)
    x = np.random.default_rng(4).standard_normal((4, 1, 8, 6, 6)).astype(
        np.float32)
    want = convolve(x[0], real, [2, 1], [1, 1], [1, 1, 1, 1], 1)
    conv = helper.make_node("Conv", ["x", "w"], ["y"], pads=[1, 1, 1, 1],
                            strides=[2, 1])
    model = model_of([node, conv], [value("x", [1, 8, 6, 6])],
                     [value("y", want.shape)], tensors, 25)
    quantized = qopt.quantize(load(tmp_path, model), scheme="w8a8",
                              data=list(x))
    got, = run_model(quantized, x[0])
    assert close(got.astype(float), want, 0.02)
    text = quantized.to_mlir()
    assert "group = 4" in text and text.count("qg.quantize") == 1
    assert "qg.dequantize" not in text


def test_transposed_convolution_with_stored_weights(tmp_path):
    node, tensors, real = store("i8", (4, 6, 2, 2), 1, 3)
    x = np.random.default_rng(2).standard_normal((1, 4, 3, 3)).astype(np.float32)
    want = np.zeros((1, 6, 4, 4))
    for i in range(2):
        for j in range(2):
            want[:, :, i:i + 3, j:j + 3] += np.einsum(
                "nchw,co->nohw", x, real[:, :, i, j])
    model = model_of([node, helper.make_node("ConvTranspose", ["x", "w"], ["y"])],
                     [value("x", x.shape)], [value("y", want.shape)], tensors, 25)
    assert "qg.dequantize" not in check(tmp_path, model, want, x).to_mlir()


def half_products(convolves):
    """A file in 16 bits: activations, weights and scales."""
    node, tensors, real = store("i8", (8, 4, 3, 3) if convolves else (16, 8),
                                0 if convolves else 1, 0, False, np.float16)
    shape, out = ([1, 4, 6, 6], [1, 8, 4, 4]) if convolves else ([3, 16], [3, 8])
    kind = TensorProto.FLOAT16
    nodes = [helper.make_node("QuantizeLinear", ["x", "xs", "xz"], ["xq"]),
             helper.make_node("DequantizeLinear", ["xq", "xs", "xz"], ["xd"]),
             node, helper.make_node("Conv" if convolves else "MatMul",
                                    ["xd", "w"], ["y"])]
    tensors += [numpy_helper.from_array(np.float16(0.05), "xs"),
                numpy_helper.from_array(np.int8(3), "xz")]
    return model_of(nodes, [value("x", shape, kind)], [value("y", out, kind)],
                    tensors), real, shape


@pytest.mark.parametrize("scheme", ["qdq", "w8a8"])
@pytest.mark.parametrize("convolves", [False, True])
def test_encodings_of_16_bit_files_are_not_rounded_again(tmp_path, convolves,
                                                         scheme):
    model, real, shape = half_products(convolves)
    random = np.random.default_rng(5)
    x = random.standard_normal((4, *shape)).astype(np.float16)
    quantized = qopt.quantize(load(tmp_path, model), scheme=scheme,
                              data=list(x) if scheme == "w8a8" else None)
    got, = run_model(quantized, x[0])
    scale = np.float16(0.05).astype(float)
    seen = (np.clip(np.rint(x[0].astype(np.float32) / np.float32(scale)) + 3,
                    -128, 127) - 3) * scale
    want = (convolve(seen, real, [1, 1], [1, 1], [0] * 4, 1) if convolves
            else seen @ real)
    assert close(got.astype(float), want, 1e-3)
    assert quantized.to_mlir().count("qg.quantize") == 1


def test_weights_of_16_bits_that_are_widened_keep_their_rounding(tmp_path):
    """DequantizeLinear gives halves; the product is one of f32."""
    node, tensors, real = store("i8", (16, 8), 1, 0, True, np.float16)
    nodes = [node, helper.make_node("Cast", ["w"], ["wide"], to=F32),
             helper.make_node("MatMul", ["x", "wide"], ["y"])]
    x = np.random.default_rng(1).standard_normal((3, 16)).astype(np.float32)
    model = model_of(nodes, [value("x", [3, 16])], [value("y", [3, 8])], tensors)
    check(tmp_path, model, x @ real.astype(np.float16).astype(float), x)


@pytest.mark.parametrize("rounding", ["Floor", "Round"])
def test_grids_by_feature_without_bounds_are_not_rounded_again(tmp_path,
                                                               rounding):
    random = np.random.default_rng(3)
    steps = 2.0 ** random.integers(1, 6, 32).astype(np.float32)
    w = np.round(random.standard_normal((32, 8)) * 16).astype(np.float32) / 32
    nodes = [helper.make_node("Mul", ["x", "f"], ["a"]),
             helper.make_node("Add", ["a", "h"], ["b"]),
             helper.make_node(rounding, ["b"], ["c"]),
             helper.make_node("Div", ["c", "f"], ["d"]),
             helper.make_node("Relu", ["d"], ["e"]),
             helper.make_node("MatMul", ["e", "w"], ["y"])]
    half = np.float32(0.5 if rounding == "Floor" else 0)
    model = model_of(nodes, [value("x", [8, 32])], [value("y", [8, 8])], [
        numpy_helper.from_array(array, name)
        for array, name in [(steps, "f"), (half, "h"), (w, "w")]])
    x = random.standard_normal((4, 8, 32)).astype(np.float32)
    q = getattr(np, {"Floor": "floor", "Round": "rint"}[rounding])
    want = np.maximum(q(x[0].astype(float) * steps + half) / steps, 0) @ w
    for scheme in ["w8a8", "w8a8-dyn"]:
        quantized = qopt.quantize(load(tmp_path, model), scheme=scheme,
                                  data=list(x) if scheme == "w8a8" else None)
        got, = run_model(quantized, x[0])
        np.testing.assert_array_equal(got.astype(float), want)
