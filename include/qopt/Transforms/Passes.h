//===- Passes.h - Passes over the quantization graph ----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Constructors, options and registration of the passes that Passes.td
// declares, and the pattern sets that others may compose.
//===----------------------------------------------------------------------===//
#ifndef QOPT_TRANSFORMS_PASSES_H
#define QOPT_TRANSFORMS_PASSES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Pass/Pass.h"
#include "qopt/Dialect/QG/IR/QG.h"

namespace qopt {

#define GEN_PASS_DECL
#include "qopt/Transforms/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "qopt/Transforms/Passes.h.inc"

void populateFuseBiasPatterns(mlir::RewritePatternSet &patterns);
void populateFoldFactorIntoScalesPatterns(mlir::RewritePatternSet &patterns);
/// Includes those of qg-fuse-bias.
void populateFoldBatchNormPatterns(mlir::RewritePatternSet &patterns);
void populateSimplifyArithmeticPatterns(mlir::RewritePatternSet &patterns);

} // namespace qopt

#endif // QOPT_TRANSFORMS_PASSES_H
