//===- Artifacts.cpp - Files of a compiled model --------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Compiles, then writes; the bundle comes last, because it is what readers
// look for.
//===----------------------------------------------------------------------===//
#include "qopt/Pipelines/Artifacts.h"
#include "qopt/Export/ONNX/Export.h"
#include "qopt/Pipelines/Bundle.h"
#include "qopt/Pipelines/Model.h"
#include "qopt/Pipelines/Pipelines.h"
#include "qopt/Pipelines/Report.h"
#include "qopt/Support/Files.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Object/ArchiveWriter.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace qopt;

absl::StatusOr<std::set<std::string>>
qopt::parseEmit(llvm::ArrayRef<std::string> values) {
  static constexpr llvm::StringRef kKinds[] = {
      "object",  "header",      "shared",       "static",    "onnx",
      "llvm-ir", "ir:imported", "ir:quantized", "ir:lowered"};
  static constexpr std::pair<llvm::StringRef, llvm::StringRef> kMissing[] = {
      {"asm", "use --emit=object and disassemble it"},
      {"exe", "use --emit=shared and 'qopt run'"},
      {"c", "use --emit=object,header"},
      {"hls", "use --emit=object,header"}};
  std::set<std::string> result;
  for (llvm::StringRef value : values) {
    if (value == "ir")
      value = "ir:lowered";
    for (auto [kind, help] : kMissing)
      if (value == kind)
        return Error(Code::UnsupportedOption,
                     "--emit=" + value + " is not supported")
            .help(help);
    if (!llvm::is_contained(kKinds, value))
      return Error(Code::BadFlagValue,
                   "--emit: expected some of " +
                       llvm::join(llvm::ArrayRef(kKinds), ", ") + ", got '" +
                       value + "'");
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

/// Compiler errors: what a user can change, or a defect.
static absl::Status fromCompiler(const absl::Status &status) {
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

class Writer {
public:
  explicit Writer(const ArtifactRequest &request) : request_(request) {}

  absl::StatusOr<ArtifactSummary> run() {
    mlir::OwningOpRef<mlir::ModuleOp> lowered(
        mlir::ModuleOp(request_.quantized).clone());
    QOPT_RETURN_IF_ERROR(lower(*lowered, request_.options.requantize));
    absl::StatusOr<CompiledModel> compiled =
        compileForCPU(*lowered, request_.cpu);
    if (!compiled.ok())
      return fromCompiler(compiled.status());
    QOPT_RETURN_IF_ERROR(collectText(*lowered, *compiled));
    BundleFiles bundle;
    QOPT_RETURN_IF_ERROR(fillBundle(bundle, *compiled, *lowered));
    if (absl::Status status = writeAll(*compiled, bundle); !status.ok()) {
      // Code without its bundle would be half a result.
      for (const std::string &path : written_)
        llvm::sys::fs::remove(path);
      return status;
    }
    ArtifactSummary summary;
    for (const auto &[path, bytes] : texts_)
      summary.files.push_back(path);
    for (const char *kind : {"shared", "static"})
      if (wants(kind))
        summary.files.push_back(
            getPath(std::string(kind) == "shared" ? ".so" : ".a"));
    summary.files.push_back(getPath(".qopt/"));
    summary.target = compiled->info.target;
    summary.arenaBytes = compiled->info.arenaBytes;
    summary.weightsBytes = compiled->info.weightsBytes;
    return summary;
  }

private:
  absl::Status writeAll(const CompiledModel &compiled,
                        const BundleFiles &bundle) {
    // The linker first: it is what fails on other people's machines.
    if (wants("shared")) {
      QOPT_RETURN_IF_ERROR(writeShared(compiled));
      written_.push_back(getPath(".so"));
    }
    if (wants("static")) {
      QOPT_RETURN_IF_ERROR(writeStatic(compiled));
      written_.push_back(getPath(".a"));
    }
    for (const auto &[path, bytes] : texts_) {
      QOPT_RETURN_IF_ERROR(writeFile(path, bytes));
      written_.push_back(path);
    }
    return bundle.write(request_.stem);
  }

  bool wants(const char *kind) const { return request_.emit.count(kind); }
  std::string getPath(llvm::StringRef suffix) const {
    return request_.stem + suffix.str();
  }

  absl::Status collectText(mlir::ModuleOp lowered,
                           const CompiledModel &compiled) {
    if (wants("object"))
      texts_[getPath(".o")] = compiled.object;
    if (wants("header"))
      texts_[getPath(".h")] = compiled.header;
    if (wants("onnx")) {
      QOPT_ASSIGN(texts_[getPath(".onnx")], writeOnnx(request_.unfolded));
    }
    if (wants("ir:imported"))
      texts_[getPath(".imported.mlir")] = printModule(request_.floatModule);
    if (wants("ir:quantized"))
      texts_[getPath(".quantized.mlir")] = printModule(request_.quantized);
    if (wants("ir:lowered"))
      texts_[getPath(".lowered.mlir")] = printModule(lowered);
    if (wants("llvm-ir")) {
      absl::StatusOr<std::string> text = emitLLVMIR(lowered, request_.cpu);
      if (!text.ok())
        return fromCompiler(text.status());
      texts_[getPath(".ll")] = *text;
    }
    return absl::OkStatus();
  }

  /// Through a temporary name, as every other file.
  absl::Status writeShared(const CompiledModel &compiled) {
    std::string path = getPath(".so"), fresh = path + ".tmp";
    llvm::StringRef folder = llvm::sys::path::parent_path(path);
    if (!folder.empty())
      if (std::error_code error = llvm::sys::fs::create_directories(
              folder, /*IgnoreExisting=*/true, llvm::sys::fs::all_all))
        return Error(Code::WriteFailed,
                     "cannot write '" + path + "': " + error.message());
    if (absl::Status status = writeSharedLibrary(compiled, fresh);
        !status.ok()) {
      llvm::sys::fs::remove(fresh);
      return fromCompiler(status);
    }
    if (std::error_code error = llvm::sys::fs::rename(fresh, path))
      return Error(Code::WriteFailed,
                   "cannot write '" + path + "': " + error.message());
    return absl::OkStatus();
  }

  absl::Status writeStatic(const CompiledModel &compiled) {
    std::string name = llvm::sys::path::filename(request_.stem).str() + ".o";
    llvm::NewArchiveMember member(llvm::MemoryBufferRef(compiled.object, name));
    auto archive = llvm::writeArchiveToBuffer(
        member, llvm::SymtabWritingMode::NormalSymtab,
        llvm::object::Archive::K_GNU, /*Deterministic=*/true, /*Thin=*/false);
    if (!archive)
      return Error(Code::Internal, llvm::toString(archive.takeError()));
    return writeFile(getPath(".a"), (*archive)->getBuffer());
  }

  absl::Status fillBundle(BundleFiles &bundle, const CompiledModel &compiled,
                          mlir::ModuleOp lowered) {
    QOPT_ASSIGN(bundle.files["model.mlirbc"],
                serializeModule(request_.floatModule));
    QOPT_ASSIGN(bundle.files["quantized.mlirbc"],
                serializeModule(request_.quantized));
    if (request_.profile)
      bundle.files["profile.json"] = request_.profile->toJSON();
    bundle.addJson("manifest.json", makeManifest(compiled, lowered));
    QOPT_ASSIGN(llvm::json::Value lock, makeLock(compiled));
    bundle.addJson("lock.json", lock);
    return absl::OkStatus();
  }

  llvm::json::Value makeManifest(const CompiledModel &compiled,
                                 mlir::ModuleOp lowered) const {
    llvm::json::Array code;
    for (auto [kind, suffix] :
         {std::pair("object", ".o"), std::pair("shared", ".so"),
          std::pair("static", ".a")})
      if (wants(kind))
        code.push_back(suffix);
    llvm::json::Object manifest{
        {"schema", "qopt.manifest/1"},
        {"symbol", compiled.symbol},
        {"scheme", getName(request_.options.scheme)},
        {"requantize", request_.options.requantize},
        {"target", compiled.info.target},
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
    return manifest;
  }

  /// What decides the bytes: the model, the data, the options.
  absl::StatusOr<llvm::json::Value> makeLock(const CompiledModel &compiled) {
    QOPT_ASSIGN(std::string model, getFileSha256(request_.modelPath));
    llvm::json::Array data;
    for (llvm::StringRef argument : request_.dataPaths) {
      // `INPUT=PATH`, `FILE.npz:ARRAY`: the file is what has a hash.
      llvm::StringRef path = argument;
      if (!llvm::sys::fs::exists(path))
        path = argument.split('=').second;
      path = path.take_front(path.find(".npz:") == llvm::StringRef::npos
                                 ? path.size()
                                 : path.find(".npz:") + 4);
      llvm::json::Object row{{"name", llvm::sys::path::filename(path)}};
      if (llvm::sys::fs::is_regular_file(path)) {
        QOPT_ASSIGN(std::string hash, getFileSha256(path));
        row["sha256"] = hash;
      }
      data.push_back(std::move(row));
    }
    return llvm::json::Object{
        {"schema", "qopt.lock/1"},
        {"model", llvm::json::Object{{"name", llvm::sys::path::filename(
                                                  request_.modelPath)},
                                     {"sha256", model}}},
        {"data", std::move(data)},
        {"scheme", getName(request_.options.scheme)},
        {"method", request_.options.method},
        {"bias_correction", request_.options.biasCorrection},
        {"requantize", request_.options.requantize},
        {"target", compiled.info.target},
        {"object_sha256", getSha256(compiled.object)}};
  }

  const ArtifactRequest &request_;
  std::map<std::string, std::string> texts_;
  std::vector<std::string> written_;
};
} // namespace

absl::StatusOr<ArtifactSummary>
qopt::writeArtifacts(const ArtifactRequest &request) {
  return Writer(request).run();
}
