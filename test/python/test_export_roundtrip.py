# SPDX-License-Identifier: Apache-2.0
"""What qopt writes as QDQ it reads back as the same integers, in every scheme
and format: the same outputs, bit by bit."""
import numpy as np
import pytest
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper

import qopt
from modules import run_model

SHAPE = (1, 3, 12, 12)


def network():
    """A layer of each kind that has an integer form of its own."""
    rng = np.random.default_rng(0)

    def normal(*shape, size=.4):
        return (rng.standard_normal(shape) * size).astype(np.float32)

    weights = {"w0": normal(8, 3, 3, 3), "b0": normal(8),
               "w1": normal(8, 1, 3, 3), "w2": normal(8, 8, 1, 1),
               "b2": normal(8), "w3": normal(576, 10, size=.1),
               "b3": normal(10), "w4": normal(8, 4, 2, 2)}
    nodes = [
        h.make_node("Conv", ["x", "w0", "b0"], ["c0"], pads=[1] * 4),
        h.make_node("Relu", ["c0"], ["r"]),
        h.make_node("MaxPool", ["r"], ["p"], kernel_shape=[2, 2],
                    strides=[2, 2]),
        h.make_node("Conv", ["p", "w1"], ["c1"], pads=[1] * 4, group=8),
        h.make_node("HardSwish", ["c1"], ["s"]),
        h.make_node("Conv", ["s", "w2", "b2"], ["c2"]),
        h.make_node("Add", ["c2", "p"], ["a"]),
        h.make_node("Concat", ["a", "s"], ["c"], axis=1),
        h.make_node("Flatten", ["c"], ["f"]),
        h.make_node("Gemm", ["f", "w3", "b3"], ["y"]),
        h.make_node("ConvTranspose", ["a", "w4"], ["z"], strides=[2, 2])]
    info = h.make_tensor_value_info
    graph = h.make_graph(
        nodes, "g", [info("x", T.FLOAT, SHAPE)],
        [info("y", T.FLOAT, (1, 10)), info("z", T.FLOAT, (1, 4, 12, 12))],
        [numpy_helper.from_array(a, n) for n, a in weights.items()])
    return qopt.load(h.make_model(
        graph, opset_imports=[h.make_opsetid("", 17)],
        ir_version=9).SerializeToString())


SETTINGS = [
    {"scheme": "w8a8"}, {"scheme": "w4a8"}, {"scheme": "w4a4"},
    {"scheme": "w8a8", "weights": "si2"},
    {"scheme": "w8a8", "weights": "si3", "activations": "ui3"},
    {"scheme": "w8a8", "weights": "ui4", "activations": "ui2"},
    {"scheme": "w8a8", "weights": "si5", "activations": "ui5"},
    {"scheme": "w8a8", "weights": "si7", "activations": "ui6"},
    {"scheme": "w8a8", "per_channel_acts": True},
    {"scheme": "w8a8", "requantize": "fixed:31"}]


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda s: "-".join(
    map(str, s.values())))
def test_written_and_read_back(tmp_path, settings):
    rng = np.random.default_rng(1)
    samples = [rng.standard_normal(SHAPE).astype(np.float32) for _ in range(8)]
    first = qopt.quantize(network(), data=samples, **settings)
    first.save(tmp_path / "q.onnx")
    again = qopt.quantize(qopt.load(tmp_path / "q.onnx"), None, "qdq",
                          requantize=settings.get("requantize", "f32"))
    program = qopt.compile(first)
    for x in samples[:3]:
        for a, b in zip(program.run_list(x), run_model(again, x)):
            np.testing.assert_array_equal(a, b)
