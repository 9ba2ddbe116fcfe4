//===- Histogram.cpp - Counts whose merge is exact ------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Integer counts and powers of two: nothing here rounds.
//===----------------------------------------------------------------------===//
#include "qopt/Calibration/Histogram.h"
#include "Extremes.h"

#include <algorithm>
#include <cmath>

using namespace qopt;

/// Smallest exponent e with -2048 * 2^e <= v < 2048 * 2^e.
static int getNeededExponent(float low, float high) {
  constexpr int bits = 11;
  int needed = Histogram::minExponent;
  if (high > 0)
    // high = m * 2^k with m in [0.5, 1): below 2^k = 2048 * 2^(k-11).
    needed = std::max(needed, std::ilogb(high) + 1 - bits);
  if (low < 0) {
    int k = std::ilogb(low) + 1;
    // A negative power of two is the first value of its bin and still fits.
    bool isPower = std::ldexp(-1.0, k - 1) == double(low);
    needed = std::max(needed, (isPower ? k - 1 : k) - bits);
  }
  return needed;
}

void Histogram::growTo(int newExponent) {
  if (newExponent <= exponent)
    return;
  int shift = std::min(newExponent - exponent, 30);
  std::vector<uint64_t> wider(counts.size(), 0);
  for (int64_t i = -halfBins; i < halfBins; ++i)
    wider[(i >> shift) + halfBins] += counts[i + halfBins];
  counts = std::move(wider);
  exponent = newExponent;
}

void Histogram::add(llvm::ArrayRef<float> values) {
  if (values.empty())
    return;
  auto [low, high] = findExtremes(values);
  growTo(getNeededExponent(low, high));
  double inverse = std::ldexp(1.0, -exponent);
  // Bins of a block first: that loop becomes vector code, the counting cannot.
  constexpr size_t block = 256;
  int32_t bins[block];
  for (size_t at = 0; at < values.size(); at += block) {
    llvm::ArrayRef<float> part =
        values.slice(at, std::min(block, values.size() - at));
    for (size_t i = 0; i < part.size(); ++i) {
      double quotient = double(part[i]) * inverse;
      int32_t toZero = int32_t(quotient);
      bins[i] = toZero - int32_t(quotient < double(toZero));
    }
    for (size_t i = 0; i < part.size(); ++i)
      ++counts[bins[i] + halfBins];
  }
}

void Histogram::merge(const Histogram &other) {
  growTo(other.exponent);
  Histogram same = other;
  same.growTo(exponent);
  for (size_t i = 0; i < counts.size(); ++i)
    counts[i] += same.counts[i];
}

double Histogram::getWidth() const { return std::ldexp(1.0, exponent); }

uint64_t Histogram::getTotal() const {
  uint64_t total = 0;
  for (uint64_t count : counts)
    total += count;
  return total;
}

void Histogram::reset(int newExponent) {
  std::fill(counts.begin(), counts.end(), 0);
  exponent = newExponent;
}
