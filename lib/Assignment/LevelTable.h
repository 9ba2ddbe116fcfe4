//===- LevelTable.h - Levels that suit the numbers ------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Weighted k-means on a line whose centres are signed bytes: few enough for
// the best table to be found, not approached.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_ASSIGNMENT_LEVELTABLE_H
#define QOPT_LIB_ASSIGNMENT_LEVELTABLE_H

#include <cstdint>
#include <vector>

namespace qopt {

/// Smaller scales become 1, and what they scale is 0.
constexpr double kLeastScale = 0x1p-120;

/// Numbers in steps of a table, with how much their errors count.
class LevelHistogram {
public:
  LevelHistogram();
  /// Numbers outside [-127, 127] count as its ends.
  void add(double value, double weight);
  /// 0 is to be a level: there are numbers whose scale says nothing of them.
  void needZero() { needsZero = true; }
  /// The 2^bits bytes, ascending and different, whose nearest one is least
  /// away: the least sum of weight times squared distance. Numbers count as
  /// the mean of those within 1/16.
  std::vector<int8_t> learn(unsigned bits) const;

private:
  struct Bin {
    double weight = 0, first = 0, second = 0;
  };
  std::vector<Bin> bins;
  bool needsZero = false;
};

} // namespace qopt

#endif // QOPT_LIB_ASSIGNMENT_LEVELTABLE_H
