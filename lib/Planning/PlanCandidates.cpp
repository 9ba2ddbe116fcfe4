//===- PlanCandidates.cpp - Candidates of every layer ---------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// One quantization of the whole model per format gives that format's candidate
// of every layer, rounded and corrected as compilation would.
//===----------------------------------------------------------------------===//
#include "PlanCandidates.h"
#include "qopt/Dialect/QG/IR/Encodings.h"
#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Pipelines/LayerReport.h"
#include "qopt/Pipelines/Model.h"
#include "qopt/Pipelines/Pipelines.h"
#include "qopt/Support/Diagnostics.h"
#include "qopt/Support/Files.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include <map>
#include <set>

using namespace qopt;
namespace json = llvm::json;

/// How far samples may lie outside of what the profile saw.
static constexpr double kMostBeyond = 4;

/// The quantized constant behind a weight; null for a float one.
static qg::ConstantOp getStored(LinearOpInterface op) {
  auto dequantize = op.getWeight().getDefiningOp<qg::DequantizeOp>();
  mlir::Value value = dequantize ? dequantize.getX() : op.getWeight();
  auto constant = value.getDefiningOp<qg::ConstantOp>();
  return constant && qg::getQuantizedType(constant.getType())
             ? constant
             : qg::ConstantOp();
}

WeightCount qopt::countWeights(mlir::ModuleOp quantized) {
  WeightCount count;
  quantized.walk([&](LinearOpInterface op) {
    if (qg::ConstantOp stored = getStored(op)) {
      auto type = llvm::cast<mlir::RankedTensorType>(stored.getType());
      count.weights += type.getNumElements();
      count.storedBits += qg::getStoredBits(type);
      count.elementBits +=
          type.getNumElements() * qg::getQuantizedType(type).getBits();
    } else if (op.getWeight().getDefiningOp<qg::ConstantOp>()) {
      int64_t weights = getTensorType(op.getWeight()).getNumElements();
      count.weights += weights;
      count.storedBits += 32 * weights;
      count.elementBits += 32 * weights;
    }
  });
  return count;
}

using LayerKey = PlanMeasurements::LayerKey;

static LayerKey getLayerKey(mlir::Operation *op) {
  return {qg::getUserName(op), op->getName().getStringRef().str()};
}

static double getWeightError(const Tensor &exact, const Tensor &other) {
  double signal = 0, noise = 0;
  for (auto [a, b] : llvm::zip(exact.span<float>(), other.span<float>())) {
    signal += double(a) * a;
    noise += (double(a) - b) * (double(a) - b);
  }
  return signal > 0 ? noise / signal : 0;
}

absl::StatusOr<mlir::OwningOpRef<mlir::ModuleOp>>
PlanMeasurements::quantizeAs(const std::string &format,
                             const std::string &rounding) {
  mlir::OwningOpRef<mlir::ModuleOp> unfolded;
  if (!isSketch && (unfolded = readCandidates(format, rounding)))
    return std::move(unfolded);
  mlir::OwningOpRef<mlir::ModuleOp> work(module.clone());
  QuantizeOptions options = request.quantize;
  options.recipe.weights = format;
  options.recipe.rounding = rounding;
  // A candidate stands in for the float weight of its layer alone.
  options.keepChannelScales = true;
  QOPT_ASSIGN(
      QuantizeResult result,
      quantize(*work, &profile, isSketch ? SampleSource() : samples, options));
  if (!isSketch)
    QOPT_RETURN_IF_ERROR(writeCandidates(format, rounding, *result.unfolded));
  return std::move(result.unfolded);
}

/// Decision nodes: every layer whose weight was quantized, once.
absl::Status PlanMeasurements::findLayers(mlir::ModuleOp unfolded) {
  std::set<LayerKey> known;
  std::vector<std::string> twice;
  unfolded.walk([&](LinearOpInterface op) {
    LayerKey key = getLayerKey(op);
    qg::ConstantOp stored = getStored(op);
    if (stored && exact.count(key)) {
      if (!known.insert(key).second)
        return twice.push_back(key.first);
      layers.push_back({key.first,
                        key.second,
                        stored.getType().getNumElements(),
                        op.countMacs(),
                        {}});
    } else if (!stored && op.getWeight().getDefiningOp<qg::ConstantOp>()) {
      floatLayers.push_back(key.first);
      floatWeights += getTensorType(op.getWeight()).getNumElements();
    }
  });
  wideBits.resize(layers.size());
  if (!twice.empty())
    return Error(Code::UnsupportedModel,
                 "layers share a name, which a plan could not tell apart: '" +
                     llvm::join(twice, "', '") + "'");
  if (layers.empty())
    return Error(Code::UnsupportedModel,
                 "no layer of the model has a weight whose width can be "
                 "chosen");
  return absl::OkStatus();
}

absl::StatusOr<StoredBytes>
PlanMeasurements::measureStorage(mlir::ModuleOp unfolded) const {
  mlir::OwningOpRef<mlir::ModuleOp> work(unfolded.clone());
  QOPT_RETURN_IF_ERROR(
      runPipeline(*work, "func.func(qg-fold-channel-scales,qg-fold-qdq,"
                         "qg-use-stored-weights,canonicalize,cse)"));
  QOPT_RETURN_IF_ERROR(lower(*work, request.quantize.recipe.requantize));
  absl::StatusOr<StoredBytes> stored =
      qopt::measureStorage(*work, request.target);
  if (!stored.ok())
    return withCode(stored.status(), Code::UnsupportedLowering);
  return stored;
}

/// All bytes of the object by layer. Steps are named, not told apart by op, so
/// layers of one name share its bytes by their weights. The first layer gets
/// what is of none of them: constants that no plan changes, and those that a
/// format moves elsewhere.
std::vector<double>
PlanMeasurements::divideBytes(const StoredBytes &stored) const {
  std::map<std::string, double> weights;
  double rest = double(stored.total);
  for (const LayerCandidates &layer : layers)
    weights[layer.layer] += double(layer.weights);
  for (const auto &[name, bytes] : stored.layers)
    if (weights.count(name))
      rest -= double(bytes);
  std::vector<double> result;
  for (const LayerCandidates &layer : layers) {
    auto it = stored.layers.find(layer.layer);
    double own = it == stored.layers.end() ? 0 : double(it->second);
    result.push_back(own * double(layer.weights) / weights[layer.layer]);
  }
  result.front() += rest;
  return result;
}

/// The candidate that a quantized layer is.
static std::optional<Candidate> makeCandidate(LinearOpInterface op,
                                              const Tensor &exact) {
  qg::ConstantOp stored = getStored(op);
  auto type = llvm::cast<mlir::RankedTensorType>(stored.getType());
  std::optional<Tensor> values = qg::matchConstant(stored.getResult());
  std::optional<Tensor> levels =
      values ? qg::dequantize(*values, type) : std::nullopt;
  if (!levels)
    return std::nullopt;
  Candidate candidate;
  candidate.width = qg::getQuantizedType(type).getBits();
  candidate.storedBits = qg::getStoredBits(type);
  candidate.weight = *levels;
  if (op.getBias())
    if (std::optional<Tensor> bias = qg::matchConstant(op.getBias());
        bias && bias->dtype() == DType::f32)
      candidate.bias = *bias;
  candidate.weightError = getWeightError(exact, *levels);
  return candidate;
}

absl::Status PlanMeasurements::addFormat(const std::string &format,
                                         const std::string &rounding,
                                         bool isCandidate) {
  QOPT_ASSIGN(auto unfolded, quantizeAs(format, rounding));
  if (layers.empty())
    QOPT_RETURN_IF_ERROR(findLayers(*unfolded));
  absl::StatusOr<StoredBytes> stored = measureStorage(*unfolded);
  if (!stored.ok())
    return withPrefix(stored.status(), "'" + format + "' in every layer: ");
  std::map<LayerKey, size_t> index;
  for (auto [i, layer] : llvm::enumerate(layers))
    index[{layer.layer, layer.op}] = i;
  std::vector<double> bytes = divideBytes(*stored);
  if (format == "si8")
    wideBytes = bytes;
  unfolded->walk([&](LinearOpInterface op) {
    auto it = getStored(op) ? index.find(getLayerKey(op)) : index.end();
    if (it == index.end())
      return;
    std::optional<Candidate> candidate = makeCandidate(op, exact[it->first]);
    if (!candidate)
      return;
    if (format == "si8")
      wideBits[it->second] = candidate->storedBits;
    candidate->objectBytes = bytes[it->second];
    candidate->format = format;
    candidate->rounding =
        candidate->width < 8 ? rounding : kNearestRounder.str();
    // Groups that an op cannot have leave the same candidate once more.
    LayerCandidates &layer = layers[it->second];
    bool isKnown = llvm::any_of(layer.candidates, [&](const Candidate &other) {
      return other.width == candidate->width &&
             other.storedBits == candidate->storedBits &&
             other.rounding == candidate->rounding &&
             other.weightError == candidate->weightError;
    });
    if (isCandidate && !isKnown)
      layer.candidates.push_back(std::move(*candidate));
  });
  return absl::OkStatus();
}

absl::Status PlanMeasurements::makeCandidates() {
  module.walk([&](LinearOpInterface op) {
    if (!op->hasAttr("qg.weights"))
      if (std::optional<Tensor> weight = qg::matchConstant(op.getWeight()))
        exact[getLayerKey(op)] = *weight;
  });
  struct Variant {
    std::string format, rounding;
    bool isCandidate;
  };
  std::vector<Variant> variants;
  for (const std::string &format : request.formats)
    for (const std::string &rounding : request.roundings)
      // 8 bits are rounded to the nearest whatever is asked for.
      if (rounding == request.roundings.front() ||
          !llvm::StringRef(format).split(':').first.ends_with("8"))
        variants.push_back({format, rounding, true});
  // Budgets refer to 8 bits, whether or not they may be chosen.
  if (!llvm::is_contained(request.formats, "si8"))
    variants.push_back({"si8", request.roundings.front(), false});
  llvm::StringRef phase = isSketch ? "sizes" : "candidates";
  say(phase, 0, int64_t(variants.size()));
  for (auto [i, variant] : llvm::enumerate(variants)) {
    QOPT_RETURN_IF_ERROR(
        addFormat(variant.format, variant.rounding, variant.isCandidate));
    say(phase, int64_t(i) + 1, int64_t(variants.size()));
  }
  // What costs the same is ordered by how well it is rounded.
  for (LayerCandidates &layer : layers)
    llvm::stable_sort(
        layer.candidates, [](const Candidate &a, const Candidate &b) {
          return a.storedBits != b.storedBits ? a.storedBits < b.storedBits
                                              : a.rounding > b.rounding;
        });
  return absl::OkStatus();
}

static bool areEqual(llvm::ArrayRef<Tensor> a, llvm::ArrayRef<Tensor> b) {
  return llvm::all_of(llvm::zip(a, b), [](const auto &pair) {
    const auto &[x, y] = pair;
    return x.numBytes() == y.numBytes() &&
           !std::memcmp(x.data(), y.data(), x.numBytes());
  });
}

/// Samples that could not tell one plan from another, or are not those of the
/// profile.
absl::Status PlanMeasurements::checkSamples() {
  auto isSame = [](const std::vector<llvm::SmallVector<Tensor>> &rows) {
    return llvm::all_of(rows, [&](const llvm::SmallVector<Tensor> &row) {
      return areEqual(row, rows.front());
    });
  };
  if (isSame(inputs))
    return Error(Code::DataValues, "all of the " + llvm::Twine(inputs.size()) +
                                       " samples are the same, a plan expects "
                                       "different ones");
  if (isSame(outputs))
    return Error(Code::DataValues,
                 "the outputs are the same for all of the " +
                     llvm::Twine(inputs.size()) +
                     " samples: nothing tells one plan from another")
        .help("are these data of this model? check --data and --pre");
  QOPT_ASSIGN(ModelInterface interface, getInterface(module));
  for (auto [i, spec] : llvm::enumerate(interface.inputs)) {
    auto it = profile.tensors.find(spec.name);
    if (it == profile.tensors.end() || spec.dtype != DType::f32)
      continue;
    double known = std::max(-double(it->second.low), double(it->second.high));
    double most = 0;
    for (const auto &sample : inputs)
      for (float value : sample[i].span<float>())
        most = std::max(most, std::fabs(double(value)));
    if (most > kMostBeyond * known)
      return Error(Code::DataValues,
                   llvm::formatv("input '{0}' reaches {1:f3}, but {2:f3} in "
                                 "the profile: it is of other data",
                                 spec.name, most, known)
                       .str())
          .help("calibrate with these data, or leave out --profile");
  }
  return absl::OkStatus();
}

absl::Status PlanMeasurements::openProbe() {
  std::vector<std::pair<std::string, std::string>> names;
  for (const LayerCandidates &layer : layers)
    names.push_back({layer.layer, layer.op});
  QOPT_ASSIGN(probe, PlanProbe::open(module, names));
  say("exact outputs", 0, request.samples);
  for (int64_t i = 0; i < request.samples; ++i) {
    QOPT_ASSIGN(std::optional<llvm::SmallVector<Tensor>> sample, samples(i));
    if (!sample)
      break;
    QOPT_ASSIGN(llvm::SmallVector<Tensor> exact, probe->run(*sample));
    inputs.push_back(std::move(*sample));
    outputs.push_back(std::move(exact));
    say("exact outputs", i + 1, request.samples);
  }
  if (inputs.size() < 2)
    return Error(Code::DataValues, "a plan expects at least 2 samples, got " +
                                       llvm::Twine(inputs.size()));
  QOPT_RETURN_IF_ERROR(checkSamples());
  probeCount = int64_t(inputs.size() + 1) / 2;
  heldBackCount = int64_t(inputs.size()) - probeCount;
  return absl::OkStatus();
}

absl::StatusOr<double> PlanMeasurements::measureRange(int64_t begin,
                                                      int64_t end) {
  double sum = 0;
  for (int64_t i = begin; i < end; ++i) {
    QOPT_ASSIGN(llvm::SmallVector<Tensor> results, probe->run(inputs[i]));
    for (auto [exact, other] : llvm::zip(outputs[i], results))
      if (exact.dtype() == DType::f32)
        sum += getDivergence(exact, other);
  }
  return sum / double(std::max<int64_t>(end - begin, 1));
}

absl::StatusOr<double> PlanMeasurements::measure(llvm::ArrayRef<int> choice,
                                                 bool heldBack) {
  for (auto [i, c] : llvm::enumerate(choice))
    probe->set(i, layers[i].candidates[c].weight, layers[i].candidates[c].bias);
  absl::StatusOr<double> result =
      heldBack ? measureRange(probeCount, probeCount + heldBackCount)
               : measureRange(0, probeCount);
  probe->reset();
  return result;
}

absl::Status PlanMeasurements::measureErrors() {
  bool isKnown = llvm::all_of(layers, [](const LayerCandidates &layer) {
    return llvm::all_of(layer.candidates, [](const Candidate &candidate) {
      return std::isfinite(candidate.outputError);
    });
  });
  if (isKnown)
    return absl::OkStatus();
  mlir::OwningOpRef<mlir::ModuleOp> observed(module.clone());
  QOPT_RETURN_IF_ERROR(runPipeline(*observed, "qg-insert-observers"));
  say("output errors", 0, int64_t(layers.size()));
  OutputErrorOptions options;
  options.executor = request.quantize.calibrated;
  options.progress = [&](int64_t done, int64_t total) {
    say("output errors", done, total);
  };
  QOPT_RETURN_IF_ERROR(measureOutputErrors(
      *observed, layers, samples, options,
      getExecutorFactory(request.quantize.engine, /*optLevel=*/1)));
  return writeState();
}

absl::Status PlanMeasurements::measureProbes() {
  std::vector<std::pair<size_t, size_t>> missing;
  for (auto [i, layer] : llvm::enumerate(layers))
    for (size_t c : getProbes(layer, request.sensitivity))
      if (std::isnan(layer.candidates[c].divergence))
        missing.emplace_back(i, c);
  if (!missing.empty())
    say("sensitivities", 0, int64_t(missing.size()));
  for (auto [done, probe_] : llvm::enumerate(missing)) {
    auto [i, c] = probe_;
    Candidate &candidate = layers[i].candidates[c];
    probe->set(i, candidate.weight, candidate.bias);
    QOPT_ASSIGN(candidate.divergence, measureRange(0, probeCount));
    probe->set(i, Tensor(), Tensor());
    if (done % 8 == 7 || done + 1 == missing.size())
      QOPT_RETURN_IF_ERROR(writeState());
    say("sensitivities", int64_t(done) + 1, int64_t(missing.size()));
  }
  return absl::OkStatus();
}

absl::Status PlanMeasurements::sketch() {
  isSketch = true;
  return makeCandidates();
}

absl::Status PlanMeasurements::run() {
  QOPT_RETURN_IF_ERROR(findCandidatesKey());
  QOPT_RETURN_IF_ERROR(makeCandidates());
  QOPT_RETURN_IF_ERROR(openProbe());
  readState();
  if (request.sensitivity == SensitivityKind::Proxy)
    QOPT_RETURN_IF_ERROR(measureErrors());
  if (request.sensitivity != SensitivityKind::WeightError)
    QOPT_RETURN_IF_ERROR(measureProbes());
  for (LayerCandidates &layer : layers)
    fillLosses(layer, request.sensitivity);
  return absl::OkStatus();
}
