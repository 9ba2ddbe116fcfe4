//===- SmoothingSites.h - Tensors whose channels may be scaled ------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A factor by channel moves from a tensor into the weights that read it. It is
// free where the op that makes the tensor has weights too, and costs one
// product by channel behind a normalization.
//===----------------------------------------------------------------------===//
#ifndef QOPT_ANALYSIS_SMOOTHINGSITES_H
#define QOPT_ANALYSIS_SMOOTHINGSITES_H

#include "qopt/Dialect/QG/IR/QG.h"

namespace qopt {

struct SmoothingSite {
  /// The tensor; its channels are the last dimension.
  mlir::Value x;
  /// All that reads it: linear ops over the channels with constant weights.
  llvm::SmallVector<LinearOpInterface> readers;
  /// The linear op whose result channels are scaled instead of the tensor,
  /// directly or through a relu; null behind a normalization.
  LinearOpInterface writer;
  /// Whether an offset by channel may move too: not through a relu.
  bool canShift = true;
  /// Behind a normalization: x = base * gain + offset, by channel.
  mlir::Value base;
  llvm::SmallVector<double> gain, offset;

  int64_t getChannels() const;
};

/// Sites in the order of the function. A tensor that something else reads, or
/// that neither a linear op nor a normalization makes, is none.
std::vector<SmoothingSite> findSmoothingSites(mlir::func::FuncOp func);

} // namespace qopt

#endif // QOPT_ANALYSIS_SMOOTHINGSITES_H
