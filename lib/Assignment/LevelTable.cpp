//===- LevelTable.cpp - Levels that suit the numbers ----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Dynamic programming over the last level: what lies between two neighbouring
// levels goes to the nearer one, whatever the others are.
//===----------------------------------------------------------------------===//
#include "LevelTable.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

using namespace qopt;

static constexpr int kReach = 127, kBytes = 2 * kReach + 1;
static constexpr int kBinsPerStep = 16;

LevelHistogram::LevelHistogram() : bins(2 * kReach * kBinsPerStep + 1) {}

void LevelHistogram::add(double value, double weight) {
  value = std::clamp(value, -double(kReach), double(kReach));
  Bin &bin = bins[size_t(std::nearbyint((value + kReach) * kBinsPerStep))];
  bin.weight += weight;
  bin.first += weight * value;
  bin.second += weight * value * value;
}

std::vector<int8_t> LevelHistogram::learn(unsigned bits) const {
  std::vector<Bin> sums(bins.size() + 1);
  for (size_t i = 0; i < bins.size(); ++i)
    sums[i + 1] = {sums[i].weight + bins[i].weight,
                   sums[i].first + bins[i].first,
                   sums[i].second + bins[i].second};
  // Distance of the bins in [begin, end) to a byte.
  auto getCost = [&](int begin, int end, int byte) {
    double center = byte - kReach;
    double cost = sums[end].second - sums[begin].second -
                  2 * center * (sums[end].first - sums[begin].first) +
                  center * center * (sums[end].weight - sums[begin].weight);
    return std::max(cost, 0.0);
  };
  int last = int(bins.size());
  // Bins strictly between two levels; the one in the middle goes down.
  auto getBetween = [&](int low, int high) {
    int middle = (low + high) * kBinsPerStep / 2 + 1;
    return getCost(low * kBinsPerStep, middle, low) +
           getCost(middle, high * kBinsPerStep, high);
  };
  int count = 1 << bits;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  // Least cost of all below byte b, with b the k-th level.
  std::vector<std::vector<double>> least(
      count, std::vector<double>(kBytes, kInfinity));
  std::vector<std::vector<int>> before(count, std::vector<int>(kBytes, -1));
  for (int b = 0; b < kBytes; ++b)
    least[0][b] = getCost(0, b * kBinsPerStep, b);
  std::vector<double> between(kBytes * kBytes);
  for (int low = 0; low < kBytes; ++low)
    for (int high = low + 1; high < kBytes; ++high)
      between[low * kBytes + high] = getBetween(low, high);
  for (int k = 1; k < count; ++k)
    for (int high = k; high < kBytes; ++high)
      for (int low = k - 1; low < high; ++low) {
        double cost = least[k - 1][low] + between[low * kBytes + high];
        if (cost < least[k][high]) {
          least[k][high] = cost;
          before[k][high] = low;
        }
      }
  int best = kBytes - 1;
  double total = kInfinity;
  for (int b = count - 1; b < kBytes; ++b) {
    double cost = least[count - 1][b] + getCost(b * kBinsPerStep, last, b);
    if (cost < total) {
      total = cost;
      best = b;
    }
  }
  std::vector<int8_t> table(count);
  for (int k = count - 1; k >= 0; --k) {
    table[k] = int8_t(best - kReach);
    best = before[k][best];
  }
  // In place of the level next to it, which keeps the order.
  if (needsZero)
    *std::min_element(table.begin(), table.end(), [](int8_t a, int8_t b) {
      return std::abs(a) < std::abs(b);
    }) = 0;
  return table;
}
