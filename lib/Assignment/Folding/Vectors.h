//===- Vectors.h - Channel vectors of tensors, and what rounding costs ----===//
// SPDX-License-Identifier: Apache-2.0
//
// A bounded sample of each tensor's channel vectors is enough to compare
// transforms of it.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_ASSIGNMENT_FOLDING_VECTORS_H
#define QOPT_LIB_ASSIGNMENT_FOLDING_VECTORS_H

#include "qopt/Assignment/ChooseTransforms.h"
#include "qopt/Calibration/Profile.h"
#include "qopt/Dialect/QG/IR/QG.h"
#include <Eigen/Core>

namespace qopt {

using Matrix =
    Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Up to `options.vectors` channel vectors (rows) of each value, evenly spaced
/// in each of up to `options.samples` samples; even rows and odd rows come from
/// all samples.
absl::StatusOr<std::vector<Matrix>>
captureVectors(mlir::ModuleOp module, llvm::ArrayRef<mlir::Value> values,
               const SampleSource &source,
               const ChooseTransformsOptions &options,
               const ExecutorFactory &factory);

/// A choice made on fewer is chance.
inline constexpr int64_t kFewestVectors = 8;

/// Vectors of a tensor: every other one chooses, the rest accepts. Ranges come
/// from all, as those of the model will.
struct Halves {
  Matrix all, choose, accept;

  explicit Halves(const Matrix &all)
      : all(all), choose((all.rows() + 1) / 2, all.cols()),
        accept(all.rows() / 2, all.cols()) {
    for (int64_t i = 0; i < all.rows(); ++i)
      (i % 2 ? accept : choose).row(i / 2) = all.row(i);
  }
};

/// The weight of a channel matrix as [inputs, outputs].
Matrix getWeightMatrix(LinearOpInterface linear);

/// Rounding of layers that read one tensor.
struct RoundingError {
  unsigned weightBits = 8, activationBits = 8;

  /// x rounded per tensor, asymmetric, over the range of `range`.
  Matrix roundActivations(const Matrix &x, const Matrix &range) const;
  /// w rounded per column, symmetric.
  Matrix roundWeights(const Matrix &w) const;
  /// What multiplying rounded x and w gives; ranges of x come from `range`.
  Matrix multiplyRounded(const Matrix &x, const Matrix &range,
                         const Matrix &w) const;
};

} // namespace qopt

#endif // QOPT_LIB_ASSIGNMENT_FOLDING_VECTORS_H
