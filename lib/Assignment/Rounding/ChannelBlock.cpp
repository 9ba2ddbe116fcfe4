//===- ChannelBlock.cpp - Some channels on their way to levels ------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Scales are chosen by the loss after rounding, not before: how much an
// element may be clipped depends on who can take up its error.
//===----------------------------------------------------------------------===//
#include "ChannelBlock.h"

#include <cmath>
#include <limits>

using namespace qopt;

/// Shrunken ranges where each group is searched for itself, and each end.
static constexpr int kClips = 20;
static constexpr double kLeastClip = 0.4;
static constexpr int64_t kBlock = 64;

MatrixTask::MatrixTask(RoundingProblem given) : problem(std::move(given)) {
  rows = problem.weights.rows();
  columns = problem.weights.cols();
  group = problem.group > 0 ? problem.group : std::max<int64_t>(columns, 1);
  groups = std::max<int64_t>(1, (columns + group - 1) / group);
  channels = rows / problem.rowsPerChannel;
  table.assign(problem.grid.table.begin(), problem.grid.table.end());
  grid = {double(problem.grid.low), double(problem.grid.high),
          table.empty() ? nullptr : table.data(), int64_t(table.size())};
  for (int64_t c = 0; c < columns; ++c)
    diagonal.push_back((*problem.moment)(c, c));
}

ChannelBlock::ChannelBlock(const MatrixTask &task, int64_t first, int64_t last)
    : task(task), firstChannel(first), channels(last - first),
      rows(channels * task.problem.rowsPerChannel) {
  weights = task.problem.weights.middleRows(first * rowsPerChannel(), rows);
  ranges.resize(channels * task.groups);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < task.columns; ++c) {
      Range &range =
          ranges[r / rowsPerChannel() * task.groups + c / task.group];
      range.low = std::min(range.low, weights(r, c));
      range.high = std::max(range.high, weights(r, c));
    }
  for (int64_t channel = 0; channel < channels; ++channel)
    for (int64_t g = 0; g < task.groups; ++g)
      byDiagonal.push_back(searchRange(channel, g));
  best = nearest = roundNearest(fitAll(1));
  plainLosses = best.losses;
  offerNearest(roundNearest(byDiagonal));
}

Trial ChannelBlock::makeTrial(Choice parameters) const {
  return {std::move(parameters), Matrix(rows, task.columns),
          std::vector<int32_t>(rows * task.columns), Eigen::VectorXd()};
}

double ChannelBlock::toScale(int64_t channel, double scale) const {
  const std::vector<double> &floors = task.problem.leastScales;
  double least =
      floors.empty() ? 0 : floors[(firstChannel + channel) % floors.size()];
  float single = float(std::max(scale, least));
  return single >= 0x1p-120f ? double(single) : 1.0;
}

/// The range of a group, shrunken, as parameters.
Parameters ChannelBlock::fit(int64_t channel, int64_t g, double lowShare,
                             double highShare) const {
  const RoundingGrid &grid = task.problem.grid;
  double low = ranges[channel * task.groups + g].low * lowShare;
  double high = ranges[channel * task.groups + g].high * highShare;
  Parameters result;
  if (!grid.table.empty()) {
    int reach = 1;
    for (int8_t level : grid.table)
      reach = std::max(reach, std::abs(int(level)));
    result.scale = toScale(channel, std::max(-low, high) / reach);
    return result;
  }
  if (grid.hasZeroPoints) {
    result.scale =
        toScale(channel, (high - low) / double(grid.high - grid.low));
    result.zeroPoint = int32_t(chooseZeroPoint(low, result.scale, task.grid));
    return result;
  }
  result.scale = toScale(channel, std::max(-low, high) / double(grid.high));
  return result;
}

Choice ChannelBlock::fitAll(double share) const {
  Choice choice;
  for (int64_t channel = 0; channel < channels; ++channel)
    for (int64_t g = 0; g < task.groups; ++g)
      choice.push_back(fit(channel, g, share, share));
  return choice;
}

/// Expected loss of a group's nearest levels where errors of columns do not
/// interact.
double ChannelBlock::getDiagonalLoss(int64_t channel, int64_t g,
                                     const Parameters &parameters) const {
  int64_t first = g * task.group;
  int64_t count = std::min(task.columns, first + task.group) - first;
  double loss = 0;
  for (int64_t r = 0; r < rowsPerChannel(); ++r)
    loss += getNearestLoss(
        weights.row(channel * rowsPerChannel() + r).data() + first,
        task.diagonal.data() + first, count, scaled(parameters));
  return loss;
}

/// One share for both ends, then each end for itself where the grid has zero
/// points.
Parameters ChannelBlock::searchRange(int64_t channel, int64_t g) const {
  double least = std::numeric_limits<double>::infinity();
  Parameters best;
  double low = 1, high = 1;
  auto search = [&](bool movesLow, bool movesHigh) {
    double oldLow = low, oldHigh = high;
    for (int i = 0; i < kClips; ++i) {
      double share = 1 - (1 - kLeastClip) * i / (kClips - 1);
      double l = movesLow ? share : oldLow, h = movesHigh ? share : oldHigh;
      Parameters parameters = fit(channel, g, l, h);
      double loss = getDiagonalLoss(channel, g, parameters);
      if (!(loss < least))
        continue;
      least = loss;
      best = parameters;
      low = l;
      high = h;
    }
  };
  search(true, true);
  if (task.problem.grid.hasZeroPoints) {
    search(true, false);
    search(false, true);
    search(true, false);
  }
  return best;
}

// H is symmetric: what is below the diagonal counts twice.
Eigen::VectorXd ChannelBlock::measure(const Matrix &error) const {
  Eigen::VectorXd losses = Eigen::VectorXd::Zero(rows);
  Matrix product(rows, kBlock);
  for (int64_t first = 0; first < task.columns; first += kBlock) {
    int64_t width = std::min(kBlock, task.columns - first);
    product.setZero();
    addProduct(view(product), view(error), viewFrom(getMoment(), 0, first),
               {rows, width, first});
    product *= 2;
    addProduct(view(product), viewFrom(error, 0, first),
               viewFrom(getMoment(), first, first), {rows, width, width});
    losses += product.leftCols(width)
                  .cwiseProduct(error.middleCols(first, width))
                  .rowwise()
                  .sum();
  }
  return losses;
}

Matrix ChannelBlock::multiplyMoment(const Matrix &error) const {
  Matrix product = Matrix::Zero(rows, task.columns);
  addProduct(view(product), view(error), view(getMoment()),
             {rows, task.columns, task.columns});
  return product;
}

Trial ChannelBlock::roundNearest(Choice parameters) const {
  Trial result = makeTrial(std::move(parameters));
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t g = 0; g < task.groups; ++g) {
      int64_t first = g * task.group;
      const Parameters &own = at(result.parameters, r, first);
      roundRow(&weights(r, first), std::min(task.columns - first, task.group),
               scaled(own), &result.values(r, first),
               result.stored.data() + r * task.columns + first);
    }
  result.losses = measure(weights - result.values);
  return result;
}

void ChannelBlock::keepBetter(Trial &best, const Trial &other) const {
  for (int64_t channel = 0; channel < channels; ++channel) {
    int64_t count = rowsPerChannel(), first = channel * count;
    if (!(other.losses.segment(first, count).sum() <
          best.losses.segment(first, count).sum()))
      continue;
    best.losses.segment(first, count) = other.losses.segment(first, count);
    best.values.middleRows(first, count) =
        other.values.middleRows(first, count);
    std::copy_n(other.stored.begin() + first * task.columns,
                count * task.columns,
                best.stored.begin() + first * task.columns);
    std::copy_n(other.parameters.begin() + channel * task.groups, task.groups,
                best.parameters.begin() + channel * task.groups);
  }
}

void ChannelBlock::offerNearest(const Trial &trial) {
  keepBetter(best, trial);
  keepBetter(nearest, trial);
}
