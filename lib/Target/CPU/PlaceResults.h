//===- PlaceResults.h - Which value lives in which caller's buffer --------===//
// SPDX-License-Identifier: Apache-2.0
//
// Called between "results are written to memory" and bufferization.
//===----------------------------------------------------------------------===//
#ifndef QOPT_TARGET_CPU_PLACERESULTS_H
#define QOPT_TARGET_CPU_PLACERESULTS_H

#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace qopt {

/// Gives every op that writes over an empty or filled tensor one of its own:
/// CSE made one of equal ones, and one buffer cannot hold two results.
void separateDestinations(
    mlir::func::FuncOp main,
    const mlir::bufferization::OneShotBufferizationOptions &options);

/// Gives every reader of a constant tensor one of its own, beside the first;
/// CSE joins them again. For each operand the analysis walks all readers of the
/// same value: thousands of layers that share a bias of zeros cost their
/// square.
void separateConstants(mlir::func::FuncOp main);

/// Lets a result, and what it is assembled from, be computed where it is wanted
/// from the start. A caller's buffer is given away only if the result itself is
/// then in it: `bufferization.materialize_in_destination` writes behind the
/// analysis' back, and would write over anything else that lived there.
llvm::LogicalResult
placeResults(mlir::func::FuncOp main,
             const mlir::bufferization::OneShotBufferizationOptions &options);

} // namespace qopt

#endif // QOPT_TARGET_CPU_PLACERESULTS_H
