//===- Repeat.h - Blocks of elements several times ------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Units read operands of one shape; a smaller one is repeated on its way.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_TARGET_HLS_LAYERS_REPEAT_H
#define QOPT_LIB_TARGET_HLS_LAYERS_REPEAT_H

#include "mlir/IR/Builders.h"

namespace qopt::hls {

/// The stream of a tensor of shape `from`, broadcast to `result`. Each run of
/// dimensions that grow is one unit; inner ones come first, whose streams are
/// shorter. None where nothing grows.
mlir::Value broadcast(mlir::OpBuilder &builder, mlir::Location loc,
                      mlir::Value stream, llvm::ArrayRef<int64_t> from,
                      llvm::ArrayRef<int64_t> result);

} // namespace qopt::hls

#endif // QOPT_LIB_TARGET_HLS_LAYERS_REPEAT_H
