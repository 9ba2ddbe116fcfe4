//===- RoundingProblems.h - Random matrices to round ----------------------===//
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//
#ifndef QOPT_TEST_UNIT_ASSIGNMENT_ROUNDINGPROBLEMS_H
#define QOPT_TEST_UNIT_ASSIGNMENT_ROUNDINGPROBLEMS_H

#include "lib/Assignment/Rounding/MatrixRounder.h"

#include <cmath>
#include <random>

namespace qopt {

inline Matrix makeRandom(int64_t rows, int64_t columns, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  Matrix result(rows, columns);
  for (int64_t i = 0; i < result.size(); ++i)
    result.data()[i] = normal(random);
  return result;
}

/// The moment of inputs that depend on each other.
inline Matrix makeMoment(int64_t columns, unsigned seed) {
  Matrix x = makeRandom(3 * columns, columns, seed).cwiseMax(-0.5);
  x = x * (Matrix::Identity(columns, columns) +
           makeRandom(columns, columns, seed + 1) / std::sqrt(columns));
  return x.transpose() * x / double(x.rows());
}

inline RoundingProblem makeProblem(int64_t rows, const Matrix &moment,
                                   int bits) {
  RoundingProblem problem;
  problem.weights = makeRandom(rows, moment.rows(), 7);
  problem.moment = &moment;
  problem.grid.low = -(1 << (bits - 1));
  problem.grid.high = (1 << (bits - 1)) - 1;
  return problem;
}

/// trace(D H D^T), by plain loops.
inline double getLoss(const RoundingProblem &problem,
                      const RoundedMatrix &result) {
  int64_t columns = problem.weights.cols();
  int64_t group = problem.group ? problem.group : columns;
  int64_t groups = (columns + group - 1) / group;
  Matrix error = problem.weights;
  for (int64_t r = 0; r < error.rows(); ++r)
    for (int64_t c = 0; c < columns; ++c) {
      int64_t at = r / problem.rowsPerChannel * groups + c / group;
      int32_t q = result.stored[r * columns + c];
      double level = problem.grid.table.empty() ? q - result.zeroPoints[at]
                                                : problem.grid.table[q];
      error(r, c) -= double(result.scales[at]) * level;
    }
  return (error * *problem.moment).cwiseProduct(error).sum();
}

} // namespace qopt

#endif // QOPT_TEST_UNIT_ASSIGNMENT_ROUNDINGPROBLEMS_H
