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
                 h.make_node("ArgMax", ["f"], ["y"], axis=1, select_last_index=1),
                 h.make_node("MatMul", ["f", "w"], ["y"]),
                 h.make_node("Unique", ["f"], ["y"]),
                 h.make_node("Unique", ["f"], ["y"], axis=1),
                 h.make_node("Compress", ["f", "marks"], ["y"]),
                 h.make_node("Compress", ["f", "marks"], ["y"], axis=1),
                 h.make_node("ReverseSequence", ["f", "ends"], ["y"], batch_axis=0,
                             time_axis=1),
                 h.make_node("TopK", ["f", "number"], ["y", "at"], axis=0),
                 h.make_node("NonMaxSuppression", ["three_boxes", "few", "three"],
                             ["y"])):
        boxes = [h.make_node("Size", ["f"], ["size"]),
                 h.make_node("Min", ["size", "three"], ["number"]),
                 h.make_node("Concat", ["f", "f"], ["f2"], axis=0),
                 h.make_node("Unsqueeze", ["f2", "zero"], ["transposed"]),
                 h.make_node("Transpose", ["transposed"], ["three_boxes"],
                             perm=[2, 0, 1])]
        proto = model([found, columns, *boxes, node], x, ["y"],
                      {"w": np.ones((12, 2), F32), "marks": np.ones(12, bool),
                       "ends": np.array([3, 1]), "few": np.ones((12, 1, 1), F32),
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


MARKS = np.array([[0, 3, -1, 2], [5, 0, 0, -4], [1, 0, 7, 0]], F32)


def marked_rows():
    """Rows of `table` that `x` marks: how splines pick what lies inside."""
    return [h.make_node("Greater", ["x", "none"], ["inside"]),
            h.make_node("NonZero", ["inside"], ["at"]),
            h.make_node("Transpose", ["at"], ["where"], perm=[1, 0]),
            h.make_node("GatherND", ["table", "where"], ["rows"])]


def check_marked(nodes, outputs, **constants):
    rng = np.random.default_rng(7)
    proto = model(marked_rows() + nodes, {"x": MARKS, "table": floats(rng, (3, 4, 5))},
                  outputs, {"none": np.array(0, F32), **constants})
    for marks in (MARKS, -np.ones_like(MARKS), np.ones_like(MARKS)):
        check(proto, {"x": marks, "table": floats(rng, (3, 4, 5))})


def test_other_axes_of_counted_rows():
    # Sums of whole numbers are the same in any order.
    check_marked([h.make_node("Round", ["rows"], ["whole"]),
                  h.make_node("CumSum", ["whole", "last"], ["sums"]),
                  h.make_node("Pad", ["rows", "pads"], ["padded"]),
                  h.make_node("TopK", ["rows", "two"], ["most", "places"])],
                 ["sums", "padded", "most", "places"], last=np.array(-1),
                 pads=np.array([0, 1, 0, 0]), two=np.array([2]))


def test_shapes_made_of_lengths():
    """Expand, ConstantOfShape, Reshape and Range of extents that data decide, with
    the choice that exporters make between an extent and -1."""
    check_marked([h.make_node("Shape", ["rows"], ["shape"]),
                  h.make_node("Equal", ["shape", "minus"], ["open"]),
                  h.make_node("Where", ["open", "ones", "shape"], ["asked"]),
                  h.make_node("Expand", ["row", "asked"], ["expanded"]),
                  h.make_node("ConstantOfShape", ["asked"], ["zeros"]),
                  h.make_node("Add", ["expanded", "rows"], ["sum"]),
                  h.make_node("Gather", ["shape", "first"], ["count"]),
                  h.make_node("Range", ["first", "count", "step"], ["numbers"]),
                  h.make_node("Unsqueeze", ["count", "front"], ["tall"]),
                  h.make_node("Concat", ["tall", "wide"], ["grid"], axis=0),
                  h.make_node("Reshape", ["rows", "grid"], ["reshaped"])],
                 ["sum", "zeros", "numbers", "reshaped"],
                 minus=np.array([-1, -1]), ones=np.array([1, 1]),
                 row=np.arange(5, dtype=F32)[None], first=np.array(0),
                 step=np.array(1), front=np.array([0]), wide=np.array([5, 1]))


@pytest.mark.parametrize("start", [0, 1, 30])
@pytest.mark.parametrize("end", [2, -1, -30, 99])
def test_slices_of_counted_rows(start, end):
    check_marked([h.make_node("Slice", ["rows", "start", "end", "axis"], ["y"]),
                  h.make_node("Shape", ["y"], ["shape"])], ["y", "shape"],
                 start=np.array([start]), end=np.array([end]), axis=np.array([0]))


@pytest.mark.parametrize("axis", [0, 1])
def test_slices_whose_end_is_computed(axis):
    rng = np.random.default_rng(8)
    nodes = [h.make_node("Slice", ["x", "start", "end", "axis"], ["y"])]
    proto = model(nodes, {"x": floats(rng, (4, 6)), "end": np.array([3])}, ["y"],
                  {"start": np.array([1]), "axis": np.array([axis])})
    for end in (-9, -2, 0, 1, 3, 99):
        check(proto, {"x": floats(rng, (4, 6)), "end": np.array([end])})


def test_scatter_of_counted_rows():
    """Rows behind the last must not reach the table, whose row 0 they would be."""
    check_marked([h.make_node("Neg", ["rows"], ["updates"]),
                  h.make_node("ScatterND", ["table", "where", "updates"], ["y"]),
                  h.make_node("Shape", ["where"], ["shape"]),
                  h.make_node("Gather", ["shape", "zero"], ["count"]),
                  h.make_node("Slice", ["updates", "zero", "count", "zero"], ["first"]),
                  h.make_node("ScatterND", ["table", "where", "first"], ["z"])],
                 ["y", "z"], zero=np.array([0]))


def test_scatter_into_counted_rows():
    """A column of every row, by indices that are as many as the rows."""
    check_marked([h.make_node("Shape", ["rows"], ["shape"]),
                  h.make_node("Gather", ["shape", "zero"], ["count"]),
                  h.make_node("Range", ["zero", "count", "one"], ["numbers"]),
                  h.make_node("Unsqueeze", ["numbers", "back"], ["column"]),
                  h.make_node("Shape", ["column"], ["grid"]),
                  h.make_node("Expand", ["third", "grid"], ["thirds"]),
                  h.make_node("Concat", ["column", "thirds"], ["places"], axis=1),
                  h.make_node("Unsqueeze", ["count", "zero1"], ["count1"]),
                  h.make_node("Expand", ["nine", "count1"], ["nines"]),
                  h.make_node("ScatterND", ["rows", "places", "nines"], ["y"])],
                 ["y"], zero=np.array(0), one=np.array(1), back=np.array([1]),
                 third=np.array([[-3]]), nine=np.array([9], F32), zero1=np.array([0]))


def test_elements_of_counted_rows():
    check_marked([h.make_node("ArgMax", ["rows"], ["most"], axis=1),
                  h.make_node("GatherElements", ["rows", "most"], ["y"], axis=1)],
                 ["y"])


def test_slices_that_meet_the_last_are_refused():
    for start, step in ((-2, 1), (0, 2), (5, -1)):
        with pytest.raises(qopt.UnsupportedError, match="extent depends on data"):
            check_marked([h.make_node("Slice", ["rows", "start", "end", "axis", "step"],
                                      ["y"])], ["y"],
                         start=np.array([start]), end=np.array([4]),
                         axis=np.array([0]), step=np.array([step]))
    with pytest.raises(qopt.UnsupportedError, match="extent depends on data"):
        check_marked([h.make_node("CumSum", ["rows", "first"], ["y"])], ["y"],
                     first=np.array(0))


def test_two_lengths_of_one_shape_are_refused():
    with pytest.raises(qopt.UnsupportedError, match="at most one extent that depends"):
        check_marked([h.make_node("Greater", ["none", "x"], ["outside"]),
                      h.make_node("NonZero", ["outside"], ["others"]),
                      h.make_node("Shape", ["where"], ["a"], end=1),
                      h.make_node("Shape", ["others"], ["b"], start=1),
                      h.make_node("Concat", ["a", "b"], ["both"], axis=0),
                      h.make_node("ConstantOfShape", ["both"], ["y"])], ["y"])


# Where a NaN stands in an order, ONNX leaves open.
EXTREMES = np.array([[0, np.inf, -np.inf, 2], [3, 0, 2, -4],
                     [1, 0, -np.inf, np.inf]], F32)


def marked_values():
    """Elements of `values` that `x` marks."""
    return [h.make_node("NonZero", ["x"], ["at"]),
            h.make_node("Transpose", ["at"], ["where"], perm=[1, 0]),
            h.make_node("GatherND", ["values", "where"], ["marked"])]


def check_values(nodes, outputs, values, **constants):
    x = {"x": MARKS, "values": values}
    proto = model(marked_values() + nodes, x, outputs, constants)
    for marks in (MARKS, np.ones_like(MARKS), MARKS * (MARKS == 5)):
        check(proto, {**x, "x": marks})


@pytest.mark.parametrize("largest", [0, 1])
@pytest.mark.parametrize("values", [EXTREMES, np.tile(np.arange(4), (3, 1)) % 3])
def test_order_of_counted(largest, values):
    """No more than there are, as exporters ask for them."""
    check_values([h.make_node("Shape", ["marked"], ["number"]),
                  h.make_node("Concat", ["four", "number"], ["both"], axis=0),
                  h.make_node("ReduceMin", ["both"], ["least"], keepdims=0),
                  h.make_node("Reshape", ["least", "one"], ["k"]),
                  h.make_node("TopK", ["marked", "k"], ["y", "places"],
                              largest=largest),
                  h.make_node("TopK", ["marked", "number"], ["all", "order"],
                              largest=largest),
                  h.make_node("Gather", ["where", "places"], ["taken"])],
                 ["y", "places", "all", "order", "taken"], values,
                 four=np.array([4]), one=np.array([1]))


def test_bound_of_a_computed_k():
    check_values([h.make_node("Shape", ["marked"], ["number"]),
                  h.make_node("Min", ["four", "number"], ["k"]),
                  h.make_node("TopK", ["marked", "k"], ["y", "at2"])], ["y"],
                 EXTREMES, four=np.array([4]))
    nodes = [h.make_node("TopK", ["x", "k"], ["y", "at"], axis=0)]
    proto = model(nodes, {"x": MARKS, "k": np.array([2])}, ["y", "at"])
    for k in range(4):
        check(proto, {"x": MARKS, "k": np.array([k])})


@pytest.mark.parametrize("dtype", [F32, np.int64])
def test_reductions_of_counted(dtype):
    values = np.array([[3, 1, -2, 2], [5, 4, 2, -4], [1, 7, -8, 6]], dtype)
    kinds = ["ReduceMax", "ReduceMin", "ReduceSum", "ReduceProd", "ReduceL1",
             "ReduceSumSquare", "ArgMax", "ArgMin"]
    kinds += ["ReduceMean"] if dtype == F32 else []
    axes = {} if dtype == F32 else {"keepdims": 0}
    check_values([h.make_node(kind, ["marked"], [kind], **axes) for kind in kinds],
                 kinds, values)


def test_sums_of_nothing():
    x = {"x": np.zeros_like(MARKS), "values": MARKS}
    check(model(marked_values() + [h.make_node("ReduceSum", ["marked"], ["y"])],
                x, ["y"]), x)


@pytest.mark.parametrize("axis", [0, 1])
def test_joined_counted(axis):
    """One behind the other, with those between that all count."""
    turn = [h.make_node("Transpose", ["where"], ["a"], perm=[axis, 1 - axis])]
    nodes = [h.make_node("Greater", ["x", "none"], ["more"]),
             h.make_node("NonZero", ["more"], ["other"]),
             h.make_node("Transpose", ["other"], ["b"], perm=[1 - axis, axis])]
    joins = [["a", "b"], ["a", "whole"], ["whole", "a"], ["a", "a", "whole", "b"],
             ["empty", "a"]]
    joined = [h.make_node("Concat", names, [f"y{i}"], axis=axis)
              for i, names in enumerate(joins)]
    whole = np.arange(6).reshape(3, 2)
    check_values(turn + nodes + joined, [f"y{i}" for i in range(len(joins))], EXTREMES,
                 none=np.array(0, F32), whole=whole if axis == 0 else whole.T,
                 empty=whole[:0] if axis == 0 else whole.T[:, :0])


def test_joined_alike_have_one_length():
    check_values([h.make_node("Shape", ["marked"], ["number"]),
                  h.make_node("ConstantOfShape", ["number"], ["zeros"]),
                  h.make_node("Concat", ["marked", "two"], ["longer"], axis=0),
                  h.make_node("Concat", ["zeros", "two"], ["other"], axis=0),
                  h.make_node("Slice", ["other", "front", "end"], ["all"]),
                  h.make_node("Add", ["longer", "all"], ["y"])], ["y"], EXTREMES,
                 two=np.array([8, 9], F32), front=np.array([0]),
                 end=np.array([2**63 - 1]))


def test_choices_from_counted():
    """Indices from the first and from the last that counts."""
    check_values([h.make_node("Gather", ["marked", "ends"], ["y"]),
                  h.make_node("Gather", ["where", "ends"], ["rows"]),
                  h.make_node("GatherND", ["where", "pairs"], ["elements"]),
                  h.make_node("Greater", ["marked", "none"], ["more"]),
                  h.make_node("NonZero", ["more"], ["places"]),
                  h.make_node("NonZero", ["where"], ["all_places"]),
                  h.make_node("Squeeze", ["places", "front"], ["flat"]),
                  h.make_node("Gather", ["where", "flat"], ["picked"])],
                 ["y", "rows", "elements", "places", "all_places", "picked"],
                 EXTREMES, ends=np.array([0, -1]),
                 pairs=np.array([[-1, 0], [0, -1]]), none=np.array(0, F32),
                 front=np.array([0]))


def test_rows_that_become_one():
    check_values([h.make_node("Reshape", ["where", "flat"], ["y"]),
                  h.make_node("Flatten", ["where"], ["same"], axis=1),
                  h.make_node("NonZero", ["y"], ["places"])],
                 ["y", "same", "places"], EXTREMES, flat=np.array([-1]))


def test_scatter_elements_of_counted():
    nodes = [h.make_node("Greater", ["marked", "none"], ["more"]),
             h.make_node("NonZero", ["more"], ["places"]),
             h.make_node("Squeeze", ["places", "front"], ["flat"]),
             h.make_node("Gather", ["marked", "flat"], ["taken"]),
             h.make_node("Neg", ["taken"], ["updates"]),
             h.make_node("ScatterElements", ["marked", "flat", "updates"], ["y"]),
             h.make_node("ScatterElements", ["whole", "flat", "updates"], ["z"]),
             h.make_node("ScatterElements", ["marked", "last", "nine"], ["w"])]
    check_values(nodes, ["y", "z", "w"], EXTREMES,
                 none=np.array(0, F32), front=np.array([0]),
                 whole=np.arange(12, dtype=F32), last=np.array([-1]),
                 nine=np.array([9], F32))


@pytest.mark.parametrize("limit", [1, 4])
def test_suppression_of_counted(limit):
    """Boxes that a threshold left, as detectors write it."""
    rng = np.random.default_rng(limit)
    inputs = {"boxes": make_boxes(rng, 1, 40)[0], "scores": rng.random(40).astype(F32)}
    nodes = [h.make_node("Greater", ["scores", "least"], ["good"]),
             h.make_node("NonZero", ["good"], ["at"]),
             h.make_node("Squeeze", ["at", "front"], ["which"]),
             h.make_node("Gather", ["boxes", "which"], ["b"]),
             h.make_node("Gather", ["scores", "which"], ["s"]),
             h.make_node("Unsqueeze", ["b", "front"], ["b3"]),
             h.make_node("Unsqueeze", ["s", "both"], ["s3"]),
             h.make_node("NonMaxSuppression", ["b3", "s3", "limit", "overlap"], ["y"]),
             h.make_node("Slice", ["y", "two", "three", "one"], ["index"]),
             h.make_node("Gather", ["b", "index"], ["kept"])]
    proto = model(nodes, inputs, ["y", "kept"],
                  {"least": np.array(.6, F32), "front": np.array([0]),
                   "both": np.array([0, 1]), "limit": np.array([limit]),
                   "overlap": np.array([.4], F32), "two": np.array([2]),
                   "three": np.array([3]), "one": np.array([1])})
    for scale in (1, .8, .5):
        check(proto, {**inputs, "scores": inputs["scores"] * F32(scale)})


def make_branch(nodes, output):
    return h.make_graph(nodes, output, [],
                        [h.make_empty_tensor_value_info(output)])


@pytest.mark.parametrize("swap", [False, True])
def test_branches_of_two_lengths(swap):
    """Nothing where there is nothing, as torch writes it; else what was found."""
    rng = np.random.default_rng(3)
    empty = make_branch([h.make_node("Identity", ["nothing"], ["e"])], "e")
    full = make_branch([h.make_node("Add", ["where", "one"], ["more"]),
                        h.make_node("Concat", ["more", "last"], ["f"], axis=0)], "f")
    nodes = [h.make_node("Shape", ["where"], ["shape"]),
             h.make_node("ReduceProd", ["shape"], ["size"], keepdims=0),
             h.make_node("Equal", ["size", "zero"], ["is_empty"])]
    if swap:
        nodes.append(h.make_node("Not", ["is_empty"], ["is_full"]))
        nodes.append(h.make_node("If", ["is_full"], ["y"], then_branch=full,
                                 else_branch=empty))
    else:
        nodes.append(h.make_node("If", ["is_empty"], ["y"], then_branch=empty,
                                 else_branch=full))
    nodes.append(h.make_node("Shape", ["y"], ["count"]))
    inputs = {"x": MARKS, "values": floats(rng, (3, 4))}
    proto = model(marked_values() + nodes, inputs, ["y", "count"],
                  {"nothing": np.zeros((0, 2), np.int64), "one": np.array(1),
                   "zero": np.array(0), "last": np.array([[7, 8]])})
    for marks in (MARKS, 0 * MARKS, np.ones_like(MARKS)):
        check(proto, {**inputs, "x": marks})


def test_branches_of_two_extents():
    one = make_branch([h.make_node("Neg", ["x"], ["o"])], "o")
    two = make_branch([h.make_node("Concat", ["x", "x"], ["t"], axis=0)], "t")
    nodes = [h.make_node("ReduceSum", ["x"], ["sum"], keepdims=0),
             h.make_node("Greater", ["sum", "none"], ["more"]),
             h.make_node("If", ["more"], ["y"], then_branch=one, else_branch=two)]
    proto = model(nodes, {"x": MARKS}, ["y"], {"none": np.array(0, F32)})
    for x in (MARKS, -MARKS):
        check(proto, {"x": x})
    # But for one extent they must be alike.
    three = make_branch([h.make_node("Concat", ["x", "x"], ["c"], axis=0),
                         h.make_node("Concat", ["c", "c"], ["t"], axis=1)], "t")
    nodes[-1] = h.make_node("If", ["more"], ["y"], then_branch=one, else_branch=three)
    with pytest.raises(qopt.UnsupportedError, match="but for one extent"):
        qopt.load(model(nodes, {"x": MARKS}, ["y"], {"none": np.array(0, F32)}))


def test_regions_of_counted():
    rng = np.random.default_rng(5)
    inputs = {"image": floats(rng, (1, 2, 8, 8)), "boxes": make_boxes(rng, 1, 9)[0] * 7,
              "scores": rng.random(9).astype(F32)}
    nodes = [h.make_node("Greater", ["scores", "least"], ["good"]),
             h.make_node("NonZero", ["good"], ["at"]),
             h.make_node("Squeeze", ["at", "front"], ["which"]),
             h.make_node("Gather", ["boxes", "which"], ["b"]),
             h.make_node("Shape", ["which"], ["number"]),
             h.make_node("ConstantOfShape", ["number"], ["batch"],
                         value=numpy_helper.from_array(np.array([0]))),
             h.make_node("RoiAlign", ["image", "b", "batch"], ["y"], output_height=2,
                         output_width=2, sampling_ratio=2)]
    proto = model(nodes, inputs, ["y"], {"least": np.array(.5, F32),
                                         "front": np.array([0])})
    data = onnx.shape_inference.infer_shapes(proto).SerializeToString()
    (want,) = onnxruntime.InferenceSession(
        data, providers=["CPUExecutionProvider"]).run(None, inputs)
    loaded = qopt.load(proto)
    (ours,), (theirs,) = (qopt.compile(loaded).run_list(*inputs.values()),
                          loaded.reference().run_list(*inputs.values()))
    np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_allclose(ours, want, rtol=1e-5, atol=1e-6)


def make_body(nodes, outputs, states=()):
    inputs = [h.make_tensor_value_info("step", TensorProto.INT64, []),
              h.make_tensor_value_info("goes_on", TensorProto.BOOL, [])]
    inputs += [h.make_tensor_value_info(name, TensorProto.FLOAT, shape)
               for name, shape in states]
    return h.make_graph(nodes, "body", inputs,
                        [h.make_empty_tensor_value_info(name) for name in outputs])


def test_results_of_counted_steps():
    """A step for every one of what was found, as masks are pasted."""
    nodes = [h.make_node("Shape", ["marked"], ["number"]),
             h.make_node("Squeeze", ["number", "front"], ["steps"]),
             h.make_node("Loop", ["steps", "", "start"], ["last", "rows", "sums"],
                         body=make_body(
                             [h.make_node("Identity", ["goes_on"], ["next"]),
                              h.make_node("Gather", ["marked", "step"], ["value"]),
                              h.make_node("Add", ["sum", "value"], ["total"]),
                              h.make_node("Mul", ["total", "weights"], ["row"])],
                             ["next", "total", "row", "total"], [("sum", [])])),
             h.make_node("Concat", ["rows", "rows"], ["twice"], axis=0)]
    x = {"x": MARKS, "values": np.arange(12, dtype=F32).reshape(3, 4)}
    proto = model(marked_values() + nodes, x, ["last", "rows", "sums", "twice"],
                  {"front": np.array([0]), "start": np.array(0, F32),
                   "weights": np.arange(3, dtype=F32)})
    for marks in (MARKS, 0 * MARKS, np.ones_like(MARKS), MARKS * (MARKS == 5)):
        check(proto, {**x, "x": marks})


def test_results_until_a_condition():
    nodes = [h.make_node("Loop", ["most", "", "x"], ["last", "rows"],
                         body=make_body(
                             [h.make_node("Mul", ["state", "two"], ["more"]),
                              h.make_node("ReduceMax", ["more"], ["top"], keepdims=0),
                              h.make_node("Less", ["top", "hundred"], ["next"])],
                             ["next", "more", "more"], [("state", [3])]))]
    proto = model(nodes, {"x": np.zeros(3, F32)}, ["last", "rows"],
                  {"most": np.array(7), "two": np.array(2, F32),
                   "hundred": np.array(100, F32)})
    for top in (1, 3, 60, 200):
        check(proto, {"x": np.array([0, -1, top], F32)})
    # Without a bound there is no room for what the steps give.
    proto = model(nodes, {"x": np.zeros(3, F32), "most": np.array(7)}, ["last", "rows"],
                  {"two": np.array(2, F32), "hundred": np.array(100, F32)})
    with pytest.raises(qopt.UnsupportedError, match="number of steps that is known"):
        qopt.load(proto)
