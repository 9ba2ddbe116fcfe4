//===- Gptq.h - Weights rounded against their inputs ----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// One matrix at a time, and no IR: rows are output channels, columns what they
// reduce over. The loss of a row with error d is d H d^T, H being the second
// moment of the inputs.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_ASSIGNMENT_ROUNDING_GPTQ_H
#define QOPT_LIB_ASSIGNMENT_ROUNDING_GPTQ_H

#include "llvm/ADT/ArrayRef.h"
#include <Eigen/Core>
#include <cstdint>
#include <optional>
#include <vector>

namespace qopt {

using Matrix =
    Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// The numbers that an element may become: `scale * (q - zero)` for `q` in
/// [low, high], or `scale * table[q]`.
struct RoundingGrid {
  int64_t low = 0, high = 0;
  /// Zero points are searched as well; else they are 0.
  bool hasZeroPoints = false;
  llvm::ArrayRef<int8_t> table;
};

struct RoundingProblem {
  Matrix weights; ///< [rows, columns]
  Matrix moment;  ///< H; symmetric, positive semidefinite
  RoundingGrid grid;
  int64_t group = 0; ///< columns that share parameters; 0: all
  /// Consecutive rows that share parameters (taps of a transposed convolution).
  int64_t rowsPerChannel = 1;
  /// Scales are not made smaller than this, by channel; may be empty.
  std::vector<double> leastScales;
};

enum class Rounding {
  Nearest, ///< each element to its nearest level
  Gptq,    ///< column by column, later columns take up the error
};

struct RoundedMatrix {
  std::vector<int32_t> stored; ///< [rows, columns]
  std::vector<float> scales;   ///< [channels, groups]
  std::vector<int32_t> zeroPoints;
  double loss = 0;        ///< trace(D H D^T)
  double signal = 0;      ///< trace(W H W^T)
  double nearestLoss = 0; ///< of the nearest levels with the best of the scales
  /// How often the damping of H had to be doubled until it factored; nullopt
  /// where it never did, and the nearest levels were taken.
  std::optional<int> dampings = 0;
};

/// The result is on the grid and its loss is not above that of the nearest
/// levels. Columns whose input is always zero round to nearest.
RoundedMatrix roundMatrix(const RoundingProblem &problem, Rounding rounding);

} // namespace qopt

#endif // QOPT_LIB_ASSIGNMENT_ROUNDING_GPTQ_H
