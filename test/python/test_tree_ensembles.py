# SPDX-License-Identifier: Apache-2.0
"""Random forests in the notation of opsets 1 to 3, against ONNX Runtime: every
comparison, missing values, aggregates, and how classes are scored."""
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto as T
from onnx import helper

import qopt
from onnx_files import load
from modules import run_model

MODES = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ",
         "BRANCH_NEQ"]


def grow(random, trees, depth, features, modes):
    """Lists of nodes of `trees` random trees, and (tree, node) of leaves."""
    names = ("treeids", "nodeids", "featureids", "values", "modes",
             "truenodeids", "falsenodeids", "missing_value_tracks_true")
    lists = {f"nodes_{name}": [] for name in names}
    leaves = []

    def add(tree, level):
        number = sum(t == tree for t in lists["nodes_treeids"])
        isLeaf = level == depth or (level > 1 and random.random() < 0.3)
        row = [tree, number, int(random.integers(features)),
               float(random.integers(-2, 3)) / 2,
               "LEAF" if isLeaf else str(random.choice(modes)), 0, 0,
               int(random.integers(2))]
        for name, item in zip(names, row):
            lists[f"nodes_{name}"].append(item)
        index = len(lists["nodes_treeids"]) - 1
        if isLeaf:
            leaves.append((tree, number))
            return number
        lists["nodes_truenodeids"][index] = add(tree, level + 1)
        lists["nodes_falsenodeids"][index] = add(tree, level + 1)
        return number

    for tree in range(trees):
        add(tree, 0)
    return lists, leaves


def check(folder, op, outputs, x, **attributes):
    node = helper.make_node(op, ["x"], outputs, domain="ai.onnx.ml",
                            **attributes)
    kinds = [T.INT64, T.FLOAT] if len(outputs) == 2 else [T.FLOAT]
    graph = helper.make_graph(
        [node], "g", [helper.make_tensor_value_info("x", T.FLOAT, x.shape)],
        [helper.make_tensor_value_info(n, k, None)
         for n, k in zip(outputs, kinds)])
    model = helper.make_model(graph, ir_version=8, opset_imports=[
        helper.make_opsetid("", 15), helper.make_opsetid("ai.onnx.ml", 3)])
    want = onnxruntime.InferenceSession(model.SerializeToString()).run(
        None, {"x": x})
    got = run_model(load(folder, model), x)
    for a, b in zip(got, want, strict=True):
        assert a.shape == b.shape and a.dtype == b.dtype
        assert np.allclose(a, b, 1e-5, 1e-5), (a, b)


def inputs(random, rows, features):
    x = (random.integers(-4, 5, (rows, features)) / 2).astype(np.float32)
    x[random.random(x.shape) < 0.1] = np.nan
    return x


@pytest.mark.parametrize("aggregate", ["SUM", "AVERAGE", "MIN", "MAX"])
@pytest.mark.parametrize("modes", [MODES[:1], MODES], ids=["one", "all"])
def test_regressor(tmp_path, aggregate, modes):
    random = np.random.default_rng(7)
    lists, leaves = grow(random, 5, 4, 6, modes)
    check(tmp_path, "TreeEnsembleRegressor", ["y"], inputs(random, 40, 6),
          n_targets=2, aggregate_function=aggregate,
          target_treeids=[t for t, _ in leaves for _ in range(2)],
          target_nodeids=[n for _, n in leaves for _ in range(2)],
          target_ids=[0, 1] * len(leaves),
          target_weights=random.normal(size=2 * len(leaves)).tolist(),
          base_values=[0.5, -1.0], **lists)


@pytest.mark.parametrize("transform", ["NONE", "LOGISTIC"])
@pytest.mark.parametrize("positive", [True, False])
def test_classifier_of_two(tmp_path, transform, positive):
    random = np.random.default_rng(8)
    lists, leaves = grow(random, 4, 3, 5, MODES[:1])
    weights = random.normal(size=len(leaves))
    weights = np.abs(weights) / 4 if positive else weights
    check(tmp_path, "TreeEnsembleClassifier", ["l", "p"],
          inputs(random, 40, 5), post_transform=transform,
          class_treeids=[t for t, _ in leaves],
          class_nodeids=[n for _, n in leaves], class_ids=[0] * len(leaves),
          class_weights=weights.tolist(), classlabels_int64s=[3, 8], **lists)


@pytest.mark.parametrize("transform", ["NONE", "SOFTMAX"])
def test_classifier_of_many(tmp_path, transform):
    random = np.random.default_rng(9)
    lists, leaves = grow(random, 6, 3, 5, MODES[:2])
    check(tmp_path, "TreeEnsembleClassifier", ["l", "p"],
          inputs(random, 40, 5), post_transform=transform,
          class_treeids=[t for t, _ in leaves for _ in range(3)],
          class_nodeids=[n for _, n in leaves for _ in range(3)],
          class_ids=[0, 1, 2] * len(leaves),
          class_weights=random.uniform(size=3 * len(leaves)).tolist(),
          classlabels_int64s=[5, 6, 7], **lists)


def test_two_classes_that_both_get_votes(tmp_path):
    """The label is the class of the highest score. (ONNX Runtime 1.31 gives
    the second one wherever its score is above 0: no oracle here.)"""
    random = np.random.default_rng(10)
    lists, leaves = grow(random, 4, 3, 5, MODES[:1])
    x = inputs(random, 40, 5)
    node = helper.make_node(
        "TreeEnsembleClassifier", ["x"], ["l", "p"], domain="ai.onnx.ml",
        class_treeids=[t for t, _ in leaves for _ in range(2)],
        class_nodeids=[n for _, n in leaves for _ in range(2)],
        class_ids=[0, 1] * len(leaves), classlabels_int64s=[3, 8],
        class_weights=random.uniform(size=2 * len(leaves)).tolist(), **lists)
    graph = helper.make_graph(
        [node], "g", [helper.make_tensor_value_info("x", T.FLOAT, x.shape)],
        [helper.make_tensor_value_info("l", T.INT64, None),
         helper.make_tensor_value_info("p", T.FLOAT, None)])
    model = helper.make_model(graph, ir_version=8, opset_imports=[
        helper.make_opsetid("", 15), helper.make_opsetid("ai.onnx.ml", 3)])
    label, scores = run_model(load(tmp_path, model), x)
    want = onnxruntime.InferenceSession(model.SerializeToString()).run(
        ["p"], {"x": x})[0]
    assert np.allclose(scores, want, 1e-5, 1e-5)
    expected = np.where(np.argmax(want, axis=1) == 0, 3, 8)
    assert 0 < np.count_nonzero(expected == 3) < len(expected)
    assert np.array_equal(label, expected)


def test_cycles_are_refused(tmp_path):
    lists = {"nodes_treeids": [0, 0], "nodes_nodeids": [0, 1],
             "nodes_featureids": [0, 0], "nodes_values": [0.0, 0.0],
             "nodes_modes": ["BRANCH_LEQ", "BRANCH_LEQ"],
             "nodes_truenodeids": [1, 0], "nodes_falsenodeids": [1, 0]}
    node = helper.make_node(
        "TreeEnsembleRegressor", ["x"], ["y"], domain="ai.onnx.ml",
        n_targets=1, **lists)
    graph = helper.make_graph(
        [node], "g", [helper.make_tensor_value_info("x", T.FLOAT, [1, 1])],
        [helper.make_tensor_value_info("y", T.FLOAT, [1, 1])])
    model = helper.make_model(graph, ir_version=8, opset_imports=[
        helper.make_opsetid("", 15), helper.make_opsetid("ai.onnx.ml", 3)])
    onnx.save(model, tmp_path / "cycle.onnx")
    with pytest.raises(qopt.Error, match="without cycles"):
        qopt.load(tmp_path / "cycle.onnx")
