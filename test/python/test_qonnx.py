# SPDX-License-Identifier: Apache-2.0
"""Quant, BipolarQuant and Trunc of QONNX against NumPy, written from the
dialect's specification: every rounding mode, sign, range and width."""
import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

import qopt
from modules import run_model


def half_up(x):
    return np.sign(x) * np.floor(np.abs(x) + np.float32(0.5))


def half_down(x):
    return np.sign(x) * np.ceil(np.abs(x) - np.float32(0.5))


MODES = {"ROUND": np.round, "HALF_EVEN": np.round, "CEIL": np.ceil,
         "FLOOR": np.floor, "UP": lambda x: np.sign(x) * np.ceil(np.abs(x)),
         "DOWN": np.trunc, "ROUND_TO_ZERO": np.trunc, "HALF_UP": half_up,
         "HALF_DOWN": half_down}


def quant(x, scale, zero, bits, signed, narrow, mode):
    low = -2 ** (bits - 1) + narrow if signed else 0
    high = 2 ** (bits - 1) - 1 if signed else 2 ** bits - 1 - narrow
    steps = x / scale + np.float32(zero)
    steps = MODES[mode](np.clip(steps, np.float32(low), np.float32(high)))
    return (steps - np.float32(zero)) * scale


def build(tmp_path, op, x, parameters, domain="qonnx.custom_op.general",
          constant=False, **attributes):
    names = [f"p{i}" for i in range(len(parameters))]
    weights = [numpy_helper.from_array(np.asarray(p, np.float32), n)
               for p, n in zip(parameters, names)]
    nodes = [helper.make_node(op, ["w" if constant else "x"] + names, ["q"],
                              domain=domain, **attributes)]
    if constant:
        weights.append(numpy_helper.from_array(x, "w"))
        nodes.append(helper.make_node("Add", ["q", "x"], ["y"]))
    else:
        nodes.append(helper.make_node("Identity", ["q"], ["y"]))
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes, "g", [info("x", TensorProto.FLOAT, x.shape)],
        [info("y", TensorProto.FLOAT, x.shape)], weights)
    model = helper.make_model(
        graph, ir_version=8,
        opset_imports=[helper.make_opsetid("", 17),
                       helper.make_opsetid(domain, 1)])
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return qopt.load(path)


def samples(scale):
    steps = np.arange(-40, 41, dtype=np.float32) / 4
    noise = np.random.default_rng(3).standard_normal(119).astype(np.float32)
    return np.concatenate([steps, noise * 8]) * np.float32(scale)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("signed, narrow", [(1, 0), (1, 1), (0, 0), (0, 1)])
def test_quant(tmp_path, mode, signed, narrow):
    for bits in (2, 3, 4, 8, 13):
        for zero in (0, 1):
            # A power of two: the order of exact steps does not matter.
            x = samples(0.25)
            model = build(tmp_path, "Quant", x, [0.25, zero, bits],
                          signed=signed, narrow=narrow, rounding_mode=mode)
            want = quant(x, np.float32(0.25), zero, bits, signed, narrow, mode)
            np.testing.assert_array_equal(model.reference().run_list(x)[0],
                                          want)


@pytest.mark.parametrize("domain", ["onnx.brevitas", "finn.custom_op.general"])
def test_quant_of_weights_by_channel(tmp_path, domain):
    scale = np.float32([[0.5], [0.01], [3]])
    w = np.random.default_rng(1).standard_normal((3, 50)).astype(np.float32)
    model = build(tmp_path, "Quant", w, [scale, 0, 3], domain, constant=True,
                  signed=1, narrow=1)
    got = run_model(model, np.zeros_like(w))[0]
    np.testing.assert_array_equal(got, quant(w, scale, 0, 3, 1, 1, "ROUND"))


def test_bipolar(tmp_path):
    x = samples(1)
    model = build(tmp_path, "BipolarQuant", x, [0.5])
    np.testing.assert_array_equal(run_model(model, x)[0],
                                  np.where(x >= 0, 0.5, -0.5))


@pytest.mark.parametrize("mode", MODES)
def test_trunc(tmp_path, mode):
    x = samples(0.25)
    model = build(tmp_path, "Trunc", x, [0.25, 0, 8, 5], rounding_mode=mode)
    want = MODES[mode](np.round(x / np.float32(0.25)) / 8) * np.float32(0.25)
    np.testing.assert_array_equal(run_model(model, x)[0], want)


def trunc(x, scale, zero, out_scale, bits, signed, narrow, mode):
    """Version 2, by the formulas of the dialect's own execution."""
    step = np.float32(2 ** np.round(np.log2(out_scale / scale)))
    y = np.round(x / np.float32(scale) + np.float32(zero)) / step
    low = -2 ** (bits - 1) + narrow if signed else 0
    high = 2 ** (bits - 1) - 1 if signed else 2 ** bits - 1 - narrow
    y = MODES[mode](np.clip(y, np.float32(low), np.float32(high)))
    return (y - np.float32(zero) / step) * np.float32(out_scale)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("signed, narrow", [(1, 0), (1, 1), (0, 0), (0, 1)])
def test_trunc_2(tmp_path, mode, signed, narrow):
    x = samples(0.25)
    for bits in (2, 4, 5):
        for zero in (0, 8, 3):
            model = build(tmp_path, "Trunc", x, [0.25, zero, 8, 2.0, bits],
                          rounding_mode=mode, signed=signed, narrow=narrow)
            want = trunc(x, 0.25, zero, 2.0, bits, signed, narrow, mode)
            np.testing.assert_array_equal(model.reference().run_list(x)[0],
                                          want)


def test_trunc_with_output_zero_point(tmp_path):
    x = samples(0.25)
    model = build(tmp_path, "Trunc", x, [0.25, 8, 8, 1.0, 2, 4])
    np.testing.assert_array_equal(model.reference().run_list(x)[0],
                                  trunc(x, 0.25, 8, 1.0, 4, 1, 0, "FLOOR"))
    with pytest.raises(qopt.UnsupportedError, match="output zero point"):
        build(tmp_path, "Trunc", x, [0.25, 8, 8, 1.0, 3, 4])


@pytest.mark.parametrize("op", ["Quant", "IntQuant"])
@pytest.mark.parametrize("bits, signed", [(1, 0), (1, 1), (17, 1), (20, 0),
                                          (32, 1)])
def test_widths_without_a_format(tmp_path, op, bits, signed):
    scale, x = np.float32(2.0 ** -12 if bits > 2 else 0.5), samples(1)
    model = build(tmp_path, op, x, [scale, 0, bits], signed=signed, narrow=0)
    # The dialect means -1 and 1 by one signed bit.
    want = np.where(x >= 0, scale, -scale) if (bits, signed) == (1, 1) else \
        quant(x, scale, 0, bits, signed, 0, "ROUND")
    np.testing.assert_array_equal(run_model(model, x)[0], want)


@pytest.mark.parametrize("mode", ["ROUND", "FLOOR"])
@pytest.mark.parametrize("signed, narrow", [(1, 0), (0, 1)])
def test_parameters_by_channel(tmp_path, mode, signed, narrow):
    x = np.random.default_rng(5).normal(0, 9, (2, 3, 40)).astype(np.float32)
    scale = np.float32([[0.5], [0.25], [1]])
    zero = np.float32([[0], [3], [2]])
    bits = np.float32([[3], [4], [8]])
    for index in range(4):
        parameters = [scale, zero, bits]
        if index < 3:
            parameters[index] = parameters[index][:1].ravel()
        else:
            parameters[0] = scale[None]
        model = build(tmp_path, "Quant", x, parameters, signed=signed,
                      narrow=narrow, rounding_mode=mode)
        scales, zeros, widths = (np.broadcast_to(p, (3, 1)) if p.ndim < 3 else
                                 p[0] for p in parameters)
        want = np.concatenate([
            quant(x[:, i:i + 1], scales[i], zeros[i], widths[i], signed, narrow,
                  mode) for i in range(3)], axis=1)
        np.testing.assert_array_equal(run_model(model, x)[0], want)


def test_bipolar_by_channel(tmp_path):
    x = np.random.default_rng(5).normal(0, 2, (4, 7)).astype(np.float32)
    scale = np.float32([0.5, 1, 2, 4, 0.25, 3, 1])
    model = build(tmp_path, "BipolarQuant", x, [scale])
    np.testing.assert_array_equal(run_model(model, x)[0],
                                  np.where(x >= 0, scale, -scale))


@pytest.mark.parametrize("layout, axis", [("NCHW", 1), ("NHWC", 3), ("", 1)])
@pytest.mark.parametrize("by_channel", [True, False])
def test_thresholds(tmp_path, layout, axis, by_channel):
    rng = np.random.default_rng(7)
    x = np.round(rng.normal(0, 4, (1, 4, 4, 4))).astype(np.float32)
    lists = np.sort(np.round(rng.normal(0, 4, (4 if by_channel else 1, 7))),
                    axis=1).astype(np.float32)
    model = build(tmp_path, "MultiThreshold", x, [lists], data_layout=layout,
                  out_scale=0.5, out_bias=-2.0, out_dtype="INT4")
    spread = lists.reshape([-1 if i == axis else 1 for i in range(4)] + [7])
    want = 0.5 * (x[..., None] >= spread).sum(-1).astype(np.float32) - 2
    np.testing.assert_array_equal(run_model(model, x)[0], want)


@pytest.mark.parametrize("mode", ["ROUND", "FLOOR", "CEIL"])
@pytest.mark.parametrize("exponent, mantissa, bias, most", [
    (4, 3, 7, 480), (5, 2, 15, 57344), (2, 1, 1, 6), (3, 2, 3, 20),
    (4, 0, 9, 1)])
def test_floats(tmp_path, mode, exponent, mantissa, bias, most):
    x = np.concatenate([samples(1), samples(0.01), samples(1000)])
    model = build(tmp_path, "FloatQuant", x,
                  [0.5, exponent, mantissa, bias, most], rounding_mode=mode)
    y = x.astype(np.float64) / 0.5
    power = np.floor(np.log2(np.maximum(np.abs(y), 1e-300)))
    unit = 2.0 ** (np.maximum(power, 1 - bias) - mantissa)
    largest = min(most, (2 - 2.0 ** -mantissa) * 2.0 ** (2 ** exponent - 1 -
                                                         bias))
    want = np.clip(MODES[mode](y / unit) * unit, -largest, largest) * 0.5
    np.testing.assert_array_equal(run_model(model, x)[0], want)


@pytest.mark.parametrize("op, weights", [("Conv", [(3, 2, 2, 2), (3,)]),
                                         ("MaxPool", []),
                                         ("BatchNormalization", [(2,)] * 4)])
def test_channels_last(tmp_path, op, weights):
    rng = np.random.default_rng(2)
    x = rng.normal(size=(1, 5, 4, 2)).astype(np.float32)
    arrays = [rng.uniform(0.5, 2, shape).astype(np.float32)
              for shape in weights]
    window = dict(kernel_shape=[2, 2], strides=[1, 2], pads=[0, 1, 0, 1])
    if op == "BatchNormalization":
        attributes = dict(epsilon=1e-5, momentum=0.9)
    else:
        attributes = dict(window, **(dict(dilations=[1, 1], group=1)
                                     if op == "Conv" else {}))
    names = [f"p{i}" for i in range(len(arrays))]
    nodes = [helper.make_node(op, ["x"] + names, ["y"],
                              domain="qonnx.custom_op.channels_last",
                              **attributes)]
    first = [np.moveaxis(a, -1, 1) if i == 0 and op == "Conv" else a
             for i, a in enumerate(arrays)]
    plain = [helper.make_node(op, ["x"] + names, ["y"], **attributes)]
    info = helper.make_tensor_value_info

    def make(name, nodes, x, arrays, domains):
        graph = helper.make_graph(
            nodes, "g", [info("x", TensorProto.FLOAT, x.shape)],
            [info("y", TensorProto.FLOAT, None)],
            [numpy_helper.from_array(a, n) for a, n in zip(arrays, names)])
        path = tmp_path / name
        path.write_bytes(helper.make_model(
            graph, ir_version=8, opset_imports=[
                helper.make_opsetid(d, v) for d, v in domains.items()]
        ).SerializeToString())
        return path

    path = make("last.onnx", nodes, x, arrays,
                {"": 13, "qonnx.custom_op.channels_last": 1})
    got = run_model(qopt.load(path), x)[0]
    x = np.ascontiguousarray(np.moveaxis(x, -1, 1))
    session = ort.InferenceSession(make("first.onnx", plain, x, first,
                                        {"": 13}))
    want = np.moveaxis(session.run(None, {"x": x})[0], 1, -1)
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("bits, zero, mode, message", [
    (1.5, 0, "ROUND", "bit width"), (33, 0, "ROUND", "bit width"),
    (4, 0.5, "ROUND", "zero point"), (4, 99, "ROUND", "zero point"),
    (4, 0, "SOMEHOW", "rounding mode")])
def test_refusals(tmp_path, bits, zero, mode, message):
    with pytest.raises(qopt.UnsupportedError, match=message):
        build(tmp_path, "Quant", samples(1), [1, zero, bits],
              rounding_mode=mode)
