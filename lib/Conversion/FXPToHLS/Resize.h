//===- Resize.h - Products along dimensions of a stream -------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A stream is read in one order; a product wants its columns side by side.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_CONVERSION_FXPTOHLS_RESIZE_H
#define QOPT_LIB_CONVERSION_FXPTOHLS_RESIZE_H

#include "qopt/Dialect/FXP/IR/FXP.h"

#include "mlir/IR/Builders.h"

namespace qopt::fxptohls {

/// The stream of a tensor of `shape` with its dimensions in another order: a
/// unit, or none where only dimensions of one element move.
mlir::Value permute(mlir::OpBuilder &builder, mlir::Location loc,
                    mlir::Value stream, llvm::ArrayRef<int64_t> shape,
                    llvm::ArrayRef<int64_t> permutation);

/// A product along each axis of `op`, sums between them as wide as they can
/// become. Fails if a coefficient needs more than 16 bits.
mlir::FailureOr<mlir::Value> buildResize(mlir::OpBuilder &builder,
                                         fxp::ResizeOp op, mlir::Value stream);

} // namespace qopt::fxptohls

#endif // QOPT_LIB_CONVERSION_FXPTOHLS_RESIZE_H
