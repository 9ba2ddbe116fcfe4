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
