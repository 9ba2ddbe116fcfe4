//===- Observer.cpp - What calibration keeps of a tensor ------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Counting and merging; the ranges are in Ranges.cpp.
//===----------------------------------------------------------------------===//
#include "qopt/Calibration/Observer.h"
#include "Extremes.h"

#include "absl/strings/str_cat.h"
#include <cmath>
#include <limits>

using namespace qopt;

static absl::Status checkFinite(llvm::ArrayRef<float> values, size_t first) {
  // All first, in a loop without exits; then the one to name.
  uint32_t bad = 0;
  for (float value : values)
    bad |= uint32_t(!(std::fabs(value) <= std::numeric_limits<float>::max()));
  if (!bad)
    return absl::OkStatus();
  for (size_t i = 0; i < values.size(); ++i)
    if (!std::isfinite(values[i]))
      return absl::InvalidArgumentError(
          absl::StrCat("expects finite values, got ",
                       std::isnan(values[i]) ? "NaN" : "infinity",
                       " in element ", first + i));
  return absl::OkStatus();
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

absl::Status TensorStatistics::observe(int64_t index, const Tensor &values,
                                       bool perChannel, bool perSample) {
  if (values.dtype() != DType::f32)
    return absl::InvalidArgumentError(absl::StrCat(
        "expects f32 values, got ", getName(values.dtype()).str()));
  llvm::ArrayRef<float> span = values.span<float>();
  if (span.empty())
    return absl::OkStatus();
  // What fits a cache is read from memory once and looked at three times.
  constexpr size_t part = 65536;
  float sampleLow = span[0], sampleHigh = span[0];
  for (size_t at = 0; at < span.size(); at += part) {
    llvm::ArrayRef<float> some =
        span.slice(at, std::min(part, span.size() - at));
    if (absl::Status status = checkFinite(some, at); !status.ok())
      return status;
    auto [first, last] = findExtremes(some);
    sampleLow = std::min(sampleLow, first);
    sampleHigh = std::max(sampleHigh, last);
    histogram.add(some, first, last);
  }
  // -0 and 0 compare equal; which one came first must not show.
  sampleLow += 0.0f;
  sampleHigh += 0.0f;
  low = count ? std::min(low, sampleLow) : sampleLow;
  high = count ? std::max(high, sampleHigh) : sampleHigh;
  count += span.size();
  if (perSample)
    sampleRanges[index] = {sampleLow, sampleHigh};
  if (!perChannel || values.rank() == 0)
    return absl::OkStatus();
  size_t channels = values.shape().back();
  if (!channelLow.empty() && channelLow.size() != channels)
    return absl::InvalidArgumentError(absl::StrCat(
        "expects ", channelLow.size(), " channels, got ", channels));
  std::vector<float> lows(span.begin(), span.begin() + channels), highs(lows);
  for (size_t i = 0; i < span.size(); ++i) {
    lows[i % channels] = std::min(lows[i % channels], span[i]);
    highs[i % channels] = std::max(highs[i % channels], span[i]);
  }
  for (size_t c = 0; c < channels; ++c) {
    lows[c] += 0.0f;
    highs[c] += 0.0f;
  }
  widen(channelLow, channelHigh, lows, highs);
  return absl::OkStatus();
}

absl::Status TensorStatistics::merge(const TensorStatistics &other) {
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
         a.histogram == b.histogram && a.channelLow == b.channelLow &&
         a.channelHigh == b.channelHigh && a.sampleRanges == b.sampleRanges;
}
