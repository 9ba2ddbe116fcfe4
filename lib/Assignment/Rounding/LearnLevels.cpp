//===- LearnLevels.cpp - Tables from the weights of a layer ---------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Lloyd's alternation, with an exact step for the table and a search for the
// scales.
//===----------------------------------------------------------------------===//
#include "LearnLevels.h"
#include "../LevelTable.h"
#include "MatrixKernels.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

using namespace qopt;

static constexpr int kTurns = 6;
/// Scales that are tried, as shares of what holds the largest magnitude.
static constexpr int kShares = 24;
static constexpr double kLeastShare = 0.4;

namespace {
/// Elements that share a scale, and how much their errors count.
struct Group {
  std::vector<double> values, weights;
  double magnitude = 0;
};
} // namespace

static std::vector<Group> getGroups(llvm::ArrayRef<RoundingProblem> problems) {
  std::vector<Group> groups;
  for (const RoundingProblem &p : problems) {
    int64_t columns = p.weights.cols();
    int64_t size = p.group > 0 ? p.group : std::max<int64_t>(columns, 1);
    for (int64_t row = 0; row < p.weights.rows(); row += p.rowsPerChannel)
      for (int64_t first = 0; first < columns; first += size) {
        Group group;
        for (int64_t r = row; r < row + p.rowsPerChannel; ++r)
          for (int64_t c = first; c < std::min(columns, first + size); ++c) {
            group.values.push_back(p.weights(r, c));
            group.weights.push_back((*p.moment)(c, c));
            group.magnitude =
                std::max(group.magnitude, std::fabs(p.weights(r, c)));
          }
        groups.push_back(std::move(group));
      }
  }
  return groups;
}

/// The scale of least error under a table, and that error.
static std::pair<double, double> fitScale(const Group &group,
                                          const Grid<double> &grid) {
  double reach =
      std::max(std::fabs(grid.table[0]), std::fabs(grid.table[grid.size - 1]));
  std::pair<double, double> best = {1, INFINITY};
  for (int i = 0; i < kShares; ++i) {
    double share = 1 - (1 - kLeastShare) * i / (kShares - 1);
    double scale = group.magnitude * share / reach;
    if (!(scale > 0))
      return {1, 0};
    double loss =
        getNearestLoss(group.values.data(), group.weights.data(),
                       int64_t(group.values.size()), {scale, 0, grid});
    if (loss < best.second)
      best = {scale, loss};
  }
  return best;
}

std::vector<int8_t>
qopt::learnLevels(llvm::ArrayRef<RoundingProblem> problems) {
  std::vector<Group> groups = getGroups(problems);
  std::vector<int8_t> table = problems.front().grid.table, best = table;
  unsigned bits = llvm::Log2_64(table.size());
  double least = INFINITY;
  for (int turn = 0; turn < kTurns; ++turn) {
    std::vector<double> levels(table.begin(), table.end());
    Grid<double> grid{0, 0, levels.data(), int64_t(levels.size())};
    LevelHistogram histogram;
    double total = 0;
    for (const Group &group : groups) {
      if (!(group.magnitude / 127 >= kLeastScale)) {
        histogram.needZero();
        continue;
      }
      auto [scale, loss] = fitScale(group, grid);
      total += loss;
      // In steps of the table, errors are larger by the scale.
      for (auto [value, weight] : llvm::zip(group.values, group.weights))
        histogram.add(value / scale, weight * scale * scale);
    }
    if (!(total < least))
      break;
    least = total;
    best = table;
    table = histogram.learn(bits);
  }
  return best;
}
