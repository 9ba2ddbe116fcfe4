# SPDX-License-Identifier: Apache-2.0
"""Sequences and optionals whose tensors are known one by one, as exporters
write them: split and pick, append in a loop, join, map."""
import numpy as np
import pytest

pytest.importorskip("onnx")
from onnx import TensorProto as T, helper as h, numpy_helper

import onnx_files
import qopt
from onnx_files import value

X = np.random.default_rng(0).normal(size=(2, 5, 3)).astype(np.float32)


def ints(name, values):
    return numpy_helper.from_array(np.array(values, np.int64), name)


CONSTANTS = [ints("zero", 0), ints("one", 1), ints("last", -1), ints("two", 2),
             ints("parts", [1, 4]), ints("three", 3), ints("far", 7)]


def model(*nodes, outputs=("y",)):
    return onnx_files.model_of(nodes, [value("x", X.shape)],
                               [value(o, None) for o in outputs], CONSTANTS,
                               opset=18)


def run(folder, *nodes):
    return onnx_files.run(folder, model(*nodes), [X])[0]


def node(kind, inputs, output, **attributes):
    return h.make_node(kind, inputs.split(), [output], **attributes)


def split(output="s", sizes="", **attributes):
    return node("SplitToSequence", f"x {sizes}", output, axis=1, **attributes)


@pytest.mark.parametrize("position,index", [("zero", 0), ("two", 2), ("last", 4)])
def test_split_and_pick(tmp_path, position, index):
    y = run(tmp_path, split(), node("SequenceAt", f"s {position}", "y"))
    assert np.array_equal(y, X[:, index:index + 1])
    y = run(tmp_path, split(keepdims=0), node("SequenceAt", f"s {position}", "y"))
    assert np.array_equal(y, X[:, index])


@pytest.mark.parametrize("sizes,pieces", [("parts", [1, 4]), ("two", [2, 2, 1])])
def test_split_by_sizes(tmp_path, sizes, pieces):
    want = np.split(X, np.cumsum(pieces)[:-1], axis=1)
    for i, name in ((0, "zero"), (1, "one"), (-1, "last")):
        y = run(tmp_path, split(sizes=sizes), node("SequenceAt", f"s {name}", "y"))
        assert np.array_equal(y, want[i])


def test_join(tmp_path):
    pieces = [node("Neg", "x", "n"), node("SequenceConstruct", "x n", "a"),
              node("SequenceInsert", "a x zero", "b"),
              node("SequenceErase", "b last", "c"),
              node("SequenceInsert", "c n", "d")]
    y = run(tmp_path, *pieces, node("ConcatFromSequence", "d", "y", axis=-1))
    assert np.array_equal(y, np.concatenate([X, X, -X], -1))
    y = run(tmp_path, *pieces,
            node("ConcatFromSequence", "d", "y", axis=1, new_axis=1))
    assert np.array_equal(y, np.stack([X, X, -X], 1))


def test_length(tmp_path):
    y = run(tmp_path, split(), node("SequenceLength", "s", "n"),
            node("Cast", "n", "f", to=T.FLOAT), node("Mul", "x f", "y"))
    assert np.array_equal(y, X * 5)


def test_append_in_a_loop(tmp_path):
    body = h.make_graph(
        [node("Add", "t t", "t2"), node("SequenceInsert", "q t2", "q2"),
         node("Identity", "go", "go2")], "body",
        [value("i", [], T.INT64), value("go", [], T.BOOL), value("t", X.shape),
         h.make_tensor_sequence_value_info("q", T.FLOAT, None)],
        [value("go2", [], T.BOOL), value("t2", X.shape),
         h.make_tensor_sequence_value_info("q2", T.FLOAT, None)])
    y = run(tmp_path, node("SequenceEmpty", "", "e"),
            h.make_node("Loop", ["three", "", "x", "e"], ["t_end", "q_end"],
                        body=body),
            node("ConcatFromSequence", "q_end", "y", axis=0))
    assert np.array_equal(y, np.concatenate([2 * X, 4 * X, 8 * X]))


def test_map(tmp_path):
    body = h.make_graph([node("Mul", "a c", "p"), node("Add", "p b", "r")], "body",
                        [value("a", None), value("b", None), value("c", None)],
                        [value("r", None)])
    y = run(tmp_path, split("s", "two"), node("Abs", "x", "absolute"),
            node("SplitToSequence", "absolute two", "t", axis=1),
            node("ReduceMax", "x", "c", keepdims=0),
            node("SequenceMap", "s t c", "m", body=body),
            node("ConcatFromSequence", "m", "y", axis=1))
    assert np.array_equal(y, X * X.max() + np.abs(X))


def test_optional(tmp_path):
    y = run(tmp_path, node("Optional", "x", "o"), node("OptionalGetElement", "o", "g"),
            node("OptionalHasElement", "o", "has"), node("Cast", "has", "f", to=T.FLOAT),
            node("Add", "g f", "y"))
    assert np.array_equal(y, X + 1)


@pytest.mark.parametrize("nodes,message", [
    ([split(), node("SequenceAt", "s far", "y")],
     "expects a position in a sequence of 5 tensors, got 7"),
    ([split(sizes="three"), node("Relu", "s", "y")],
     "expects a tensor as input 0, got a sequence or an optional"),
    ([node("SequenceLength", "x", "y")], "expects a sequence as input 0"),
    ([split("y")], "output 'y': expects a tensor; sequences and optionals"),
    ([node("SequenceEmpty", "", "e"), node("ConcatFromSequence", "e", "y", axis=0)],
     "expects a sequence that is not empty"),
    ([split("s"), node("SequenceInsert", "s x far", "t"),
      node("SequenceAt", "t zero", "y")], "expects a position"),
])
def test_refused(tmp_path, nodes, message):
    with pytest.raises(qopt.Error, match=message):
        onnx_files.load(tmp_path, model(*nodes))


def test_list_in_a_loop_of_computed_count(tmp_path):
    """How many tensors there are would be known at run time."""
    body = h.make_graph(
        [node("SequenceInsert", "q x", "q2"), node("Identity", "go", "go2")],
        "body",
        [value("i", [], T.INT64), value("go", [], T.BOOL),
         h.make_tensor_sequence_value_info("q", T.FLOAT, None)],
        [value("go2", [], T.BOOL),
         h.make_tensor_sequence_value_info("q2", T.FLOAT, None)])
    bad = model(node("SequenceEmpty", "", "e"),
                h.make_node("Loop", ["m", "", "e"], ["q_end"], body=body),
                node("ConcatFromSequence", "q_end", "y", axis=0))
    bad.graph.input.append(value("m", [], T.INT64))
    with pytest.raises(qopt.UnsupportedError, match="number of steps"):
        onnx_files.load(tmp_path, bad)
