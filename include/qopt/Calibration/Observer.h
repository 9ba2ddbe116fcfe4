//===- Observer.h - What calibration keeps of a tensor --------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Streaming statistics of one tensor, and the ranges that can be read off
// them.
//===----------------------------------------------------------------------===//
#ifndef QOPT_CALIBRATION_OBSERVER_H
#define QOPT_CALIBRATION_OBSERVER_H

#include "absl/status/statusor.h"
#include "qopt/Calibration/Histogram.h"
#include "qopt/Calibration/RowEnergies.h"
#include "qopt/Support/Tensor.h"
#include <map>
#include <string>

namespace qopt {

/// What is kept of a tensor beside its range and histogram.
struct ObserveOptions {
  bool perChannel = false; ///< ranges by element of the last dimension
  bool perSample = false;  ///< ranges by sample
  bool perRow = false;     ///< energies of rows
  /// The tensor comes from outside: NaN in it is no answer of the model.
  bool isData = false;
};

/// Statistics of one tensor over the samples seen. Merging two of them is
/// exact: every field is a minimum, a maximum, a count, or a value kept per
/// sample.
struct TensorStatistics {
  uint64_t count = 0;      ///< of finite values
  float low = 0, high = 0; ///< of all values; 0 while count is 0
  Histogram histogram;
  /// Per element of the last dimension; empty unless asked for.
  std::vector<float> channelLow, channelHigh;
  /// Sample index -> its range; empty unless asked for (moving averages depend
  /// on the order of the samples, so they need them one by one).
  std::map<int64_t, std::pair<float, float>> sampleRanges;

  /// Values that are no numbers of a range: counted, and nowhere else.
  uint64_t nans = 0, infinities = 0;
  /// Of rows, elements along the last dimension; empty unless asked for.
  RowEnergies rows;

  bool isFinite() const { return nans == 0 && infinities == 0; }

  /// Adds the values of sample `index`. InvalidArgument where they are not f32
  /// or, in data, NaN (the caller adds the tensor's name).
  absl::Status observe(int64_t index, const Tensor &values,
                       const ObserveOptions &options);
  absl::Status merge(const TensorStatistics &other);

  friend bool operator==(const TensorStatistics &a, const TensorStatistics &b);

private:
  absl::Status observeChannels(llvm::ArrayRef<float> values, size_t channels);
};

struct Range {
  double low = 0, high = 0;
};

/// How a range is read off the statistics.
struct RangeMethod {
  enum class Kind { MinMax, MovingAverage, Percentile, Entropy, MSE };
  Kind kind = Kind::MSE;
  double percentile = 99.99;

  /// min-max, moving-average, percentile:P, entropy or mse.
  static absl::StatusOr<RangeMethod> parse(llvm::StringRef text);
};

/// The range to be represented with `bits` bits. Fails where the statistics do
/// not hold what the method needs.
absl::StatusOr<Range> computeRange(const TensorStatistics &statistics,
                                   const RangeMethod &method,
                                   unsigned bits = 8);

/// Parameters of an affine encoding of that range: zero is exact; a range
/// without extent gives scale 1.
struct AffineParameters {
  float scale = 1;
  int64_t zeroPoint = 0;
};
AffineParameters getAsymmetricParameters(Range range, unsigned bits = 8);
/// scale = max|v| / (2^(bits-1) - 1), narrow range.
float getSymmetricScale(double magnitude, unsigned bits = 8);

/// Expected squared error of the values under an encoding of `bits` bits, and
/// the ratio in dB of the signal to it (by the histogram).
double getSquaredError(const Histogram &histogram,
                       const AffineParameters &parameters, unsigned bits = 8);
double getPredictedSQNR(const Histogram &histogram,
                        const AffineParameters &parameters, unsigned bits = 8);

} // namespace qopt

#endif // QOPT_CALIBRATION_OBSERVER_H
