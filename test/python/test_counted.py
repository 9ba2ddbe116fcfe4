# SPDX-License-Identifier: Apache-2.0
"""Results of which data decide how many elements there are, against ONNX Runtime
and numpy; what would mix the elements behind the last with the others is
refused."""
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto
from onnx import helper as h
from onnx import numpy_helper

import qopt
from test_operators import F32, floats


def model(nodes, inputs, outputs, constants=None):
    kinds = {np.dtype(np.bool_): TensorProto.BOOL,
             np.dtype(np.int64): TensorProto.INT64,
             np.dtype(np.float32): TensorProto.FLOAT}
    graph = h.make_graph(
        nodes, "g",
        [h.make_tensor_value_info(n, kinds[x.dtype], x.shape)
         for n, x in inputs.items()],
        [h.make_empty_tensor_value_info(n) for n in outputs],
        [numpy_helper.from_array(np.asarray(x), n)
         for n, x in (constants or {}).items()])
    return h.make_model(graph, ir_version=9,
                        opset_imports=[h.make_opsetid("", 18)])


def check(proto, inputs):
    data = onnx.shape_inference.infer_shapes(proto).SerializeToString()
    session = onnxruntime.InferenceSession(
        data, providers=["CPUExecutionProvider"])
    want = session.run(None, inputs)
    loaded = qopt.load(proto)
    for program in (qopt.compile(loaded), loaded.reference()):
        assert len(program.outputs) == len(want)
        got = program.run_list(*inputs.values())
        for ours, theirs in zip(got, want, strict=True):
            assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
            np.testing.assert_array_equal(ours, theirs)
    return want


def make_boxes(rng, batches, count):
    low = rng.uniform(0, 1, (batches, count, 2))
    return np.concatenate([low, low + rng.uniform(.1, .4, low.shape)],
                          2).astype(F32)


@pytest.mark.parametrize("limit", [0, 1, 5, 40])
@pytest.mark.parametrize("center", [0, 1])
def test_suppression(limit, center):
    rng = np.random.default_rng(limit)
    inputs = {"boxes": make_boxes(rng, 2, 40),
              # Of equal scores the box of the lower index comes first.
              "scores": rng.integers(0, 12, (2, 3, 40)).astype(F32) / 12}
    nodes = [h.make_node("NonMaxSuppression",
                         ["boxes", "scores", "limit", "overlap", "least"],
                         ["y"], center_point_box=center)]
    proto = model(nodes, inputs, ["y"],
                  {"limit": np.array([limit]), "overlap": np.array([.3], F32),
                   "least": np.array([.2], F32)})
    (y,) = check(proto, inputs)
    assert (len(y) > 0) == (limit > 0)


def test_detection_head():
    """As detectors end: what was kept is looked up, and counted."""
    rng = np.random.default_rng(3)
    inputs = {"boxes": make_boxes(rng, 1, 60), "scores": floats(rng, (1, 4, 60))}
    nodes = [
        h.make_node("Sigmoid", ["scores"], ["p"]),
        h.make_node("NonMaxSuppression",
                    ["boxes", "p", "limit", "overlap", "least"], ["kept"]),
        h.make_node("Gather", ["kept", "two"], ["box"], axis=1),
        h.make_node("Gather", ["kept", "one"], ["kind"], axis=1),
        h.make_node("Squeeze", ["boxes", "zero"], ["flat"]),
        h.make_node("Gather", ["flat", "box"], ["found"], axis=0),
        h.make_node("Mul", ["found", "size"], ["pixels"]),
        h.make_node("Shape", ["kind"], ["number"]),
    ]
    proto = model(nodes, inputs, ["pixels", "kind", "number"],
                  {"limit": np.array(7), "overlap": np.array(.5, F32),
                   "least": np.array(.5, F32), "two": np.array(2),
                   "one": np.array(1), "zero": np.array([0]),
                   "size": np.array([640, 480, 640, 480], F32)})
    pixels, kind, number = check(proto, inputs)
    assert len(pixels) == len(kind) == number[0] > 0


@pytest.mark.parametrize("shape", [(9,), (4, 5), (2, 3, 4), (1, 1), (3, 0)])
def test_non_zero(shape):
    rng = np.random.default_rng(1)
    inputs = {"x": rng.integers(0, 2, shape).astype(F32)}
    check(model([h.make_node("NonZero", ["x"], ["y"])], inputs, ["y"]), inputs)


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
@pytest.mark.parametrize("length", [3, 5])
def test_compress(axis, length):
    rng = np.random.default_rng(5)
    inputs = {"x": floats(rng, (5, 6)), "c": rng.random(length) < .5}
    node = h.make_node("Compress", ["x", "c"], ["y"],
                       **({} if axis is None else {"axis": axis}))
    check(model([node], inputs, ["y"]), inputs)


@pytest.mark.parametrize("is_sorted", [0, 1])
@pytest.mark.parametrize("shape,axis", [((30,), None), ((4, 6), None),
                                        ((12, 2), 0), ((2, 12), 1),
                                        ((2, 9, 2), -2), ((1,), 0)])
def test_unique(shape, axis, is_sorted):
    rng = np.random.default_rng(2)
    inputs = {"x": rng.integers(0, 3, shape).astype(F32)}
    node = h.make_node("Unique", ["x"], ["y", "first", "inverse", "counts"],
                       sorted=is_sorted, **({} if axis is None else {"axis": axis}))
    check(model([node], inputs, ["y", "first", "inverse", "counts"]), inputs)


def test_positions_that_mix_are_refused():
    x = {"x": np.zeros((4, 3), F32)}
    found = h.make_node("NonZero", ["x"], ["i"])
    columns = h.make_node("Cast", ["i"], ["f"], to=TensorProto.FLOAT)
    for node in (h.make_node("Softmax", ["f"], ["y"], axis=1),
                 h.make_node("ReduceSum", ["f"], ["y"]),
                 h.make_node("Concat", ["f", "f"], ["y"], axis=1),
                 h.make_node("MatMul", ["f", "w"], ["y"]),
                 h.make_node("Gather", ["f", "last"], ["y"], axis=1),
                 h.make_node("NonZero", ["f"], ["y"]),
                 h.make_node("Unique", ["f"], ["y"]),
                 h.make_node("Unique", ["f"], ["y"], axis=1),
                 h.make_node("Compress", ["f", "marks"], ["y"]),
                 h.make_node("Compress", ["f", "marks"], ["y"], axis=1),
                 h.make_node("ReverseSequence", ["f", "ends"], ["y"], batch_axis=0,
                             time_axis=1),
                 h.make_node("NonMaxSuppression", ["boxes", "scores", "three"],
                             ["y"])):
        boxes = [h.make_node("Concat", ["f", "f"], ["f2"], axis=0),
                 h.make_node("Transpose", ["f2"], ["t"], perm=[1, 0]),
                 h.make_node("Unsqueeze", ["t", "zero"], ["boxes"])]
        proto = model([found, columns, *boxes, node], x, ["y"],
                      {"w": np.ones((12, 2), F32), "last": np.array(-1),
                       "marks": np.ones(12, bool), "ends": np.array([3, 1]),
                       "scores": np.ones((1, 1, 12), F32),
                       "three": np.array([3]), "zero": np.array([0])})
        with pytest.raises(qopt.UnsupportedError,
                           match="extent depends on data"):
            qopt.load(proto)


def test_quantized_results_keep_their_lengths():
    """Behind a product in 8 bits, interpreter and code give the same boxes."""
    rng = np.random.default_rng(4)
    inputs = {"x": floats(rng, (1, 16))}
    nodes = [h.make_node("MatMul", ["x", "w"], ["m"]),
             h.make_node("Greater", ["m", "limit"], ["c"]),
             h.make_node("Squeeze", ["c"], ["marks"]),
             h.make_node("Compress", ["m", "marks"], ["y"], axis=1)]
    proto = model(nodes, inputs, ["y"],
                  {"w": floats(rng, (16, 24)), "limit": np.array(.5, F32)})
    loaded = qopt.load(proto)
    quantized = qopt.quantize(
        loaded, data=[{"x": floats(rng, (1, 16))} for _ in range(8)],
        scheme="w8a8")
    code, oracle = qopt.compile(quantized), quantized.reference()
    lengths = set()
    for seed in range(5):
        x = floats(np.random.default_rng(seed), (1, 16))
        (ours,), (theirs,) = code.run_list(x), oracle.run_list(x)
        np.testing.assert_array_equal(ours, theirs)
        assert ours.shape[0] == 1 and ours.shape[1] < 24
        lengths.add(ours.shape[1])
    assert len(lengths) > 1
