//===- Factor.cpp - A triangle that carries errors ------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Blocks of columns: nearly all work is products of matrices.
//===----------------------------------------------------------------------===//
#include "Factor.h"
#include "MatrixKernels.h"

#include "llvm/ADT/STLExtras.h"
#include <Eigen/Cholesky>
#include <cmath>
#include <numeric>

using namespace qopt;

static constexpr double kDamping = 0.01;
static constexpr int kMostDampings = 30;
static constexpr int64_t kBlock = 96;

/// The lower triangle of `a` to its Cholesky factor.
static bool factorInPlace(Matrix &a) {
  int64_t n = a.rows();
  for (int64_t first = 0; first < n; first += kBlock) {
    int64_t width = std::min(kBlock, n - first), next = first + width;
    Eigen::LLT<Matrix> diagonal(a.block(first, first, width, width));
    if (diagonal.info() != Eigen::Success)
      return false;
    Matrix top = diagonal.matrixL();
    a.block(first, first, width, width) = top;
    auto below = a.block(next, first, n - next, width);
    top.triangularView<Eigen::Lower>()
        .transpose()
        .solveInPlace<Eigen::OnTheRight>(below);
    for (int64_t row = next; row < n; row += kBlock) {
      int64_t rows = std::min(kBlock, n - row);
      auto at = [&](int64_t r, int64_t c) {
        return Block{a.data() + r * n + c, n};
      };
      subtractProductTransposed(at(row, next), at(row, first), at(next, first),
                                {rows, row + rows - next, width});
    }
  }
  auto diagonal = a.diagonal().array();
  return diagonal.isFinite().all() && (diagonal > 0).all();
}

Factor qopt::factorMoment(const Matrix &moment) {
  Factor result;
  int64_t n = moment.rows();
  result.order.resize(n);
  std::iota(result.order.begin(), result.order.end(), 0);
  llvm::sort(result.order, [&](int64_t a, int64_t b) {
    return std::pair(moment(a, a), -a) < std::pair(moment(b, b), -b);
  });
  double mean = n ? moment.diagonal().mean() : 0;
  if (!(mean > 0) || !std::isfinite(mean))
    return result;
  double damping = kDamping * mean;
  for (int count = 0; count <= kMostDampings; ++count, damping *= 2) {
    result.lower.setZero(n, n);
    for (int64_t i = 0; i < n; ++i) {
      int64_t row = result.order[i];
      for (int64_t j = 0; j <= i; ++j) {
        int64_t column = result.order[j];
        result.lower(i, j) =
            moment(std::max(row, column), std::min(row, column));
      }
      double &own = result.lower(i, i);
      own = (own > 0 ? own : mean) + damping;
    }
    if (factorInPlace(result.lower)) {
      result.dampings = count;
      return result;
    }
  }
  return result;
}
