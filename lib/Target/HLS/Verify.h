//===- Verify.h - What verifiers of units ask -----------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A verifier counts tokens: what a unit reads and writes in one frame follows
// from its shape, and a stream that carries more or fewer would hang the
// hardware.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_TARGET_HLS_VERIFY_H
#define QOPT_LIB_TARGET_HLS_VERIFY_H

#include "qopt/Target/HLS/IR/HLS.h"

namespace qopt::hls {

/// `what` is "an input", "a result": the stream that the error names.
mlir::LogicalResult checkElements(mlir::Operation *op, StreamType type,
                                  int64_t expected, llvm::StringRef what);
mlir::LogicalResult checkLanes(mlir::Operation *op, StreamType type,
                               int64_t expected, llvm::StringRef what);
/// `what` is "lanes", "pe": the number that divides `total`.
mlir::LogicalResult checkDivides(mlir::Operation *op, int64_t number,
                                 int64_t total, llvm::StringRef what);
/// One reader per stream; a value that nobody reads yet is being built.
mlir::LogicalResult checkReaders(mlir::Operation *op);
/// `clamp` is [low, high] inside the range of the result.
mlir::LogicalResult checkClamp(mlir::Operation *op,
                               llvm::ArrayRef<int64_t> clamp,
                               StreamType result);
/// One token in, one token out.
mlir::LogicalResult checkMap(mlir::Operation *op, StreamType in,
                             StreamType out);

} // namespace qopt::hls

#endif // QOPT_LIB_TARGET_HLS_VERIFY_H
