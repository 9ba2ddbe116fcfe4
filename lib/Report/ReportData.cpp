//===- ReportData.cpp - What a report says --------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Nothing is stored for the report alone: encodings and reasons are decided
// again from the bundle's profile, which gives the same answers.
//===----------------------------------------------------------------------===//
#include "qopt/Dialect/QG/IR/Encodings.h"
#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Pipelines/FloatLayers.h"
#include "qopt/Pipelines/LayerTrace.h"
#include "qopt/Pipelines/Model.h"
#include "qopt/Pipelines/Pipelines.h"
#include "qopt/Pipelines/Quantize.h"
#include "qopt/Planning/Plan.h"
#include "qopt/Report/ReportPage.h"
#include "qopt/Support/Diagnostics.h"
#include "qopt/Support/Escape.h"
#include "qopt/Support/Files.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include <map>

using namespace qopt;
namespace json = llvm::json;

/// Bins of a picture of a histogram.
static constexpr int kBins = 96;

namespace {
class Collector {
public:
  Collector(mlir::MLIRContext *context, const Bundle &bundle)
      : context(context), bundle(bundle) {}

  absl::StatusOr<ReportData> run(const SampleSource &samples,
                                 int64_t maxSamples) {
    readManifest();
    QOPT_ASSIGN(exact, loadModel(context, bundle.getPath("model.mlirbc")));
    QOPT_ASSIGN(quantized,
                loadModel(context, bundle.getPath("quantized.mlirbc")));
    WeightCount count = countWeights(*quantized);
    data.weights = count.weights;
    data.storedBits = count.storedBits;
    data.elementBits = count.elementBits;
    std::string plan = bundle.getPath("plan.json");
    if (llvm::sys::fs::exists(plan)) {
      QOPT_ASSIGN(data.plan, Plan::read(plan));
    }
    addWeights();
    QOPT_RETURN_IF_ERROR(addTensors());
    if (samples)
      QOPT_RETURN_IF_ERROR(measure(samples, maxSamples));
    return std::move(data);
  }

private:
  void readManifest();
  void addWeights();
  absl::Status addTensors();
  void addHistogram(ReportTensor &row, const TensorStatistics &statistics);
  absl::Status measure(const SampleSource &samples, int64_t maxSamples);
  absl::StatusOr<Recipe> readRecipe();

  mlir::MLIRContext *context;
  const Bundle &bundle;
  ReportData data;
  mlir::OwningOpRef<mlir::ModuleOp> exact, quantized;
};
} // namespace

void Collector::readManifest() {
  data.name = toUtf8(llvm::sys::path::filename(bundle.stem));
  data.scheme = bundle.getString("scheme");
  data.target = bundle.getString("target");
  data.requantize = bundle.getString("requantize");
  data.arenaBytes = bundle.getInteger("arena_bytes");
  data.objectWeightBytes = bundle.getInteger("weights_bytes");
  const json::Object *report = bundle.manifest.getObject("report");
  const json::Array *rows = report ? report->getArray("layers") : nullptr;
  if (!rows)
    return;
  data.macs = report->getInteger("macs").value_or(0);
  data.wideMacs = report->getInteger("macs_wide").value_or(0);
  for (const json::Value &value : *rows) {
    const json::Object *row = value.getAsObject();
    if (!row)
      continue;
    ReportLayer layer;
    layer.name = row->getString("name").value_or("").str();
    layer.op = row->getString("op").value_or("").str();
    layer.macs = row->getInteger("macs").value_or(0);
    layer.isFloat = row->getBoolean("float").value_or(false);
    layer.reason = row->getString("reason").value_or("").str();
    data.layers.push_back(std::move(layer));
  }
}

static double toDecibels(double signal, double noise) {
  return signal > 0 && noise > 0 ? 10 * std::log10(signal / noise) : NAN;
}

namespace {
/// Error of arrays whose channels may differ by a factor each: folding moves
/// factors between layers, which is no error.
class ChannelError {
public:
  void add(size_t channel, double exact, double other) {
    if (channel >= sums.size())
      sums.resize(channel + 1);
    Sums &sum = sums[channel];
    sum.exact += exact * exact;
    sum.other += other * other;
    sum.product += exact * other;
  }
  void add(const Tensor &exact, const Tensor &other) {
    size_t channels = exact.rank() ? size_t(exact.shape().back()) : 1;
    for (int64_t i = 0, e = exact.numElements(); i < e; ++i)
      add(size_t(i) % channels, exact.getFloat(i), other.getFloat(i));
  }
  double getSqnr() const {
    double signal = 0, noise = 0;
    for (const Sums &sum : sums) {
      signal += sum.exact;
      noise +=
          sum.other > 0
              ? std::max(0.0, sum.exact - sum.product * sum.product / sum.other)
              : sum.exact;
    }
    // What is left of a difference of equal sums is rounding.
    return noise > 1e-14 * signal ? toDecibels(signal, noise) : NAN;
  }

private:
  struct Sums {
    double exact = 0, other = 0, product = 0;
  };
  std::vector<Sums> sums;
};
} // namespace

/// Formats of weights, their error, and the plan's reasons.
void Collector::addWeights() {
  using Key = std::pair<std::string, std::string>;
  auto getKey = [](mlir::Operation *op) {
    return Key(qg::getUserName(op), op->getName().getStringRef().str());
  };
  std::map<Key, Tensor> weights;
  exact->walk([&](LinearOpInterface op) {
    if (std::optional<Tensor> weight = qg::matchConstant(op.getWeight()))
      weights[getKey(op)] = *weight;
  });
  std::map<Key, ReportLayer *> rows;
  for (ReportLayer &layer : data.layers)
    rows[{layer.name, layer.op}] = &layer;
  quantized->walk([&](LinearOpInterface op) {
    auto it = rows.find(getKey(op));
    if (it == rows.end())
      return;
    ReportLayer &layer = *it->second;
    std::optional<Tensor> stored = qg::matchConstant(op.getWeight());
    if (!stored)
      return;
    mlir::RankedTensorType type = getTensorType(op.getWeight());
    layer.weights = type.getNumElements();
    qg::QuantizedType element = qg::getQuantizedType(type);
    if (!element) {
      layer.weightFormat = "f32";
      layer.storedBits = 32 * layer.weights;
      return;
    }
    layer.weightFormat = element.getFormat().str();
    if (element.getGroupSize())
      layer.weightFormat += ":g" + std::to_string(element.getGroupSize());
    layer.storedBits = qg::getStoredBits(type);
    std::optional<Tensor> levels = qg::dequantize(*stored, type);
    auto own = weights.find(it->first);
    if (!levels || own == weights.end() ||
        own->second.shape() != levels->shape())
      return;
    int64_t axis = std::max<int64_t>(element.getAxis(), 0), inner = 1;
    for (int64_t extent : levels->shape().drop_front(axis + 1))
      inner *= extent;
    ChannelError error;
    for (int64_t i = 0, e = levels->numElements(); i < e; ++i)
      error.add(size_t(i / inner % levels->shape()[axis]),
                own->second.getFloat(i), levels->getFloat(i));
    layer.weightSqnr = error.getSqnr();
  });
  if (!data.plan)
    return;
  for (const PlanDecision &decision : data.plan->decisions) {
    auto it = rows.find({decision.layer, decision.op});
    if (it != rows.end() && it->second->reason.empty())
      it->second->reason = decision.reason;
  }
}

absl::StatusOr<Recipe> Collector::readRecipe() {
  const json::Object *settings = bundle.manifest.getObject("recipe");
  SettingsOrigin origin =
      SettingsOrigin::ofJson(bundle.getPath("manifest.json"));
  RecipeDefaults defaults;
  defaults.hasSamples = true;
  if (!settings)
    return Error(Code::BundleInvalid,
                 "'" + bundle.getPath("manifest.json") +
                     "' has no recipe: it was written by an older qopt")
        .help("compile the model again");
  if (absl::Status status = checkSettings(*settings, origin); !status.ok())
    return Error(Code::BundleInvalid, std::string(status.message()));
  return Recipe::make(*settings, defaults, origin);
}

void Collector::addHistogram(ReportTensor &row,
                             const TensorStatistics &statistics) {
  row.low = statistics.low;
  row.high = statistics.high;
  double extent = row.high - row.low;
  if (!(extent > 0))
    return;
  row.bins.assign(kBins, 0);
  const Histogram &histogram = statistics.histogram;
  for (int64_t i = -Histogram::halfBins; i < Histogram::halfBins; ++i)
    if (uint64_t count = histogram.getCount(i)) {
      double centre = (double(i) + 0.5) * histogram.getWidth();
      int at = int((centre - row.low) / extent * kBins);
      row.bins[std::clamp(at, 0, kBins - 1)] += count;
    }
}

/// Ranges and reasons, decided once more from the profile.
absl::Status Collector::addTensors() {
  std::string path = bundle.getPath("profile.json");
  if (!llvm::sys::fs::exists(path))
    return absl::OkStatus();
  absl::StatusOr<Profile> profile = Profile::read(path);
  if (!profile.ok())
    return withCode(profile.status(), Code::BundleInvalid);
  data.calibrationSamples = profile->samples;
  QOPT_ASSIGN(Recipe recipe, readRecipe());
  absl::StatusOr<RangeMethod> method = RangeMethod::parse(recipe.method);
  if (!method.ok())
    return withCode(method.status(), Code::BundleInvalid);
  mlir::OwningOpRef<mlir::ModuleOp> decided(exact->clone());
  QOPT_RETURN_IF_ERROR(runPipeline(*decided, "qg-insert-observers"));
  if (absl::Status status =
          applyProfile(*decided, *profile, *method, recipe.getActivationBits());
      !status.ok())
    return withCode(status, Code::BundleInvalid);
  restoreKeptFloat(*quantized, *decided);
  QOPT_RETURN_IF_ERROR(runPipeline(*decided, "func.func(qg-assign-formats)"));
  std::map<std::string, double> sqnrs;
  decided->walk([&](qg::ObserveOp op) {
    ReportTensor row;
    row.name = op.getName().str();
    if (auto sqnr = op->getAttrOfType<mlir::FloatAttr>("qg.sqnr"))
      row.sqnr = sqnr.getValueAsDouble();
    auto format = op->getAttrOfType<qg::FormatAttr>("qg.format");
    auto type = format ? llvm::dyn_cast<qg::QuantizedType>(format.getType())
                       : qg::QuantizedType();
    row.format = type ? type.getFormat().str() : "f32";
    if (format && format.getReason())
      row.reason = format.getReason().getValue().str();
    if (type && !type.isDynamic_()) {
      // Of several scales the widest: what no channel can hold is clipped.
      const IntegerFormat &integers = type.getIntegerFormat();
      llvm::SmallVector<int64_t> zeros = type.getZeroPointVector();
      for (auto [i, scale] : llvm::enumerate(type.getScaleVector())) {
        double zero = double(i < zeros.size() ? zeros[i] : 0);
        row.clipLow =
            std::min(row.clipLow, (double(integers.min()) - zero) * scale);
        row.clipHigh =
            std::max(row.clipHigh, (double(integers.max()) - zero) * scale);
      }
    }
    auto it = profile->tensors.find(row.name);
    if (it != profile->tensors.end())
      addHistogram(row, it->second);
    sqnrs[row.name] = row.sqnr;
    data.tensors.push_back(std::move(row));
  });
  std::map<std::string, double> inputs;
  decided->walk([&](LinearOpInterface op) {
    if (auto observer = op.getInput().getDefiningOp<qg::ObserveOp>())
      inputs[qg::getUserName(op)] = sqnrs[observer.getName().str()];
  });
  for (ReportLayer &layer : data.layers)
    if (auto it = inputs.find(layer.name); it != inputs.end())
      layer.inputSqnr = it->second;
  return absl::OkStatus();
}

/// Ratios of what is not finite say nothing.
static absl::Status checkFinite(llvm::ArrayRef<Tensor> sample, int64_t number,
                                const ModelInterface &interface) {
  for (auto [tensor, spec] : llvm::zip(sample, interface.inputs)) {
    if (!isFloat(tensor.dtype()))
      continue;
    for (int64_t i = 0, e = tensor.numElements(); i < e; ++i)
      if (!std::isfinite(tensor.getFloat(i)))
        return Error(Code::DataValues,
                     "input '" + spec.name + "', sample " +
                         llvm::Twine(number) +
                         ": expects finite values, got another in element " +
                         llvm::Twine(i));
  }
  return absl::OkStatus();
}

/// Both models over the samples, layer by layer.
absl::Status Collector::measure(const SampleSource &samples,
                                int64_t maxSamples) {
  QOPT_ASSIGN(LayerTrace left, LayerTrace::open(*exact, Engine::Compiled));
  QOPT_ASSIGN(LayerTrace right, LayerTrace::open(*quantized, Engine::Compiled));
  QOPT_ASSIGN(ModelInterface interface, getInterface(*exact));
  std::map<std::string, size_t> other;
  for (auto [i, name] : llvm::enumerate(right.names()))
    other[name] = i;
  std::vector<ChannelError> errors(left.names().size());
  for (; data.measuredSamples < maxSamples; ++data.measuredSamples) {
    QOPT_ASSIGN(std::optional<llvm::SmallVector<Tensor>> sample,
                samples(data.measuredSamples));
    if (!sample)
      break;
    QOPT_RETURN_IF_ERROR(checkFinite(*sample, data.measuredSamples, interface));
    QOPT_ASSIGN(llvm::SmallVector<Tensor> a, left.run(*sample));
    QOPT_ASSIGN(llvm::SmallVector<Tensor> b, right.run(*sample));
    for (auto [i, name] : llvm::enumerate(left.names()))
      if (auto it = other.find(name);
          it != other.end() &&
          a[i].numElements() == b[it->second].numElements())
        errors[i].add(a[i], b[it->second]);
  }
  std::map<std::string, double> measured;
  for (auto [i, name] : llvm::enumerate(left.names()))
    if (double value = errors[i].getSqnr(); std::isfinite(value))
      measured[name] = value;
  for (ReportLayer &layer : data.layers)
    if (auto it = measured.find(layer.name); it != measured.end())
      layer.sqnr = it->second;
  for (const ReportLayer &layer : data.layers)
    if (std::isfinite(layer.sqnr))
      data.outputSqnr = layer.sqnr;
  return absl::OkStatus();
}

absl::StatusOr<ReportData> qopt::collectReport(mlir::MLIRContext *context,
                                               const Bundle &bundle,
                                               const SampleSource &samples,
                                               int64_t maxSamples) {
  return Collector(context, bundle).run(samples, maxSamples);
}

static void setFinite(json::Object &object, llvm::StringRef key, double value) {
  if (std::isfinite(value))
    object[key] = value;
}

json::Value qopt::toJson(const ReportData &report) {
  json::Array layers, tensors;
  for (const ReportLayer &layer : report.layers) {
    json::Object row{{"name", layer.name},
                     {"op", layer.op},
                     {"float", layer.isFloat},
                     {"macs", layer.macs},
                     {"weight_format", layer.weightFormat},
                     {"weights", layer.weights},
                     {"stored_bits", layer.storedBits},
                     {"reason", layer.reason}};
    setFinite(row, "weight_sqnr_db", layer.weightSqnr);
    setFinite(row, "input_sqnr_db", layer.inputSqnr);
    setFinite(row, "sqnr_db", layer.sqnr);
    layers.push_back(std::move(row));
  }
  for (const ReportTensor &tensor : report.tensors) {
    json::Array bins;
    for (uint64_t count : tensor.bins)
      bins.push_back(int64_t(count));
    json::Object row{
        {"name", tensor.name},        {"format", tensor.format},
        {"low", tensor.low},          {"high", tensor.high},
        {"clip_low", tensor.clipLow}, {"clip_high", tensor.clipHigh},
        {"reason", tensor.reason},    {"bins", std::move(bins)}};
    setFinite(row, "sqnr_db", tensor.sqnr);
    tensors.push_back(std::move(row));
  }
  json::Object object{{"schema", "qopt.report/1"},
                      {"name", report.name},
                      {"scheme", report.scheme},
                      {"target", report.target},
                      {"requantize", report.requantize},
                      {"arena_bytes", report.arenaBytes},
                      {"object_weight_bytes", report.objectWeightBytes},
                      {"weights", report.weights},
                      {"weight_stored_bits", report.storedBits},
                      {"weight_element_bits", report.elementBits},
                      {"macs", report.macs},
                      {"macs_wide", report.wideMacs},
                      {"calibration_samples", report.calibrationSamples},
                      {"measured_samples", report.measuredSamples},
                      {"layers", std::move(layers)},
                      {"tensors", std::move(tensors)}};
  setFinite(object, "output_sqnr_db", report.outputSqnr);
  if (report.plan) {
    if (llvm::Expected<json::Value> plan = json::parse(report.plan->toJson()))
      object["plan"] = std::move(*plan);
    else
      llvm::consumeError(plan.takeError());
  }
  return object;
}
