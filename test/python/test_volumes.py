# SPDX-License-Identifier: Apache-2.0
"""Convolutions over three spatial dimensions: machine code gives the bits of
the interpreter, and the float ones ONNX Runtime's values."""
import dataclasses

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto as T
from onnx import helper, numpy_helper

from modules import run_model, run_op
from onnx_files import load


@dataclasses.dataclass
class Window:
    x: tuple  # N, D, H, W, C
    kernel: tuple
    channels: int
    strides: tuple = (1, 1, 1)
    pads: tuple = (0,) * 6
    dilations: tuple = (1, 1, 1)
    groups: int = 1

    def weight(self):
        return (self.channels, *self.kernel, self.x[-1] // self.groups)

    def result(self):
        spatial = [
            (n + self.pads[d] + self.pads[3 + d] - 1
             - (self.kernel[d] - 1) * self.dilations[d]) // self.strides[d] + 1
            for d, n in enumerate(self.x[1:4])]
        return (self.x[0], *spatial, self.channels)


SAME = (1,) * 6
WINDOWS = {
    "video": Window((1, 8, 9, 11, 3), (3, 7, 7), 16, (1, 2, 2),
                    (1, 3, 3, 1, 3, 3)),
    "middle": Window((2, 4, 7, 6, 16), (3, 3, 3), 24, pads=SAME),
    "steps": Window((1, 7, 8, 9, 8), (3, 3, 3), 17, (2, 2, 2), SAME),
    "in-time": Window((1, 6, 5, 4, 12), (3, 1, 1), 8, pads=(1, 0, 0, 1, 0, 0)),
    "in-space": Window((1, 3, 6, 6, 12), (1, 3, 3), 8, pads=(0, 1, 1, 0, 1, 1)),
    "pointwise": Window((2, 3, 4, 5, 7), (1, 1, 1), 9),
    "pointwise-steps": Window((1, 5, 4, 5, 7), (1, 1, 1), 9, (2, 2, 2)),
    "dilated": Window((1, 9, 8, 7, 4), (2, 3, 2), 5, dilations=(3, 2, 4)),
    "uneven": Window((1, 4, 5, 6, 5), (2, 2, 2), 6, pads=(0, 1, 2, 2, 0, 1)),
    "groups": Window((1, 4, 5, 6, 8), (3, 3, 3), 12, pads=SAME, groups=4),
    "depthwise": Window((1, 5, 6, 7, 19), (3, 3, 3), 19, (1, 2, 1), SAME,
                        groups=19),
    "one": Window((1, 1, 1, 1, 1), (1, 1, 1), 1),
    "all-of-it": Window((1, 3, 4, 5, 6), (3, 4, 5), 10),
}


@pytest.mark.parametrize("name", WINDOWS)
@pytest.mark.parametrize("unsigned", [False, True], ids=["s8", "u8"])
def test_integers(tmp_path, name, unsigned):
    window = WINDOWS[name]
    random = np.random.default_rng(3)
    x = random.integers(-128, 128, window.x, np.int8)
    weight = random.integers(-127, 128, window.weight(), np.int8)
    bias = random.integers(-9999, 9999, window.channels, np.int32)
    zero = 131 if unsigned else -5
    text = (f"fxp.conv %a0, %c0, %c1 strides {list(window.strides)} "
            f"pads {list(window.pads)} dilations {list(window.dilations)} "
            f"groups {window.groups} x_zp {zero}"
            f"{' x_unsigned' if unsigned else ''} : ")
    shape = window.result()
    y = run_op(tmp_path, text + types(x, weight, bias, shape), [(x, "i8")],
               [(shape, "i32")], [(weight, "i8"), (bias, "i32")])
    real = (x.view(np.uint8) if unsigned else x).astype(np.int64) - zero
    assert np.array_equal(y, convolve(window, real, weight) + bias)


def types(x, weight, bias, shape):
    def kind(extents, element):
        return "tensor<" + "x".join(map(str, [*extents, element])) + ">"
    return (f"({kind(x.shape, 'i8')}, {kind(weight.shape, 'i8')}, "
            f"{kind(bias.shape, 'i32')}) -> {kind(shape, 'i32')}")


def convolve(window, x, weight):
    """By definition, on integers."""
    pads = [(0, 0), *zip(window.pads[:3], window.pads[3:]), (0, 0)]
    x = np.pad(x, pads)
    n, *extents, channels = window.result()
    y = np.zeros((n, *extents, channels), np.int64)
    inputs, outputs = weight.shape[-1], channels // window.groups
    for tap in np.ndindex(*window.kernel):
        at = tuple(slice(t * d, t * d + (e - 1) * s + 1, s) for t, d, e, s in
                   zip(tap, window.dilations, extents, window.strides))
        part = x[(slice(None), *at)]
        for g in range(window.groups):
            y[..., g * outputs:(g + 1) * outputs] += (
                part[..., g * inputs:(g + 1) * inputs]
                @ weight[(slice(g * outputs, (g + 1) * outputs), *tap)].T
                .astype(np.int64))
    return y


@pytest.mark.parametrize("name", WINDOWS)
def test_floats(tmp_path, name):
    window = WINDOWS[name]
    random = np.random.default_rng(4)
    x = random.normal(size=window.x).astype(np.float32).transpose(0, 4, 1, 2, 3)
    weight = random.normal(size=window.weight()).astype(np.float32)
    bias = random.normal(size=window.channels).astype(np.float32)
    node = helper.make_node(
        "Conv", ["x", "w", "b"], ["y"], strides=window.strides,
        pads=window.pads, dilations=window.dilations, group=window.groups)
    graph = helper.make_graph(
        [node], "g", [helper.make_tensor_value_info("x", T.FLOAT, x.shape)],
        [helper.make_tensor_value_info("y", T.FLOAT, None)],
        [numpy_helper.from_array(weight.transpose(0, 4, 1, 2, 3).copy(), "w"),
         numpy_helper.from_array(bias, "b")])
    model = helper.make_model(
        graph, ir_version=8, opset_imports=[helper.make_opsetid("", 15)])
    want = onnxruntime.InferenceSession(model.SerializeToString()).run(
        None, {"x": np.ascontiguousarray(x)})[0]
    got = run_model(load(tmp_path, model), np.ascontiguousarray(x))[0]
    assert np.allclose(got, want, 1e-4, 1e-4)
