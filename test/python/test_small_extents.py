# SPDX-License-Identifier: Apache-2.0
"""Extents of 1 and 0 in every dimension of every kind of operator, behind views
whose strides are not those of a whole tensor: machine code gives the bits of
the interpreter, whose values are those of ONNX's reference."""
import itertools
import zlib

import numpy as np
import pytest
from onnx import TensorProto as T
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

import qopt
from onnx_files import model_of, run, value

# name: (shapes of run-time inputs, of constants, attributes). Letters are
# extents, each of which becomes 0 and 1 in its turn; digits are kept.
WINDOW = {"kernel_shape": [1, 1]}
OPS = {
    "Relu": (["abc"], [], {}),
    "Exp": (["abc"], [], {}),
    "Add": (["abc", "abc"], [], {}),
    "Mul": (["abc", "c"], [], {}),
    "Less": (["abc", "abc"], [], {}),
    "Max": (["abc", "bc"], [], {}),
    "MatMul": (["abc"], ["cd"], {}),
    "Gemm": (["ab"], ["bc", "c"], {}),
    "Conv": (["abcd"], ["eb11"], WINDOW),
    "ConvTranspose": (["abcd"], ["be11"], WINDOW),
    "MaxPool": (["abcd"], [], WINDOW),
    "AveragePool": (["abcd"], [], WINDOW),
    "GlobalAveragePool": (["abcd"], [], {}),
    "Softmax": (["abc"], [], {"axis": -1}),
    "LogSoftmax": (["abc"], [], {"axis": 1}),
    "LayerNormalization": (["abc"], ["c", "c"], {}),
    "RMSNormalization": (["abc"], ["c"], {}),
    "InstanceNormalization": (["abc"], ["b", "b"], {}),
    "Transpose": (["abc"], [], {"perm": [2, 0, 1]}),
    "Flatten": (["abc"], [], {"axis": 2}),
    "Concat": (["abc", "abc"], [], {"axis": 1}),
    "ReduceSum": (["abc"], [], {"keepdims": 1}),
    "CumSum": (["abc"], [], {}),
    "Tile": (["abc"], [], {}),
    "Pad": (["abc"], [], {}),
    "Einsum": (["abc", "abd"], [], {"equation": "abc,abd->acd"}),
    "Resize": (["abcd"], [], {"mode": "linear"}),
    "DepthToSpace": (["a4cd"], [], {"blocksize": 2}),
    "SpaceToDepth": (["ab44"], [], {"blocksize": 2}),
    "Gather": (["abc"], [], {"axis": 1}),
    "Where": (["abc", "abc"], [], {}),
}
EXTENTS = {"a": 2, "b": 3, "c": 5, "d": 7, "e": 4}
# Operands that are no floats, behind the others.
EXTRA = {"CumSum": [np.array(1, np.int64)],
         "Tile": [np.array([1, 2, 1], np.int64)],
         "Pad": [np.array([0, 1, 0, 1, 0, 0], np.int64)],
         "Gather": [np.array([0, 0], np.int64)],
         "Resize": [np.array([1, 1, 2, 2], np.float32)]}


def cases():
    for op, (inputs, constants, _) in OPS.items():
        letters = sorted(set("".join(inputs + constants)) & set(EXTENTS))
        for letter, extent in itertools.product(letters, (0, 1)):
            yield op, letter, extent
        # All of them: a single pixel of a single channel.
        yield op, "".join(letters), 1


def shape_of(text, letters, extent):
    return [int(c) if c.isdigit() else extent if c in letters else EXTENTS[c]
            for c in text]


def build(op, letters, extent, view):
    """A model, its inputs; each input passes through `view`."""
    rng = np.random.default_rng(zlib.crc32(f"{op}{letters}{extent}".encode()))
    texts, constants, attributes = OPS[op]
    nodes, infos, arrays, tensors, names = [], [], [], [], []
    for i, text in enumerate(texts):
        shape = shape_of(text, letters, extent)
        name = f"x{i}"
        if view == "rows seen as columns":
            outer = shape[::-1]
            nodes.append(helper.make_node("Transpose", [name], [name + "v"],
                                          perm=list(range(len(shape)))[::-1]))
        else:
            axis = len(shape) - 1 if view == "channels" else len(shape) // 2
            outer = list(shape)
            outer[axis] = outer[axis] * 2
            tensors += [numpy_helper.from_array(np.array([v]), f"{name}{k}")
                        for k, v in zip("beas", (0, outer[axis], axis, 2))]
            nodes.append(helper.make_node(
                "Slice", [name, *(name + k for k in "beas")], [name + "v"]))
        infos.append(value(name, outer))
        arrays.append(rng.standard_normal(outer).astype(np.float32))
        names.append(name + "v")
    for i, text in enumerate(constants):
        array = rng.standard_normal(shape_of(text, letters, extent))
        tensors.append(numpy_helper.from_array(array.astype(np.float32),
                                               f"w{i}"))
        names.append(f"w{i}")
    if op == "Where":
        nodes.append(helper.make_node("Greater", names, ["c"]))
        names.insert(0, "c")
    if op == "Resize":
        names.append("")
    for i, array in enumerate(EXTRA.get(op, [])):
        tensors.append(numpy_helper.from_array(array, f"k{i}"))
        names.append(f"k{i}")
    nodes.append(helper.make_node(op, names, ["y"], **attributes))
    kind = T.BOOL if op == "Less" else T.FLOAT
    return model_of(nodes, infos, [value("y", None, kind)], tensors,
                    opset=23), arrays


@pytest.mark.parametrize("view", ["channels", "middle", "rows seen as columns"])
@pytest.mark.parametrize("op", OPS)
def test_small_extents(tmp_path, op, view):
    for case in cases():
        if case[0] != op or ("c" in case[1] and case[2] == 0 and
                             op == "LayerNormalization"):
            continue
        model, arrays = build(*case, view)
        try:
            got = run(tmp_path, model, *arrays)[0]
        except qopt.ModelError as error:
            # Windows over nothing, positions in nothing: refused, by name.
            assert case[2] == 0 and f"({op}, opset" in str(error), case
            continue
        except Exception as error:
            raise AssertionError(f"{case}: {error}") from error
        try:
            want = ReferenceEvaluator(model).run(
                None, {f"x{i}": a for i, a in enumerate(arrays)})[0]
        except Exception:  # the reference has bugs of its own at 0
            continue
        assert got.shape == want.shape, case
        if got.size:
            assert np.allclose(got, want, rtol=1e-5, atol=1e-6,
                               equal_nan=True), case
