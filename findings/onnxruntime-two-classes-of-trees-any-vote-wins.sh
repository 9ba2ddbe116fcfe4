#!/usr/bin/env bash
# TreeEnsembleClassifier with two classes whose leaves vote for both: the label that
# ONNX Runtime 1.31.1 returns is the second class wherever that class has a score above
# 0, also where the first one's is higher. The scores in its second output are right, so
# label and scores disagree. onnx 1.23.2's reference evaluator returns the class of the
# highest score, as the operator says; with a third class that nobody votes for,
# ONNX Runtime does as well.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  onnx==1.23.2 onnxruntime==1.31.1 numpy==2.4.6
"$work/venv/bin/python" - <<'END'
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

value = helper.make_tensor_value_info


def labels(classes):
    """Of x <= 0 (0.3 and 0.7 for the classes 0 and 1) and x > 0 (0.9 and 0.1)."""
    node = helper.make_node(
        "TreeEnsembleClassifier", ["x"], ["label", "scores"], domain="ai.onnx.ml",
        nodes_treeids=[0, 0, 0], nodes_nodeids=[0, 1, 2], nodes_featureids=[0, 0, 0],
        nodes_values=[0.0, 0.0, 0.0], nodes_modes=["BRANCH_LEQ", "LEAF", "LEAF"],
        nodes_truenodeids=[1, 0, 0], nodes_falsenodeids=[2, 0, 0],
        class_treeids=[0] * 4, class_nodeids=[1, 1, 2, 2], class_ids=[0, 1, 0, 1],
        class_weights=[0.3, 0.7, 0.9, 0.1], classlabels_int64s=classes,
        post_transform="NONE")
    graph = helper.make_graph(
        [node], "g", [value("x", TensorProto.FLOAT, [2, 1])],
        [value("label", TensorProto.INT64, [2]),
         value("scores", TensorProto.FLOAT, [2, len(classes)])])
    model = helper.make_model(
        graph, ir_version=9, opset_imports=[helper.make_opsetid("", 20),
                                            helper.make_opsetid("ai.onnx.ml", 3)])
    onnx.checker.check_model(model)
    feeds = {"x": np.array([[-1], [1]], np.float32)}
    session = onnxruntime.InferenceSession(model.SerializeToString())
    for name, outputs in (("onnxruntime", session.run(None, feeds)),
                          ("reference", ReferenceEvaluator(model).run(None, feeds))):
        print(len(classes), "classes,", name, "labels", outputs[0].tolist(), "scores",
              np.round(outputs[1], 3).tolist())
        assert np.argmax(outputs[1], axis=1).tolist() == [1, 0]
        yield outputs[0].tolist()


assert list(labels([0, 1])) == [[1, 1], [1, 0]]
assert list(labels([0, 1, 2])) == [[1, 0], [1, 0]]
END
