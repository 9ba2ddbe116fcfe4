//===- Pipelines.h - The order of passes ----------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What the verbs and Python call. Each step is a named list of passes; the
// reason for every place is beside it in Pipelines.cpp.
//===----------------------------------------------------------------------===//
#ifndef QOPT_PIPELINES_PIPELINES_H
#define QOPT_PIPELINES_PIPELINES_H

#include "absl/status/status.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringRef.h"

namespace qopt {

/// Float graph to float graph: constants, layout, folded normalization.
absl::Status prepare(mlir::ModuleOp module);

/// True if a value of the graph is quantized.
bool hasEncodings(mlir::ModuleOp module);

/// Stores with a graph how its accumulators are rounded: f32, fixed:BITS or
/// pow2. Without it a graph is rounded by f32.
void setRequantizeMode(mlir::ModuleOp module, llvm::StringRef mode);

/// Quantized graph to exact integer ops, in place; a float graph stays. The
/// mode that is stored with the graph comes before `requantize`.
/// `integerOnly`: float heads in their integer form.
absl::Status lower(mlir::ModuleOp module, llvm::StringRef requantize = "f32",
                   bool integerOnly = false);

/// Runs a textual pipeline of registered passes.
absl::Status runPipeline(mlir::ModuleOp module, llvm::StringRef pipeline);

} // namespace qopt

#endif // QOPT_PIPELINES_PIPELINES_H
