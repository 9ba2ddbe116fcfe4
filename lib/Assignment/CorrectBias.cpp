//===- CorrectBias.cpp - Biases that take back the mean error -------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Each layer is corrected for its float inputs, so that corrections of layers
// before it are not counted twice.
//===----------------------------------------------------------------------===//
#include "qopt/Assignment/CorrectBias.h"
#include "MovedInput.h"
#include "qopt/Calibration/ObservedRun.h"
#include "qopt/Dialect/QG/IR/Encodings.h"
#include "qopt/Numerics/Grid.h"

using namespace mlir;
using namespace qopt;

namespace {
/// Means per element of the last dimension of a layer's input.
struct InputMeans {
  std::vector<double> exact, rounded;
};
} // namespace

static SmallVector<LinearOpInterface> findLayers(func::FuncOp main) {
  SmallVector<LinearOpInterface> layers;
  for (auto op : main.getOps<LinearOpInterface>()) {
    Value weight = op.getWeight();
    if (auto dequantize = weight.getDefiningOp<qg::DequantizeOp>())
      weight = dequantize.getX();
    if (weight.getDefiningOp<qg::ConstantOp>())
      layers.push_back(op);
  }
  return layers;
}

/// The encoding that the input of a layer is rounded to; null if none is known.
/// Scales by channel are those of what a depthwise convolution reads.
static qg::QuantizedType getInputEncoding(Value x) {
  auto op = x.getDefiningOp<qg::DequantizeOp>();
  qg::QuantizedType type =
      op ? qg::getQuantizedType(op.getX().getType()) : qg::QuantizedType();
  bool isByChannel =
      type && type.isPerAxis() && !type.getGroupSize() &&
      type.getAxis() == cast<RankedTensorType>(x.getType()).getRank() - 1 &&
      llvm::all_equal(type.getZeroPointVector());
  return isByChannel ? type : getMovedEncoding(x);
}

static void addMeans(InputMeans &means, const Tensor &x,
                     qg::QuantizedType type) {
  size_t channels = x.shape().back();
  means.exact.resize(channels, 0);
  means.rounded.resize(channels, 0);
  ArrayRef<float> values = x.span<float>();
  auto grid = Grid<float>::of(type.getIntegerFormat());
  // One scale for all, or one for each channel, under one zero point.
  SmallVector<float> scales = type.getScaleVector();
  scales.resize(channels, scales.front());
  float zero = float(type.getZeroPointVector().front());
  std::vector<double> exact(channels, 0), rounded(channels, 0);
  for (size_t row = 0; row < values.size(); row += channels)
    for (size_t c = 0; c < channels; ++c) {
      float value = values[row + c];
      exact[c] += value;
      rounded[c] +=
          roundToLevel(value / scales[c], zero, grid).steps * scales[c];
    }
  double share = double(channels) / double(values.size());
  for (size_t c = 0; c < channels; ++c) {
    means.exact[c] += exact[c] * share;
    means.rounded[c] += rounded[c] * share;
  }
}

namespace {
/// One dimension of a convolution.
struct Axis {
  int64_t inputs, outputs, stride, dilation, pad;
  bool isTransposed;

  /// Share of the outputs for which a tap reads an input.
  double getShare(int64_t tap) const {
    int64_t valid = 0;
    for (int64_t i = 0, e = isTransposed ? inputs : outputs; i < e; ++i) {
      int64_t other = i * stride + tap * dilation - pad;
      valid += other >= 0 && other < (isTransposed ? outputs : inputs);
    }
    return double(valid) / double(outputs);
  }
};
} // namespace

/// Share per tap, in the order of the weight.
static std::vector<double> getTapShares(LinearOpInterface op) {
  std::vector<double> shares{1};
  LinearGeometry geometry = op.getLinearGeometry();
  if (!geometry.window)
    return shares;
  ArrayRef<int64_t> x = getShape(op.getInput());
  ArrayRef<int64_t> y = getShape(op->getResult(0));
  for (auto [d, taps] : llvm::enumerate(geometry.window->kernel)) {
    Axis axis{x[d + 1],
              y[d + 1],
              geometry.window->strides[d],
              geometry.window->dilations[d],
              geometry.window->pads[d],
              geometry.isTransposed};
    std::vector<double> next;
    for (double share : shares)
      for (int64_t tap = 0; tap < taps; ++tap)
        next.push_back(share * axis.getShare(tap));
    shares = std::move(next);
  }
  return shares;
}

/// What is missing in the mean of every output channel.
static std::vector<double> getMissing(LinearOpInterface op,
                                      const Tensor &weight,
                                      const Tensor &stored, int64_t axis,
                                      const InputMeans &means) {
  int64_t outputs = weight.shape()[axis];
  // A matmul [K, N] counts outputs innermost; all others outermost.
  bool isInnermost = axis == 1;
  std::vector<double> shares = getTapShares(op);
  int64_t perOutput = weight.numElements() / outputs;
  int64_t perTap = perOutput / int64_t(shares.size());
  int64_t groups = int64_t(means.exact.size()) / perTap;
  ArrayRef<float> values = weight.span<float>();
  ArrayRef<float> levels = stored.span<float>();
  std::vector<double> missing(outputs, 0);
  for (int64_t o = 0; o < outputs; ++o) {
    int64_t firstChannel = o / (outputs / groups) * perTap;
    for (int64_t i = 0; i < perOutput; ++i) {
      int64_t at = isInnermost ? i * outputs + o : o * perOutput + i;
      int64_t c = firstChannel + i % perTap;
      missing[o] += shares[i / perTap] * (values[at] * means.exact[c] -
                                          levels[at] * means.rounded[c]);
    }
  }
  return missing;
}

/// Adds `delta` to the bias; a layer without one gets it.
static void addToBias(LinearOpInterface op, ArrayRef<double> delta) {
  OpBuilder builder(op);
  auto type =
      RankedTensorType::get({int64_t(delta.size())}, builder.getF32Type());
  Tensor bias(DType::f32, type.getShape());
  if (op.getBias())
    bias = *qg::matchConstant(op.getBias());
  for (size_t o = 0; o < delta.size(); ++o)
    bias.setFloat(o, bias.getFloat(o) + delta[o]);
  op.setBias(qg::createConstant(builder, op.getLoc(), bias, type, "bias"));
}

/// Only float constants can be corrected; the weight must be rounded.
static bool canCorrect(LinearOpInterface op) {
  if (!op.getWeight().getDefiningOp<qg::DequantizeOp>())
    return false;
  Value bias = op.getBias();
  if (!bias)
    return true;
  std::optional<Tensor> constant = qg::matchConstant(bias);
  return constant && constant->dtype() == DType::f32;
}

/// Means of the inputs of the layers of `reference` by layer; those stay empty
/// whose input is not observed or not rounded.
static absl::StatusOr<std::vector<InputMeans>>
measure(ObservedRun &run, MutableArrayRef<LinearOpInterface> layers,
        MutableArrayRef<LinearOpInterface> quantized,
        const SampleSource &source, int64_t samples) {
  std::vector<InputMeans> means(layers.size());
  auto addSample = [&](int64_t, ArrayRef<Tensor> inputs,
                       ArrayRef<Tensor> outputs) {
    for (size_t i = 0; i < layers.size(); ++i) {
      qg::QuantizedType type = getInputEncoding(quantized[i].getInput());
      std::optional<MovedInput> input = MovedInput::find(layers[i].getInput());
      if (!input || !type || !canCorrect(quantized[i]))
        continue;
      const ObservedRun::Point *point = run.find(input->observer.getName());
      const Tensor *value =
          point ? ObservedRun::get(*point, inputs, outputs) : nullptr;
      if (!value)
        continue;
      if (std::optional<Tensor> x = input->apply(*value))
        addMeans(means[i], *x, type);
    }
    return absl::OkStatus();
  };
  absl::StatusOr<int64_t> done = run.run(source, samples, addSample);
  if (!done.ok())
    return done.status();
  if (*done == 0)
    return absl::InvalidArgumentError("expects at least one sample");
  for (InputMeans &mean : means)
    for (std::vector<double> *values : {&mean.exact, &mean.rounded})
      for (double &value : *values)
        value /= double(*done);
  return means;
}

absl::StatusOr<CorrectBiasReport>
qopt::correctBias(ModuleOp reference, ModuleOp quantized,
                  const SampleSource &source, const CorrectBiasOptions &options,
                  const ExecutorFactory &factory) {
  auto referenceMain = reference.lookupSymbol<func::FuncOp>("main");
  auto main = quantized.lookupSymbol<func::FuncOp>("main");
  if (!referenceMain || !main)
    return absl::InvalidArgumentError("expects a function @main");
  SmallVector<LinearOpInterface> exact = findLayers(referenceMain);
  SmallVector<LinearOpInterface> rounded = findLayers(main);
  if (exact.size() != rounded.size())
    return absl::InvalidArgumentError(
        "expects the same linear ops in both modules");
  CorrectBiasReport report;
  report.layers = exact.size();
  auto run = ObservedRun::create(reference, options.executor, factory);
  if (!run.ok())
    return run.status();
  auto means = measure(*run, exact, rounded, source, options.samples);
  if (!means.ok())
    return means.status();
  for (size_t i = 0; i < exact.size(); ++i) {
    if ((*means)[i].exact.empty())
      continue;
    auto stored = rounded[i].getWeight().getDefiningOp<qg::DequantizeOp>();
    std::optional<Tensor> weight = qg::matchConstant(exact[i].getWeight());
    std::optional<Tensor> integers = qg::matchConstant(stored.getX());
    if (!weight || !integers || weight->dtype() != DType::f32)
      continue;
    auto type = cast<RankedTensorType>(stored.getX().getType());
    std::optional<Tensor> levels = qg::dequantize(*integers, type);
    if (!levels)
      continue;
    int64_t axis = std::max<int64_t>(qg::getQuantizedType(type).getAxis(), 0);
    addToBias(rounded[i],
              getMissing(rounded[i], *weight, *levels, axis, (*means)[i]));
    ++report.corrected;
  }
  return report;
}
