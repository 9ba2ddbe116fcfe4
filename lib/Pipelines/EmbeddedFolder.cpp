//===- EmbeddedFolder.cpp - --emit=c --------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Integers at the interface, fxp, C. The manifest lies among the sources, so
// that a build script needs nothing else.
//===----------------------------------------------------------------------===//
#include "qopt/Pipelines/EmbeddedFolder.h"
#include "qopt/Pipelines/Model.h"
#include "qopt/Pipelines/Pipelines.h"
#include "qopt/Target/EmbeddedC/Emit.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

using namespace qopt;

/// One error for all reasons, the reasons as notes.
static absl::Status explain(const absl::Status &status) {
  if (status.code() == absl::StatusCode::kInvalidArgument)
    return withCode(status, Code::BadFlagValue);
  if (status.code() != absl::StatusCode::kUnimplemented)
    return status;
  llvm::SmallVector<llvm::StringRef> reasons;
  std::string text(status.message());
  llvm::StringRef(text).split(reasons, '\n');
  Error error(Code::UnsupportedLowering,
              llvm::Twine(reasons.size()) +
                  (reasons.size() == 1 ? " op has" : " ops have") +
                  " no form in integer-only C");
  for (llvm::StringRef reason : reasons)
    std::move(error).note(reason);
  return std::move(error).help(
      "--outputs=quantized leaves float ops behind the last integers to the "
      "caller");
}

static std::string makeManifest(const ArtifactRequest &request,
                                const EmbeddedCProject &project) {
  llvm::json::Array layers;
  for (const EmbeddedCLayer &layer : project.layers)
    layers.push_back(llvm::json::Object{{"name", layer.name},
                                        {"kernel", layer.kind},
                                        {"products", layer.macs}});
  llvm::json::Value manifest =
      llvm::json::Object{{"schema", "qopt.c/1"},
                         {"symbol", request.cpu.symbol},
                         {"scheme", getName(request.options.scheme)},
                         {"requantize", request.options.requantize},
                         {"arena_bytes", int64_t(project.arenaBytes)},
                         {"live_bytes", int64_t(project.liveBytes)},
                         {"weights_bytes", int64_t(project.weightsBytes)},
                         {"preprocessing", request.preprocessing->toJson()},
                         {"layers", std::move(layers)}};
  return llvm::formatv("{0:2}\n", manifest).str();
}

absl::StatusOr<std::map<std::string, std::string>>
qopt::makeEmbeddedFolder(const ArtifactRequest &request) {
  mlir::OwningOpRef<mlir::ModuleOp> module(
      mlir::ModuleOp(request.quantized).clone());
  QOPT_RETURN_IF_ERROR(
      runPipeline(*module, request.outputs == "quantized"
                               ? "func.func(qg-quantize-interface{drop-head})"
                               : "func.func(qg-quantize-interface{integer-"
                                 "heads})"));
  QOPT_RETURN_IF_ERROR(lower(*module, request.options.requantize,
                             /*integerOnly=*/true));
  EmbeddedCOptions options;
  options.symbol = request.cpu.symbol;
  absl::StatusOr<EmbeddedCProject> project = emitEmbeddedC(*module, options);
  if (!project.ok())
    return explain(project.status());
  project->files["manifest.json"] = makeManifest(request, *project);
  QOPT_ASSIGN(project->files["quantized.mlirbc"], serializeModule(*module));
  return std::move(project->files);
}
