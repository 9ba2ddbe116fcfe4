//===- Vectors.h - Channel vectors of tensors, and what rounding costs ----===//
// SPDX-License-Identifier: Apache-2.0
//
// A bounded sample of each tensor's channel vectors is enough to compare
// transforms of it.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_ASSIGNMENT_FOLDING_VECTORS_H
#define QOPT_LIB_ASSIGNMENT_FOLDING_VECTORS_H

#include "qopt/Analysis/ChannelConstant.h"
#include "qopt/Calibration/Profile.h"
#include <Eigen/Core>

namespace qopt {

using Matrix =
    Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Up to `vectors` channel vectors (rows) of each value, evenly spaced in each
/// of up to `samples` samples; even rows and odd rows come from all samples.
absl::StatusOr<std::vector<Matrix>>
captureVectors(mlir::ModuleOp module, llvm::ArrayRef<mlir::Value> values,
               const SampleSource &source, int64_t samples, int64_t vectors,
               const ExecutorFactory &factory);

/// The weight of a channel matrix as [inputs, outputs].
Matrix getWeightMatrix(const LinearOp &linear);

/// Rounding of layers that read one tensor.
struct RoundingError {
  unsigned weightBits = 8, activationBits = 8;

  /// x rounded per tensor, asymmetric, over the range of `range`.
  Matrix roundActivations(const Matrix &x, const Matrix &range) const;
  /// w rounded per column, symmetric.
  Matrix roundWeights(const Matrix &w) const;
  /// |xq wq - x w|^2 / |x w|^2 with ranges from `range`.
  double measure(const Matrix &x, const Matrix &range, const Matrix &w) const;
};

} // namespace qopt

#endif // QOPT_LIB_ASSIGNMENT_FOLDING_VECTORS_H
