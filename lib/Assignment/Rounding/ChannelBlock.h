//===- ChannelBlock.h - Some channels on their way to levels --------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What a method of rounding is made from: scales to try, levels for them, the
// loss of either, and the best that was found so far.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_ASSIGNMENT_ROUNDING_CHANNELBLOCK_H
#define QOPT_LIB_ASSIGNMENT_ROUNDING_CHANNELBLOCK_H

#include "Factor.h"
#include "MatrixKernels.h"

namespace qopt {

/// Scale and zero point of one channel's group.
struct Parameters {
  double scale = 1;
  int32_t zeroPoint = 0;
};
using Choice = std::vector<Parameters>; ///< by channel and group

/// Levels of all elements of a block.
struct Trial {
  Choice parameters;
  Matrix values; ///< what the levels stand for
  std::vector<int32_t> stored;
  Eigen::VectorXd losses; ///< by row
};

/// Ranges as shares of the largest magnitude, for methods that search.
inline constexpr double kShares[] = {1,  .95, .9, .85, .8, .75,
                                     .7, .65, .6, .55, .5, .4};

/// A problem and what all of its blocks read.
struct MatrixTask {
  RoundingProblem problem;
  int64_t rows, columns, group, groups, channels;
  std::vector<double> table;
  Grid<double> grid;
  std::vector<double> diagonal; ///< of the moment
  Factor factor;                ///< empty unless the method needs it

  explicit MatrixTask(RoundingProblem problem);
  MatrixTask(const MatrixTask &) = delete;
};

class ChannelBlock {
public:
  /// Rounds the channels from `first` to `last` to their nearest levels: under
  /// the whole ranges, and under those of fitByDiagonal().
  ChannelBlock(const MatrixTask &task, int64_t first, int64_t last);

  int64_t numRows() const { return rows; }
  int64_t numColumns() const { return task.columns; }
  int64_t numChannels() const { return channels; }
  int64_t rowsPerChannel() const { return task.problem.rowsPerChannel; }
  bool hasGroups() const { return task.groups != 1; }

  const Matrix &getWeights() const { return weights; }
  const Matrix &getMoment() const { return *task.problem.moment; }
  llvm::ArrayRef<double> getDiagonal() const { return task.diagonal; }
  const Factor &getFactor() const { return task.factor; }
  const Grid<double> &getGrid() const { return task.grid; }

  /// Of the choice, what an element is rounded with.
  const Parameters &at(const Choice &choice, int64_t row,
                       int64_t column) const {
    return choice[row / rowsPerChannel() * task.groups + column / task.group];
  }
  ScaledGrid scaled(const Parameters &parameters) const {
    return {parameters.scale, double(parameters.zeroPoint), task.grid};
  }
  /// `scale` as channels may have it: f32, and large enough for the bias.
  double toScale(int64_t channel, double scale) const;
  /// All ranges times `share`.
  Choice fitAll(double share) const;
  /// Per group the clipped range of least loss if the errors of columns did
  /// not interact.
  const Choice &fitByDiagonal() const { return byDiagonal; }

  /// Room for levels under these parameters.
  Trial makeTrial(Choice parameters) const;
  Trial roundNearest(Choice parameters) const;
  /// d H d^T by row.
  Eigen::VectorXd measure(const Matrix &error) const;
  /// error * H.
  Matrix multiplyMoment(const Matrix &error) const;
  /// Channel by channel, the better of two.
  void keepBetter(Trial &best, const Trial &other) const;

  /// Keeps the channels that are better than the best so far.
  void offer(const Trial &trial) { keepBetter(best, trial); }
  /// Offers nearest levels, which count as such in reports.
  void offerNearest(const Trial &trial);
  const Trial &getBest() const { return best; }

  const Eigen::VectorXd &getPlainLosses() const { return plainLosses; }
  const Eigen::VectorXd &getNearestLosses() const { return nearest.losses; }

private:
  struct Range {
    double low = 0, high = 0;
  };
  Parameters fit(int64_t channel, int64_t g, double lowShare,
                 double highShare) const;
  double getDiagonalLoss(int64_t channel, int64_t g,
                         const Parameters &parameters) const;
  Parameters searchRange(int64_t channel, int64_t g) const;

  const MatrixTask &task;
  int64_t firstChannel, channels, rows;
  Matrix weights;
  std::vector<Range> ranges;
  Choice byDiagonal;
  Trial best, nearest;
  Eigen::VectorXd plainLosses;
};

inline ConstBlock view(const Matrix &m) { return {m.data(), m.cols()}; }
inline Block view(Matrix &m) { return {m.data(), m.cols()}; }
/// What is right of and below an element.
inline ConstBlock viewFrom(const Matrix &m, int64_t row, int64_t column) {
  return {m.data() + row * m.cols() + column, m.cols()};
}

} // namespace qopt

#endif // QOPT_LIB_ASSIGNMENT_ROUNDING_CHANNELBLOCK_H
