//===- LayoutRules.h - Ops that compute under another dimension order -----===//
// SPDX-License-Identifier: Apache-2.0
//
// For each op that can work on transposed operands: which order of its
// operands goes with which order of its result, and how to rebuild it so.
//===----------------------------------------------------------------------===//
#ifndef QOPT_ANALYSIS_LAYOUTRULES_H
#define QOPT_ANALYSIS_LAYOUTRULES_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "qopt/Support/Permutation.h"

namespace qopt {

/// One way to compute an op: operand i is given as T_{operands[i]}, the result
/// comes as T_result. An empty operand order: the operand is read as it is.
struct OpLayout {
  llvm::SmallVector<Permutation> operands;
  Permutation result;
};

/// T_p of a tensor type; a per-axis encoding follows its axis.
mlir::RankedTensorType permuteType(mlir::RankedTensorType type,
                                   llvm::ArrayRef<int64_t> p);

/// The layout whose result is T_p; nullopt if the op has none.
std::optional<OpLayout> getLayoutForResult(mlir::Operation *op,
                                           llvm::ArrayRef<int64_t> p);
/// The layout that reads operand `index` as T_p; nullopt if the op has none.
std::optional<OpLayout> getLayoutForOperand(mlir::Operation *op, unsigned index,
                                            llvm::ArrayRef<int64_t> p);

/// The op on operands that are already in their orders.
mlir::Operation *rebuildWithLayout(mlir::OpBuilder &builder,
                                   mlir::Operation *op, const OpLayout &layout,
                                   mlir::ValueRange operands);

} // namespace qopt

#endif // QOPT_ANALYSIS_LAYOUTRULES_H
