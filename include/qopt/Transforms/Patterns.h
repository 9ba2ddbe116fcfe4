//===- Patterns.h - Pattern sets of passes over the graph -----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What other passes may compose. Apart from Passes.h, which changes with every
// option of every pass.
//===----------------------------------------------------------------------===//
#ifndef QOPT_TRANSFORMS_PATTERNS_H
#define QOPT_TRANSFORMS_PATTERNS_H

#include "mlir/IR/PatternMatch.h"

namespace qopt {

/// Those of qg-fuse-bias.
void populateFuseBiasPatterns(mlir::RewritePatternSet &patterns);
/// Factors behind a requantized linear op go into its scales.
void populateFoldFactorIntoScalesPatterns(mlir::RewritePatternSet &patterns);
/// Those of qg-fold-batch-norm, which include those of qg-fuse-bias.
void populateFoldBatchNormPatterns(mlir::RewritePatternSet &patterns);
/// Those of qg-fold-product-casts, which fold the factors behind as well.
void populateFoldProductCastsPatterns(mlir::RewritePatternSet &patterns);
/// Those of qg-simplify-arithmetic.
void populateSimplifyArithmeticPatterns(mlir::RewritePatternSet &patterns);

} // namespace qopt

#endif // QOPT_TRANSFORMS_PATTERNS_H
