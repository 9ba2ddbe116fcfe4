//===- RowEnergies.h - How rows of a tensor differ in size ----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// One scale for all rows serves the largest of them. How many rows are far
// smaller is counted by powers of two: a fixed number of counts, whose merge is
// exact.
//===----------------------------------------------------------------------===//
#ifndef QOPT_CALIBRATION_ROWENERGIES_H
#define QOPT_CALIBRATION_ROWENERGIES_H

#include "llvm/ADT/ArrayRef.h"
#include <cstdint>
#include <map>

namespace qopt {

/// Counts of rows by the mean square of their elements.
class RowEnergies {
public:
  /// Adds the rows of a tensor of finite values.
  void add(llvm::ArrayRef<float> values, size_t rowSize);
  void addCount(int64_t bin, uint64_t count) { counts[bin] += count; }
  void merge(const RowEnergies &other);

  bool empty() const { return counts.empty(); }
  /// Bin -> rows. Bin 2e + h holds mean squares in [2^(e+h/2), 2^(e+(h+1)/2));
  /// rows of zeros are not counted, every encoding holds them.
  const std::map<int64_t, uint64_t> &bins() const { return counts; }

  /// Mean over the rows of the share of a row's energy that a noise of that
  /// mean square is, in dB. A row that is lost counts once, not more.
  double getPredictedSQNR(double noise) const;

  friend bool operator==(const RowEnergies &a, const RowEnergies &b) {
    return a.counts == b.counts;
  }

private:
  std::map<int64_t, uint64_t> counts;
};

} // namespace qopt

#endif // QOPT_CALIBRATION_ROWENERGIES_H
