//===- Steps.h - The straight line of @main after bufferization -----------===//
// SPDX-License-Identifier: Apache-2.0
//
// After bufferization @main is buffers, views of them, scalars, and steps that
// write. Planning and outlining share this reading of it.
//===----------------------------------------------------------------------===//
#ifndef QOPT_TARGET_MEMORY_STEPS_H
#define QOPT_TARGET_MEMORY_STEPS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/SetVector.h"

namespace qopt {

/// The function that a target compiles, or null.
mlir::func::FuncOp getMain(mlir::ModuleOp module);

/// Whether an op of @main does something by itself: a step. Others (views,
/// loads, scalar arithmetic, constants) are repeated where they are needed.
bool isStep(mlir::Operation *op);

/// Values that a step depends on: `roots` are buffers and arguments, `slice`
/// the ops between them and the step, in program order.
struct StepInputs {
  llvm::SetVector<mlir::Value> roots;
  llvm::SmallVector<mlir::Operation *> slice;
};
StepInputs getStepInputs(mlir::Operation *step);

} // namespace qopt

#endif // QOPT_TARGET_MEMORY_STEPS_H
