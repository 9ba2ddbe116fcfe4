//===- RoundWeights.cpp - Weights below 8 bits, rounded on data -----------===//
// SPDX-License-Identifier: Apache-2.0
//
// Collects moments in batches of layers that fit the memory limit; each layer
// sees its samples in order, so the result does not depend on the batches.
//===----------------------------------------------------------------------===//
#include "qopt/Assignment/RoundWeights.h"
#include "../MovedInput.h"
#include "../TensorGraph.h"
#include "LayerInputs.h"
#include "qopt/Calibration/ObservedRun.h"
#include "qopt/Dialect/QG/IR/Encodings.h"

#include "llvm/Support/Parallel.h"
#include <cmath>

using namespace mlir;
using namespace qopt;

/// Largest second moment that is factored.
static constexpr int64_t kMostColumns = 8192;
/// Rows of inputs wanted per column, and at least.
static constexpr int64_t kRowsPerColumn = 32, kLeastRows = 8192;

namespace {
struct Layer {
  Operation *exact, *rounded;
  LayerGeometry geometry;
  qg::QuantizedType input; ///< what the input is rounded to; may be null
  std::optional<MovedInput> source;
  const InstrumentedModule::Point *point = nullptr;
  std::vector<Matrix> moments;
  int64_t rows = 0;
  RoundedLayer report;

  qg::ConstantOp stored() const {
    return getWeight(rounded)
        .getDefiningOp<qg::DequantizeOp>()
        .getX()
        .getDefiningOp<qg::ConstantOp>();
  }
  qg::QuantizedType format() const {
    return qg::getQuantizedType(stored().getType());
  }
  int64_t momentBytes() const {
    return 8 * geometry.numGroups() * geometry.numColumns() *
           geometry.numColumns();
  }
};
} // namespace

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

/// Linear ops of both modules; those whose weight is to be rounded again.
static absl::StatusOr<std::vector<Layer>> findLayers(func::FuncOp reference,
                                                     func::FuncOp quantized) {
  SmallVector<Operation *> exact, rounded;
  for (Operation &op : reference.getOps())
    if (isLinear(&op))
      exact.push_back(&op);
  for (Operation &op : quantized.getOps())
    if (isLinear(&op))
      rounded.push_back(&op);
  if (exact.size() != rounded.size())
    return absl::InvalidArgumentError(
        "expects the same linear ops in both modules");
  std::vector<Layer> layers;
  unsigned position = 0;
  for (auto [from, to] : llvm::zip(exact, rounded)) {
    unsigned at = position++;
    auto dequantize = getWeight(to).getDefiningOp<qg::DequantizeOp>();
    if (!dequantize || !dequantize.getX().getDefiningOp<qg::ConstantOp>())
      continue;
    qg::QuantizedType type = qg::getQuantizedType(dequantize.getX().getType());
    std::optional<LayerGeometry> geometry = LayerGeometry::get(from);
    if (!geometry || type.getBits() > 8 || type.isDynamic_() ||
        getWeightAxis(from) != type.getAxis())
      continue;
    Layer layer;
    layer.exact = from;
    layer.rounded = to;
    layer.geometry = *geometry;
    layer.input = getInputEncoding(to->getOperand(0));
    layer.source = MovedInput::find(from->getOperand(0));
    layer.report.name = qg::getUserName(from);
    layer.report.position = at;
    auto stored = cast<RankedTensorType>(dequantize.getX().getType());
    layer.report.weights = stored.getNumElements();
    layer.report.storedBits = qg::getStoredBits(stored);
    layer.report.format = type.getFormat().str();
    layers.push_back(std::move(layer));
  }
  return layers;
}

/// The values that the layer computes with: rounded and clipped, with one scale
/// or one for each channel under one zero point.
static Tensor roundInput(const Tensor &x, qg::QuantizedType type) {
  if (!type)
    return x;
  Tensor result(DType::f32, x.shape());
  ArrayRef<float> from = x.span<float>();
  MutableArrayRef<float> to = result.mutableSpan<float>();
  const IntegerFormat &format = type.getIntegerFormat();
  size_t channels = x.shape().back();
  SmallVector<float> scales = type.getScaleVector();
  scales.resize(channels, scales.front());
  int64_t zero = type.getZeroPointVector().front();
  float low = float(format.min() - zero), high = float(format.max() - zero);
  for (size_t i = 0; i < from.size(); ++i) {
    float scale = scales[i % channels];
    to[i] = std::clamp(std::nearbyint(from[i] / scale), low, high) * scale;
  }
  return result;
}

static absl::Status addSample(MutableArrayRef<Layer *> layers, int64_t sample,
                              int64_t samples, ArrayRef<Tensor> inputs,
                              ArrayRef<Tensor> outputs) {
  llvm::parallelFor(0, layers.size(), [&](size_t i) {
    Layer &layer = *layers[i];
    ArrayRef<Tensor> from = layer.point->isArgument ? inputs : outputs;
    if (layer.point->index >= from.size())
      return;
    int64_t wanted =
        std::max(kLeastRows, kRowsPerColumn * layer.geometry.numColumns());
    std::optional<Tensor> x = layer.source->apply(from[layer.point->index]);
    if (!x)
      return;
    layer.rows += layer.geometry.addMoments(
        roundInput(*x, layer.input), std::max<int64_t>(1, wanted / samples),
        sample, layer.moments);
  });
  return absl::OkStatus();
}

/// Rounds one layer and replaces its constant.
static void roundLayer(Layer &layer, const RoundWeightsOptions &options) {
  qg::QuantizedType format = layer.format();
  const LayerGeometry &geometry = layer.geometry;
  Tensor weight = *qg::matchConstant(getWeight(layer.exact));
  Tensor stored(*qg::getDType(format), weight.shape());
  std::vector<double> least;
  std::optional<Tensor> bias;
  if (getBias(layer.exact) && layer.input)
    bias = qg::matchConstant(getBias(layer.exact));
  if (bias) {
    SmallVector<float> inputs = layer.input.getScaleVector();
    double unit = double(*llvm::min_element(inputs)) * 1073741824.0;
    for (int64_t o = 0; o < bias->numElements(); ++o)
      least.push_back(std::fabs(bias->getFloat(o)) / unit);
  }
  bool usesGptq = options.gptq;
  if (auto own = layer.rounded->getAttrOfType<StringAttr>("qg.rounding"))
    usesGptq = own == "gptq";
  SmallVector<float> scales;
  SmallVector<int32_t> zeros;
  double loss = 0, nearest = 0, signal = 0;
  ArrayRef<float> values = weight.span<float>();
  int64_t channels = geometry.numRows() / geometry.rowsPerChannel();
  for (int64_t g = 0; g < geometry.numGroups(); ++g) {
    RoundingProblem problem;
    problem.weights.resize(geometry.numRows(), geometry.numColumns());
    for (int64_t r = 0; r < geometry.numRows(); ++r)
      for (int64_t c = 0; c < geometry.numColumns(); ++c)
        problem.weights(r, c) = values[geometry.element(g, r, c)];
    problem.moment =
        layer.moments[g] / double(std::max<int64_t>(layer.rows, 1));
    const IntegerFormat &row = format.getIntegerFormat();
    problem.grid.low = row.min();
    problem.grid.high = row.max();
    problem.grid.hasZeroPoints = !row.isSigned && !row.isTable;
    if (format.isTable())
      problem.grid.table = format.getTable().asArrayRef();
    problem.group = format.getGroupSize();
    problem.rowsPerChannel = geometry.rowsPerChannel();
    if (!least.empty())
      problem.leastScales.assign(least.begin() + g * channels,
                                 least.begin() + (g + 1) * channels);
    RoundedMatrix result =
        roundMatrix(problem, usesGptq ? Rounding::Gptq : Rounding::Nearest);
    for (int64_t r = 0; r < geometry.numRows(); ++r)
      for (int64_t c = 0; c < geometry.numColumns(); ++c)
        stored.setInt(geometry.element(g, r, c),
                      result.stored[r * geometry.numColumns() + c]);
    scales.append(result.scales.begin(), result.scales.end());
    zeros.append(result.zeroPoints.begin(), result.zeroPoints.end());
    loss += result.loss;
    nearest += result.nearestLoss;
    signal += result.signal;
    layer.report.dampings =
        result.dampings ? std::max(layer.report.dampings, *result.dampings)
                        : -1;
  }
  auto toDecibels = [&](double error) {
    return error > 0 && signal > 0 ? 10 * std::log10(signal / error) : 999.0;
  };
  layer.report.sqnr = toDecibels(loss);
  layer.report.nearestSqnr = toDecibels(nearest);
  ArrayRef<int8_t> table;
  if (format.isTable())
    table = format.getTable().asArrayRef();
  auto element = qg::QuantizedType::getPerAxis(
      format.getContext(), format.getFormat(), format.getAxis(), scales, zeros,
      format.getGroupSize(), table);
  OpBuilder builder(layer.rounded);
  Value old = getWeight(layer.rounded);
  auto constant =
      qg::createConstant(builder, old.getLoc(), stored,
                         RankedTensorType::get(weight.shape(), element), "w");
  layer.rounded->setOperand(
      1,
      qg::DequantizeOp::create(builder, old.getLoc(), old.getType(), constant));
}

/// Layers from `first` on whose moments fit the limit together.
static SmallVector<Layer *> takeBatch(std::vector<Layer *> &layers,
                                      size_t &first, int64_t limit) {
  SmallVector<Layer *> batch;
  int64_t bytes = 0;
  while (first < layers.size() &&
         (batch.empty() || bytes + layers[first]->momentBytes() <= limit)) {
    bytes += layers[first]->momentBytes();
    batch.push_back(layers[first++]);
  }
  return batch;
}

absl::StatusOr<RoundWeightsReport> qopt::roundWeights(
    ModuleOp reference, ModuleOp quantized, const SampleSource &source,
    const RoundWeightsOptions &options, const ExecutorFactory &factory) {
  auto exactMain = reference.lookupSymbol<func::FuncOp>("main");
  auto main = quantized.lookupSymbol<func::FuncOp>("main");
  if (!exactMain || !main)
    return absl::InvalidArgumentError("expects a function @main");
  auto layers = findLayers(exactMain, main);
  if (!layers.ok())
    return layers.status();
  RoundWeightsReport report;
  if (layers->empty())
    return report;
  auto run = ObservedRun::create(reference, options.executor, factory);
  if (!run.ok())
    return run.status();
  std::vector<Layer *> usable;
  for (Layer &layer : *layers) {
    if (layer.source)
      layer.point = run->find(layer.source->observer.getName());
    if (!layer.point)
      layer.report.reason = "its input is not observed";
    else if (layer.format().getBits() == 8)
      layer.report.reason = "8 bits need no search";
    else if (layer.geometry.numColumns() > kMostColumns)
      layer.report.reason = "it reduces over too many elements";
    else
      usable.push_back(&layer);
  }
  for (size_t first = 0; first < usable.size();) {
    SmallVector<Layer *> batch = takeBatch(usable, first, options.memoryLimit);
    absl::StatusOr<int64_t> done = run->run(
        source, options.samples,
        [&](int64_t index, ArrayRef<Tensor> inputs, ArrayRef<Tensor> outputs) {
          return addSample(batch, index, options.samples, inputs, outputs);
        });
    if (!done.ok())
      return done.status();
    if (*done == 0)
      return absl::InvalidArgumentError("expects at least one sample");
    for (Layer *layer : batch) {
      roundLayer(*layer, options);
      layer->moments.clear();
    }
  }
  for (Layer &layer : *layers) {
    layer.rounded->removeAttr("qg.rounding");
    report.layers.push_back(std::move(layer.report));
  }
  return report;
}
