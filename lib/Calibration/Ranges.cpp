//===- Ranges.cpp - Ranges read off statistics ----------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Every method sees the same histogram, so choosing another one needs no
// second pass over the data.
//===----------------------------------------------------------------------===//
#include "qopt/Calibration/Observer.h"
#include "qopt/Numerics/Grid.h"

#include "absl/strings/str_cat.h"
#include <cmath>

using namespace qopt;

absl::StatusOr<RangeMethod> RangeMethod::parse(llvm::StringRef text) {
  RangeMethod method;
  auto [name, argument] = text.split(':');
  if (name == "percentile") {
    method.kind = Kind::Percentile;
    if (text.contains(':') &&
        (argument.getAsDouble(method.percentile) || !(method.percentile > 50) ||
         !(method.percentile <= 100)))
      return absl::InvalidArgumentError(absl::StrCat(
          "expects a percentile in (50, 100], got '", argument.str(), "'"));
    return method;
  }
  if (name == "min-max" && argument.empty())
    method.kind = Kind::MinMax;
  else if (name == "moving-average" && argument.empty())
    method.kind = Kind::MovingAverage;
  else if (name == "entropy" && argument.empty())
    method.kind = Kind::Entropy;
  else if (name == "mse" && argument.empty())
    method.kind = Kind::MSE;
  else
    return absl::InvalidArgumentError(
        absl::StrCat("expects a range method of min-max, moving-average, "
                     "percentile:P, entropy or mse, got '",
                     text.str(), "'"));
  return method;
}

/// Codes from 0 to 2^bits - 1.
static Grid<double> getUnsignedGrid(unsigned bits) {
  return {0, double((int64_t(1) << bits) - 1)};
}

AffineParameters qopt::getAsymmetricParameters(Range range, unsigned bits) {
  double low = std::min(range.low, 0.0), high = std::max(range.high, 0.0);
  Grid<double> grid = getUnsignedGrid(bits);
  AffineParameters parameters;
  float scale = float((high - low) / grid.high);
  if (!(scale >= 1.17549435e-38f) || !std::isfinite(scale))
    return parameters;
  parameters.scale = scale;
  parameters.zeroPoint = int64_t(chooseZeroPoint(low, double(scale), grid));
  return parameters;
}

float qopt::getSymmetricScale(double magnitude, unsigned bits) {
  float scale = float(magnitude / double((int64_t(1) << (bits - 1)) - 1));
  return scale >= 1.17549435e-38f && std::isfinite(scale) ? scale : 1.0f;
}

/// Calls `visit(centre, count)` for every bin that counts something.
template <typename Visit>
static void forEachBin(const Histogram &histogram, Visit visit) {
  double width = histogram.getWidth();
  for (int64_t i = -Histogram::halfBins; i < Histogram::halfBins; ++i)
    if (uint64_t count = histogram.getCount(i))
      visit((double(i) + 0.5) * width, double(count));
}

double qopt::getSquaredError(const Histogram &histogram,
                             const AffineParameters &parameters,
                             unsigned bits) {
  Grid<double> grid = getUnsignedGrid(bits);
  double total = 0;
  double scale = parameters.scale, zero = double(parameters.zeroPoint);
  forEachBin(histogram, [&](double value, double count) {
    double error =
        roundToLevel(value / scale, zero, grid).steps * scale - value;
    total += count * error * error;
  });
  return total;
}

double qopt::getPredictedSQNR(const Histogram &histogram,
                              const AffineParameters &parameters,
                              unsigned bits) {
  double signal = 0;
  forEachBin(histogram, [&](double value, double count) {
    signal += count * value * value;
  });
  double noise = getSquaredError(histogram, parameters, bits);
  if (signal == 0 || noise == 0)
    return 200;
  return std::min(200.0, 10 * std::log10(signal / noise));
}

static Range computePercentile(const TensorStatistics &statistics, double p) {
  const Histogram &histogram = statistics.histogram;
  double total = double(histogram.getTotal()), width = histogram.getWidth();
  double cut = total * (1 - p / 100);
  Range range{statistics.low, statistics.high};
  double passed = 0;
  for (int64_t i = -Histogram::halfBins; i < Histogram::halfBins; ++i) {
    passed += double(histogram.getCount(i));
    if (passed > cut) {
      range.low = std::max(range.low, double(i) * width);
      break;
    }
  }
  passed = 0;
  for (int64_t i = Histogram::halfBins - 1; i >= -Histogram::halfBins; --i) {
    passed += double(histogram.getCount(i));
    if (passed > cut) {
      range.high = std::min(range.high, double(i + 1) * width);
      break;
    }
  }
  return range;
}

/// KL divergence between the magnitudes cut at `bins` and the same in 128
/// levels.
static double getDivergence(llvm::ArrayRef<double> magnitudes, size_t bins) {
  constexpr size_t levels = 128;
  std::vector<double> reference(magnitudes.begin(), magnitudes.begin() + bins);
  for (size_t i = bins; i < magnitudes.size(); ++i)
    reference.back() += magnitudes[i];
  double total = 0, candidateTotal = 0;
  std::vector<double> candidate(bins, 0);
  for (size_t level = 0; level < levels; ++level) {
    size_t first = level * bins / levels, last = (level + 1) * bins / levels;
    double sum = 0, used = 0;
    for (size_t i = first; i < last; ++i) {
      sum += magnitudes[i];
      used += magnitudes[i] > 0;
    }
    for (size_t i = first; i < last; ++i)
      if (magnitudes[i] > 0)
        candidate[i] = sum / used;
  }
  for (size_t i = 0; i < bins; ++i) {
    total += reference[i];
    candidateTotal += candidate[i];
  }
  if (total == 0 || candidateTotal == 0)
    return INFINITY;
  double divergence = 0;
  for (size_t i = 0; i < bins; ++i) {
    if (reference[i] == 0)
      continue;
    double p = reference[i] / total;
    double q = std::max(candidate[i] / candidateTotal, 1e-12);
    divergence += p * std::log(p / q);
  }
  return divergence;
}

static Range computeEntropy(const TensorStatistics &statistics) {
  const Histogram &histogram = statistics.histogram;
  std::vector<double> magnitudes(Histogram::halfBins);
  size_t used = 0;
  for (int64_t i = 0; i < Histogram::halfBins; ++i) {
    magnitudes[i] =
        double(histogram.getCount(i)) + double(histogram.getCount(-i - 1));
    if (magnitudes[i] > 0)
      used = i + 1;
  }
  magnitudes.resize(used);
  size_t best = used;
  double least = INFINITY;
  for (size_t bins = 128; bins <= used; bins += 8) {
    double divergence = getDivergence(magnitudes, bins);
    if (divergence < least) {
      least = divergence;
      best = bins;
    }
  }
  double bound = double(best) * histogram.getWidth();
  return {std::max(double(statistics.low), -bound),
          std::min(double(statistics.high), bound)};
}

/// 36 ratios from 0.3 to 1 for each end; the upper end first, then the lower,
/// then both once more.
static Range computeMSE(const TensorStatistics &statistics, unsigned bits) {
  constexpr int steps = 36;
  double low = std::min(double(statistics.low), 0.0);
  double high = std::max(double(statistics.high), 0.0);
  Range best{low, high};
  double least = getSquaredError(statistics.histogram,
                                 getAsymmetricParameters(best, bits), bits);
  auto tryRange = [&](Range range) {
    double error = getSquaredError(statistics.histogram,
                                   getAsymmetricParameters(range, bits), bits);
    if (error < least) {
      least = error;
      best = range;
    }
  };
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < steps && high > 0; ++i)
      tryRange({best.low, high * (0.3 + 0.7 * i / (steps - 1))});
    for (int i = 0; i < steps && low < 0; ++i)
      tryRange({low * (0.3 + 0.7 * i / (steps - 1)), best.high});
  }
  return best;
}

static absl::StatusOr<Range>
computeMovingAverage(const TensorStatistics &statistics) {
  constexpr double momentum = 0.01;
  if (statistics.sampleRanges.empty())
    return absl::FailedPreconditionError(
        "expects the ranges of single samples for a moving average; collect "
        "the profile with them");
  Range range{};
  bool isFirst = true;
  for (const auto &[index, sample] : statistics.sampleRanges) {
    if (isFirst)
      range = {sample.first, sample.second};
    isFirst = false;
    range.low += momentum * (double(sample.first) - range.low);
    range.high += momentum * (double(sample.second) - range.high);
  }
  return range;
}

absl::StatusOr<Range> qopt::computeRange(const TensorStatistics &statistics,
                                         const RangeMethod &method,
                                         unsigned bits) {
  if (!statistics.count)
    return absl::FailedPreconditionError("expects at least one value");
  switch (method.kind) {
  case RangeMethod::Kind::MinMax:
    return Range{statistics.low, statistics.high};
  case RangeMethod::Kind::MovingAverage:
    return computeMovingAverage(statistics);
  case RangeMethod::Kind::Percentile:
    return computePercentile(statistics, method.percentile);
  case RangeMethod::Kind::Entropy:
    return computeEntropy(statistics);
  case RangeMethod::Kind::MSE:
    return computeMSE(statistics, bits);
  }
  return absl::InternalError("unknown range method");
}
