//===- Target.cpp - The row of the C target -------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Integers at the interface, fxp, C. The manifest lies among the sources, so
// that a build script needs nothing else.
//===----------------------------------------------------------------------===//
#include "qopt/Target/Target.h"
#include "qopt/Conversion/IntegerCore.h"
#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Support/Module.h"
#include "qopt/Target/EmbeddedC/Emit.h"
#include "qopt/Target/Integer/HostPart.h"
#include "qopt/Target/Integer/LowerToIntegers.h"
#include "qopt/Target/SymbolNames.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

using namespace qopt;

static constexpr Flag kFlags[] = {
    {"patches", "auto|off",
     "of --emit=c: compute the first layers in strips of rows where that takes "
     "less RAM, with some products made twice (off)"},
};

static constexpr EmitKind kKinds[] = {{"c", /*suffix=*/nullptr}};

static constexpr TargetStage kStages[] = {
    {"c-lowered", "exact integer ops between integers"},
    {"c-signed", "the same on signed bytes"},
};

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

static std::string makeManifest(const TargetInput &input,
                                llvm::StringRef symbol,
                                const EmbeddedCProject &project,
                                HostCode &host) {
  llvm::json::Array layers;
  for (const EmbeddedCLayer &layer : project.layers)
    layers.push_back(llvm::json::Object{{"name", layer.name},
                                        {"kernel", layer.kind},
                                        {"products", layer.macs}});
  llvm::json::Value manifest =
      llvm::json::Object{{"schema", "qopt.c/1"},
                         {"symbol", symbol},
                         {"scheme", input.scheme},
                         {"requantize", input.requantize},
                         {"arena_bytes", int64_t(project.arenaBytes)},
                         {"live_bytes", int64_t(project.liveBytes)},
                         {"weights_bytes", int64_t(project.weightsBytes)},
                         {"patched_layers", project.patchedLayers},
                         {"strips", project.strips},
                         {"preprocessing", input.preprocessing},
                         {"arguments", std::move(host.arguments)},
                         {"inputs", std::move(host.inputs)},
                         {"outputs", std::move(host.outputs)},
                         {"results", std::move(host.results)},
                         {"layers", std::move(layers)}};
  return llvm::formatv("{0:2}\n", manifest).str();
}

/// What an array of the core stands for, as the header tells it.
static mlir::DictionaryAttr describe(const DevicePort &port, mlir::Type element,
                                     mlir::MLIRContext *context) {
  mlir::Builder builder(context);
  llvm::SmallVector<mlir::NamedAttribute> entries{
      builder.getNamedAttr("qg.name", builder.getStringAttr(port.name))};
  if (port.scales.size() == 1 &&
      (element.isInteger(8) || element.isInteger(32))) {
    std::string format = port.isUnsigned && element.isInteger(8) ? "ui8"
                         : element.isInteger(8)                  ? "si8"
                                                                 : "si32";
    entries.push_back(builder.getNamedAttr(
        "qg.encoding",
        mlir::TypeAttr::get(qg::QuantizedType::getPerTensor(
            context, format, port.scales[0], port.zeroPoints[0]))));
  }
  return builder.getDictionaryAttr(entries);
}

/// A graph whose interface is not integers by itself: what lies between the
/// last float in front and the first behind; the caller normalizes.
static absl::StatusOr<IntegerCore> cutCore(const TargetInput &input) {
  mlir::OwningOpRef<mlir::ModuleOp> lowered(
      mlir::ModuleOp(input.quantized).clone());
  QOPT_RETURN_IF_ERROR(lower(*lowered, input.requantize, /*integerOnly=*/true));
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
  return std::move(core);
}

namespace {
class EmbeddedCTarget : public Target {
public:
  static absl::StatusOr<std::unique_ptr<Target>>
  create(const TargetRequest &request) {
    if (isReservedSymbol(request.symbol))
      return Error(Code::BadFlagValue,
                   "--symbol-prefix: expected a name for functions and files, "
                   "got the word '" +
                       request.symbol + "' of C or of the sources");
    auto target = std::make_unique<EmbeddedCTarget>();
    target->options_.symbol = request.symbol;
    target->dropsHead_ = request.dropsHead;
    auto patches = request.flags.find(kFlags[0].name);
    if (patches == request.flags.end() || patches->second == "off")
      return target;
    if (patches->second != "auto")
      return Error(Code::BadFlagValue,
                   "--patches: expected auto or off, got '" + patches->second +
                       "'");
    target->options_.usesPatches = true;
    return target;
  }

  std::string getRequantize() const override { return "fixed:31"; }

  absl::StatusOr<llvm::json::Object> describe() const override {
    llvm::json::Object described;
    if (options_.usesPatches)
      described[kFlags[0].name] = "auto";
    return described;
  }
  bool isIntegerOnly() const override { return true; }

  std::string getPipeline(llvm::StringRef stage,
                          const TargetInput &input) const override {
    if (stage == "c-signed")
      return "func.func(fxp-hold-signed)";
    return llvm::formatv(
               "qopt-lower-to-integers{{requantize-mode={0} drop-head={1}}",
               input.requantize, dropsHead_ ? "true" : "false")
        .str();
  }

  absl::StatusOr<Emission> emit(TargetInput &input,
                                const std::set<std::string> &) const override {
    mlir::OwningOpRef<mlir::ModuleOp> module(input.quantized.clone());
    QOPT_RETURN_IF_ERROR(
        lowerToIntegers(*module, {input.requantize, dropsHead_}));
    absl::StatusOr<EmbeddedCProject> project = emitEmbeddedC(*module, options_);
    IntegerCore core;
    if (!project.ok() && dropsHead_ &&
        project.status().code() == absl::StatusCode::kUnimplemented) {
      QOPT_ASSIGN(core, cutCore(input));
      module = core.core->clone();
      project = emitEmbeddedC(*module, options_);
    }
    if (!project.ok())
      return explain(project.status());
    if (!core.core) {
      auto getMain = [](mlir::ModuleOp of) {
        return of.lookupSymbol<mlir::func::FuncOp>("main");
      };
      core = describeInterface(getMain(*module), getMain(input.quantized));
    }
    HostCode host = writeHostCode(core, options_.symbol);
    Emission emission;
    for (auto &[name, bytes] : project->files)
      emission.files[name].bytes = std::move(bytes);
    emission.files["manifest.json"].bytes =
        makeManifest(input, options_.symbol, *project, host);
    emission.files[options_.symbol + "_host.h"].bytes = std::move(host.header);
    QOPT_ASSIGN(emission.files["quantized.mlirbc"].bytes,
                serializeModule(*module));
    return emission;
  }

private:
  EmbeddedCOptions options_;
  bool dropsHead_ = false;
};
} // namespace

static FlagValues readFlags(const llvm::json::Object &described) {
  const char *name = kFlags[0].name;
  return {{name, described.getString(name).value_or("off").str()}};
}

namespace qopt {
const TargetRow &getEmbeddedCTarget() {
  static const TargetRow kRow = {"c",
                                 kFlags,
                                 kKinds,
                                 kStages,
                                 /*hasBundle=*/false,
                                 EmbeddedCTarget::create,
                                 readFlags};
  return kRow;
}
} // namespace qopt
