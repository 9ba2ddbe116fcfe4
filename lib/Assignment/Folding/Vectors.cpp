//===- Vectors.cpp - Channel vectors of tensors, and what rounding costs --===//
// SPDX-License-Identifier: Apache-2.0
//
// One run of the float model with the tensors as extra results.
//===----------------------------------------------------------------------===//
#include "Vectors.h"
#include "qopt/Numerics/Grid.h"

#include "absl/strings/str_cat.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace qopt;

static void appendRows(Matrix &to, const Tensor &from, int64_t count) {
  int64_t channels = from.shape().back();
  int64_t rows = from.numElements() / channels;
  count = std::min(count, rows);
  int64_t start = to.rows();
  to.conservativeResize(start + count, channels);
  for (int64_t i = 0; i < count; ++i)
    for (int64_t c = 0; c < channels; ++c)
      to(start + i, c) = from.getFloat((i * rows / count) * channels + c);
}

absl::StatusOr<std::vector<Matrix>> qopt::captureVectors(
    ModuleOp module, ArrayRef<Value> values, const SampleSource &source,
    const ChooseTransformsOptions &options, const ExecutorFactory &factory) {
  IRMapping mapping;
  OwningOpRef<ModuleOp> clone(cast<ModuleOp>(module->clone(mapping)));
  auto main = clone->lookupSymbol<func::FuncOp>("main");
  SmallVector<Value> captured;
  SmallVector<std::string> names;
  for (auto [i, value] : llvm::enumerate(values)) {
    captured.push_back(mapping.lookup(value));
    names.push_back(absl::StrCat("vectors", i));
  }
  size_t ownResults = main.getNumResults();
  returnAlso(main, captured, names);
  absl::StatusOr<std::unique_ptr<Executor>> executor = factory(*clone);
  if (!executor.ok())
    return executor.status();
  std::vector<Matrix> result(values.size());
  int64_t perSample = std::max<int64_t>(1, options.vectors / options.samples);
  for (int64_t index = 0; index < options.samples; ++index) {
    auto inputs = source(index);
    if (!inputs.ok())
      return inputs.status();
    if (!*inputs)
      break;
    auto outputs = (*executor)->run(**inputs);
    if (!outputs.ok())
      return outputs.status();
    for (auto [i, matrix] : llvm::enumerate(result))
      appendRows(matrix, (*outputs)[ownResults + i], perSample);
  }
  return result;
}

Matrix qopt::getWeightMatrix(LinearOpInterface linear) {
  Tensor weight = *qg::matchConstant(linear.getWeight());
  int64_t inputs = weight.shape()[linear.getInputAxis()];
  int64_t outputs = weight.shape()[linear.getOutputAxis()];
  bool outputsLast = linear.getOutputAxis() > linear.getInputAxis();
  Matrix matrix(inputs, outputs);
  for (int64_t i = 0; i < inputs; ++i)
    for (int64_t o = 0; o < outputs; ++o)
      matrix(i, o) =
          weight.getFloat(outputsLast ? i * outputs + o : o * inputs + i);
  return matrix;
}

Matrix RoundingError::roundActivations(const Matrix &x,
                                       const Matrix &range) const {
  float low = std::min(0.0f, range.minCoeff());
  float high = std::max(0.0f, range.maxCoeff());
  float levels = float((1u << activationBits) - 1);
  float scale = high > low ? (high - low) / levels : 1.0f;
  Grid<float> grid{0, levels};
  float zero = chooseZeroPoint(low, scale, grid);
  return x.unaryExpr([=](float value) {
    return roundToLevel(value / scale, zero, grid).steps * scale;
  });
}

Matrix RoundingError::roundWeights(const Matrix &w) const {
  float largest = float((1u << (weightBits - 1)) - 1);
  Grid<float> grid{-largest, largest};
  Matrix rounded(w.rows(), w.cols());
  for (int64_t o = 0; o < w.cols(); ++o) {
    float magnitude = w.col(o).cwiseAbs().maxCoeff();
    float scale = magnitude > 0 ? magnitude / largest : 1.0f;
    for (int64_t i = 0; i < w.rows(); ++i)
      rounded(i, o) = roundToLevel(w(i, o) / scale, 0.0f, grid).steps * scale;
  }
  return rounded;
}

Matrix RoundingError::multiplyRounded(const Matrix &x, const Matrix &range,
                                      const Matrix &w) const {
  return roundActivations(x, range) * roundWeights(w);
}
