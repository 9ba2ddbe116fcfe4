//===- EmbeddedFolder.cpp - --emit=c --------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Integers at the interface, fxp, C. The manifest lies among the sources, so
// that a build script needs nothing else.
//===----------------------------------------------------------------------===//
#include "qopt/Artifacts/EmbeddedFolder.h"
#include "qopt/Conversion/IntegerCore.h"
#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Pipelines/Model.h"
#include "qopt/Pipelines/Pipelines.h"
#include "qopt/Target/EmbeddedC/Emit.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
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
                         {"scheme", request.options.scheme},
                         {"requantize", request.options.requantize},
                         {"arena_bytes", int64_t(project.arenaBytes)},
                         {"live_bytes", int64_t(project.liveBytes)},
                         {"weights_bytes", int64_t(project.weightsBytes)},
                         {"preprocessing", request.preprocessing->toJson()},
                         {"layers", std::move(layers)}};
  return llvm::formatv("{0:2}\n", manifest).str();
}

/// What an array of the core stands for, as the header tells it.
static mlir::DictionaryAttr describe(const DevicePort &port, mlir::Type element,
                                     mlir::MLIRContext *context) {
  mlir::Builder builder(context);
  llvm::SmallVector<mlir::NamedAttribute> entries{
      builder.getNamedAttr("qg.name", builder.getStringAttr(port.name))};
  if (port.scale != 0 && (element.isInteger(8) || element.isInteger(32))) {
    std::string format = port.isUnsigned && element.isInteger(8) ? "ui8"
                         : element.isInteger(8)                  ? "si8"
                                                                 : "si32";
    entries.push_back(builder.getNamedAttr(
        "qg.encoding", mlir::TypeAttr::get(qg::QuantizedType::getPerTensor(
                           context, format, port.scale, port.zeroPoint))));
  }
  return builder.getDictionaryAttr(entries);
}

/// A graph whose interface is not integers by itself: what lies between the
/// last float in front and the first behind; the caller normalizes.
static absl::StatusOr<mlir::OwningOpRef<mlir::ModuleOp>>
cutCore(const ArtifactRequest &request) {
  mlir::OwningOpRef<mlir::ModuleOp> lowered(
      mlir::ModuleOp(request.quantized).clone());
  QOPT_RETURN_IF_ERROR(lower(*lowered, request.options.requantize));
  mlir::MLIRContext *context = lowered->getContext();
  IntegerCore core;
  QOPT_RETURN_IF_ERROR(
      runWithDiagnostics(context, Code::UnsupportedLowering, [&] {
        mlir::FailureOr<IntegerCore> cut =
            cutIntegerCore(*lowered, /*dropsHead=*/true);
        if (mlir::succeeded(cut))
          core = std::move(*cut);
        return mlir::success(mlir::succeeded(cut));
      }));
  auto main = core.core->lookupSymbol<mlir::func::FuncOp>("main");
  auto getElement = [](mlir::Type type) {
    return llvm::cast<mlir::RankedTensorType>(type).getElementType();
  };
  for (auto [i, type] : llvm::enumerate(main.getArgumentTypes()))
    main.setArgAttrs(i, describe(core.inputs[i], getElement(type), context));
  for (auto [i, type] : llvm::enumerate(main.getResultTypes()))
    main.setResultAttrs(i,
                        describe(core.outputs[i], getElement(type), context));
  return std::move(core.core);
}

absl::StatusOr<std::map<std::string, std::string>>
qopt::makeEmbeddedFolder(const ArtifactRequest &request) {
  mlir::OwningOpRef<mlir::ModuleOp> module(
      mlir::ModuleOp(request.quantized).clone());
  QOPT_RETURN_IF_ERROR(lowerToIntegers(
      *module, {request.options.requantize, request.outputs == "quantized"}));
  EmbeddedCOptions options;
  options.symbol = request.cpu.symbol;
  absl::StatusOr<EmbeddedCProject> project = emitEmbeddedC(*module, options);
  if (!project.ok() && request.outputs == "quantized" &&
      project.status().code() == absl::StatusCode::kUnimplemented) {
    auto core = cutCore(request);
    if (!core.ok())
      return explain(project.status());
    module = std::move(*core);
    project = emitEmbeddedC(*module, options);
  }
  if (!project.ok())
    return explain(project.status());
  project->files["manifest.json"] = makeManifest(request, *project);
  QOPT_ASSIGN(project->files["quantized.mlirbc"], serializeModule(*module));
  return std::move(project->files);
}
