//===- PlanCandidates.cpp - Candidates of every layer ---------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// One quantization of the whole model per format gives that format's candidate
// of every layer, rounded and corrected as compilation would.
//===----------------------------------------------------------------------===//
#include "PlanCandidates.h"
#include "qopt/Dialect/QG/IR/Encodings.h"
#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Pipelines/Model.h"
#include "qopt/Pipelines/Pipelines.h"
#include "qopt/Pipelines/Report.h"
#include "qopt/Support/Diagnostics.h"
#include "qopt/Support/Files.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include <map>

using namespace qopt;
namespace json = llvm::json;

static bool isLinearOp(mlir::Operation *op) {
  return llvm::isa<qg::ConvOp, qg::ConvTransposeOp, qg::MatmulOp>(op);
}

/// The quantized constant behind a weight; null for a float one.
static qg::ConstantOp getStored(mlir::Operation *op) {
  auto dequantize = op->getOperand(1).getDefiningOp<qg::DequantizeOp>();
  mlir::Value value = dequantize ? dequantize.getX() : op->getOperand(1);
  auto constant = value.getDefiningOp<qg::ConstantOp>();
  return constant && qg::getQuantizedType(constant.getType())
             ? constant
             : qg::ConstantOp();
}

WeightCount qopt::countWeights(mlir::ModuleOp quantized) {
  WeightCount count;
  quantized.walk([&](mlir::Operation *op) {
    if (!isLinearOp(op))
      return;
    if (qg::ConstantOp stored = getStored(op)) {
      auto type = llvm::cast<mlir::RankedTensorType>(stored.getType());
      count.weights += type.getNumElements();
      count.storedBits += qg::getStoredBits(type);
      count.elementBits +=
          type.getNumElements() * qg::getQuantizedType(type).getBits();
    } else if (op->getOperand(1).getDefiningOp<qg::ConstantOp>()) {
      auto type =
          llvm::cast<mlir::RankedTensorType>(op->getOperand(1).getType());
      count.weights += type.getNumElements();
      count.storedBits += 32 * type.getNumElements();
      count.elementBits += 32 * type.getNumElements();
    }
  });
  return count;
}

absl::StatusOr<std::string> qopt::getModelHash(mlir::ModuleOp module) {
  QOPT_ASSIGN(std::string bytes, serializeModule(module));
  return getSha256(bytes);
}

static double getWeightError(const Tensor &exact, const Tensor &other) {
  double signal = 0, noise = 0;
  for (auto [a, b] : llvm::zip(exact.span<float>(), other.span<float>())) {
    signal += double(a) * a;
    noise += (double(a) - b) * (double(a) - b);
  }
  return signal > 0 ? noise / signal : 0;
}

absl::Status PlanMeasurements::addFormat(const std::string &format,
                                         bool isCandidate) {
  mlir::OwningOpRef<mlir::ModuleOp> work(module.clone()), unfolded;
  QuantizeOptions options = request.quantize;
  options.scheme = Scheme::W8A8;
  options.weights = format;
  options.rounding = request.rounding;
  // A candidate stands in for the float weight of its layer alone.
  options.keepChannelScales = true;
  QOPT_RETURN_IF_ERROR(quantize(*work, &profile, samples, options, &unfolded));
  std::map<std::pair<std::string, std::string>, Tensor> exact;
  module.walk([&](mlir::Operation *op) {
    if (isLinearOp(op))
      if (std::optional<Tensor> weight = qg::matchConstant(op->getOperand(1)))
        exact[{qg::getUserName(op), op->getName().getStringRef().str()}] =
            *weight;
  });
  bool isFirst = layers.empty();
  std::map<std::pair<std::string, std::string>, size_t> known;
  for (auto [i, layer] : llvm::enumerate(layers))
    known[{layer.layer, layer.op}] = i;
  std::vector<std::string> twice;
  unfolded->walk([&](mlir::Operation *op) {
    qg::ConstantOp stored = isLinearOp(op) ? getStored(op) : qg::ConstantOp();
    std::pair<std::string, std::string> key{isLinearOp(op) ? qg::getUserName(op)
                                                           : "",
                                            op->getName().getStringRef().str()};
    if (!stored || !exact.count(key))
      return;
    auto type = llvm::cast<mlir::RankedTensorType>(stored.getType());
    if (isFirst) {
      if (!known.try_emplace(key, layers.size()).second) {
        twice.push_back(key.first);
        return;
      }
      layers.push_back(
          {key.first, key.second, type.getNumElements(), countMacs(op), {}});
      wideBits.push_back(0);
    }
    auto it = known.find(key);
    std::optional<Tensor> values = qg::matchConstant(stored.getResult());
    std::optional<Tensor> levels =
        values ? qg::dequantize(*values, type) : std::nullopt;
    if (it == known.end() || !levels)
      return;
    if (format == "si8")
      wideBits[it->second] = qg::getStoredBits(type);
    if (!isCandidate)
      return;
    Candidate candidate;
    candidate.format = format;
    candidate.width = qg::getQuantizedType(type).getBits();
    candidate.rounding = candidate.width < 8 ? request.rounding : "nearest";
    candidate.storedBits = qg::getStoredBits(type);
    candidate.weight = *levels;
    if (op->getNumOperands() > 2)
      if (std::optional<Tensor> bias = qg::matchConstant(op->getOperand(2));
          bias && bias->dtype() == DType::f32)
        candidate.bias = *bias;
    candidate.weightError = getWeightError(exact[key], *levels);
    // Groups that an op cannot have leave the same candidate once more.
    LayerCandidates &layer = layers[it->second];
    for (const Candidate &other : layer.candidates)
      if (other.width == candidate.width &&
          other.storedBits == candidate.storedBits &&
          other.weightError == candidate.weightError)
        return;
    layer.candidates.push_back(std::move(candidate));
  });
  if (isFirst) {
    WeightCount all = countWeights(*unfolded);
    floatWeights = all.weights;
    for (const LayerCandidates &layer : layers)
      floatWeights -= layer.weights;
    floatBits = 32 * floatWeights;
  }
  if (twice.empty())
    return absl::OkStatus();
  return Error(Code::UnsupportedModel,
               "layers share a name, which a plan could not tell apart: '" +
                   llvm::join(twice, "', '") + "'");
}

absl::Status PlanMeasurements::makeCandidates() {
  std::vector<std::string> formats = request.formats;
  bool hasWide = llvm::is_contained(formats, "si8");
  // Budgets refer to 8 bits, whether or not they may be chosen.
  if (!hasWide)
    formats.push_back("si8");
  for (auto [i, format] : llvm::enumerate(formats)) {
    QOPT_RETURN_IF_ERROR(addFormat(format, format != "si8" || hasWide));
    say("candidates", int64_t(i) + 1, int64_t(formats.size()));
  }
  if (layers.empty())
    return Error(Code::UnsupportedModel,
                 "no layer of the model has a weight whose width can be "
                 "chosen");
  for (LayerCandidates &layer : layers)
    llvm::stable_sort(layer.candidates,
                      [](const Candidate &a, const Candidate &b) {
                        return a.storedBits < b.storedBits;
                      });
  return absl::OkStatus();
}

absl::Status PlanMeasurements::openProbe() {
  std::vector<std::pair<std::string, std::string>> names;
  for (const LayerCandidates &layer : layers)
    names.push_back({layer.layer, layer.op});
  QOPT_ASSIGN(probe, PlanProbe::open(module, names));
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
  mlir::OwningOpRef<mlir::ModuleOp> observed(module.clone());
  QOPT_RETURN_IF_ERROR(runPipeline(*observed, "qg-insert-observers"));
  OutputErrorOptions options;
  options.executor = request.quantize.calibrated;
  options.progress = [&](int64_t done, int64_t total) {
    say("output errors", done, total);
  };
  return measureOutputErrors(
      *observed, layers, samples, options,
      getExecutorFactory(request.quantize.engine, /*optLevel=*/1));
}

absl::Status PlanMeasurements::measureProbes() {
  QOPT_ASSIGN(std::string key, getKey());
  readState(key);
  std::vector<std::pair<size_t, size_t>> missing;
  for (auto [i, layer] : llvm::enumerate(layers))
    for (size_t c : getProbes(layer, request.sensitivity))
      if (std::isnan(layer.candidates[c].divergence))
        missing.emplace_back(i, c);
  for (auto [done, probe_] : llvm::enumerate(missing)) {
    auto [i, c] = probe_;
    Candidate &candidate = layers[i].candidates[c];
    probe->set(i, candidate.weight, candidate.bias);
    QOPT_ASSIGN(candidate.divergence, measureRange(0, probeCount));
    probe->set(i, Tensor(), Tensor());
    if (done % 8 == 7 || done + 1 == missing.size())
      QOPT_RETURN_IF_ERROR(writeState(key));
    say("sensitivities", int64_t(done) + 1, int64_t(missing.size()));
  }
  return absl::OkStatus();
}

/// What a measured divergence depends on.
absl::StatusOr<std::string> PlanMeasurements::getKey() {
  QOPT_ASSIGN(std::string text, getModelHash(module));
  text += profile.toJSON() + request.rounding + request.quantize.method;
  for (const auto &sample : inputs)
    for (const Tensor &tensor : sample)
      text += getSha256({tensor.data(), size_t(tensor.numBytes())});
  return getSha256(text);
}

void PlanMeasurements::readState(const std::string &key) {
  if (request.stateFile.empty() || !llvm::sys::fs::exists(request.stateFile))
    return;
  absl::StatusOr<std::string> text = readFile(request.stateFile, 1 << 28);
  if (!text.ok())
    return;
  llvm::Expected<json::Value> value = json::parse(*text);
  if (!value)
    return llvm::consumeError(value.takeError());
  const json::Object *object = value->getAsObject();
  // A state of another model or other data is measured anew.
  if (!object || object->getString("schema") != "qopt.sensitivity/1" ||
      object->getString("key") != key || !object->getArray("layers"))
    return;
  std::map<std::string, double> known;
  for (const json::Value &row : *object->getArray("layers"))
    if (std::optional<LayerCandidates> layer = parseCandidates(row))
      for (const Candidate &candidate : layer->candidates)
        known[layer->layer + "\n" + layer->op + "\n" + candidate.format] =
            candidate.divergence;
  for (LayerCandidates &layer : layers)
    for (Candidate &candidate : layer.candidates) {
      auto it =
          known.find(layer.layer + "\n" + layer.op + "\n" + candidate.format);
      if (it != known.end())
        candidate.divergence = it->second;
    }
}

absl::Status PlanMeasurements::writeState(const std::string &key) const {
  if (request.stateFile.empty())
    return absl::OkStatus();
  json::Array rows;
  for (const LayerCandidates &layer : layers)
    rows.push_back(toJson(layer));
  json::Value value = json::Object{{"schema", "qopt.sensitivity/1"},
                                   {"key", key},
                                   {"layers", std::move(rows)}};
  return writeFile(request.stateFile,
                   llvm::formatv("{0:2}\n", std::move(value)).str());
}

absl::Status PlanMeasurements::run() {
  QOPT_RETURN_IF_ERROR(makeCandidates());
  QOPT_RETURN_IF_ERROR(openProbe());
  if (request.sensitivity == SensitivityKind::Proxy)
    QOPT_RETURN_IF_ERROR(measureErrors());
  if (request.sensitivity != SensitivityKind::WeightError)
    QOPT_RETURN_IF_ERROR(measureProbes());
  for (LayerCandidates &layer : layers)
    fillLosses(layer, request.sensitivity);
  return absl::OkStatus();
}
