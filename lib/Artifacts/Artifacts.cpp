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
#include "qopt/Export/ONNX/Export.h"
#include "qopt/Pipelines/LayerReport.h"
#include "qopt/Pipelines/Model.h"
#include "qopt/Pipelines/Pipelines.h"
#include "qopt/Pipelines/Transforms.h"
#include "qopt/Support/Files.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"
#include "llvm/TargetParser/Triple.h"

using namespace qopt;

absl::StatusOr<std::set<std::string>>
qopt::parseEmit(llvm::ArrayRef<std::string> values) {
  std::string names;
  std::set<std::string> known, result;
  auto add = [&](llvm::StringRef name) {
    known.insert(name.str());
    names += (names.empty() ? "" : ", ") + name.str();
  };
  for (const FileKind &kind : getFileKinds())
    add(kind.name);
  for (const FolderKind &kind : getFolderKinds())
    add(kind.name);
  for (llvm::StringRef value : values) {
    if (value == "ir")
      value = "ir:lowered";
    if (!known.count(value.str()))
      return Error(Code::BadFlagValue, "--emit: expected some of " + names +
                                           ", got '" + value + "'");
    if (findFolderKind(value) && values.size() > 1)
      return Error(Code::UnsupportedOption,
                   "--emit=" + value + " writes a folder of its own")
          .help("ask for the other kinds in another call");
    result.insert(value.str());
  }
  if (result.empty())
    result.insert("object");
  return result;
}

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

absl::Status qopt::withCompilerCode(const absl::Status &status) {
  switch (status.code()) {
  case absl::StatusCode::kUnimplemented:
    return withCode(status, Code::UnsupportedLowering);
  case absl::StatusCode::kInvalidArgument:
    return withCode(status, Code::BadFlagValue);
  case absl::StatusCode::kFailedPrecondition:
    return withCode(status, Code::MissingTool);
  default:
    return status;
  }
}

namespace {
/// Arrays of the C interface, with their encodings.
llvm::json::Value describe(llvm::ArrayRef<TensorInfo> arrays) {
  llvm::json::Array result;
  for (const TensorInfo &array : arrays) {
    llvm::json::Object object{{"name", array.name},
                              {"dtype", getName(array.dtype)},
                              {"shape", llvm::json::Array(array.shape)}};
    if (array.scale != 0) {
      object["scale"] = array.scale;
      object["zero_point"] = array.zeroPoint;
    }
    result.push_back(std::move(object));
  }
  return result;
}

/// What a reader asks before it runs the code.
llvm::json::Value describe(const MachineRecord &machine) {
  return llvm::json::Object{{"triple", machine.triple},
                            {"cpu", machine.cpu},
                            {"features", llvm::json::Array(machine.features)}};
}

class Writer {
public:
  explicit Writer(const ArtifactRequest &request) : request_(request) {}

  absl::StatusOr<ArtifactSummary> run() {
    mlir::OwningOpRef<mlir::ModuleOp> lowered(
        mlir::ModuleOp(request_.quantized).clone());
    QOPT_RETURN_IF_ERROR(
        lower(*lowered, request_.options.requantize, request_.integerOnly));
    absl::StatusOr<CompiledModel> compiled =
        compileForCPU(*lowered, request_.cpu);
    if (!compiled.ok())
      return withCompilerCode(compiled.status());
    EmitInput input{request_, *lowered, *compiled};
    for (const FileKind &kind : getFileKinds())
      if (wants(kind)) {
        QOPT_ASSIGN(files_[request_.stem + kind.suffix].bytes,
                    kind.make(input));
        files_[request_.stem + kind.suffix].isExecutable = kind.isExecutable;
      }
    BundleFiles bundle;
    QOPT_RETURN_IF_ERROR(fillBundle(bundle, *compiled, *lowered));
    QOPT_RETURN_IF_ERROR(writeAll([&] { return bundle.write(request_.stem); }));
    ArtifactSummary summary = summarize();
    summary.files.push_back(request_.stem + ".qopt/");
    summary.target = compiled->info.target;
    summary.runsHere = findMissing(compiled->info.machine).empty();
    summary.arenaBytes = compiled->info.arenaBytes;
    summary.weightsBytes = compiled->info.weightsBytes;
    return summary;
  }

  absl::StatusOr<ArtifactSummary> runFolder(const FolderKind &kind) {
    QOPT_ASSIGN(auto contents, kind.make(request_));
    QOPT_ASSIGN(llvm::json::Object lock, makeLock(request_, contents));
    if (request_.lock)
      QOPT_RETURN_IF_ERROR(compareLocks(*request_.lock, lock));
    contents["lock.json"] =
        llvm::formatv("{0:2}\n", llvm::json::Value(std::move(lock))).str();
    std::string text;
    if (kind.summary)
      text = llvm::StringRef(contents[kind.summary]).split("\n\n").first.str();
    QOPT_RETURN_IF_ERROR(writeOutputFolder(request_.stem, contents));
    ArtifactSummary summary;
    for (const auto &[name, bytes] : contents)
      summary.files.push_back(request_.stem + "/" + name);
    summary.target = request_.target;
    summary.text = std::move(text);
    return summary;
  }

private:
  struct File {
    std::string bytes;
    bool isExecutable = false;
  };

  /// Writes files and whatever `finish` does, or nothing: code without its
  /// bundle would be half a result.
  absl::Status writeAll(llvm::function_ref<absl::Status()> finish) {
    std::vector<std::string> written;
    absl::Status status;
    for (const auto &[path, file] : files_) {
      if (status = writeFile(path, file.bytes); !status.ok())
        break;
      written.push_back(path);
      if (file.isExecutable)
        if (std::error_code error = llvm::sys::fs::setPermissions(
                path, llvm::sys::fs::all_read | llvm::sys::fs::all_exe |
                          llvm::sys::fs::owner_write)) {
          status =
              Error(Code::WriteFailed, "cannot make '" + path +
                                           "' executable: " + error.message());
          break;
        }
    }
    if (status.ok())
      status = finish();
    if (!status.ok())
      for (const std::string &path : written)
        llvm::sys::fs::remove(path);
    return status;
  }

  ArtifactSummary summarize() const {
    ArtifactSummary summary;
    for (const auto &[path, file] : files_)
      summary.files.push_back(path);
    return summary;
  }

  bool wants(const FileKind &kind) const {
    return request_.emit.count(kind.name);
  }

  absl::Status fillBundle(BundleFiles &bundle, const CompiledModel &compiled,
                          mlir::ModuleOp lowered) {
    QOPT_ASSIGN(bundle.files["model.mlirbc"],
                serializeModule(request_.floatModule));
    QOPT_ASSIGN(bundle.files["quantized.mlirbc"],
                serializeModule(request_.quantized));
    if (request_.profile)
      bundle.files["profile.json"] = request_.profile->toJSON();
    if (request_.options.plan)
      bundle.files["plan.json"] = request_.options.plan->toJson();
    bundle.addJson("manifest.json", makeManifest(compiled, lowered));
    std::map<std::string, std::string> results;
    for (const auto &[path, file] : files_)
      results[path.substr(request_.stem.size())] = file.bytes;
    QOPT_ASSIGN(llvm::json::Object lock, makeLock(request_, results));
    if (request_.lock)
      QOPT_RETURN_IF_ERROR(compareLocks(*request_.lock, lock));
    bundle.addJson("lock.json", std::move(lock));
    return absl::OkStatus();
  }

  llvm::json::Value makeManifest(const CompiledModel &compiled,
                                 mlir::ModuleOp lowered) const {
    llvm::json::Array code;
    for (const FileKind &kind : getFileKinds())
      if (kind.isCode && wants(kind))
        code.push_back(kind.suffix);
    llvm::json::Object manifest{
        {"schema", "qopt.manifest/1"},
        {"symbol", compiled.symbol},
        {"scheme", request_.options.scheme},
        {"recipe", request_.options.toSettings()},
        {"requantize", request_.options.requantize},
        {"target", compiled.info.target},
        {"machine", describe(compiled.info.machine)},
        {"float", compiled.info.hasExactFloat ? "exact" : "inexact"},
        {"code", std::move(code)},
        {"inputs", describe(compiled.info.inputs)},
        {"outputs", describe(compiled.info.outputs)},
        {"preprocessing", request_.preprocessing->toJson()},
        {"arena_bytes", int64_t(compiled.info.arenaBytes)},
        {"live_bytes", int64_t(compiled.info.liveBytes)},
        {"weights_bytes", int64_t(compiled.info.weightsBytes)},
        {"layer_names", llvm::json::Array(compiled.info.layers)},
        {"report", toJson(reportLayers(request_.quantized, lowered))}};
    if (std::vector<std::string> lines = getTransforms(request_.floatModule);
        !lines.empty())
      manifest["transforms"] = llvm::json::Array(lines);
    return manifest;
  }

  const ArtifactRequest &request_;
  std::map<std::string, File> files_;
};
} // namespace

absl::StatusOr<ArtifactSummary>
qopt::writeArtifacts(const ArtifactRequest &request) {
  Writer writer(request);
  if (const FolderKind *kind = findFolderKind(*request.emit.begin()))
    return writer.runFolder(*kind);
  return writer.run();
}

absl::StatusOr<ArtifactSummary>
qopt::writeArtifacts(ArtifactRequest request, const QuantizedModel &model) {
  mlir::OwningOpRef<mlir::ModuleOp> quantized(
      mlir::ModuleOp(model.quantized.get()).clone());
  if (request.integerOnly)
    QOPT_RETURN_IF_ERROR(setIntegerInterface(
        *quantized, {model.recipe.requantize, request.outputs == "quantized"}));
  request.floatModule = model.floatModule.get();
  request.unfolded = model.unfolded.get();
  request.quantized = *quantized;
  request.profile = model.profile ? &*model.profile : nullptr;
  request.options = model.recipe;
  return writeArtifacts(request);
}

bool qopt::isBareMetal(const CPUOptions &cpu) {
  llvm::Triple triple(llvm::Triple::normalize(cpu.triple));
  return !cpu.triple.empty() && triple.isArch32Bit() &&
         triple.getOS() == llvm::Triple::UnknownOS;
}

llvm::StringRef qopt::getDefaultRequantize(const ArtifactRequest &request) {
  if (const FolderKind *folder = findFolderKind(*request.emit.begin()))
    return folder->requantize;
  return request.integerOnly ? "fixed:31" : "f32";
}
