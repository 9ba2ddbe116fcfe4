//===- Observer.cpp - What calibration keeps of a tensor ------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Counting and merging; the ranges are in Ranges.cpp.
//===----------------------------------------------------------------------===//
#include "qopt/Calibration/Observer.h"
#include "Extremes.h"

#include "absl/strings/str_cat.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <limits>

using namespace qopt;

/// All first, in a loop without exits: nearly always they are.
static bool areFinite(llvm::ArrayRef<float> values) {
  uint32_t bad = 0;
  for (float value : values)
    bad |= uint32_t(!(std::fabs(value) <= std::numeric_limits<float>::max()));
  return !bad;
}

static void widen(std::vector<float> &low, std::vector<float> &high,
                  llvm::ArrayRef<float> newLow, llvm::ArrayRef<float> newHigh) {
  if (low.empty()) {
    low.assign(newLow.begin(), newLow.end());
    high.assign(newHigh.begin(), newHigh.end());
    return;
  }
  for (size_t i = 0; i < low.size(); ++i) {
    low[i] = std::min(low[i], newLow[i]);
    high[i] = std::max(high[i], newHigh[i]);
  }
}

/// Extremes of finite values; their counts go into the histogram.
static std::pair<float, float> countValues(Histogram &histogram,
                                           llvm::ArrayRef<float> values) {
  // What fits a cache is read from memory once and looked at twice.
  constexpr size_t part = 65536;
  float low = values[0], high = values[0];
  for (size_t at = 0; at < values.size(); at += part) {
    llvm::ArrayRef<float> some =
        values.slice(at, std::min(part, values.size() - at));
    auto [first, last] = findExtremes(some);
    low = std::min(low, first);
    high = std::max(high, last);
    histogram.add(some, first, last);
  }
  // -0 and 0 compare equal; which one came first must not show.
  return {low + 0.0f, high + 0.0f};
}

absl::Status TensorStatistics::observe(int64_t index, const Tensor &values,
                                       const ObserveOptions &options) {
  if (values.dtype() != DType::f32)
    return absl::InvalidArgumentError(absl::StrCat(
        "expects f32 values, got ", getName(values.dtype()).str()));
  llvm::ArrayRef<float> span = values.span<float>(), finite = span;
  if (span.empty())
    return absl::OkStatus();
  // Of values that are not finite the positions stay, as zeros, which are in
  // every range; the values are gone.
  std::vector<float> zeroed, kept;
  if (!areFinite(span)) {
    zeroed.assign(span.begin(), span.end());
    for (auto [i, value] : llvm::enumerate(zeroed)) {
      if (std::isfinite(value)) {
        kept.push_back(value);
        continue;
      }
      if (options.isData && std::isnan(value))
        return absl::InvalidArgumentError(
            absl::StrCat("expects finite values, got NaN in element ", i));
      ++(std::isnan(value) ? nans : infinities);
      value = 0;
    }
    span = zeroed;
    finite = kept;
  }
  if (!finite.empty()) {
    auto [sampleLow, sampleHigh] = countValues(histogram, finite);
    low = count ? std::min(low, sampleLow) : sampleLow;
    high = count ? std::max(high, sampleHigh) : sampleHigh;
    count += finite.size();
    if (options.perSample)
      sampleRanges[index] = {sampleLow, sampleHigh};
  }
  if (values.rank() == 0)
    return absl::OkStatus();
  size_t channels = values.shape().back();
  if (options.perRow)
    rows.add(span, channels);
  return options.perChannel ? observeChannels(span, channels)
                            : absl::OkStatus();
}

absl::Status TensorStatistics::observeChannels(llvm::ArrayRef<float> values,
                                               size_t channels) {
  if (!channelLow.empty() && channelLow.size() != channels)
    return absl::InvalidArgumentError(absl::StrCat(
        "expects ", channelLow.size(), " channels, got ", channels));
  std::vector<float> lows(values.begin(), values.begin() + channels),
      highs(lows);
  for (size_t i = 0; i < values.size(); ++i) {
    lows[i % channels] = std::min(lows[i % channels], values[i]);
    highs[i % channels] = std::max(highs[i % channels], values[i]);
  }
  for (size_t c = 0; c < channels; ++c) {
    lows[c] += 0.0f;
    highs[c] += 0.0f;
  }
  widen(channelLow, channelHigh, lows, highs);
  return absl::OkStatus();
}

absl::Status TensorStatistics::merge(const TensorStatistics &other) {
  nans += other.nans;
  infinities += other.infinities;
  rows.merge(other.rows);
  if (!other.count)
    return absl::OkStatus();
  if (count && channelLow.size() != other.channelLow.size())
    return absl::InvalidArgumentError(
        absl::StrCat("expects statistics of as many channels, got ",
                     channelLow.size(), " and ", other.channelLow.size()));
  for (const auto &[index, range] : other.sampleRanges)
    if (!sampleRanges.insert({index, range}).second)
      return absl::InvalidArgumentError(
          absl::StrCat("expects profiles of different samples, sample ", index,
                       " is in both"));
  low = count ? std::min(low, other.low) : other.low;
  high = count ? std::max(high, other.high) : other.high;
  count += other.count;
  histogram.merge(other.histogram);
  if (!other.channelLow.empty())
    widen(channelLow, channelHigh, other.channelLow, other.channelHigh);
  return absl::OkStatus();
}

bool qopt::operator==(const TensorStatistics &a, const TensorStatistics &b) {
  return a.count == b.count && a.low == b.low && a.high == b.high &&
         a.nans == b.nans && a.infinities == b.infinities && a.rows == b.rows &&
         a.histogram == b.histogram && a.channelLow == b.channelLow &&
         a.channelHigh == b.channelHigh && a.sampleRanges == b.sampleRanges;
}
