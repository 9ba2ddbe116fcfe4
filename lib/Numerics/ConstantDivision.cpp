//===- ConstantDivision.cpp - Quantization without a division -------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Both ways are monotonic in x: floats are further apart than the errors of the
// quotients before their last rounding. So they are equal if they are equal on
// both sides of every step of the reference.
//===----------------------------------------------------------------------===//
#include "qopt/Numerics/ConstantDivision.h"

#include <cmath>
#include <limits>
#include <vector>

using namespace qopt::numerics;

/// rne(x / scale), unclamped.
static int64_t divide(float x, float scale) {
  return int64_t(std::nearbyint(x / scale));
}

static int64_t multiply(float x, const QuantizeFactors &factors) {
  return int64_t(std::nearbyint(std::fma(x, factors.factor, x * factors.rest)));
}

static float next(float x, bool up) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  return std::nextafter(x, up ? infinity : -infinity);
}

/// The smallest x whose reference is more than `integer`; nullopt if it is not
/// near the middle between two integers.
static std::optional<float> findStep(int64_t integer, float scale) {
  constexpr int reach = 8;
  float x = float((double(integer) + 0.5) * double(scale));
  for (int i = 0; i < reach && divide(x, scale) > integer; ++i)
    x = next(x, false);
  for (int i = 0; i < 2 * reach && divide(x, scale) <= integer; ++i)
    x = next(x, true);
  bool isStep =
      divide(x, scale) > integer && divide(next(x, false), scale) <= integer;
  return isStep ? std::optional<float>(x) : std::nullopt;
}

std::optional<QuantizeFactors>
qopt::numerics::findQuantizeFactors(float scale, const StoredRange &range) {
  // Far from both ends of the exponents nothing under- or overflows.
  if (!(scale > 0x1p-60f && scale < 0x1p60f) || !isNarrow(range))
    return std::nullopt;
  int64_t low = range.low - range.zeroPoint;
  int64_t high = range.high - range.zeroPoint;
  double inverse = 1.0 / double(scale);
  QuantizeFactors factors;
  factors.low = float(double(low) * double(scale));
  factors.high = float(double(high) * double(scale));
  factors.factor = float(inverse);
  factors.rest = float(inverse - double(factors.factor));
  for (auto [x, integer] : {std::pair(factors.low, low), {factors.high, high}})
    if (divide(x, scale) != integer || multiply(x, factors) != integer)
      return std::nullopt;
  for (int64_t integer = low; integer < high; ++integer) {
    std::optional<float> step = findStep(integer, scale);
    if (!step || divide(*step, scale) != integer + 1 ||
        multiply(*step, factors) != integer + 1 ||
        multiply(next(*step, false), factors) != integer)
      return std::nullopt;
  }
  return factors;
}

/// The odd number that makes 1 of an odd `value`, modulo 2^64: each step
/// doubles the bits that are right.
static uint64_t invertOdd(uint64_t value) {
  uint64_t inverse = value;
  for (int bits = 3; bits < 64; bits *= 2)
    inverse *= 2 - value * inverse;
  return inverse;
}

/// Significands X of 24 bits for which X / C is nearest to the middle between
/// two floats, M / 2^k: |X * 2^k - M * C| <= reach, k = 24 for X >= C, else 25.
static std::vector<int64_t> findNearMiddles(int64_t divisor, int64_t reach) {
  int zeros = 0;
  while (!(divisor >> zeros & 1))
    ++zeros;
  std::vector<int64_t> found;
  uint64_t inverse = invertOdd(uint64_t(divisor >> zeros));
  for (int k : {24, 25})
    for (int64_t distance = -reach; distance <= reach; ++distance) {
      // A quotient that is a float is right. Others: M * C = -distance modulo
      // 2^k.
      if (distance == 0 || distance & ((int64_t(1) << zeros) - 1))
        continue;
      int64_t period = int64_t(1) << (k - zeros);
      int64_t first = int64_t(uint64_t(-(distance >> zeros)) * inverse &
                              uint64_t(period - 1));
      for (int64_t middle = first; middle < int64_t(1) << 25;
           middle += period) {
        int64_t x = (middle * divisor + distance) >> k;
        if (x >= int64_t(1) << 23 && x < int64_t(1) << 24)
          found.push_back(x);
      }
    }
  return found;
}

/// Before it is rounded, fma(x, factor, x * rest) is the quotient but for a
/// relative 2^-47: `factor + rest` is 1 / divisor but for 2^-48, and so is the
/// rounding of `x * rest`. With X < 2^24, the middle between two floats is on
/// the other side only where |X * 2^k - M * C| <= X * 2^(k - 47) < 4.
std::optional<DivisionFactors>
qopt::numerics::findDivisionFactors(float divisor) {
  constexpr int64_t reach = 8;
  if (!(divisor >= 0x1p-30f && divisor <= 0x1p30f))
    return std::nullopt;
  double inverse = 1.0 / double(divisor);
  DivisionFactors factors;
  factors.factor = float(inverse);
  factors.rest = float(inverse - double(factors.factor));
  int exponent = 0;
  auto significand =
      int64_t(std::ldexp(std::frexp(divisor, &exponent), /*digits=*/24));
  // Of a power of two every quotient is a float; others have few zeros below.
  if (significand == int64_t(1) << 23)
    return factors;
  for (int64_t candidate : findNearMiddles(significand, reach)) {
    auto x = float(candidate);
    if (std::fma(x, factors.factor, x * factors.rest) != x / divisor)
      return std::nullopt;
  }
  return factors;
}
