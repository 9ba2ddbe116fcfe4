//===- Factor.h - A triangle that carries errors --------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// H = L L^T turns d H d^T into the squares of d L, which columns bring to zero
// one after another, from the last to the first. No inverse is needed.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_ASSIGNMENT_ROUNDING_FACTOR_H
#define QOPT_LIB_ASSIGNMENT_ROUNDING_FACTOR_H

#include "MatrixRounder.h"

namespace qopt {

struct Factor {
  /// Columns of the weights in the order of the factor, by rising diagonals:
  /// the last are rounded first.
  std::vector<int64_t> order;
  Matrix lower;
  /// Doublings of the damping; nullopt if no damping helped.
  std::optional<int> dampings;
};

/// Factors a damped moment (its lower triangle is read). Inputs that are always
/// zero get the mean of the diagonal.
Factor factorMoment(const Matrix &moment);

} // namespace qopt

#endif // QOPT_LIB_ASSIGNMENT_ROUNDING_FACTOR_H
