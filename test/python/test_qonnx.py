# SPDX-License-Identifier: Apache-2.0
"""Quant, BipolarQuant and Trunc of QONNX against NumPy, written from the
dialect's specification: every rounding mode, sign, range and width."""
import numpy as np
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


@pytest.mark.parametrize("bits, zero, mode, message", [
    (1.5, 0, "ROUND", "bit width"), (17, 0, "ROUND", "bit width"),
    (4, 0.5, "ROUND", "zero point"), (4, 99, "ROUND", "zero point"),
    (4, 0, "SOMEHOW", "rounding mode")])
def test_refusals(tmp_path, bits, zero, mode, message):
    with pytest.raises(qopt.UnsupportedError, match=message):
        build(tmp_path, "Quant", samples(1), [1, zero, bits],
              rounding_mode=mode)
