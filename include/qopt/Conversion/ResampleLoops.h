//===- ResampleLoops.h - Weighted sums of neighbours as linalg ------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What qg.resize and fxp.resize share: loops that read known positions of one
// dimension, with vectors along what lies behind it.
//===----------------------------------------------------------------------===//
#ifndef QOPT_CONVERSION_RESAMPLELOOPS_H
#define QOPT_CONVERSION_RESAMPLELOOPS_H

#include "qopt/Conversion/LinalgBuilder.h"

namespace qopt {

/// One dimension of a resize. `coefficients` is `[out, taps]`, `positions` has
/// an entry for each of them.
struct ResampleLoops {
  int64_t axis, taps;
  llvm::ArrayRef<int64_t> positions;
  Tensor coefficients;
};

/// What a sum is made of.
struct ResampleBody {
  /// Element type of the sums in memory.
  mlir::Type stored;
  /// `sum + coefficient * x`; a null sum is absent.
  llvm::function_ref<mlir::Value(mlir::OpBuilder &, mlir::Location,
                                 mlir::Value sum, mlir::Value coefficient,
                                 mlir::Value x)>
      add;
  /// A sum in the type of memory.
  llvm::function_ref<mlir::Value(mlir::OpBuilder &, mlir::Location,
                                 mlir::Value sum)>
      store;
  /// What a sum in memory starts from where there are many taps: adds nothing.
  double start;
};

/// `x` with dimension `loops.axis` resampled.
mlir::Value buildResample(LinalgBuilder &builder, mlir::Value x,
                          const ResampleLoops &loops, const ResampleBody &body);

} // namespace qopt

#endif // QOPT_CONVERSION_RESAMPLELOOPS_H
