//===- PlanState.cpp - What planning keeps between runs -------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Rounding and measuring take minutes, solving takes milliseconds: another
// budget, or a run that was killed, starts from what is known. What was made of
// another model or other data is made anew.
//===----------------------------------------------------------------------===//
#include "PlanCandidates.h"
#include "qopt/Pipelines/LayerReport.h"
#include "qopt/Pipelines/Model.h"
#include "qopt/Support/Diagnostics.h"
#include "qopt/Support/Files.h"
#include "qopt/Support/Json.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"

using namespace qopt;
namespace json = llvm::json;

/// On a cached module: what it was made from.
static constexpr llvm::StringLiteral kKeyName = "qopt.key";

absl::Status PlanMeasurements::findCandidatesKey() {
  QOPT_ASSIGN(std::string text, getModelHash(module));
  text += profile.toJSON() + request.quantize.recipe.toJson();
  text += std::to_string(kRoundingVersion);
  // What rounding reads; bias correction reads the first of it.
  for (int64_t i = 0; i < RoundWeightsOptions().samples; ++i) {
    QOPT_ASSIGN(std::optional<llvm::SmallVector<Tensor>> sample, samples(i));
    if (!sample)
      break;
    for (const Tensor &tensor : *sample)
      text += getSha256({tensor.data(), size_t(tensor.numBytes())});
  }
  candidatesKey = getSha256(text);
  return absl::OkStatus();
}

std::string
PlanMeasurements::getCandidatesFile(llvm::StringRef format,
                                    llvm::StringRef rounding) const {
  llvm::SmallString<128> path(request.candidatesFolder);
  std::string name = (format + "-" + rounding + ".mlirbc").str();
  llvm::replace(name, ':', '-');
  llvm::sys::path::append(path, name);
  return std::string(path);
}

mlir::OwningOpRef<mlir::ModuleOp>
PlanMeasurements::readCandidates(llvm::StringRef format,
                                 llvm::StringRef rounding) {
  std::string path = getCandidatesFile(format, rounding);
  if (request.candidatesFolder.empty() || !llvm::sys::fs::exists(path))
    return nullptr;
  auto kept = loadModel(module.getContext(), path, {});
  if (!kept.ok())
    return nullptr;
  auto key = (**kept)->getAttrOfType<mlir::StringAttr>(kKeyName);
  return key && key.getValue() == candidatesKey ? std::move(*kept) : nullptr;
}

absl::Status PlanMeasurements::writeCandidates(llvm::StringRef format,
                                               llvm::StringRef rounding,
                                               mlir::ModuleOp unfolded) const {
  if (request.candidatesFolder.empty())
    return absl::OkStatus();
  unfolded->setAttr(
      kKeyName, mlir::StringAttr::get(unfolded.getContext(), candidatesKey));
  QOPT_ASSIGN(std::string bytes, serializeModule(unfolded));
  return writeFile(getCandidatesFile(format, rounding), bytes);
}

/// What a measured divergence depends on beside the candidate: the samples that
/// measure.
std::string PlanMeasurements::getStateKey() const {
  std::string text = candidatesKey;
  for (int64_t i = 0; i < probeCount; ++i)
    for (const Tensor &tensor : inputs[i])
      text += getSha256({tensor.data(), size_t(tensor.numBytes())});
  return getSha256(text);
}

static std::string getRowKey(const LayerCandidates &layer,
                             const Candidate &candidate) {
  return layer.layer + "\n" + layer.op + "\n" + candidate.format + "\n" +
         candidate.rounding;
}

void PlanMeasurements::readState() {
  if (request.stateFile.empty() || !llvm::sys::fs::exists(request.stateFile))
    return;
  absl::StatusOr<std::string> text = readFile(request.stateFile, 1 << 28);
  if (!text.ok())
    return;
  absl::StatusOr<json::Object> object =
      parseJsonObject(*text, request.stateFile);
  if (!object.ok() || object->getString("schema") != "qopt.sensitivity/1" ||
      object->getString("key") != getStateKey() || !object->getArray("layers"))
    return;
  std::map<std::string, Candidate> known;
  for (const json::Value &row : *object->getArray("layers"))
    if (std::optional<LayerCandidates> layer = parseCandidates(row))
      for (const Candidate &candidate : layer->candidates)
        known[getRowKey(*layer, candidate)] = candidate;
  for (LayerCandidates &layer : layers)
    for (Candidate &candidate : layer.candidates) {
      auto it = known.find(getRowKey(layer, candidate));
      // Other numbers under the same name were measured by another build.
      if (it == known.end() || it->second.weightError != candidate.weightError)
        continue;
      candidate.divergence = it->second.divergence;
      candidate.outputError = it->second.outputError;
    }
}

absl::Status PlanMeasurements::writeState() const {
  if (request.stateFile.empty())
    return absl::OkStatus();
  json::Array rows;
  for (const LayerCandidates &layer : layers)
    rows.push_back(toJson(layer));
  json::Value value = json::Object{{"schema", "qopt.sensitivity/1"},
                                   {"key", getStateKey()},
                                   {"layers", std::move(rows)}};
  return writeFile(request.stateFile,
                   llvm::formatv("{0:2}\n", std::move(value)).str());
}
