//===- PointwiseRegions.h - Scalar functions spread over many ops ---------===//
// SPDX-License-Identifier: Apache-2.0
//
// A pointwise region computes one scalar function of one tensor (HardSwish,
// Gelu, ... arrive as such graphs). In 8 bits it is one table of 256 entries,
// and calibration needs to look only at its input and its result.
//===----------------------------------------------------------------------===//
#ifndef QOPT_ANALYSIS_POINTWISEREGIONS_H
#define QOPT_ANALYSIS_POINTWISEREGIONS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseMap.h"
#include <vector>

namespace qopt {

/// Ops with rule Pointwise on plain (not quantized) tensors of one shape; the
/// operands are the input, results of members, or splat constants.
struct PointwiseRegion {
  /// The one tensor that is not constant and comes from outside.
  mlir::Value input;
  /// In program order; only the last one's result is used outside.
  llvm::SmallVector<mlir::Operation *> members;

  mlir::Operation *root() const { return members.back(); }
  mlir::Value result() const { return root()->getResult(0); }
};

/// Largest disjoint regions of a function, in program order of their roots.
/// Invalid once the function changes.
class PointwiseRegions {
public:
  explicit PointwiseRegions(mlir::func::FuncOp function);

  llvm::ArrayRef<PointwiseRegion> regions() const { return regions_; }
  /// The region that `op` is a member of, or null.
  const PointwiseRegion *lookup(mlir::Operation *op) const;

private:
  std::vector<PointwiseRegion> regions_;
  llvm::DenseMap<mlir::Operation *, size_t> regionOf_;
};

} // namespace qopt

#endif // QOPT_ANALYSIS_POINTWISEREGIONS_H
