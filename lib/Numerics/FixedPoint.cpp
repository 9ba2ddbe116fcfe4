//===- FixedPoint.cpp - Scales as integers --------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Splits f32 scales into multiplier and shift with integer arithmetic only, so
// that the result does not depend on the host.
//===----------------------------------------------------------------------===//
#include "qopt/Numerics/FixedPoint.h"
#include "qopt/Numerics/Grid.h"

#include <algorithm>
#include <cmath>

using namespace qopt;

std::optional<RequantizeMode> qopt::parseRequantizeMode(llvm::StringRef kind,
                                                        unsigned bits) {
  if (kind == "f32")
    return RequantizeMode{RequantizeMode::F32, 0};
  if (kind == "pow2")
    return RequantizeMode{RequantizeMode::Pow2, 0};
  if (kind == "fixed" && bits >= 2 && bits <= 31)
    return RequantizeMode{RequantizeMode::Fixed, bits};
  return std::nullopt;
}

int64_t qopt::shiftRightHalfEven(int64_t product, unsigned shift) {
  if (shift == 0)
    return product;
  // floor((p + half - 1 + odd) / 2^shift): a tie moves up only from odd.
  int64_t odd = (product >> shift) & 1;
  return (product + (int64_t(1) << (shift - 1)) - 1 + odd) >> shift;
}

namespace {
/// value = multiplier * 2^exponent with multiplier in [2^(bits-1), 2^bits).
struct Mantissa {
  int64_t multiplier;
  int exponent;
};
} // namespace

/// Positive, finite scale to a mantissa of `bits` bits, half to even.
static Mantissa roundMantissa(float scale, unsigned bits) {
  int exponent;
  // 24 bits hold every float: exact.
  int64_t full = int64_t(std::ldexp(std::frexp(scale, &exponent), 24));
  exponent -= 24;
  int64_t multiplier =
      bits >= 24 ? full << (bits - 24) : shiftRightHalfEven(full, 24 - bits);
  exponent += 24 - int(bits);
  if (multiplier >> bits) { // rounded up to 2^bits
    multiplier >>= 1;
    ++exponent;
  }
  return {multiplier, exponent};
}

/// Exponent of the power of two nearest to a positive scale by ratio.
static int roundToPowerOfTwo(float scale) {
  int exponent;
  int64_t full = int64_t(std::ldexp(std::frexp(scale, &exponent), 24));
  // full / 2^24 in [1/2, 1); sqrt(1/2) is irrational, so there is no tie.
  return full * full > (int64_t(1) << 47) ? exponent : exponent - 1;
}

static Mantissa getMantissa(float scale, RequantizeMode mode) {
  if (mode.kind == RequantizeMode::Pow2)
    return {1, roundToPowerOfTwo(scale)};
  return roundMantissa(scale, mode.bits);
}

/// multiplier * 2^exponent with the shift brought into [0, 62].
static FixedScale normalize(Mantissa value) {
  while (value.exponent > 0 && value.multiplier < (int64_t(1) << 30)) {
    value.multiplier <<= 1;
    --value.exponent;
  }
  if (value.exponent > 0)
    return {int64_t(1) << 30, 0};
  // |acc * multiplier| <= 2^62, so a shift of 63 or more rounds to 0.
  if (value.exponent < -62)
    return {0, 0};
  return {value.multiplier, unsigned(-value.exponent)};
}

FixedScale qopt::getFixedScale(float scale, RequantizeMode mode) {
  float magnitude = std::abs(scale);
  if (!(magnitude > 0))
    return {};
  magnitude = std::min(magnitude, 0x1p30f);
  FixedScale result = normalize(getMantissa(magnitude, mode));
  if (scale < 0)
    result.multiplier = -result.multiplier;
  return result;
}

std::pair<FixedScale, FixedScale>
qopt::getCommonFixedScales(float lhs, float rhs, RequantizeMode mode) {
  float largest = std::max(std::abs(lhs), std::abs(rhs));
  if (!(largest > 0))
    return {};
  largest = std::min(largest, 0x1p30f);
  Mantissa top = getMantissa(largest, mode);
  if (mode.kind == RequantizeMode::Pow2) {
    // Room for scales down to 2^-30 of the larger one.
    top.multiplier <<= 30;
    top.exponent -= 30;
  }
  FixedScale grid = normalize(top);
  auto place = [&](float scale) -> FixedScale {
    float magnitude = std::min(std::abs(scale), 0x1p30f);
    int64_t multiplier = 0;
    if (magnitude > 0 && grid.multiplier) {
      Mantissa own = getMantissa(magnitude, mode);
      int move = own.exponent + int(grid.shift);
      if (move >= 0)
        multiplier = own.multiplier << move;
      else if (move > -62)
        multiplier = shiftRightHalfEven(own.multiplier, -move);
    }
    return {scale < 0 ? -multiplier : multiplier, grid.shift};
  };
  return {place(lhs), place(rhs)};
}

int32_t qopt::quantizeBias(double value, float xScale, float weightScale) {
  double quotient = value / (double(xScale) * double(weightScale));
  if (quotient != quotient)
    return 0;
  Grid<double> grid{double(INT32_MIN), double(INT32_MAX)};
  return int32_t(roundToLevel(quotient, 0.0, grid).code);
}

float qopt::getRequantizeScale(float xScale, float weightScale,
                               float resultScale) {
  return float(double(xScale) * double(weightScale) / double(resultScale));
}
