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
#include "qopt/Target/Integer/LowerToIntegers.h"
#include "llvm/ADT/StringRef.h"

namespace qopt {

/// Float graph to float graph: constants, layout, folded normalization.
absl::Status prepare(mlir::ModuleOp module);

/// Runs a textual pipeline of registered passes.
absl::Status runPipeline(mlir::ModuleOp module, llvm::StringRef pipeline);

/// Registers qopt-prepare.
void registerPipelines();

} // namespace qopt

#endif // QOPT_PIPELINES_PIPELINES_H
