//===- QGControl.h - Loops ------------------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Apart from QG.h, so that loops rebuild what knows them only.
//===----------------------------------------------------------------------===//
#ifndef QOPT_DIALECT_QG_IR_QGCONTROL_H
#define QOPT_DIALECT_QG_IR_QGCONTROL_H

#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "qopt/Dialect/QG/IR/QG.h"

#define GET_OP_CLASSES
#include "qopt/Dialect/QG/IR/QGControlOps.h.inc"

namespace qopt::qg {

/// Runs the ops of a body on one array per argument; gives what it yields.
using BodyRunner = llvm::function_ref<llvm::LogicalResult(
    llvm::ArrayRef<Tensor> arguments, llvm::SmallVectorImpl<Tensor> &yielded)>;

/// Reference semantics of a loop around those of its body.
llvm::LogicalResult runLoop(LoopOp loop, llvm::ArrayRef<Tensor> operands,
                            llvm::SmallVectorImpl<Tensor> &results,
                            BodyRunner runBody);

/// Values of the body that become stacked results behind the others. The loop
/// that has them replaces `loop`, which is erased.
LoopOp stackAlso(mlir::RewriterBase &rewriter, LoopOp loop,
                 llvm::ArrayRef<mlir::Value> values);

} // namespace qopt::qg

#endif // QOPT_DIALECT_QG_IR_QGCONTROL_H
