//===- Histogram.h - Counts whose merge is exact --------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A fixed number of bins on a dyadic grid. The state is a function of the
// multiset of values alone: it does not matter in which order they came or in
// how many parts they were counted.
//===----------------------------------------------------------------------===//
#ifndef QOPT_CALIBRATION_HISTOGRAM_H
#define QOPT_CALIBRATION_HISTOGRAM_H

#include "llvm/ADT/ArrayRef.h"
#include <cstdint>
#include <vector>

namespace qopt {

/// Bin `i` in [-2048, 2048) counts values in `[i, i+1) * 2^exponent`. The
/// exponent is the smallest that holds every value; where it grows, pairs of
/// bins become one, which is what counting on the coarser grid would give:
/// floor(floor(v / 2^e) / 2) = floor(v / 2^(e+1)).
class Histogram {
public:
  static constexpr int64_t halfBins = 2048;
  /// Finer than every f32: nothing but zero fits.
  static constexpr int minExponent = -180;

  Histogram() : counts(2 * halfBins, 0) {}

  /// Counts finite values.
  void add(llvm::ArrayRef<float> values);
  /// The same for values (less than 2^32) of which all lie in [low, high].
  void add(llvm::ArrayRef<float> values, float low, float high);
  void merge(const Histogram &other);

  int getExponent() const { return exponent; }
  double getWidth() const;
  /// Count of bin `index` in [-2048, 2048).
  uint64_t getCount(int64_t index) const { return counts[index + halfBins]; }
  uint64_t getTotal() const;
  /// Adds to one bin; for readers. `exponent` as in `reset`.
  void addCount(int64_t index, uint64_t count) {
    counts[index + halfBins] += count;
  }
  /// Empty, on the grid of that exponent.
  void reset(int exponent);

  friend bool operator==(const Histogram &a, const Histogram &b) {
    return a.exponent == b.exponent && a.counts == b.counts;
  }

private:
  void growTo(int newExponent);

  int exponent = minExponent;
  std::vector<uint64_t> counts;
};

} // namespace qopt

#endif // QOPT_CALIBRATION_HISTOGRAM_H
