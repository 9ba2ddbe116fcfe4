//===- MatrixRounder.h - Weights rounded against their inputs -------------===//
// SPDX-License-Identifier: Apache-2.0
//
// One matrix at a time, and no IR: rows are output channels, columns what they
// reduce over. The loss of a row with error d is d H d^T, H being the second
// moment of the inputs.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_ASSIGNMENT_ROUNDING_MATRIXROUNDER_H
#define QOPT_LIB_ASSIGNMENT_ROUNDING_MATRIXROUNDER_H

#include "qopt/Assignment/Rounder.h"
#include <Eigen/Core>
#include <cstdint>
#include <memory>
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
  std::vector<int8_t> table;
};

struct RoundingProblem {
  Matrix weights; ///< [rows, columns]
  /// H; symmetric, positive semidefinite. Lives as long as what rounds.
  const Matrix *moment = nullptr;
  RoundingGrid grid;
  int64_t group = 0; ///< columns that share parameters; 0: all
  /// Consecutive rows that share parameters (taps of a transposed convolution).
  int64_t rowsPerChannel = 1;
  /// Scales are not made smaller than this, by channel; may be empty.
  std::vector<double> leastScales;
};

struct RoundedMatrix {
  std::vector<int32_t> stored; ///< [rows, columns]
  std::vector<float> scales;   ///< [channels, groups]
  std::vector<int32_t> zeroPoints;
  double loss = 0;        ///< trace(D H D^T)
  double signal = 0;      ///< trace(W H W^T)
  double plainLoss = 0;   ///< of the nearest levels under the whole ranges
  double nearestLoss = 0; ///< of the nearest levels with the best of the scales
  /// How often the damping of H had to be doubled until it factored, for
  /// methods that need it; nullopt where it never did.
  std::optional<int> dampings = 0;
};

/// Rounds the channels of one matrix, some at a time: channels are independent,
/// so the result does not depend on who rounds which.
class MatrixRounder {
public:
  MatrixRounder(RoundingProblem problem, const Rounder &method);
  MatrixRounder(MatrixRounder &&);
  ~MatrixRounder();

  int64_t numChannels() const;
  /// Channels that are worth rounding at a time.
  int64_t partSize() const;
  /// Multiplications that a channel takes, about.
  double getWork() const;

  /// Factors the moment if the method needs it; before the first channel.
  void prepare();
  /// Rounds the channels from `first` to `last`; different ones may be rounded
  /// at the same time.
  void round(int64_t first, int64_t last);
  /// The result is on the grid and its loss is not above that of the nearest
  /// levels.
  RoundedMatrix take();

  struct State;

private:
  std::unique_ptr<State> state;
};

/// All channels of one matrix.
RoundedMatrix roundMatrix(RoundingProblem problem, const Rounder &method);

} // namespace qopt

#endif // QOPT_LIB_ASSIGNMENT_ROUNDING_MATRIXROUNDER_H
