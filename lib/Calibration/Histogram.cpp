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

/// Counting a value waits for the count before it if both are in one bin, as
/// the zeros behind a Relu are: neighbours count in tables of their own.
static constexpr size_t kTables = 4;
/// Values from which on the tables pay.
static constexpr size_t kManyValues = 16 * Histogram::halfBins;

/// Bins of values, on the grid of `inverse` = 2^-exponent.
static void findBins(const float *values, size_t size, double inverse,
                     int32_t *bins) {
  // Apart from the counting, which cannot become vector code.
  for (size_t i = 0; i < size; ++i) {
    double quotient = double(values[i]) * inverse;
    int32_t toZero = int32_t(quotient);
    bins[i] = toZero - int32_t(quotient < double(toZero));
  }
}

void Histogram::add(llvm::ArrayRef<float> values) {
  if (values.empty())
    return;
  auto [low, high] = findExtremes(values);
  add(values, low, high);
}

void Histogram::add(llvm::ArrayRef<float> values, float low, float high) {
  growTo(getNeededExponent(low, high));
  double inverse = std::ldexp(1.0, -exponent);
  constexpr size_t block = 256;
  int32_t bins[block];
  std::vector<uint32_t> tables;
  if (values.size() >= kManyValues)
    tables.assign(kTables * counts.size(), 0);
  for (size_t at = 0; at < values.size(); at += block) {
    size_t size = std::min(block, values.size() - at);
    findBins(values.data() + at, size, inverse, bins);
    if (tables.empty() || size < block) {
      for (size_t i = 0; i < size; ++i)
        ++counts[bins[i] + halfBins];
      continue;
    }
    uint32_t *zero = tables.data() + halfBins;
    for (size_t i = 0; i < block; i += kTables)
      for (size_t table = 0; table < kTables; ++table)
        ++zero[bins[i + table] + int64_t(table) * 2 * halfBins];
  }
  for (size_t i = 0; i < tables.size(); ++i)
    counts[i % counts.size()] += tables[i];
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
