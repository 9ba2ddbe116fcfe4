//===- Steps.h - The steps of @main after bufferization -------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// After bufferization @main is buffers, views of them, scalars, steps that
// write, and loops and choices of such. Planning and outlining share this
// reading of it.
//===----------------------------------------------------------------------===//
#ifndef QOPT_TARGET_MEMORY_STEPS_H
#define QOPT_TARGET_MEMORY_STEPS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/SetVector.h"

namespace qopt {

/// The function that a target compiles, or null.
mlir::func::FuncOp getMain(mlir::ModuleOp module);

/// Whether an op of @main does something by itself: a step. Others (views,
/// loads, scalar arithmetic, constants) are repeated where they are needed.
bool isStep(mlir::Operation *op);

/// Marks an scf.for or scf.if that is no step but has steps inside.
constexpr llvm::StringLiteral kStepsAttr = "qopt.steps";
/// Whether an op is such a loop (or choice) of steps.
bool hasSteps(mlir::Operation *op);

/// The buffer that the condition of a choice is loaded from; null where it is
/// computed otherwise.
mlir::Value getConditionBuffer(mlir::scf::IfOp choice);

/// Values that a step depends on: `roots` are buffers, arguments and numbers of
/// iterations, `slice` the ops between them and the step, in program order.
struct StepInputs {
  llvm::SetVector<mlir::Value> roots;
  llvm::SmallVector<mlir::Operation *> slice;
};
StepInputs getStepInputs(mlir::Operation *step);

} // namespace qopt

#endif // QOPT_TARGET_MEMORY_STEPS_H
