# SPDX-License-Identifier: Apache-2.0
"""Operators of ai.onnx.ml on numbers against onnx's own evaluator; machine code
gives the interpreter's bits."""
import numpy as np
import pytest
from onnx import TensorProto
from onnx import helper as h
from onnx import numpy_helper

import qopt
from modules import run_model
from test_operators import F32, Case, check_case, floats

I64 = np.int64


def ml(op, make, attributes=None, tag="", **more):
    return Case(op, make, attributes or {}, domain="ai.onnx.ml", tag=tag, **more)


def rows(rng, low=-3.0, high=3.0):
    return [floats(rng, (5, 4), low, high)]


def numbers(count, low=-2.0, high=2.0, seed=7):
    return [float(F32(v)) for v in
            np.random.default_rng(seed).uniform(low, high, count)]


CASES = [
    ml("Scaler", rows, {"offset": numbers(4), "scale": numbers(4)}),
    ml("Scaler", lambda r: [floats(r, (4,))],
       {"offset": [0.5], "scale": [2.0]}, "one-number-one-row"),
    # The evaluator gives the input's type, the text a float.
    ml("Scaler", lambda r: [r.integers(-9, 9, (3, 2))],
       {"offset": [1.0, 2.0], "scale": [0.5, 0.25]}, "integers",
       expected=lambda x: ((x - F32([1, 2])) * F32([0.5, 0.25])).astype(F32)),
    ml("Binarizer", rows, {"threshold": 0.25}),
    ml("FeatureVectorizer", lambda r: [floats(r, (3, 2)), floats(r, (3, 4))],
       {"inputdimensions": [2, 4]}),
    ml("FeatureVectorizer", lambda r: [floats(r, (3, 2)), floats(r, (3, 4))],
       {"inputdimensions": [1, 3]}, "cut"),
    ml("ArrayFeatureExtractor",
       lambda r: [floats(r, (5, 7)), np.array([6, 0, 2])]),
    ml("ArrayFeatureExtractor",
       lambda r: [np.array([3, 5, 8]), r.integers(0, 3, (1, 4))], tag="labels",
       bound=(0,)),
    ml("Imputer", lambda r: [np.where(r.random((5, 4)) < 0.4, np.nan,
                                      floats(r, (5, 4))).astype(F32)],
       {"imputed_value_floats": numbers(4),
        "replaced_value_float": float("nan")}, "nan"),
    ml("Imputer", lambda r: [r.integers(-1, 2, (5, 4)).astype(F32)],
       {"imputed_value_floats": [7.0], "replaced_value_float": -1.0}),
    ml("Imputer", lambda r: [r.integers(-1, 2, (5, 4))],
       {"imputed_value_int64s": [4, 5, 6, 7], "replaced_value_int64": -1},
       "integers"),
    ml("OneHotEncoder", lambda r: [r.choice([3, 9, -4, 5], (6, 2))],
       {"cats_int64s": [3, -4, 9], "zeros": 1}),
    ml("OneHotEncoder", lambda r: [r.choice([3, 9], (6,))],
       {"cats_int64s": [3, -4, 9], "zeros": 1}, "vector"),
    ml("LabelEncoder", lambda r: [r.choice([3, 9, -4, 5], (6, 2))],
       {"keys_int64s": [3, -4, 9], "values_int64s": [1, 2, 4],
        "default_int64": 99}),
    ml("LabelEncoder", lambda r: [r.choice([3, 9, -4, 5], (6,))],
       {"keys_int64s": [3, -4, 9], "values_floats": [0.5, -1.0, 4.0],
        "default_float": 8.0}, "to-floats"),
    ml("LabelEncoder", lambda r: [r.choice([0.5, 1.5, 2.0], (6,)).astype(F32)],
       {"keys_floats": [0.5, 1.5], "values_int64s": [7, 8],
        "default_int64": -3}, "from-floats"),
]
CASES += [ml("Normalizer", rows, {"norm": norm}, norm)
          for norm in ("MAX", "L1", "L2")]
CASES += [ml("Normalizer", lambda r: [np.zeros((2, 3), F32)], {"norm": "L2"},
             "zeros")]
CASES += [
    ml("LinearRegressor", rows,
       {"coefficients": numbers(8), "intercepts": numbers(2, seed=1),
        "targets": 2, "post_transform": "NONE"}),
    ml("LinearRegressor", rows,
       {"coefficients": numbers(4), "intercepts": [0.5], "targets": 1,
        "post_transform": "NONE"}, "one"),
]


def classifier(transform, classes, **more):
    return {"coefficients": numbers(4 * classes),
            "intercepts": numbers(classes, seed=1), "multi_class": 1,
            "post_transform": transform, **more}


CASES += [
    ml("LinearClassifier", rows,
       classifier(transform, 3, classlabels_ints=[3, 5, 8]), transform,
       outputs=2)
    for transform in ("NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO")]
CASES += [
    ml("LinearClassifier", rows,
       classifier(transform, 1, classlabels_ints=[4, 6]), f"two-{transform}",
       outputs=2)
    for transform in ("NONE", "LOGISTIC")]


KERNELS = {"LINEAR": [0, 0, 0], "POLY": [0.25, 1.0, 3.0],
           "RBF": [0.3, 0.0, 0.0], "SIGMOID": [0.2, 0.1, 0.0]}


def machine(kernel, vectors):
    return {"kernel_type": kernel, "kernel_params": [float(k) for k in
                                                     KERNELS[kernel]],
            "support_vectors": numbers(4 * vectors, seed=3),
            "post_transform": "NONE"}


CASES += [
    ml("SVMRegressor", rows,
       {**machine(kernel, 6), "coefficients": numbers(6, seed=4),
        "n_supports": 6, "rho": [0.25], "one_class": 0}, kernel, rtol=1e-4)
    for kernel in KERNELS]
CASES += [
    ml("SVMRegressor", rows,
       {**machine("RBF", 6), "coefficients": numbers(6, seed=4),
        "n_supports": 6, "rho": [0.25], "one_class": 1}, "one-class"),
    ml("SVMClassifier", rows,
       {**machine("RBF", 6), "coefficients": numbers(12, seed=4),
        "vectors_per_class": [1, 3, 2], "rho": numbers(3, seed=5),
        "classlabels_ints": [3, 5, 8]}, outputs=2, rtol=1e-4),
    ml("SVMClassifier", rows,
       {**machine("LINEAR", 5), "coefficients": numbers(5, seed=4),
        "vectors_per_class": [2, 3], "rho": [0.5],
        "classlabels_ints": [4, 6]}, "two", outputs=2, rtol=1e-4)]


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_ml_operator(case):
    check_case(case)


# Scores between 0 and 1, of which the probit is finite.
def test_probit():
    case = ml("LinearClassifier", lambda r: [floats(r, (5, 2), 0.05, 0.45)],
              {"coefficients": [1.0, 0.0, 0.0, 1.0, 1.0, 1.0],
               "intercepts": [0.0, 0.0, 0.0], "post_transform": "PROBIT",
               "classlabels_ints": [0, 1, 2]}, outputs=2, rtol=1e-4)
    check_case(case)


@pytest.mark.parametrize("op, attributes, dtype", [
    ("LabelEncoder", {"keys_strings": ["a"], "values_int64s": [1]}, F32),
    ("LabelEncoder", {"keys_int64s": [1], "values_strings": ["a"]}, I64),
    ("OneHotEncoder", {"cats_strings": ["a", "b"]}, I64)])
def test_strings_are_refused(op, attributes, dtype):
    node = h.make_node(op, ["x"], ["y"], domain="ai.onnx.ml", **attributes)
    graph = h.make_graph(
        [node], "g",
        [h.make_tensor_value_info("x", h.np_dtype_to_tensor_dtype(
            np.dtype(dtype)), [3])], [h.make_empty_tensor_value_info("y")])
    model = h.make_model(graph, ir_version=10, opset_imports=[
        h.make_opsetid("", 18), h.make_opsetid("ai.onnx.ml", 3)])
    with pytest.raises(qopt.UnsupportedError, match="strings"):
        qopt.load(model)


# As skl2onnx writes a classifier: an affine map in front, labels behind.
def test_labels_behind_a_network():
    rng = np.random.default_rng(0)
    w = floats(rng, (6, 3))
    nodes = [
        h.make_node("Scaler", ["x"], ["s"], domain="ai.onnx.ml",
                    offset=numbers(6), scale=numbers(6, 0.5, 2)),
        h.make_node("MatMul", ["s", "w"], ["l"]),
        h.make_node("Softmax", ["l"], ["p"]),
        h.make_node("ArgMax", ["p"], ["i"], axis=1, keepdims=1),
        h.make_node("ArrayFeatureExtractor", ["classes", "i"], ["e"],
                    domain="ai.onnx.ml"),
        h.make_node("Reshape", ["e", "sh"], ["label"])]
    graph = h.make_graph(
        nodes, "g", [h.make_tensor_value_info("x", TensorProto.FLOAT, [1, 6])],
        [h.make_tensor_value_info("label", TensorProto.INT64, [1]),
         h.make_tensor_value_info("p", TensorProto.FLOAT, [1, 3])],
        [numpy_helper.from_array(w, "w"),
         numpy_helper.from_array(np.array([3, 5, 8]), "classes"),
         numpy_helper.from_array(np.array([-1]), "sh")])
    model = h.make_model(graph, ir_version=10, opset_imports=[
        h.make_opsetid("", 18), h.make_opsetid("ai.onnx.ml", 1)])
    x = floats(rng, (1, 6))
    label, p = run_model(qopt.load(model), x)
    scores = (x - F32(numbers(6))) * F32(numbers(6, 0.5, 2)) @ w
    assert label == [[3, 5, 8][int(scores.argmax())]]
    np.testing.assert_allclose(p.sum(), 1, rtol=1e-6)


# The last node of a classifier of skl2onnx: its input is given (graphs.test has the warning).
def test_zipmap_is_left_out():
    nodes = [h.make_node("LinearClassifier", ["x"], ["label", "scores"],
                         domain="ai.onnx.ml",
                         **classifier("SOFTMAX", 3, classlabels_ints=[3, 5, 8])),
             h.make_node("ZipMap", ["scores"], ["maps"], domain="ai.onnx.ml",
                         classlabels_int64s=[3, 5, 8])]
    graph = h.make_graph(
        nodes, "g", [h.make_tensor_value_info("x", TensorProto.FLOAT, [2, 4])],
        [h.make_tensor_value_info("label", TensorProto.INT64, [2]),
         h.make_empty_tensor_value_info("maps")])
    model = h.make_model(graph, ir_version=10, opset_imports=[
        h.make_opsetid("", 18), h.make_opsetid("ai.onnx.ml", 3)])
    loaded = qopt.load(model)
    x = floats(np.random.default_rng(0), (2, 4))
    label, scores = run_model(loaded, x)
    assert scores.shape == (2, 3) and set(label) <= {3, 5, 8}
