//===- MovedUses.h - What reads a tensor behind data movement -------------===//
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_TRANSFORMS_MOVEDUSES_H
#define QOPT_LIB_TRANSFORMS_MOVEDUSES_H

#include "mlir/IR/Value.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"

namespace qopt {

/// Whether `op` returns elements of its one tensor without looking at them, so
/// that it may have any element type. False for null.
bool movesOneTensor(mlir::Operation *op);

/// Collects the ops that move `value`; false where what reads it behind them
/// is not all accepted by `accept`.
bool collectMoves(mlir::Value value,
                  llvm::SmallVectorImpl<mlir::Operation *> &moves,
                  llvm::function_ref<bool(mlir::Operation *)> accept);

/// Gives a value, and results of what moves it, another element type.
void setElementType(mlir::Value value,
                    llvm::ArrayRef<mlir::Operation *> moves,
                    mlir::Type element);

} // namespace qopt

#endif // QOPT_LIB_TRANSFORMS_MOVEDUSES_H
