# SPDX-License-Identifier: Apache-2.0
"""If, Loop and Scan: decided at compile time and at run time, against values
that NumPy gives; interpreter and machine code have the same bits."""
import numpy as np
import pytest

pytest.importorskip("onnx")
from onnx import TensorProto as T, helper as h, numpy_helper

import onnx_files
import qopt
from onnx_files import value

F32, I64, BOOL = T.FLOAT, T.INT64, T.BOOL


def constant(name, array):
    return numpy_helper.from_array(np.asarray(array), name)


def graph(nodes, inputs, outputs, initializers=()):
    return h.make_graph(nodes, "body", inputs, outputs, list(initializers))


def branches(then_nodes, else_nodes, outputs):
    values = [value(o, None) for o in outputs]
    return dict(then_branch=graph(then_nodes, [], values),
                else_branch=graph(else_nodes, [], values))


def choice():
    node = h.make_node("If", ["c"], ["y", "z"], **branches(
        [h.make_node("Relu", ["x"], ["r"]), h.make_node("Neg", ["w"], ["s"])],
        [h.make_node("Add", ["x", "k"], ["r"]), h.make_node("Abs", ["w"], ["s"])],
        ["r", "s"]))
    return onnx_files.model_of(
        [node], [value("c", [], BOOL), value("x", [3]), value("w", [2], I64)],
        [value("y", None), value("z", None, I64)],
        [constant("k", np.float32([1, 2, 3]))], opset=18)


@pytest.mark.parametrize("taken", [True, False])
def test_if(tmp_path, taken):
    x, w = np.float32([-1, 0, 2]), np.array([-5, 7])
    y, z = onnx_files.run(tmp_path, choice(), [np.array(taken), x, w])
    assert np.array_equal(y, np.maximum(x, 0) if taken else x + [1, 2, 3])
    assert np.array_equal(z, -w if taken else abs(w))


@pytest.mark.parametrize("taken", [True, False])
def test_if_decided(tmp_path, taken):
    """A condition that is given leaves one branch."""
    model = onnx_files.load(tmp_path, choice(), constants={"c": np.array(taken)})
    assert "qg.loop" not in model.to_mlir()
    x, w = np.float32([-1, 0, 2]), np.array([-5, 7])
    y, _ = onnx_files.run_model(model, [x, w])
    assert np.array_equal(y, np.maximum(x, 0) if taken else x + [1, 2, 3])


def test_if_takes_one_branch(tmp_path):
    """Division by 0 in the branch that is not taken is no error."""
    node = h.make_node("If", ["c"], ["y"], **branches(
        [h.make_node("Div", ["x", "d"], ["r"])], [h.make_node("Abs", ["x"], ["r"])],
        ["r"]))
    model = onnx_files.model_of(
        [node], [value("c", [], BOOL), value("x", [2], I64), value("d", [2], I64)],
        [value("y", None, I64)], opset=18)
    y, = onnx_files.run(tmp_path, model,
                        [np.array(False), np.array([-4, 6]), np.array([0, 0])])
    assert np.array_equal(y, [4, 6])


def test_if_of_two_shapes(tmp_path):
    node = h.make_node("If", ["c"], ["y"], **branches(
        [h.make_node("Abs", ["x"], ["r"])],
        [h.make_node("Unsqueeze", ["x", "axis"], ["r"])], ["r"]))
    model = onnx_files.model_of([node], [value("c", [], BOOL), value("x", [2])],
                                [value("y", None)],
                                [constant("axis", np.array([0]))], opset=18)
    with pytest.raises(qopt.UnsupportedError, match="results of equal types"):
        onnx_files.load(tmp_path, model)


def loop(count=None, condition=None, stacks=True, limit=None):
    """s, p = s + x, s; stops where the sum of s is not below `limit`."""
    nodes = [h.make_node("Add", ["s", "x"], ["s2"]),
             h.make_node("Mul", ["p", "two"], ["p1"]),
             h.make_node("Cast", ["i"], ["if"], to=F32),
             h.make_node("Add", ["s", "if"], ["row"])]
    if limit is None:
        nodes.append(h.make_node("Identity", ["go"], ["go2"]))
    else:
        nodes += [h.make_node("ReduceSum", ["s2"], ["sum"], keepdims=0),
                  h.make_node("Less", ["sum", "limit"], ["go2"])]
    outputs = [value("go2", [], BOOL), value("s2", [2]), value("s", [2])]
    if stacks:
        outputs.append(value("row", [2]))
    body = graph(nodes, [value("i", [], I64), value("go", [], BOOL),
                         value("s", [2]), value("p", [2])], outputs,
                 [constant("limit", np.float32(limit or 0))])
    inputs, initializers = [value("x", [2])], [constant("two", np.float32(2))]
    names = ["", ""]
    if count == "input":
        inputs.append(value("m", [], I64))
        names[0] = "m"
    elif count is not None:
        initializers.append(constant("m", np.int64(count)))
        names[0] = "m"
    if condition == "input":
        inputs.append(value("c", [], BOOL))
        names[1] = "c"
    initializers += [constant("s0", np.float32([0, 1])),
                     constant("p0", np.float32([5, 5]))]
    outs = ["s_end", "p_end"] + (["rows"] if stacks else [])
    node = h.make_node("Loop", names + ["s0", "p0"], outs, name="loop", body=body)
    return onnx_files.model_of([node], inputs, [value(o, None) for o in outs],
                               initializers, opset=18)


def expect(x, steps, limit=None):
    s, p, rows = np.float32([0, 1]), np.float32([5, 5]), []
    for i in range(steps):
        rows.append(s + i)
        s, p = s + x, s
        if limit is not None and s.sum() >= limit:
            break
    return s, p, np.array(rows)


@pytest.mark.parametrize("steps", [1, 2, 7])
def test_loop(tmp_path, steps):
    x = np.float32([0.5, -2])
    got = onnx_files.run(tmp_path, loop(steps), [x])
    for a, b in zip(got, expect(x, steps)):
        assert np.array_equal(a, b)


@pytest.mark.parametrize("steps", [0, 1, 5])
def test_loop_of_a_computed_count(tmp_path, steps):
    x = np.float32([0.5, -2])
    got = onnx_files.run(tmp_path, loop("input", stacks=False),
                         [x, np.array(steps)])
    for a, b in zip(got, expect(x, steps)):
        assert np.array_equal(a, b)


@pytest.mark.parametrize("count,steps", [(None, 100), (3, 3)])
def test_loop_that_stops_by_data(tmp_path, count, steps):
    x = np.float32([0.5, 2])
    got = onnx_files.run(tmp_path, loop(count, stacks=False, limit=10), [x])
    for a, b in zip(got, expect(x, steps, 10)):
        assert np.array_equal(a, b)


@pytest.mark.parametrize("starts", [True, False])
def test_loop_with_a_condition(tmp_path, starts):
    x = np.float32([0.5, 2])
    got = onnx_files.run(tmp_path, loop(4, "input", stacks=False),
                         [x, np.array(starts)])
    for a, b in zip(got, expect(x, 4 if starts else 0)):
        assert np.array_equal(a, b)


def test_loop_without_end(tmp_path):
    with pytest.raises(qopt.Error, match="expects a loop that ends"):
        onnx_files.load(tmp_path, loop(stacks=False))


def test_loop_of_computed_length(tmp_path):
    with pytest.raises(qopt.UnsupportedError, match="known at compile time where "
                                                    "their results are stacked"):
        onnx_files.load(tmp_path, loop("input"))


def test_growing_state(tmp_path):
    """A state of another shape at every step: unrolled."""
    body = graph(
        [h.make_node("Concat", ["s", "x"], ["s2"], axis=0),
         h.make_node("Identity", ["go"], ["go2"])],
        [value("i", [], I64), value("go", [], BOOL), value("s", None)],
        [value("go2", [], BOOL), value("s2", None)])
    node = h.make_node("Loop", ["m", "", "x"], ["y"], body=body)
    model = onnx_files.model_of([node], [value("x", [2])], [value("y", None)],
                                [constant("m", np.int64(3))], opset=18)
    x = np.float32([1, 2])
    got, = onnx_files.run(tmp_path, model, [x])
    assert np.array_equal(got, np.tile(x, 4))


def scan(directions=(0, 0), axes=(0, 0), out=(0, 0)):
    body = graph(
        [h.make_node("Mul", ["s", "a"], ["t"]), h.make_node("Add", ["t", "b"], ["s2"]),
         h.make_node("Neg", ["s2"], ["n"])],
        [value("s", [2]), value("a", [2]), value("b", [2])],
        [value("s2", [2]), value("s2", [2]), value("n", [2])])
    shapes = [[4, 2] if axis == 0 else [2, 4] for axis in axes]
    node = h.make_node("Scan", ["s0", "a", "b"], ["s_end", "ys", "ns"], body=body,
                       num_scan_inputs=2, scan_input_directions=list(directions),
                       scan_input_axes=list(axes), scan_output_axes=list(out),
                       scan_output_directions=[0, 1])
    return onnx_files.model_of(
        [node], [value("s0", [2]), value("a", shapes[0]), value("b", shapes[1])],
        [value(o, None) for o in ("s_end", "ys", "ns")], opset=18)


@pytest.mark.parametrize("directions", [(0, 0), (1, 0), (1, 1)])
@pytest.mark.parametrize("axes,out", [((0, 0), (0, 0)), ((1, -1), (1, -1))])
def test_scan(tmp_path, directions, axes, out):
    rng = np.random.default_rng(0)
    a, b = (rng.normal(size=(4, 2)).astype(np.float32) for _ in range(2))
    s = s0 = np.float32([1, -1])
    ys = []
    for i in range(4):
        s = s * a[3 - i if directions[0] else i] + b[3 - i if directions[1] else i]
        ys.append(s)
    feeds = [s0] + [x.T.copy() if axis else x for x, axis in zip((a, b), axes)]
    end, got, negative = onnx_files.run(
        tmp_path, scan(directions, axes, out), feeds)
    turn = (lambda x: x.T) if out[0] else (lambda x: x)
    assert np.array_equal(end, s)
    assert np.array_equal(got, turn(np.array(ys)))
    assert np.array_equal(negative, turn(-np.array(ys[::-1])))


def test_nested(tmp_path):
    """A loop in a scan in a branch that data choose: names of all that is
    around can be read."""
    inner = graph(
        [h.make_node("Add", ["v", "row"], ["u"]), h.make_node("Mul", ["u", "k"], ["v2"]),
         h.make_node("Identity", ["g"], ["g2"])],
        [value("i", [], I64), value("g", [], BOOL), value("v", [2])],
        [value("g2", [], BOOL), value("v2", [2])])
    body = graph(
        [h.make_node("Loop", ["three", "", "s"], ["s2"], body=inner),
         h.make_node("Add", ["s2", "offset"], ["y"])],
        [value("s", [2]), value("row", [2])], [value("s2", [2]), value("y", [2])])
    taken = graph([h.make_node("Scan", ["s0", "x"], ["e", "all"], body=body,
                               num_scan_inputs=1)], [], [value("all", [4, 2])])
    other = graph([h.make_node("Identity", ["x"], ["copy"])], [],
                  [value("copy", [4, 2])])
    model = onnx_files.model_of(
        [h.make_node("Abs", ["o"], ["offset"]),
         h.make_node("If", ["c"], ["y"], then_branch=taken, else_branch=other)],
        [value("c", [], BOOL), value("x", [4, 2]), value("o", [2])],
        [value("y", None)],
        [constant("three", np.int64(3)), constant("k", np.float32(0.5)),
         constant("s0", np.float32([1, 2]))], opset=18)
    x = np.random.default_rng(0).normal(size=(4, 2)).astype(np.float32)
    o = np.float32([-1, 3])
    s, rows = np.float32([1, 2]), []
    for row in x:
        for _ in range(3):
            s = (s + row) * np.float32(0.5)
        rows.append(s + abs(o))
    got, = onnx_files.run(tmp_path, model, [np.array(True), x, o])
    assert np.array_equal(got, np.array(rows))
    got, = onnx_files.run(tmp_path, model, [np.array(False), x, o])
    assert np.array_equal(got, x)


def test_refusal_names_the_inner_node(tmp_path):
    body = graph([h.make_node("Frobnicate", ["s"], ["s2"], name="bad"),
                  h.make_node("Identity", ["go"], ["go2"])],
                 [value("i", [], I64), value("go", [], BOOL), value("s", [2])],
                 [value("go2", [], BOOL), value("s2", [2])])
    node = h.make_node("Loop", ["m", "", "x"], ["y"], name="loop", body=body)
    model = onnx_files.model_of([node], [value("x", [2])], [value("y", None)],
                                [constant("m", np.int64(3))], opset=18)
    with pytest.raises(qopt.UnsupportedError, match="node 'loop/bad'"):
        onnx_files.load(tmp_path, model)


def counted(start=0, step=1, below=4, most=None, weights=True):
    """As tf2onnx writes Keras' layers: the condition is of a counter that is a
    state, and so are the weights; what a step reads it gathers by that state."""
    nodes = [h.make_node("Gather", ["x", "n"], ["xt"], axis=0),
             h.make_node("MatMul", ["s", "w"], ["sw"]),
             h.make_node("Add", ["sw", "xt"], ["s2"]),
             h.make_node("Add", ["n", "step"], ["n2"]),
             h.make_node("Less", ["n2", "below"], ["go2"]),
             h.make_node("Identity", ["s2"], ["row"])]
    body = graph(nodes, [value("i", [], I64), value("go", [], BOOL),
                         value("n", [], I64), value("s", [1, 3]),
                         value("w", [3, 3])],
                 [value("go2", [], BOOL), value("n2", [], I64),
                  value("s2", [1, 3]), value("w", [3, 3]), value("row", [1, 3])])
    rng = np.random.default_rng(0)
    w = rng.normal(size=(3, 3)).astype(np.float32)
    initializers = [constant("step", np.int64(step)),
                    constant("below", np.int64(below)),
                    constant("n0", np.int64(start)), constant("w0", w),
                    constant("s0", np.zeros((1, 3), np.float32))]
    names = ["", "", "n0", "s0", "w0"]
    if most is not None:
        initializers.append(constant("m", np.int64(most)))
        names[0] = "m"
    node = h.make_node("Loop", names, ["n_end", "s_end", "w_end", "rows"],
                       body=body)
    return w, onnx_files.model_of(
        [node], [value("x", [6, 1, 3])],
        [value("n_end", None, I64), value("s_end", None), value("w_end", None),
         value("rows", None)], initializers, opset=18)


@pytest.mark.parametrize("start,step,below,most,steps", [
    (0, 1, 6, None, 6), (0, 1, 4, 100, 4), (2, 2, 6, None, 2), (0, 1, 6, 3, 3),
    (5, 1, 6, None, 1)])
def test_counter_decides(tmp_path, start, step, below, most, steps):
    w, model = counted(start, step, below, most)
    x = np.random.default_rng(1).normal(size=(6, 1, 3)).astype(np.float32)
    loaded = onnx_files.load(tmp_path, model)
    n, s, w_end, rows = onnx_files.run_model(loaded, [x])
    want, all_rows = np.zeros((1, 3), np.float32), []
    for i in range(steps):
        want = want @ w + x[start + i * step]
        all_rows.append(want)
    assert n == start + steps * step and np.array_equal(w_end, w)
    np.testing.assert_allclose(s, want, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(rows, np.array(all_rows), rtol=1e-5, atol=1e-6)
    # The weight is a constant of the body, and no state.
    if steps > 1:
        body = loaded.to_mlir().split("qg.loop")[1]
        assert f"{steps} states" in body.splitlines()[0]
        assert "qg.constant" in body.split("qg.yield")[0]


def test_counter_of_data(tmp_path):
    """A bound that data give decides nothing."""
    _, model = counted()
    model.graph.input.append(value("below", [], I64))
    kept = [t for t in model.graph.initializer if t.name != "below"]
    model.graph.ClearField("initializer")
    model.graph.initializer.extend(kept)
    with pytest.raises(qopt.UnsupportedError, match="known at compile time where "
                                                    "their results are stacked"):
        onnx_files.load(tmp_path, model)
