//===- RoundWeights.cpp - Weights below 8 bits, rounded on data -----------===//
// SPDX-License-Identifier: Apache-2.0
//
// Collects moments in batches of layers that fit the memory limit; each layer
// sees its samples in order, so the result depends neither on the batches nor
// on the threads.
//===----------------------------------------------------------------------===//
#include "qopt/Assignment/RoundWeights.h"
#include "../AssignWeights.h"
#include "../MovedInput.h"
#include "LayerInputs.h"
#include "LearnLevels.h"
#include "qopt/Calibration/ObservedRun.h"
#include "qopt/Dialect/QG/IR/Encodings.h"

#include "absl/strings/str_cat.h"
#include "llvm/Support/Parallel.h"
#include <atomic>
#include <cmath>
#include <map>
#include <mutex>

using namespace mlir;
using namespace qopt;

/// Largest second moment that is factored.
static constexpr int64_t kMostColumns = 8192;
/// Rows of inputs wanted per column, and at least.
static constexpr int64_t kRowsPerColumn = 32, kLeastRows = 8192;

namespace {
struct Layer {
  LinearOpInterface exact, rounded;
  LayerGeometry geometry;
  const Rounder *method;
  qg::QuantizedType input; ///< what the input is rounded to; may be null
  std::optional<MovedInput> source;
  const InstrumentedModule::Point *point = nullptr;
  RoundedLayer report;

  qg::ConstantOp stored() const {
    LinearOpInterface op = rounded;
    return op.getWeight()
        .getDefiningOp<qg::DequantizeOp>()
        .getX()
        .getDefiningOp<qg::ConstantOp>();
  }
  qg::QuantizedType format() const {
    return qg::getQuantizedType(stored().getType());
  }
};

/// A weight and its report, to be taken again.
struct Result {
  std::string request; ///< what the result depends on
  Tensor stored;
  qg::QuantizedType type;
  RoundedLayer report;
};

/// Groups of a layer's weight.
struct Job {
  Layer *layer;
  MatrixRounder rounder;
};
/// Channels that one thread rounds at a time.
struct Part {
  Job *job;
  int64_t first, last;
};
} // namespace

struct WeightRounder::State {
  ModuleOp reference;
  SampleSource source;
  RoundWeightsOptions options;
  std::optional<ObservedRun> run;
  /// By position; moments only as far as memory goes.
  std::map<unsigned, std::vector<Matrix>> moments;
  int64_t momentBytes = 0;
  std::map<unsigned, Result> results;
  std::mutex lock; ///< of `done` and `progress`
  int64_t done = 0;

  /// Counts one more; numbers rise whatever thread calls.
  void report(StringRef phase, int64_t total);
  absl::Status observe(ArrayRef<Layer *> layers);
  void round(ArrayRef<Layer *> layers, int64_t before, int64_t all);
};

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

/// The name of the method, the layer's own or that of all.
static StringRef getRounding(Operation *op,
                             const RoundWeightsOptions &options) {
  auto own = op->getAttrOfType<StringAttr>("qg.rounding");
  return own ? own.getValue() : StringRef(options.rounding);
}

/// Linear ops of both modules; those whose weight is to be rounded again.
static absl::StatusOr<std::vector<Layer>>
findLayers(func::FuncOp reference, func::FuncOp quantized,
           const RoundWeightsOptions &options) {
  auto exact = llvm::to_vector(reference.getOps<LinearOpInterface>());
  auto rounded = llvm::to_vector(quantized.getOps<LinearOpInterface>());
  if (exact.size() != rounded.size())
    return absl::InvalidArgumentError(
        "expects the same linear ops in both modules");
  std::vector<Layer> layers;
  unsigned position = 0;
  for (auto [from, to] : llvm::zip(exact, rounded)) {
    unsigned at = position++;
    auto dequantize = to.getWeight().getDefiningOp<qg::DequantizeOp>();
    if (!dequantize || !dequantize.getX().getDefiningOp<qg::ConstantOp>())
      continue;
    qg::QuantizedType type = qg::getQuantizedType(dequantize.getX().getType());
    std::optional<LayerGeometry> geometry = LayerGeometry::get(from);
    if (!geometry || type.getBits() > 8 || type.isDynamic_() ||
        !from.canRoundWeight() || from.getOutputAxis() != type.getAxis())
      continue;
    Layer layer;
    layer.exact = from;
    layer.rounded = to;
    layer.geometry = *geometry;
    StringRef rounding = getRounding(to, options);
    layer.method = lookupRounder(rounding);
    if (!layer.method)
      return absl::InvalidArgumentError(
          absl::StrCat("'", qg::getUserName(from), "': expects a rounding of ",
                       listRounders(), ", got '", rounding.str(), "'"));
    layer.input = getInputEncoding(to.getInput());
    layer.source = MovedInput::find(from.getInput());
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

/// All that the rounded weight of a layer depends on, but its data.
static std::string getRequest(const Layer &layer) {
  std::string text;
  llvm::raw_string_ostream os(text);
  qg::QuantizedType type = layer.format();
  os << type.getFormat() << ':' << type.getGroupSize() << ':'
     << layer.method->name;
  if (layer.rounded->hasAttr(kLearnedAttr))
    os << " learned";
  if (type.isTable())
    for (int8_t level : type.getTable().asArrayRef())
      os << ' ' << int(level);
  if (layer.input)
    for (float scale : layer.input.getScaleVector())
      os << ' ' << llvm::bit_cast<uint32_t>(scale);
  return text;
}

void WeightRounder::State::report(StringRef phase, int64_t total) {
  std::lock_guard<std::mutex> guard(lock);
  ++done;
  if (options.progress)
    options.progress(phase, done, total);
}

/// Moments of the layers, from one run.
absl::Status WeightRounder::State::observe(ArrayRef<Layer *> layers) {
  std::vector<InputMoments> inputs;
  for (Layer *layer : layers)
    inputs.emplace_back(layer->geometry, layer->input);
  std::vector<InputMoments *> all;
  for (InputMoments &moments : inputs)
    all.push_back(&moments);
  auto addSample = [&](int64_t index, ArrayRef<Tensor> arguments,
                       ArrayRef<Tensor> outputs) {
    llvm::parallelFor(0, layers.size(), [&](size_t i) {
      const Layer &layer = *layers[i];
      int64_t wanted =
          std::max(kLeastRows, kRowsPerColumn * layer.geometry.numColumns());
      int64_t limit = std::max<int64_t>(1, wanted / options.samples);
      const Tensor *observed =
          ObservedRun::get(*layer.point, arguments, outputs);
      if (!observed)
        return;
      if (std::optional<Tensor> x = layer.source->apply(*observed))
        inputs[i].add(*x, limit, index);
    });
    InputMoments::multiply(all, /*all=*/false);
    report("inputs", options.samples);
    return absl::OkStatus();
  };
  done = 0;
  absl::StatusOr<int64_t> seen = run->run(source, options.samples, addSample);
  if (!seen.ok())
    return seen.status();
  if (*seen == 0)
    return absl::InvalidArgumentError("expects at least one sample");
  InputMoments::multiply(all, /*all=*/true);
  for (auto [layer, moments] : llvm::zip(layers, inputs)) {
    momentBytes += layer->geometry.momentBytes();
    this->moments[layer->report.position] = moments.take();
  }
  return absl::OkStatus();
}

/// The weight of one group and what it may become.
static RoundingProblem makeProblem(const Layer &layer, int64_t g,
                                   const Matrix &moment) {
  const LayerGeometry &geometry = layer.geometry;
  LinearOpInterface exact = layer.exact;
  Tensor weight = *qg::matchConstant(exact.getWeight());
  ArrayRef<float> values = weight.span<float>();
  RoundingProblem problem;
  problem.weights.resize(geometry.numRows(), geometry.numColumns());
  for (int64_t r = 0; r < geometry.numRows(); ++r)
    for (int64_t c = 0; c < geometry.numColumns(); ++c)
      problem.weights(r, c) = values[geometry.element(g, r, c)];
  problem.moment = &moment;
  qg::QuantizedType format = layer.format();
  const IntegerFormat &row = format.getIntegerFormat();
  problem.grid.low = row.min();
  problem.grid.high = row.max();
  problem.grid.hasZeroPoints = !row.isSigned && !row.isTable;
  if (format.isTable())
    llvm::append_range(problem.grid.table, format.getTable().asArrayRef());
  problem.group = format.getGroupSize();
  problem.rowsPerChannel = geometry.rowsPerChannel();
  // Scales under which the bias fits.
  std::optional<Tensor> bias;
  if (exact.getBias() && layer.input)
    bias = qg::matchConstant(exact.getBias());
  if (!bias)
    return problem;
  SmallVector<float> inputs = layer.input.getScaleVector();
  double unit = double(*llvm::min_element(inputs)) * 1073741824.0;
  int64_t channels = geometry.numRows() / geometry.rowsPerChannel();
  for (int64_t o = g * channels; o < (g + 1) * channels; ++o)
    problem.leastScales.push_back(std::fabs(bias->getFloat(o)) / unit);
  return problem;
}

/// What its groups became, as one constant.
static Result join(const Layer &layer, ArrayRef<RoundedMatrix> groups,
                   ArrayRef<int8_t> table) {
  const LayerGeometry &geometry = layer.geometry;
  qg::QuantizedType format = layer.format();
  Result result;
  result.stored =
      Tensor(*qg::getDType(format),
             cast<RankedTensorType>(layer.stored().getType()).getShape());
  result.report = layer.report;
  SmallVector<float> scales;
  SmallVector<int32_t> zeros;
  double loss = 0, plain = 0, nearest = 0, signal = 0;
  for (auto [g, matrix] : llvm::enumerate(groups)) {
    for (int64_t r = 0; r < geometry.numRows(); ++r)
      for (int64_t c = 0; c < geometry.numColumns(); ++c)
        result.stored.setInt(geometry.element(g, r, c),
                             matrix.stored[r * geometry.numColumns() + c]);
    llvm::append_range(scales, matrix.scales);
    llvm::append_range(zeros, matrix.zeroPoints);
    loss += matrix.loss;
    plain += matrix.plainLoss;
    nearest += matrix.nearestLoss;
    signal += matrix.signal;
    int &dampings = result.report.dampings;
    if (dampings >= 0)
      dampings = matrix.dampings ? std::max(dampings, *matrix.dampings) : -1;
  }
  auto toDecibels = [&](double error) {
    return error > 0 && signal > 0 ? 10 * std::log10(signal / error) : 999.0;
  };
  result.report.sqnr = toDecibels(loss);
  result.report.plainSqnr = toDecibels(plain);
  result.report.nearestSqnr = toDecibels(nearest);
  result.type = qg::QuantizedType::getPerAxis(
      format.getContext(), format.getFormat(), format.getAxis(), scales, zeros,
      format.getGroupSize(), table);
  return result;
}

static void replaceWeight(Layer &layer, const Result &result) {
  OpBuilder builder(layer.rounded);
  Value old = layer.rounded.getWeight();
  auto constant = qg::createConstant(
      builder, old.getLoc(), result.stored,
      RankedTensorType::get(result.stored.shape(), result.type), "w");
  layer.rounded.setWeight(
      qg::DequantizeOp::create(builder, old.getLoc(), old.getType(), constant));
  layer.report = result.report;
}

/// Rounds layers whose moments are there: the factors of all of them are held.
void WeightRounder::State::round(ArrayRef<Layer *> layers, int64_t before,
                                 int64_t all) {
  std::vector<std::vector<Job>> jobs(layers.size());
  std::vector<std::vector<int8_t>> tables(layers.size());
  llvm::parallelFor(0, layers.size(), [&](size_t i) {
    Layer *layer = layers[i];
    std::vector<RoundingProblem> problems;
    for (auto [g, moment] :
         llvm::enumerate(moments.find(layer->report.position)->second))
      problems.push_back(makeProblem(*layer, g, moment));
    if (problems.empty())
      return;
    tables[i] = problems.front().grid.table;
    if (layer->rounded->hasAttr(kLearnedAttr))
      tables[i] = learnLevels(problems);
    for (RoundingProblem &problem : problems) {
      problem.grid.table = tables[i];
      jobs[i].push_back(
          {layer, MatrixRounder(std::move(problem), *layer->method)});
    }
  });
  // The largest first, for threads to end together.
  std::vector<std::pair<double, Job *>> order;
  for (std::vector<Job> &own : jobs)
    for (Job &job : own)
      order.emplace_back(-job.rounder.getWork(), &job);
  llvm::sort(order, llvm::less_first());
  llvm::parallelFor(0, order.size(),
                    [&](size_t i) { order[i].second->rounder.prepare(); });
  std::vector<Part> parts;
  std::map<Layer *, std::atomic<int64_t>> left;
  for (auto [work, job] : order) {
    int64_t channels = job->rounder.numChannels();
    int64_t size = job->rounder.partSize();
    for (int64_t first = 0; first < channels; first += size) {
      parts.push_back({job, first, std::min(channels, first + size)});
      ++left[job->layer];
    }
  }
  done = before;
  llvm::parallelFor(0, parts.size(), [&](size_t i) {
    const Part &part = parts[i];
    part.job->rounder.round(part.first, part.last);
    if (--left.find(part.job->layer)->second == 0)
      report("round", all);
  });
  for (auto [layer, own, table] : llvm::zip(layers, jobs, tables)) {
    if (own.empty()) {
      layer->report.reason = "its input was not seen";
      continue;
    }
    std::vector<RoundedMatrix> groups;
    for (Job &job : own)
      groups.push_back(job.rounder.take());
    Result result = join(*layer, groups, table);
    result.request = getRequest(*layer);
    replaceWeight(*layer, result);
    results[layer->report.position] = std::move(result);
  }
}

WeightRounder::WeightRounder(std::unique_ptr<State> state)
    : state(std::move(state)) {}
WeightRounder::WeightRounder(WeightRounder &&) = default;
WeightRounder &WeightRounder::operator=(WeightRounder &&) = default;
WeightRounder::~WeightRounder() = default;

absl::StatusOr<WeightRounder>
WeightRounder::create(ModuleOp reference, SampleSource source,
                      RoundWeightsOptions options,
                      const ExecutorFactory &factory) {
  auto run = ObservedRun::create(reference, options.executor, factory);
  if (!run.ok())
    return run.status();
  auto state = std::make_unique<State>();
  state->reference = reference;
  state->source = std::move(source);
  state->options = std::move(options);
  state->run.emplace(std::move(*run));
  return WeightRounder(std::move(state));
}

absl::StatusOr<RoundWeightsReport> WeightRounder::round(ModuleOp quantized) {
  State &s = *state;
  auto exactMain = s.reference.lookupSymbol<func::FuncOp>("main");
  auto main = quantized.lookupSymbol<func::FuncOp>("main");
  if (!exactMain || !main)
    return absl::InvalidArgumentError("expects a function @main");
  auto layers = findLayers(exactMain, main, s.options);
  if (!layers.ok())
    return layers.status();
  std::vector<Layer *> usable;
  for (Layer &layer : *layers) {
    auto known = s.results.find(layer.report.position);
    if (layer.source)
      layer.point = s.run->find(layer.source->observer.getName());
    if (!layer.point)
      layer.report.reason = "its input is not observed";
    else if (layer.format().getBits() == 8)
      layer.report.reason = "8 bits need no search";
    else if (layer.geometry.numColumns() > kMostColumns)
      layer.report.reason = "it reduces over too many elements";
    else if (known != s.results.end() &&
             known->second.request == getRequest(layer))
      replaceWeight(layer, known->second);
    else
      usable.push_back(&layer);
  }
  // Nothing is run for those whose moments are still there.
  std::vector<Layer *> ready, rest;
  for (Layer *layer : usable)
    (s.moments.count(layer->report.position) ? ready : rest).push_back(layer);
  int64_t done = 0, all = int64_t(usable.size());
  auto roundBatch = [&](ArrayRef<Layer *> batch) {
    // Factors take as much as moments.
    while (!batch.empty()) {
      ArrayRef<Layer *> part = takeBatch(batch, s.options.memoryLimit / 4);
      s.round(part, done, all);
      done += int64_t(part.size());
      batch = batch.drop_front(part.size());
    }
  };
  roundBatch(ready);
  for (ArrayRef<Layer *> left(rest); !left.empty();) {
    ArrayRef<Layer *> batch =
        takeBatch(left, s.options.memoryLimit - s.momentBytes);
    if (absl::Status status = s.observe(batch); !status.ok())
      return status;
    roundBatch(batch);
    left = left.drop_front(batch.size());
    // Half of the memory may stay in use for the next call.
    for (Layer *layer : llvm::reverse(batch)) {
      if (s.momentBytes <= s.options.memoryLimit / 2)
        break;
      s.momentBytes -= layer->geometry.momentBytes();
      s.moments.erase(layer->report.position);
    }
  }
  RoundWeightsReport report;
  for (auto op : main.getOps<LinearOpInterface>())
    if (op.getWeight().getDefiningOp<qg::ConstantOp>() &&
        !qg::getQuantizedType(op.getWeight().getType()))
      report.floatWeights += getTensorType(op.getWeight()).getNumElements();
  for (Layer &layer : *layers) {
    layer.rounded->removeAttr("qg.rounding");
    layer.rounded->removeAttr(kLearnedAttr);
    report.layers.push_back(std::move(layer.report));
  }
  return report;
}
