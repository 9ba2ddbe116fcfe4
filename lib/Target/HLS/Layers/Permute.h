//===- Permute.h - Dimensions in another order ----------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A stream is read in one order; a product wants its columns side by side.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_TARGET_HLS_LAYERS_PERMUTE_H
#define QOPT_LIB_TARGET_HLS_LAYERS_PERMUTE_H

#include "mlir/IR/Builders.h"

namespace qopt::hls {

/// The stream of a tensor of `shape` with its dimensions in another order: a
/// unit, or none where only dimensions of one element move.
mlir::Value permute(mlir::OpBuilder &builder, mlir::Location loc,
                    mlir::Value stream, llvm::ArrayRef<int64_t> shape,
                    llvm::ArrayRef<int64_t> permutation);

} // namespace qopt::hls

#endif // QOPT_LIB_TARGET_HLS_LAYERS_PERMUTE_H
