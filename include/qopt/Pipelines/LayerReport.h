//===- LayerReport.h - What a quantized graph consists of -----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// One row per layer: what it reads, what it computes in, and why. The manifest,
// `check --explain-float` and the tests read the same rows.
//===----------------------------------------------------------------------===//
#ifndef QOPT_PIPELINES_LAYERREPORT_H
#define QOPT_PIPELINES_LAYERREPORT_H

#include "qopt/Dialect/QG/IR/QG.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/JSON.h"
#include <string>
#include <vector>

namespace qopt {

struct LayerRow {
  std::string name; ///< as the model calls it
  std::string op;
  int64_t macs = 0;
  int64_t bytesRead = 0;     ///< of activations and weights of a MAC layer
  int64_t bytesReadWide = 0; ///< those of elements wider than 8 bits
  bool isFloat = false;      ///< computes in floating point
  bool isAsked = false;      ///< though the scheme asks for integers
  std::string reason;        ///< why it is float, where that was decided
  /// Name of the last op of the function of one tensor that it is a part of,
  /// as exporters write activations in several nodes; empty for others.
  std::string function;
};

struct LayerReport {
  std::vector<LayerRow> rows;
  int64_t macs = 0, wideMacs = 0, bytesRead = 0, bytesReadWide = 0;
};

/// A name for a table: converters join the names of fused nodes with ';', of
/// which the last says enough.
llvm::StringRef shortenName(llvm::StringRef name);

/// A format and what has a scale of its own: "si4 in blocks of 32".
std::string describeEncoding(qg::QuantizedType type);

/// Why an op computes in float: the words that format assignment left, else
/// what the graph around it says (that of a model that came quantized, or of
/// what follows a float layer).
std::string getFloatReason(mlir::Operation *op);

/// Rows of a quantized graph in its order; data movement and constants are left
/// out. `lowered` is the same graph after convert-qg-to-fxp: what is not there
/// any more (a function that became a table) is no float layer.
LayerReport reportLayers(mlir::ModuleOp module, mlir::ModuleOp lowered);
llvm::json::Value toJson(const LayerReport &report);

} // namespace qopt

#endif // QOPT_PIPELINES_LAYERREPORT_H
