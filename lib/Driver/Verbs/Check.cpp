//===- Check.cpp - qopt check ---------------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Everything that stands in the way, at once; and what stays float.
//===----------------------------------------------------------------------===//
#include "qopt/Artifacts/Bundle.h"
#include "qopt/Artifacts/Program.h"
#include "qopt/Driver/Session.h"
#include "qopt/Driver/VerbFlags.h"
#include "qopt/Pipelines/LayerReport.h"
#include "qopt/Pipelines/Pipelines.h"
#include "qopt/Pipelines/Quantize.h"
#include "qopt/Target/CPU/Emit.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/FormatVariadic.h"

using namespace qopt;
using namespace qopt::driver;

static llvm::ArrayRef<Flag> getCheckFlags() {
  static constexpr Flag kFlags[] = {
      {"explain-float", nullptr, "list layers that stay float, with reasons"},
      {"json", nullptr, "JSON on stdout"},
  };
  return kFlags;
}

static double getPercent(int64_t part, int64_t whole) {
  return whole ? 100.0 * part / whole : 0;
}

namespace {
/// What is known of the model as a whole.
struct CheckedModel {
  bool isQuantized, isCompiled;
};
} // namespace

namespace {
/// The ops that a node of the model became, or nodes that are one function of
/// one tensor, as far as they are float.
struct FloatLayer {
  std::string name, reason;
  std::string last; ///< node, where there are several
  std::vector<std::string> ops;
  int64_t macs = 0;
};
} // namespace

/// One layer for each node or function, in order. The product says why, where
/// there is one.
static std::vector<FloatLayer> groupFloatRows(const LayerReport &report) {
  std::vector<FloatLayer> layers;
  llvm::StringMap<size_t> known;
  for (const LayerRow &row : report.rows) {
    if (!row.isFloat)
      continue;
    // What a scheme asked for is named by itself.
    bool isPart = !row.function.empty() && !row.isAsked;
    auto [it, isNew] =
        known.try_emplace(isPart ? row.function : row.name, layers.size());
    std::string name = shortenName(row.name).str();
    if (isNew)
      layers.push_back({name, row.reason, "", {}, 0});
    FloatLayer &layer = layers[it->second];
    if (name != layer.name)
      layer.last = name;
    if (!llvm::is_contained(layer.ops, row.op))
      layer.ops.push_back(row.op);
    if (row.macs && !layer.macs)
      layer.reason = row.reason;
    layer.macs += row.macs;
  }
  return layers;
}

static void printFloatLayers(llvm::raw_ostream &os, const LayerReport &report) {
  for (const FloatLayer &layer : groupFloatRows(report))
    os << llvm::formatv("float  {0} ({1}{2}){3}\n",
                        layer.last.empty() ? layer.name
                                           : layer.name + " to " + layer.last,
                        llvm::join(layer.ops, ", "),
                        layer.macs ? ", " + std::to_string(layer.macs) + " MACs"
                                   : std::string(),
                        layer.reason.empty() ? "" : ": " + layer.reason);
}

static void printReport(llvm::raw_ostream &os, const LayerReport &report,
                        const CheckedModel &model, bool explainsFloat) {
  if (explainsFloat && (model.isQuantized || model.isCompiled))
    printFloatLayers(os, report);
  if (!model.isQuantized) {
    os << llvm::formatv("layers {0}; MACs {1}; nothing is quantized\n",
                        report.rows.size(), report.macs);
    if (explainsFloat && !model.isCompiled)
      os << "which layers stay float is decided with data: compile the model, "
            "then 'qopt check STEM --explain-float'\n";
    return;
  }
  os << llvm::formatv(
      "layers {0}; MACs {1}, {2:f1} % wider than 8 bits; bytes "
      "read by MAC layers {3}, {4:f1} % wider\n",
      report.rows.size(), report.macs, getPercent(report.wideMacs, report.macs),
      report.bytesRead, getPercent(report.bytesReadWide, report.bytesRead));
}

static absl::StatusOr<ExitCode> runCheck(const Arguments &arguments,
                                         Session &session) {
  ProgramOptions options;
  QOPT_ASSIGN(options.import, getImportOptions(arguments));
  // Unsupported nodes of a model file are an error with exit code 3 here.
  QOPT_ASSIGN(auto module, openModule(session.context(),
                                      arguments.positional()[0], options));
  if (hasEncodings(*module)) {
    QuantizeOptions quantization;
    quantization.recipe = Recipe::ofScheme("qdq");
    QOPT_RETURN_IF_ERROR(
        quantize(*module, nullptr, nullptr, quantization).status());
  }
  bool isQuantized = hasEncodings(*module);
  mlir::OwningOpRef<mlir::ModuleOp> lowered(mlir::ModuleOp(*module).clone());
  QOPT_RETURN_IF_ERROR(lower(*lowered));
  LayerReport report = reportLayers(*module, *lowered);
  // The same way down that `compile` takes.
  QOPT_RETURN_IF_ERROR(checkForCPU(*lowered, CPUOptions()));
  if (arguments.has("json")) {
    session.out() << llvm::formatv("{0:2}\n", toJson(report));
  } else {
    bool isCompiled = findBundle(arguments.positional()[0]).has_value();
    printReport(session.out(), report, {isQuantized, isCompiled},
                arguments.has("explain-float"));
    session.out() << "every layer can be compiled\n";
  }
  return ExitCode::Ok;
}

namespace qopt::driver {
Verb getCheckVerb() {
  return {"check",
          "can it be compiled; which layers stay float and why",
          "MODEL [options]",
          1,
          1,
          {getCheckFlags(), getImportFlags()},
          runCheck,
          /*place=*/20};
}
} // namespace qopt::driver
