//===- TensorGraph.h - Who reads an observed tensor -----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The network as assignment sees it: observed tensors and the ops that compute
// with them; moves, maxima and the inside of pointwise regions are looked
// through.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_ASSIGNMENT_TENSORGRAPH_H
#define QOPT_LIB_ASSIGNMENT_TENSORGRAPH_H

#include "qopt/Analysis/KeptEncoding.h"
#include "qopt/Analysis/PointwiseRegions.h"
#include "qopt/Dialect/QG/IR/QG.h"
#include "llvm/ADT/SetVector.h"

namespace qopt {

/// The observer of the tensor that `value` is, or is moved from; null if there
/// is none.
qg::ObserveOp getObserver(mlir::Value value);

/// `value` with the clamps behind it, if only they read it.
mlir::Value skipClamps(mlir::Value value);

class TensorGraph {
public:
  explicit TensorGraph(mlir::func::FuncOp function);

  llvm::ArrayRef<qg::ObserveOp> observers() const { return observers_; }
  /// The ops that compute with a value: the root of a pointwise region stands
  /// for its members. `func.return` counts.
  llvm::SmallSetVector<mlir::Operation *, 4> getReaders(mlir::Value value);
  /// The op that computes an observed tensor (before its clamps; the root of a
  /// region), or null for an argument.
  mlir::Operation *getProducer(qg::ObserveOp observer);
  /// The op before the clamps that end in `op`; `op` itself if it is no clamp.
  static mlir::Operation *skipClampsBack(mlir::Operation *op);
  /// The op that stands for `op`: its region's root, or itself.
  mlir::Operation *getRepresentative(mlir::Operation *op);
  /// Does `op` end a pointwise region?
  bool isRegionRoot(mlir::Operation *op) const;
  /// Tensors that an op (or its region) reads, constants left out.
  llvm::SmallVector<mlir::Value> getInputs(mlir::Operation *op);

private:
  PointwiseRegions regions;
  llvm::SmallVector<qg::ObserveOp> observers_;
};

} // namespace qopt

#endif // QOPT_LIB_ASSIGNMENT_TENSORGRAPH_H
