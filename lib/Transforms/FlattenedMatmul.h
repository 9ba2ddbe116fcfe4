//===- FlattenedMatmul.h - A flatten whose order the weights can absorb ---===//
// SPDX-License-Identifier: Apache-2.0
//
// Classifiers flatten [N, C, H, W] before their first fully connected layer.
// Flattening another order only permutes the rows of its constant weight.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_TRANSFORMS_FLATTENEDMATMUL_H
#define QOPT_LIB_TRANSFORMS_FLATTENEDMATMUL_H

#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Support/Permutation.h"

namespace qopt {

/// A reshape whose last result dimension merges several dimensions and is read
/// (through elementwise ops) only by matmuls with constant weights.
struct FlattenedMatmul {
  llvm::SmallVector<LinearOpInterface> matmuls;
  /// Wide extents of the merged dimensions, and their new order.
  Permutation extents, order;

  /// Matches if the reshape could read T_p of its operand instead.
  static std::optional<FlattenedMatmul> match(mlir::Operation *reshape,
                                              llvm::ArrayRef<int64_t> p);
  /// Gives every matmul the weight for that order.
  void permuteWeights();
};

} // namespace qopt

#endif // QOPT_LIB_TRANSFORMS_FLATTENEDMATMUL_H
