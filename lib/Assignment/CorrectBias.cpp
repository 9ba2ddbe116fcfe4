//===- CorrectBias.cpp - Biases that take back the mean error -------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Runs both modules with the results of their linear ops as extra outputs. The
// cheapest method there is, and worth several dB at 8 bits.
//===----------------------------------------------------------------------===//
#include "qopt/Assignment/CorrectBias.h"
#include "TensorGraph.h"

#include "absl/strings/str_cat.h"

using namespace mlir;
using namespace qopt;

namespace {
/// Means per channel of some results, and the module's own outputs.
struct Measurement {
  std::vector<std::vector<double>> means;
  std::vector<SmallVector<Tensor>> outputs; ///< per sample
};
} // namespace

static SmallVector<Operation *> findLayers(func::FuncOp main) {
  SmallVector<Operation *> layers;
  for (Operation &op : main.getOps()) {
    if (!isLinear(&op))
      continue;
    Value weight = getWeight(&op);
    if (auto dequantize = weight.getDefiningOp<qg::DequantizeOp>())
      weight = dequantize.getX();
    if (weight.getDefiningOp<qg::ConstantOp>())
      layers.push_back(&op);
  }
  return layers;
}

/// A clone of the module whose @main also returns the results of the layers
/// in [first, last).
static OwningOpRef<ModuleOp> exposeLayers(ModuleOp module, size_t first,
                                          size_t last) {
  OwningOpRef<ModuleOp> clone = module.clone();
  auto main = clone->lookupSymbol<func::FuncOp>("main");
  SmallVector<Operation *> layers = findLayers(main);
  SmallVector<Value> values;
  SmallVector<std::string> names;
  for (size_t i = first; i < last; ++i) {
    values.push_back(layers[i]->getResult(0));
    names.push_back("layer" + std::to_string(i));
  }
  returnAlso(main, values, names);
  return clone;
}

static absl::StatusOr<Measurement>
measure(ModuleOp module, size_t first, size_t last, const SampleSource &source,
        int64_t samples, const ExecutorFactory &factory) {
  OwningOpRef<ModuleOp> exposed = exposeLayers(module, first, last);
  auto executor = factory(*exposed);
  if (!executor.ok())
    return executor.status();
  Measurement result;
  result.means.resize(last - first);
  for (int64_t s = 0; s < samples; ++s) {
    auto sample = source(s);
    if (!sample.ok())
      return sample.status();
    if (!*sample)
      break;
    auto outputs = (*executor)->run(**sample);
    if (!outputs.ok())
      return outputs.status();
    size_t own = outputs->size() - (last - first);
    for (size_t i = 0; i < last - first; ++i) {
      const Tensor &values = (*outputs)[own + i];
      size_t channels = values.shape().back();
      std::vector<double> &means = result.means[i];
      means.resize(channels, 0);
      ArrayRef<float> span = values.span<float>();
      for (size_t e = 0; e < span.size(); ++e)
        means[e % channels] +=
            double(span[e]) * double(channels) / double(span.size());
    }
    result.outputs.push_back(
        SmallVector<Tensor>(outputs->begin(), outputs->begin() + own));
  }
  if (result.outputs.empty())
    return absl::InvalidArgumentError("expects at least one sample");
  for (std::vector<double> &means : result.means)
    for (double &mean : means)
      mean /= double(result.outputs.size());
  return result;
}

static double getError(const Measurement &a, const Measurement &b) {
  double error = 0;
  for (auto [left, right] : llvm::zip(a.outputs, b.outputs))
    for (auto [x, y] : llvm::zip(left, right))
      for (int64_t i = 0, e = x.numElements(); i < e; ++i) {
        double difference = x.getFloat(i) - y.getFloat(i);
        error += difference * difference;
      }
  return error;
}

/// Adds `delta` to the bias; a layer without one gets it.
static void addToBias(Operation *op, ArrayRef<double> delta) {
  OpBuilder builder(op);
  auto type =
      RankedTensorType::get({int64_t(delta.size())}, builder.getF32Type());
  Tensor bias(DType::f32, type.getShape());
  if (getBias(op))
    bias = *qg::matchConstant(getBias(op));
  for (size_t o = 0; o < delta.size(); ++o)
    bias.setFloat(o, bias.getFloat(o) + delta[o]);
  Value constant =
      qg::createConstant(builder, op->getLoc(), bias, type, "bias");
  if (getBias(op))
    op->setOperand(2, constant);
  else
    op->insertOperands(2, constant);
}

/// Only float constants can be corrected; the weight must be rounded.
static bool canCorrect(Operation *op) {
  if (!getWeight(op).getDefiningOp<qg::DequantizeOp>())
    return false;
  Value bias = getBias(op);
  if (!bias)
    return true;
  std::optional<Tensor> constant = qg::matchConstant(bias);
  return constant && constant->dtype() == DType::f32;
}

static void setBias(Operation *op, Value bias) {
  if (bias)
    op->setOperand(2, bias);
  else if (getBias(op))
    op->eraseOperand(2);
}

absl::StatusOr<CorrectBiasReport>
qopt::correctBias(ModuleOp reference, ModuleOp quantized,
                  const SampleSource &source, const CorrectBiasOptions &options,
                  const ExecutorFactory &factory) {
  auto referenceMain = reference.lookupSymbol<func::FuncOp>("main");
  auto main = quantized.lookupSymbol<func::FuncOp>("main");
  if (!referenceMain || !main)
    return absl::InvalidArgumentError("expects a function @main");
  SmallVector<Operation *> layers = findLayers(main);
  size_t count = layers.size();
  if (findLayers(referenceMain).size() != count)
    return absl::InvalidArgumentError(
        "expects the same linear ops in both modules");
  CorrectBiasReport report;
  report.layers = count;
  auto expected =
      measure(reference, 0, count, source, options.samples, factory);
  if (!expected.ok())
    return expected.status();

  int64_t groups = std::clamp<int64_t>(options.groups, 1,
                                       std::max<int64_t>(int64_t(count), 1));
  double error = -1;
  SmallVector<std::pair<Operation *, Value>> saved;
  // One turn more than there are groups: the last one judges the last group.
  for (int64_t g = 0; g <= groups; ++g) {
    size_t first = count * g / groups;
    size_t last = std::min<size_t>(count, count * (g + 1) / groups);
    first = std::min(first, last);
    auto actual =
        measure(quantized, first, last, source, options.samples, factory);
    if (!actual.ok())
      return actual.status();
    double now = getError(*expected, *actual);
    if (error < 0)
      report.before = now;
    if (error >= 0 && !(now <= error)) {
      for (auto &[op, bias] : saved)
        setBias(op, bias);
      report.corrected -= saved.size();
      actual =
          measure(quantized, first, last, source, options.samples, factory);
      if (!actual.ok())
        return actual.status();
      now = getError(*expected, *actual);
    }
    error = now;
    saved.clear();
    for (size_t i = first; i < last; ++i) {
      Operation *op = layers[i];
      if (!canCorrect(op))
        continue;
      saved.push_back({op, getBias(op)});
      std::vector<double> delta = expected->means[i];
      for (size_t o = 0; o < delta.size(); ++o)
        delta[o] -= actual->means[i - first][o];
      addToBias(op, delta);
    }
    report.corrected += saved.size();
  }
  report.after = error;
  return report;
}
