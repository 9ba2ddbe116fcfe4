//===- EqualizationSites.h - Layers that a relu at most joins -------------===//
// SPDX-License-Identifier: Apache-2.0
//
// relu(x / s) = relu(x) / s for positive s: a factor by channel moves from the
// weights of one layer into those of the next, whatever its kernel.
//===----------------------------------------------------------------------===//
#ifndef QOPT_ANALYSIS_EQUALIZATIONSITES_H
#define QOPT_ANALYSIS_EQUALIZATIONSITES_H

#include "qopt/Dialect/QG/IR/QG.h"

namespace qopt {

struct EqualizationSite {
  /// The tensor between the layers; its channels are the last dimension.
  mlir::Value x;
  /// The conv or matmul that makes it, directly or through a relu.
  LinearOpInterface writer;
  /// All that reads it: convs of any kernel and groups, and matmuls.
  llvm::SmallVector<LinearOpInterface> readers;

  int64_t getChannels() const;
  /// The op that carries the decision.
  mlir::Operation *getOperation() const { return x.getDefiningOp(); }
};

/// Sites in the order of the function. A tensor that something else reads, or
/// that passes anything but a relu, is none: a clip at a number other than
/// zero does not let factors through.
std::vector<EqualizationSite> findEqualizationSites(mlir::func::FuncOp func);

/// sqrt(max |w| of what writes / max |w| of what reads), by channel: both get
/// the same range (Nagel et al. 2019, equation 11). 1 where a range is zero.
llvm::SmallVector<double> getWeightFactors(const EqualizationSite &site);

} // namespace qopt

#endif // QOPT_ANALYSIS_EQUALIZATIONSITES_H
