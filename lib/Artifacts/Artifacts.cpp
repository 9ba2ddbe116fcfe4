//===- Artifacts.cpp - Files of a compiled model --------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Compiles, then writes; the bundle comes last, because it is what readers
// look for.
//===----------------------------------------------------------------------===//
#include "qopt/Artifacts/Artifacts.h"
#include "qopt/Artifacts/Bundle.h"
#include "qopt/Artifacts/EmitKinds.h"
#include "qopt/Artifacts/Lock.h"
#include "qopt/Artifacts/OutputFolder.h"
#include "qopt/Assignment/Plan.h"
#include "qopt/Data/DataSource.h"
#include "qopt/Export/ONNX/Export.h"
#include "qopt/Pipelines/LayerReport.h"
#include "qopt/Pipelines/Model.h"
#include "qopt/Pipelines/Pipelines.h"
#include "qopt/Pipelines/Transforms.h"
#include "qopt/Support/FileTransaction.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"

using namespace qopt;

std::string qopt::makeSymbol(llvm::StringRef name) {
  std::string symbol;
  for (char c : name)
    symbol += llvm::isAlnum(c) ? c : '_';
  if (symbol.empty() || llvm::isDigit(symbol[0]))
    symbol = "m_" + symbol;
  return symbol;
}

absl::StatusOr<std::string> qopt::writeOnnx(mlir::ModuleOp unfolded) {
  std::string bytes;
  QOPT_RETURN_IF_ERROR(
      runWithDiagnostics(unfolded.getContext(), Code::UnsupportedLowering, [&] {
        mlir::FailureOr<std::string> model = exportOnnx(unfolded);
        if (mlir::succeeded(model))
          bytes = std::move(*model);
        return mlir::success(mlir::succeeded(model));
      }));
  return bytes;
}

/// The samples of --data in the form of a graph's inputs.
static std::function<absl::StatusOr<FrameSource>(mlir::ModuleOp)>
makeFrames(const ArtifactRequest &request) {
  if (request.dataPaths.empty())
    return nullptr;
  return [&request](mlir::ModuleOp graph) -> absl::StatusOr<FrameSource> {
    QOPT_ASSIGN(ModelInterface interface, getInterface(graph));
    QOPT_ASSIGN(auto opened,
                DataSource::open(request.dataPaths, interface.inputs,
                                 *request.preprocessing));
    std::shared_ptr<DataSource> data = std::move(opened);
    return FrameSource(
        [data](int64_t index)
            -> absl::StatusOr<std::optional<llvm::SmallVector<Tensor>>> {
          if (index >= data->size())
            return std::nullopt;
          QOPT_ASSIGN(llvm::SmallVector<Tensor> sample, data->read(index));
          return std::optional<llvm::SmallVector<Tensor>>(std::move(sample));
        });
  };
}

/// The module as it is when the file is written, without some constants.
static FileContents writeLater(mlir::ModuleOp module,
                               const std::set<std::string> &left) {
  return FileWriter([module, left](llvm::raw_ostream &os) {
    return writeModuleWithout(module, left, os);
  });
}

/// Only what an import without arrays of its own gives again.
static bool canRefer(const ArtifactRequest &request) {
  llvm::StringRef path = request.modelPath;
  return (path.ends_with(".onnx") || path.ends_with(".onnxtxt")) &&
         request.source.import.consts.empty() &&
         !request.source.constants.names.empty();
}

/// Whether the bundle says where the model is. An error where that is asked for
/// and cannot be.
static absl::StatusOr<bool> refersToModel(const ArtifactRequest &request) {
  if (request.bundleWeights == "copy")
    return false;
  if (request.bundleWeights == "auto")
    return canRefer(request) &&
           request.source.constants.bytes > kMostCopiedBytes;
  if (!canRefer(request))
    return Error(Code::UnsupportedOption,
                 "--bundle-weights=refer expects an .onnx file with weights of "
                 "1 MiB or more, and no --const");
  return true;
}

namespace {
class Writer {
public:
  explicit Writer(const ArtifactRequest &request) : request_(request) {}

  absl::StatusOr<ArtifactSummary> run() {
    TargetInput input = makeInput();
    ArtifactSummary summary;
    const EmitKind *folder = findFolderKind(*request_.row, request_.emit);
    if (!folder && request_.row->hasBundle)
      QOPT_RETURN_IF_ERROR(checkBundlePlace(request_.stem));
    if (folder || request_.row->hasBundle) {
      QOPT_ASSIGN(summary.emission,
                  request_.target->emit(input, request_.emit));
    }
    if (folder)
      return writeFolder(std::move(summary));
    for (auto &[suffix, file] : summary.emission.files)
      files_[request_.stem + suffix] = std::move(file);
    for (const ModelKind &kind : getModelKinds())
      if (request_.emit.count(kind.name)) {
        QOPT_ASSIGN(files_[request_.stem + kind.suffix].bytes,
                    kind.make(request_));
      }
    QOPT_RETURN_IF_ERROR(addQuantizeStages());
    QOPT_RETURN_IF_ERROR(addStages(input, summary));
    BundleFiles bundle;
    if (request_.row->hasBundle)
      QOPT_RETURN_IF_ERROR(fillBundle(bundle, summary.emission));
    QOPT_RETURN_IF_ERROR(writeAll(request_.row->hasBundle ? &bundle : nullptr));
    for (const auto &[path, file] : files_)
      summary.files.push_back(path);
    if (request_.row->hasBundle)
      summary.files.push_back(request_.stem + ".qopt/");
    return summary;
  }

private:
  TargetInput makeInput() const {
    TargetInput input;
    input.quantized = request_.quantized;
    input.requantize = request_.options.requantize;
    input.scheme = request_.options.scheme;
    input.preprocessing = request_.preprocessing->toJson();
    input.openFrames = makeFrames(request_);
    return input;
  }

  absl::StatusOr<ArtifactSummary> writeFolder(ArtifactSummary summary) const {
    FilesByName contents;
    for (auto &[name, file] : summary.emission.files)
      contents[name] = std::move(file);
    QOPT_ASSIGN(llvm::json::Object lock, lockResults(contents));
    contents["lock.json"] =
        llvm::formatv("{0:2}\n", llvm::json::Value(std::move(lock))).str();
    QOPT_RETURN_IF_ERROR(writeOutputFolder(request_.stem, contents));
    for (const auto &[name, file] : contents)
      summary.files.push_back(request_.stem + "/" + name);
    return summary;
  }

  /// A scheme without statistics has few stages.
  absl::Status addQuantizeStages() {
    for (const std::string &stage : getQuantizeStages(request_.emit)) {
      auto it = request_.stages.find(stage);
      if (it == request_.stages.end())
        return Error(Code::UnsupportedOption,
                     "--emit=ir:" + stage + ": --scheme " +
                         request_.options.scheme + " has no such stage");
      files_[request_.stem + "." + stage + ".mlir"].bytes = it->second;
    }
    return absl::OkStatus();
  }

  /// The stages of the target that are to be printed, each from the one before.
  absl::Status addStages(const TargetInput &input, ArtifactSummary &summary) {
    auto wants = [&](const TargetStage &stage) {
      return request_.emit.count("ir:" + std::string(stage.name)) > 0;
    };
    size_t left = llvm::count_if(request_.row->stages, wants);
    mlir::OwningOpRef<mlir::ModuleOp> module(
        mlir::ModuleOp(request_.quantized).clone());
    for (const TargetStage &stage : request_.row->stages) {
      if (!left)
        break;
      std::string pipeline = request_.target->getPipeline(stage.name, input);
      if (!pipeline.empty()) {
        QOPT_RETURN_IF_ERROR(runPipeline(*module, pipeline));
        summary.stages.push_back({stage.name, pipeline});
      }
      if (!wants(stage))
        continue;
      files_[request_.stem + getStageSuffix(stage)].bytes =
          printModule(*module);
      --left;
    }
    return absl::OkStatus();
  }

  /// Writes files and the bundle, or nothing: code without its bundle would be
  /// half a result, and what an earlier call wrote is whole.
  absl::Status writeAll(const BundleFiles *bundle) const {
    FileTransaction transaction;
    for (const auto &[path, file] : files_)
      QOPT_RETURN_IF_ERROR(transaction.add(path, file, file.isExecutable));
    QOPT_RETURN_IF_ERROR(transaction.commit());
    if (bundle)
      QOPT_RETURN_IF_ERROR(bundle->write(request_.stem));
    transaction.keep();
    return absl::OkStatus();
  }

  absl::Status fillBundle(BundleFiles &bundle, const Emission &emission) {
    std::set<std::string> left;
    QOPT_ASSIGN(bool refers, refersToModel(request_));
    if (refers) {
      left = request_.source.constants.names;
      QOPT_ASSIGN(llvm::json::Object source,
                  makeModelReference(request_.modelPath,
                                     request_.stem + ".qopt",
                                     request_.source.import));
      bundle.addJson(kReferenceFile, std::move(source));
    }
    bundle.files["model.mlirbc"] = writeLater(request_.floatModule, left);
    bundle.files["quantized.mlirbc"] = writeLater(request_.quantized, left);
    if (request_.profile)
      bundle.files["profile.json"] = request_.profile->toJSON();
    if (request_.options.plan)
      bundle.files["plan.json"] = request_.options.plan->toJson();
    bundle.addJson("manifest.json", makeManifest(emission));
    FilesByName results;
    for (const auto &[path, file] : files_)
      results[path.substr(request_.stem.size())] = file;
    QOPT_ASSIGN(llvm::json::Object lock, lockResults(results));
    bundle.addJson("lock.json", std::move(lock));
    return absl::OkStatus();
  }

  absl::StatusOr<llvm::json::Object>
  lockResults(const FilesByName &results) const {
    QOPT_ASSIGN(llvm::json::Object lock, makeLock(request_, results));
    if (request_.lock)
      QOPT_RETURN_IF_ERROR(compareLocks(*request_.lock, lock));
    return lock;
  }

  llvm::json::Value makeManifest(const Emission &emission) const {
    llvm::json::Array code;
    for (const EmitKind &kind : request_.row->kinds)
      if (kind.isCode && request_.emit.count(kind.name))
        code.push_back(kind.suffix);
    llvm::json::Object manifest = emission.manifest;
    manifest["schema"] = "qopt.manifest/1";
    manifest["scheme"] = request_.options.scheme;
    manifest["recipe"] = request_.options.toSettings();
    manifest["requantize"] = request_.options.requantize;
    if (request_.target->isIntegerOnly())
      manifest["integer_only"] = true;
    manifest["code"] = std::move(code);
    manifest["preprocessing"] = request_.preprocessing->toJson();
    manifest["report"] =
        toJson(reportLayers(request_.quantized, *emission.lowered));
    if (std::vector<std::string> lines = getTransforms(request_.floatModule);
        !lines.empty())
      manifest["transforms"] = llvm::json::Array(lines);
    return manifest;
  }

  const ArtifactRequest &request_;
  std::map<std::string, EmittedFile> files_;
};
} // namespace

absl::StatusOr<ArtifactSummary>
qopt::writeArtifacts(ArtifactRequest request, const QuantizedModel &model) {
  mlir::OwningOpRef<mlir::ModuleOp> quantized(
      mlir::ModuleOp(model.quantized.get()).clone());
  request.floatModule = model.floatModule.get();
  request.unfolded = model.unfolded.get();
  request.quantized = *quantized;
  request.profile = model.profile ? &*model.profile : nullptr;
  request.options = model.recipe;
  request.stages = model.stages;
  return Writer(request).run();
}
