//===- MovedInput.h - From an observed tensor to the input of a layer -----===//
// SPDX-License-Identifier: Apache-2.0
//
// A layer may read a transposed or reshaped form of what calibration observes.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_ASSIGNMENT_MOVEDINPUT_H
#define QOPT_LIB_ASSIGNMENT_MOVEDINPUT_H

#include "qopt/Dialect/QG/IR/QG.h"

namespace qopt {

/// An observed tensor and the ops that move its elements, in order.
struct MovedInput {
  qg::ObserveOp observer;
  llvm::SmallVector<mlir::Operation *> moves;

  /// The chain that ends in `value`; nullopt if it starts at no observer.
  static std::optional<MovedInput> find(mlir::Value value);
  /// What the layer reads of an observed array; nullopt where a move fails.
  std::optional<Tensor> apply(Tensor observed) const;
};

/// The encoding that `value` is rounded to behind moves; null if none is per
/// tensor.
qg::QuantizedType getMovedEncoding(mlir::Value value);

} // namespace qopt

#endif // QOPT_LIB_ASSIGNMENT_MOVEDINPUT_H
