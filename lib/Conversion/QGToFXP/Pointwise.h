//===- Pointwise.h - Pointwise ops on a list of numbers -------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The reference semantics of ops, on other numbers than those of the program.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_CONVERSION_QGTOFXP_POINTWISE_H
#define QOPT_LIB_CONVERSION_QGTOFXP_POINTWISE_H

#include "qopt/Dialect/QG/IR/QG.h"

namespace qopt::qgtofxp {

/// What the last of `ops` gives where `source` has `values`, a vector. `ops`
/// are in topological order; they read each other, `source` and constants of
/// one number or of as many as there are values.
mlir::FailureOr<Tensor> evaluatePointwise(llvm::ArrayRef<mlir::Operation *> ops,
                                          mlir::Value source,
                                          const Tensor &values);

} // namespace qopt::qgtofxp

#endif // QOPT_LIB_CONVERSION_QGTOFXP_POINTWISE_H
