//===- LinearGeometry.h - How a linear op walks over its weight -----------===//
// SPDX-License-Identifier: Apache-2.0
//
// What LinearOpInterface answers: which dimension of the weight is which, and
// the window, if there is one.
//===----------------------------------------------------------------------===//
#ifndef QOPT_DIALECT_QG_IR_LINEARGEOMETRY_H
#define QOPT_DIALECT_QG_IR_LINEARGEOMETRY_H

#include "qopt/Dialect/QG/IR/Shapes.h"
#include <optional>

namespace qopt {

/// Axes, groups and window of a linear op. The lists are those of the op's
/// attributes and types and live as long as those.
struct LinearGeometry {
  /// Dimension of the weight that counts result channels, of all groups.
  int64_t outputAxis = 0;
  /// Dimension of the weight that counts the input channels of one group.
  int64_t inputAxis = 0;
  /// Result channel o of O reads the input channels of group o / (O / groups).
  int64_t groups = 1;
  /// Kernel, strides, pads and dilations in elements of the spatial dimensions
  /// `[N, s..., C]`; none for a product of rows with a matrix.
  std::optional<qg::Window> window;
  /// Whether input positions add to windows of the result (a transposed
  /// convolution) instead of results reading windows of the input.
  bool isTransposed = false;

  /// Of a convolution with the weight `[O, k..., C/groups]`, whose window has
  /// strides, pads and dilations yet: the kernel is the weight's.
  static LinearGeometry ofConvolution(llvm::ArrayRef<int64_t> weight,
                                      qg::Window window, int64_t groups);
  /// Of rows times `[b..., K, N]` of `rank` dimensions, or `[b..., N, K]`.
  static LinearGeometry ofProduct(int64_t rank, bool isTransposed);

  /// Whether every result position sums over a window of the input.
  bool isConvolution() const { return window && !isTransposed; }
  /// Taps of the window; 1 for a product of rows.
  int64_t countTaps() const;
  /// Whether some window reaches outside the input.
  bool isPadded() const;
  /// Whether the result at a position depends on one position of the input
  /// only, with the same matrix at all positions.
  bool isPointwise() const {
    return !window || (isConvolution() && countTaps() == 1 && !isPadded());
  }
};

} // namespace qopt

#endif // QOPT_DIALECT_QG_IR_LINEARGEOMETRY_H
