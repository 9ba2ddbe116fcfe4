//===- MLTransforms.cpp - What classifiers of ai.onnx.ml share ------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Formulas and constants are those of onnx's reference evaluator, which are
// those of ONNX Runtime.
//===----------------------------------------------------------------------===//
#include "MLTransforms.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

/// exp(v - max) / sum; a score of zero counts as v * exp(-max), that is zero.
static Value buildSoftmaxZero(GraphBuilder &b, Value scores) {
  int64_t axis = b.rank(scores) - 1;
  Value most = b.reduce(ReduceKind::max, scores, {axis}, true);
  Value isScore =
      b.compare(ComparePredicate::gt, b.unary(UnaryKind::abs, scores),
                b.scalar(1e-7, b.element(scores)));
  Value zero =
      b.mul(scores, b.unary(UnaryKind::exp, b.unary(UnaryKind::neg, most)));
  Value e =
      b.select(isScore, b.unary(UnaryKind::exp, b.sub(scores, most)), zero);
  Value sum = b.reduce(ReduceKind::sum, e, {axis}, true);
  Value isNothing =
      b.compare(ComparePredicate::eq, sum, b.scalar(0, b.element(scores)));
  return b.select(isNothing, b.scalar(0.5, b.element(scores)), b.div(e, sum));
}

/// sqrt(2) * erfinv(2 p - 1) by the approximation of Winitzki.
static Value buildProbit(GraphBuilder &b, Value p) {
  constexpr double kA = 0.147, kPi = 3.14159265358979323846;
  Value x = b.sub(b.mul(p, 2), 1);
  Value y = b.mul(b.sub(b.full({}, 1, b.element(p)), x), b.add(x, 1));
  Value log = b.unary(UnaryKind::log, y);
  Value v = b.add(b.mul(log, 0.5), 2 / (kPi * kA));
  Value root = b.unary(UnaryKind::sqrt, b.sub(b.mul(v, v), b.mul(log, 1 / kA)));
  Value size = b.unary(UnaryKind::sqrt, b.sub(root, v));
  Value isEdge = b.compare(ComparePredicate::eq, y, b.scalar(0, b.element(p)));
  Value sign = b.select(
      b.compare(ComparePredicate::lt, x, b.scalar(0, b.element(p))),
      b.scalar(-1.41421356, b.element(p)), b.scalar(1.41421356, b.element(p)));
  return b.select(isEdge, b.scalar(0, b.element(p)), b.mul(sign, size));
}

Value frontend::applyPostTransform(OpBinder &op, Value scores) {
  GraphBuilder &b = op.b;
  std::string name = op.stringAttr("post_transform", "NONE");
  if (!scores || name == "NONE")
    return scores;
  if (name == "LOGISTIC")
    return b.unary(UnaryKind::sigmoid, scores);
  if (name == "SOFTMAX")
    return b.softmax(scores, b.rank(scores) - 1);
  if (name == "SOFTMAX_ZERO")
    return buildSoftmaxZero(b, scores);
  if (name == "PROBIT")
    return buildProbit(b, scores);
  (void)op.badModel("attribute 'post_transform' = \"" + name +
                    "\" is not one of NONE, SOFTMAX, LOGISTIC, SOFTMAX_ZERO, "
                    "PROBIT");
  return {};
}

ClassLabels frontend::readClassLabels(OpBinder &op) {
  ClassLabels labels;
  labels.integers = op.intsAttr("classlabels_ints");
  labels.count = labels.integers.size();
  labels.areStrings =
      op.hasAttr("classlabels_strings") && labels.integers.empty();
  int64_t strings = op.countStrings("classlabels_strings");
  labels.count = std::max(labels.count, strings);
  return labels;
}

LogicalResult frontend::writeClasses(OpBinder &op, Value scores,
                                     const ClassLabels &labels,
                                     double threshold) {
  GraphBuilder &b = op.b;
  int64_t classes = b.extent(scores, 1), rows = b.extent(scores, 0);
  if (classes > 1 && labels.count != 0 && labels.count < classes)
    return op.badModel("expects a label for each of " + Twine(classes) +
                       " classes, got " + Twine(labels.count));
  if (failed(op.result(1, b.convert(scores, b.f32()))))
    return failure();
  if (labels.areStrings)
    return success();
  Value label;
  if (classes > 1) {
    label = b.argReduce(ReduceKind::max, scores, 1, /*selectLast=*/false);
    if (!labels.integers.empty())
      label = b.gather(b.ints(labels.integers), label, 0);
  } else {
    Value isFirst = b.compare(ComparePredicate::ge, b.reshape(scores, {rows}),
                              b.scalar(threshold, b.element(scores)));
    int64_t first = labels.integers.empty() ? 1 : labels.integers[0];
    label =
        b.select(isFirst, b.reshape(b.ints({first}), {}), b.scalar(0, b.i64()));
  }
  return op.result(0, label);
}
