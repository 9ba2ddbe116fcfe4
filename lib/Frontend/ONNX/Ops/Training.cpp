//===- Training.cpp - Losses and steps of optimizers ----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What training graphs have beyond layers: formulas of their inputs.
//===----------------------------------------------------------------------===//
#include "LogSoftmax.h"
#include "Positions.h"
#include "qopt/Frontend/ONNX/OpRegistry.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

//===----------------------------------------------------------------------===//
// Losses
//===----------------------------------------------------------------------===//

namespace {
/// The operands of a loss: log probabilities [N, C, s...] and classes [N,
/// s...].
struct ClassLoss {
  Value logs, classes, weights;
};
} // namespace

/// The weight of every element, 0 where its class is ignored.
static Value getElementWeights(OpBinder &op, const ClassLoss &loss,
                               Value &safeClasses) {
  GraphBuilder &b = op.b;
  Type type = b.element(loss.logs);
  safeClasses = b.convert(loss.classes, b.i64());
  Value isIgnored;
  if (op.hasAttr("ignore_index")) {
    Value ignored = b.scalar(double(op.intAttr("ignore_index", 0)), b.i64());
    isIgnored = b.compare(ComparePredicate::eq, safeClasses, ignored);
    safeClasses = b.select(isIgnored, b.scalar(0, b.i64()), safeClasses);
  }
  if (!safeClasses)
    return {};
  Value weights = loss.weights ? b.gather(loss.weights, safeClasses, 0)
                               : b.full(b.shape(safeClasses), 1, type);
  return isIgnored ? b.select(isIgnored, b.scalar(0, type), weights) : weights;
}

static LogicalResult buildLoss(OpBinder &op, const ClassLoss &loss) {
  GraphBuilder &b = op.b;
  if (!loss.logs || !loss.classes)
    return failure();
  int64_t rank = b.rank(loss.logs);
  Shape expected(b.shape(loss.logs));
  if (rank >= 2)
    expected.erase(expected.begin() + 1);
  if (rank < 2 || b.shape(loss.classes) != ArrayRef<int64_t>(expected))
    return op.badModel("expects scores [N, C, ...] and classes [N, ...], got " +
                       formatShape(b.shape(loss.logs)) + " and " +
                       formatShape(b.shape(loss.classes)));
  if (loss.weights &&
      b.shape(loss.weights) != ArrayRef<int64_t>{b.extent(loss.logs, 1)})
    return op.badModel("expects a weight for each of " +
                       Twine(b.extent(loss.logs, 1)) + " classes");
  std::string reduction = op.stringAttr("reduction", "mean");
  if (reduction != "mean" && reduction != "sum" && reduction != "none")
    return op.badModel("attribute 'reduction' = \"" + reduction +
                       "\" is not one of none, mean, sum");
  Value classes;
  Value weights = getElementWeights(op, loss, classes);
  Value picked =
      b.dropDim(gatherElements(op, loss.logs, b.expandDim(classes, 1), 1), 1);
  Value y = b.mul(b.unary(UnaryKind::neg, picked), weights);
  if (!y || reduction == "none")
    return op.result(y);
  Shape all(llvm::to_vector(llvm::seq<int64_t>(0, b.rank(y))));
  y = b.reduce(ReduceKind::sum, y, all, false);
  if (reduction == "mean")
    y = b.div(y, b.reduce(ReduceKind::sum, weights, all, false));
  return op.result(y);
}

static LogicalResult importNegativeLogLikelihood(OpBinder &op) {
  return buildLoss(op, {op.in(0), op.in(1), op.optional(2)});
}

static LogicalResult importSoftmaxCrossEntropy(OpBinder &op) {
  Value scores = op.in(0);
  if (!scores)
    return failure();
  if (op.b.rank(scores) < 2)
    return op.badModel("expects scores [N, C, ...], got " +
                       formatShape(op.b.shape(scores)));
  Type type = op.b.element(op.raw(0));
  Value logs = logSoftmax(op, scores, 1);
  if (failed(buildLoss(op, {logs, op.in(1), op.optional(2)})))
    return failure();
  return op.hasOutput(1) ? op.result(1, op.b.convert(logs, type)) : success();
}

//===----------------------------------------------------------------------===//
// Steps of optimizers
//===----------------------------------------------------------------------===//

namespace {
/// Inputs R, T, then each kind of tensor for all parameters; results the
/// kinds that `update` gives, for all parameters.
struct OptimizerStep {
  OpBinder &op;
  unsigned kinds; ///< of tensors a parameter has, gradient included
  Value rate = {}, count = {};
  unsigned parameters = 0;

  LogicalResult read() {
    rate = op.in(0);
    count = op.in(1);
    if (!rate || !count)
      return failure();
    parameters = (op.numInputs() - 2) / kinds;
    if (parameters == 0 || op.numInputs() != 2 + kinds * parameters)
      return op.badModel("expects two scalars and " + Twine(kinds) +
                         " tensors for each parameter, got " +
                         Twine(op.numInputs()) + " inputs");
    rate = op.b.reshape(rate, {});
    if (!rate)
      return failure();
    count = op.b.convert(op.b.reshape(count, {}), op.b.element(rate));
    return success(rate && count);
  }
  Value tensor(unsigned kind, unsigned parameter) {
    return op.in(2 + kind * parameters + parameter);
  }
  /// The gradient with that of the squared norm of the parameter.
  Value gradient(unsigned parameter) {
    return op.b.add(
        op.b.mul(tensor(0, parameter), op.floatAttr("norm_coefficient", 0)),
        tensor(1, parameter));
  }
  LogicalResult give(unsigned kind, unsigned parameter, Value value) {
    return op.result(kind * parameters + parameter, value);
  }
  /// `value` once there was a step before this one.
  Value afterFirst(Value value, Value first) {
    Value isLater = op.b.compare(ComparePredicate::gt, count,
                                 op.b.scalar(0, op.b.element(count)));
    return op.b.select(isLater, value, first);
  }
};
} // namespace

static LogicalResult importAdagrad(OpBinder &op) {
  GraphBuilder &b = op.b;
  OptimizerStep step{op, 3};
  double epsilon = op.floatAttr("epsilon", 1e-6f);
  if (failed(step.read()))
    return failure();
  Value decay = b.add(b.mul(step.count, op.floatAttr("decay_factor", 0)), 1.0);
  Value rate = b.div(step.rate, decay);
  for (unsigned i = 0; i < step.parameters; ++i) {
    Value gradient = step.gradient(i);
    Value squares = b.add(step.tensor(2, i), b.mul(gradient, gradient));
    Value divisor = b.add(b.unary(UnaryKind::sqrt, squares), epsilon);
    Value x = b.sub(step.tensor(0, i), b.mul(rate, b.div(gradient, divisor)));
    if (failed(step.give(0, i, x)) || failed(step.give(1, i, squares)))
      return failure();
  }
  return success();
}

static LogicalResult importAdam(OpBinder &op) {
  GraphBuilder &b = op.b;
  OptimizerStep step{op, 4};
  double alpha = op.floatAttr("alpha", 0.9f),
         beta = op.floatAttr("beta", 0.999f),
         epsilon = op.floatAttr("epsilon", 1e-6f),
         shrink = op.floatAttr("norm_coefficient_post", 0);
  if (failed(step.read()))
    return failure();
  auto power = [&](double base) {
    Type type = b.element(step.count);
    return b.binary(BinaryKind::pow, b.scalar(base, type), step.count);
  };
  Value one = b.scalar(1, b.element(step.rate));
  Value correction = b.div(b.unary(UnaryKind::sqrt, b.sub(one, power(beta))),
                           b.sub(one, power(alpha)));
  Value rate = step.afterFirst(b.mul(step.rate, correction), step.rate);
  for (unsigned i = 0; i < step.parameters; ++i) {
    Value gradient = step.gradient(i);
    Value mean =
        b.add(b.mul(step.tensor(2, i), alpha), b.mul(gradient, 1 - alpha));
    Value squares = b.add(b.mul(step.tensor(3, i), beta),
                          b.mul(b.mul(gradient, gradient), 1 - beta));
    Value divisor = b.add(b.unary(UnaryKind::sqrt, squares), epsilon);
    Value x = b.sub(step.tensor(0, i), b.mul(rate, b.div(mean, divisor)));
    if (shrink != 0)
      x = b.mul(x, 1 - shrink);
    if (failed(step.give(0, i, x)) || failed(step.give(1, i, mean)) ||
        failed(step.give(2, i, squares)))
      return failure();
  }
  return success();
}

static LogicalResult importMomentum(OpBinder &op) {
  GraphBuilder &b = op.b;
  OptimizerStep step{op, 3};
  double alpha = op.floatAttr("alpha", 0), beta = op.floatAttr("beta", 1);
  std::string mode = op.stringAttr("mode", "standard");
  if (mode != "standard" && mode != "nesterov")
    return op.badModel("attribute 'mode' = \"" + mode +
                       "\" is not one of standard, nesterov");
  if (failed(step.read()))
    return failure();
  Type type = b.element(step.rate);
  Value weight = step.afterFirst(b.scalar(beta, type), b.scalar(1, type));
  for (unsigned i = 0; i < step.parameters; ++i) {
    Value gradient = step.gradient(i);
    Value mean =
        b.add(b.mul(step.tensor(2, i), alpha), b.mul(gradient, weight));
    Value direction =
        mode == "nesterov" ? b.add(gradient, b.mul(mean, alpha)) : mean;
    Value x = b.sub(step.tensor(0, i), b.mul(direction, step.rate));
    if (failed(step.give(0, i, x)) || failed(step.give(1, i, mean)))
      return failure();
  }
  return success();
}

void frontend::registerTrainingOps(OpRegistry &registry) {
  registry.add("NegativeLogLikelihoodLoss", 12,
               roundOnce<importNegativeLogLikelihood>);
  registry.add("SoftmaxCrossEntropyLoss", 12,
               roundOnce<importSoftmaxCrossEntropy>);
  StringRef training = "ai.onnx.preview.training";
  registry.add(training, "Adagrad", 1, importAdagrad);
  registry.add(training, "Adam", 1, importAdam);
  registry.add(training, "Momentum", 1, importMomentum);
}
