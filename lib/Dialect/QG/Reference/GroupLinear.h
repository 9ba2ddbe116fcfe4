//===- GroupLinear.h - Products with parameters per group -----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What a product with grouped or table weights computes on host arrays.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_DIALECT_QG_REFERENCE_GROUPLINEAR_H
#define QOPT_LIB_DIALECT_QG_REFERENCE_GROUPLINEAR_H

#include "qopt/Dialect/QG/IR/QG.h"

namespace qopt::qg::reference {

/// Whether the parameters of a weight are per group or go through a table.
bool hasGroups(mlir::Value weight);

/// qg.matmul of a per-tensor encoding with such a weight.
llvm::LogicalResult evaluateGroups(MatmulOp op, llvm::ArrayRef<Tensor> operands,
                                   llvm::SmallVectorImpl<Tensor> &results);

} // namespace qopt::qg::reference

#endif // QOPT_LIB_DIALECT_QG_REFERENCE_GROUPLINEAR_H
