//===- SupportVectors.cpp - SVMRegressor and SVMClassifier ----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Kernel products with all support vectors, then one matrix: each score of a
// pair of classes is a weighted sum of them.
//===----------------------------------------------------------------------===//
#include "MLTransforms.h"
#include "qopt/Frontend/ONNX/OpRegistry.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

namespace {
/// The attributes that both operators have.
struct Machine {
  std::string kernel;
  double gamma = 0, offset = 0, degree = 0;
  SmallVector<double> vectors, coefficients, rho;
};
} // namespace

static bool readMachine(OpBinder &op, Machine &machine) {
  machine.kernel = op.stringAttr("kernel_type", "LINEAR");
  machine.vectors = op.floatsAttr("support_vectors");
  machine.coefficients = op.floatsAttr("coefficients");
  machine.rho = op.floatsAttr("rho");
  SmallVector<double> numbers = op.floatsAttr("kernel_params");
  if (!numbers.empty() && numbers.size() != 3) {
    (void)op.badModel("expects three 'kernel_params', got " +
                      Twine(numbers.size()));
    return false;
  }
  if (numbers.size() == 3) {
    machine.gamma = numbers[0];
    machine.offset = numbers[1];
    machine.degree = numbers[2];
  }
  if (llvm::is_contained({"LINEAR", "POLY", "RBF", "SIGMOID"}, machine.kernel))
    return true;
  (void)op.badModel("attribute 'kernel_type' = \"" + machine.kernel +
                    "\" is not one of LINEAR, POLY, RBF, SIGMOID");
  return false;
}

/// exp(-gamma |x - v|^2) of all rows of x [N, F] and all vectors [S, F].
static Value buildRadial(GraphBuilder &b, const Machine &machine, Value x,
                         Value vectors) {
  Value difference = b.sub(b.expandDim(x, 1), b.expandDim(vectors, 0));
  Value square = b.reduce(ReduceKind::sum, b.mul(difference, difference), {2},
                          /*keepDims=*/false);
  return b.unary(UnaryKind::exp, b.mul(square, -machine.gamma));
}

/// Kernel of every row of x with `count` vectors: [N, count].
static Value buildKernel(OpBinder &op, const Machine &machine, Value x,
                         int64_t count) {
  GraphBuilder &b = op.b;
  int64_t features = b.extent(x, 1);
  if (count < 1 || int64_t(machine.vectors.size()) != count * features)
    return b.fail("expects support vectors of " + Twine(features) +
                  " features, got " + Twine(machine.vectors.size()) +
                  " numbers for " + Twine(count) + " vectors");
  Value vectors = b.floats({count, features}, machine.vectors, b.element(x));
  if (machine.kernel == "RBF")
    return buildRadial(b, machine, x, vectors);
  Value product = b.matmul(x, b.transpose(vectors, {1, 0}));
  if (machine.kernel == "LINEAR")
    return product;
  Value scaled = b.add(b.mul(product, machine.gamma), machine.offset);
  if (machine.kernel == "SIGMOID")
    return b.unary(UnaryKind::tanh, scaled);
  return b.binary(BinaryKind::pow, scaled,
                  b.scalar(std::trunc(machine.degree), b.element(x)));
}

static Value getMatrix(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0);
  if (!x)
    return {};
  x = b.convert(x, b.f32());
  if (b.rank(x) == 1)
    x = b.expandDim(x, 0);
  if (x && b.rank(x) != 2)
    return b.fail("expects a matrix, got " + formatShape(b.shape(x)));
  return x;
}

static LogicalResult importSVMRegressor(OpBinder &op) {
  GraphBuilder &b = op.b;
  Machine machine;
  Value x = getMatrix(op);
  if (!x || !readMachine(op, machine))
    return failure();
  int64_t supports = op.intAttr("n_supports", 0);
  bool isOneClass = op.intAttr("one_class", 0) != 0;
  op.ignoreAttrs({"n_targets"});
  // Without support vectors the coefficients are those of a linear model.
  Value terms = supports > 0 ? buildKernel(op, machine, x, supports) : x;
  if (!terms)
    return failure();
  int64_t count = b.extent(terms, 1);
  if (int64_t(machine.coefficients.size()) != count || machine.rho.size() != 1)
    return op.badModel("expects " + Twine(count) +
                       " coefficients and one 'rho', got " +
                       Twine(machine.coefficients.size()) + " and " +
                       Twine(machine.rho.size()));
  Value score = b.add(
      b.matmul(terms, b.floats({count, 1}, machine.coefficients, b.f32())),
      machine.rho[0]);
  if (isOneClass)
    score =
        b.select(b.compare(ComparePredicate::gt, score, b.scalar(0, b.f32())),
                 b.scalar(1, b.f32()), b.scalar(-1, b.f32()));
  return op.result(applyPostTransform(op, score));
}

namespace {
/// One score for each pair of classes.
struct Pairs {
  /// [support vectors, pairs].
  Tensor weights;
  /// [pairs, classes]: who gets the vote of a positive score, and of another.
  Tensor first, second;
};
} // namespace

static Pairs getPairs(const Machine &machine, ArrayRef<int64_t> perClass,
                      int64_t vectors) {
  int64_t classes = perClass.size(), count = classes * (classes - 1) / 2;
  Pairs pairs{Tensor(DType::f32, {vectors, count}),
              Tensor(DType::f32, {count, classes}),
              Tensor(DType::f32, {count, classes})};
  SmallVector<int64_t> start{0};
  for (int64_t number : perClass)
    start.push_back(start.back() + number);
  int64_t pair = 0;
  for (int64_t i = 0; i < classes; ++i)
    for (int64_t j = i + 1; j < classes; ++j, ++pair) {
      auto fill = [&](int64_t of, int64_t row) {
        for (int64_t v = start[of]; v < start[of + 1]; ++v)
          pairs.weights.setFloat(v * count + pair,
                                 machine.coefficients[row * vectors + v]);
      };
      fill(i, j - 1);
      fill(j, i);
      pairs.first.setFloat(pair * classes + i, 1);
      pairs.second.setFloat(pair * classes + j, 1);
    }
  return pairs;
}

/// Index of the class with most votes, the first of several.
static Value countVotes(GraphBuilder &b, Value scores, const Pairs &pairs) {
  Value isFirst = b.compare(ComparePredicate::gt, scores, b.scalar(0, b.f32()));
  Value votes =
      b.add(b.matmul(b.convert(isFirst, b.f32()), b.constant(pairs.first)),
            b.matmul(b.convert(b.logicalNot(isFirst), b.f32()),
                     b.constant(pairs.second)));
  return b.argReduce(ReduceKind::max, votes, 1, /*selectLast=*/false);
}

static LogicalResult importSVMClassifier(OpBinder &op) {
  GraphBuilder &b = op.b;
  Machine machine;
  ClassLabels labels = readClassLabels(op);
  Shape perClass = op.intsAttr("vectors_per_class");
  Value x = getMatrix(op);
  if (!x || !readMachine(op, machine))
    return failure();
  if (!op.floatsAttr("prob_a").empty() || !op.floatsAttr("prob_b").empty())
    return op.unsupported("probabilities (prob_a, prob_b) are found by an "
                          "iteration, which is not supported");
  int64_t classes = perClass.size(), vectors = 0;
  for (int64_t number : perClass)
    vectors += std::max<int64_t>(number, 0);
  if (classes < 2 || classes != labels.count)
    return op.unsupported("expects support vectors of two classes or more, and "
                          "a label for each");
  int64_t pairCount = classes * (classes - 1) / 2;
  if (int64_t(machine.coefficients.size()) != (classes - 1) * vectors ||
      int64_t(machine.rho.size()) != pairCount)
    return op.badModel("expects (classes - 1) * vectors coefficients and a "
                       "'rho' for each pair of classes");
  if (llvm::all_of(machine.coefficients, [](double c) { return c >= 0; }))
    return op.unsupported("expects coefficients of both signs");
  Value kernel = buildKernel(op, machine, x, vectors);
  if (!kernel)
    return failure();
  Pairs pairs = getPairs(machine, perClass, vectors);
  Value scores = b.add(b.matmul(kernel, b.constant(pairs.weights)),
                       b.floats({pairCount}, machine.rho, b.f32()));
  Value index = countVotes(b, scores, pairs);
  if (classes == 2 && scores)
    scores = b.concat({b.unary(UnaryKind::neg, scores), scores}, 1);
  if (failed(op.result(1, applyPostTransform(op, scores))))
    return failure();
  if (labels.areStrings)
    return success();
  return op.result(0, b.gather(b.ints(labels.integers), index, 0));
}

void frontend::registerSupportVectorOps(OpRegistry &registry) {
  registry.add("ai.onnx.ml", "SVMClassifier", 1, importSVMClassifier,
               "labels that are integers, scores without probabilities");
  registry.add("ai.onnx.ml", "SVMRegressor", 1, importSVMRegressor);
}
