# SPDX-License-Identifier: Apache-2.0
"""Operators whose extents are numbers of the graph, against ONNX Runtime: bounds
come from what the numbers are computed of, from readers, or from the user."""
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto
from onnx import helper as h

import qopt
from test_counted import model
from test_operators import F32, floats

I64 = np.int64


def check(proto, samples, **options):
    """Compiled once, run on every sample; also by the interpreter."""
    data = onnx.shape_inference.infer_shapes(proto).SerializeToString()
    session = onnxruntime.InferenceSession(
        data, providers=["CPUExecutionProvider"])
    loaded = qopt.load(proto, **options)
    programs = [qopt.compile(loaded), loaded.reference()]
    for inputs in samples:
        want = session.run(None, inputs)
        for program in programs:
            got = program.run_list(*inputs.values())
            for ours, theirs in zip(got, want, strict=True):
                assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
                np.testing.assert_array_equal(ours, theirs)


def scalar_of(name, source):
    return h.make_node("Squeeze", [source], [name])


def clipped(low, high):
    """`n`, a number of the graph in [low, high]."""
    return ([h.make_node("Min", ["x", "high"], ["below"]),
             h.make_node("Max", ["below", "low"], ["n"])],
            {"low": np.array(low, I64), "high": np.array(high, I64)})


def numbers(values):
    return [{"x": np.array(v, I64)} for v in values]


@pytest.mark.parametrize("start,delta", [(0, 1), (2, 1), (0, 3), (9, -1), (9, -4)])
def test_range_to_a_clipped_limit(start, delta):
    nodes, constants = clipped(-2, 9)
    nodes += [h.make_node("Range", ["start", "n", "delta"], ["y"]),
              h.make_node("Shape", ["y"], ["shape"])]
    proto = model(nodes, {"x": np.array(0, I64)}, ["y", "shape"],
                  {**constants, "start": np.array(start, I64),
                   "delta": np.array(delta, I64)})
    check(proto, numbers([-9, -2, 0, 1, 5, 9, 99]))


def test_range_of_floats():
    nodes, constants = clipped(0, 9)
    nodes += [h.make_node("Cast", ["n"], ["f"], to=TensorProto.FLOAT),
              h.make_node("Mul", ["f", "half"], ["limit"]),
              h.make_node("Range", ["start", "limit", "delta"], ["y"])]
    proto = model(nodes, {"x": np.array(0, I64)}, ["y"],
                  {**constants, "half": np.array(.5, F32),
                   "start": np.array(.25, F32), "delta": np.array(.25, F32)})
    check(proto, numbers([0, 1, 5, 9]))


def test_range_between_numbers_that_differ_by_a_constant():
    """Positions behind a past: as many as there are tokens."""
    nodes = [h.make_node("Add", ["x", "four"], ["end"]),
             h.make_node("Range", ["x", "end", "one"], ["y"]),
             h.make_node("ReduceSum", ["y"], ["sum"])]
    proto = model(nodes, {"x": np.array(0, I64)}, ["y", "sum"],
                  {"four": np.array(4, I64), "one": np.array(1, I64)})
    check(proto, numbers([-7, 0, 12]))


def shares(ends):
    """Rows by expert, as transformers exports a mixture of experts."""
    rng = np.random.default_rng(0)
    nodes = [h.make_node("Split", ["ends"], ["e0", "e1", "e2"], axis=0,
                         num_outputs=3)]
    for i in range(3):
        nodes += [scalar_of(f"end{i}", f"e{i}"),
                  h.make_node("Range", [f"end{i - 1}" if i else "zero", f"end{i}",
                                        "one"], [f"r{i}"]),
                  h.make_node("Gather", ["x", f"r{i}"], [f"x{i}"], axis=0),
                  h.make_node("MatMul", [f"x{i}", f"w{i}"], [f"p{i}"])]
    nodes.append(h.make_node("Concat", ["p0", "p1", "p2"], ["y"], axis=0))
    constants = {"zero": np.array(0, I64), "one": np.array(1, I64),
                 **{f"w{i}": rng.integers(-4, 5, (4, 3)).astype(F32)
                    for i in range(3)}}
    samples = [{"x": rng.integers(-4, 5, (7, 4)).astype(F32),
                "ends": np.array(e, I64)} for e in ends]
    return model(nodes, samples[0], ["y"], constants), samples


def declare(proto, name, shape):
    for i, output in enumerate(proto.graph.output):
        if output.name == name:
            proto.graph.output[i].CopyFrom(
                h.make_tensor_value_info(name, TensorProto.FLOAT, shape))
    return proto


ENDS = [(2, 5, 7), (0, 7, 7), (0, 0, 7), (7, 7, 7), (3, 3, 7)]


def test_experts_share_rows():
    proto, samples = shares(ENDS)
    check(declare(proto, "y", [7, 3]), samples)


def test_experts_share_rows_of_which_nobody_says_how_many():
    proto, samples = shares([*ENDS, (0, 0, 0), (1, 2, 3)])
    check(proto, samples)


def test_more_rows_than_declared_are_no_numbers():
    proto, samples = shares([(2, 5, 6)])
    loaded = qopt.load(declare(proto, "y", [7, 3]))
    for program in (qopt.compile(loaded), loaded.reference()):
        (y,) = program.run_list(*samples[0].values())
        assert np.isnan(y).all()


def test_experts_are_quantized_one_by_one():
    proto, samples = shares(ENDS)
    loaded = qopt.load(declare(proto, "y", [7, 3]))
    quantized = qopt.quantize(loaded, data=samples, scheme="w8a8")
    code, oracle = qopt.compile(quantized), quantized.reference()
    for inputs in samples:
        (ours,), (theirs,) = (p.run_list(*inputs.values()) for p in (code, oracle))
        (exact,) = loaded.reference().run_list(*inputs.values())
        np.testing.assert_array_equal(ours, theirs)
        assert np.abs(ours - exact).max() <= np.abs(exact).max() / 30


def test_unbounded_range_is_refused_and_bound():
    proto = model([h.make_node("Range", ["zero", "x", "one"], ["y"])],
                  {"x": np.array(0, I64)}, ["y"],
                  {"zero": np.array(0, I64), "one": np.array(1, I64)})
    with pytest.raises(qopt.UnsupportedError, match="--shape y=<extent>"):
        qopt.load(proto)
    check(proto, numbers([-1, 0, 3, 8]), shapes={"y": [8]})
    loaded = qopt.load(proto, shapes={"y": [8]})
    for program in (qopt.compile(loaded), loaded.reference()):
        with pytest.raises(Exception, match="length|code 3"):
            program.run_list(np.array(9, I64))


def test_bound_of_a_symbol_that_no_input_has():
    proto = model([h.make_node("Range", ["zero", "x", "one"], ["y"])],
                  {"x": np.array(0, I64)}, ["y"],
                  {"zero": np.array(0, I64), "one": np.array(1, I64)})
    proto.graph.output[0].CopyFrom(
        h.make_tensor_value_info("y", TensorProto.INT64, ["u0"]))
    check(proto, numbers([0, 3, 5]), dims={"u0": 5})
