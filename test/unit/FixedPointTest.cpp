//===- FixedPointTest.cpp - Quantize and requantize -----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// 8-bit boundaries exhaustively; fixed point against 128-bit integers.
//===----------------------------------------------------------------------===//
#include "qopt/Numerics/ConstantDivision.h"
#include "qopt/Numerics/UpperWord.h"

#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <random>

using namespace qopt;
using namespace qopt::numerics;

/// numerator / 2^shift rounded half to even, in 128 bits.
static int64_t divideHalfEven(__int128 numerator, unsigned shift) {
  __int128 unit = __int128(1) << shift;
  __int128 floor = numerator >> shift;
  __int128 rest = numerator - floor * unit;
  bool up = rest * 2 > unit || (rest * 2 == unit && (floor & 1));
  return int64_t(floor + (up ? 1 : 0));
}

static int64_t saturate(int64_t value, const StoredRange &range) {
  return std::min(std::max(value, range.low), range.high);
}

static const RequantizeMode kModes[] = {{RequantizeMode::Fixed, 31},
                                        {RequantizeMode::Fixed, 17},
                                        {RequantizeMode::Fixed, 2},
                                        {RequantizeMode::Pow2, 0}};

/// A scale in [2^-31, 2^10): smaller ones round every accumulator to 0.
static float makeScale(std::mt19937_64 &generator) {
  int exponent = int(generator() % 41) - 31;
  return std::ldexp(1.0f + float(generator() % (1 << 23)) * 0x1p-23f, exponent);
}

TEST(FixedPoint, RequantizeRoundsTheExactProductOnce) {
  EvalBuilder b;
  std::mt19937_64 generator(1);
  for (RequantizeMode mode : kModes)
    for (int i = 0; i < 200000; ++i) {
      FixedScale scale = getFixedScale(makeScale(generator), mode);
      int32_t acc = int32_t(generator() >> (32 + generator() % 32));
      StoredRange range{int64_t(generator() % 256) - 128, -128, 127};
      int64_t want = saturate(
          divideHalfEven(__int128(acc) * scale.multiplier, scale.shift) +
              range.zeroPoint,
          range);
      ASSERT_EQ(emitRequantizeFixed(
                    b, acc, 0,
                    FixedFactor{scale.multiplier, int64_t(scale.shift)}, range),
                want)
          << acc << " " << scale.multiplier << " " << scale.shift;
    }
}

TEST(FixedPoint, ExtremesOfTheAccumulator) {
  EvalBuilder b;
  StoredRange range{0, INT32_MIN, INT32_MAX};
  for (int32_t acc : {INT32_MIN, INT32_MIN + 1, -1, 0, 1, INT32_MAX})
    for (unsigned shift = 0; shift <= 62; ++shift)
      for (int64_t multiplier :
           {int64_t(1), int64_t(1) << 30, (int64_t(1) << 31) - 1})
        ASSERT_EQ(
            emitRequantizeFixed(b, acc, 0,
                                FixedFactor{multiplier, int64_t(shift)}, range),
            saturate(divideHalfEven(__int128(acc) * multiplier, shift), range))
            << acc << " " << multiplier << " " << shift;
}

TEST(FixedPoint, ScalesAreExactFrom24Bits) {
  std::mt19937_64 generator(2);
  for (int i = 0; i < 100000; ++i) {
    float scale = makeScale(generator);
    FixedScale fixed = getFixedScale(scale, {RequantizeMode::Fixed, 31});
    ASSERT_EQ(std::ldexp(double(fixed.multiplier), -int(fixed.shift)), scale);
    FixedScale coarse = getFixedScale(scale, {RequantizeMode::Fixed, 17});
    double error =
        std::ldexp(double(coarse.multiplier), -int(coarse.shift)) / scale - 1;
    ASSERT_LE(std::fabs(error), 0x1p-17);
    FixedScale power = getFixedScale(scale, {RequantizeMode::Pow2, 0});
    double ratio =
        std::ldexp(double(power.multiplier), -int(power.shift)) / scale;
    ASSERT_LE(ratio, std::sqrt(2.0));
    ASSERT_GE(ratio, std::sqrt(0.5));
  }
}

TEST(FixedPoint, MantissaThatRoundsUpToAPowerOfTwo) {
  FixedScale scale =
      getFixedScale(std::nextafter(1.0f, 0.0f), {RequantizeMode::Fixed, 17});
  EXPECT_EQ(std::ldexp(double(scale.multiplier), -int(scale.shift)), 1.0);
  EXPECT_LT(scale.multiplier, 1 << 17);
}

TEST(FixedPoint, TinyAndHugeScales) {
  RequantizeMode mode{RequantizeMode::Fixed, 31};
  EXPECT_EQ(getFixedScale(0x1p-100f, mode).multiplier, 0);
  EXPECT_EQ(getFixedScale(0.0f, mode).multiplier, 0);
  EXPECT_EQ(getFixedScale(0x1p100f, mode).multiplier, 1 << 30);
  EXPECT_EQ(getFixedScale(0x1p100f, mode).shift, 0u);
}

TEST(FixedPoint, SumsShareAPowerOfTwo) {
  EvalBuilder b;
  std::mt19937_64 generator(3);
  for (RequantizeMode mode : kModes)
    for (int i = 0; i < 100000; ++i) {
      float left = makeScale(generator), right = makeScale(generator);
      if (generator() & 1)
        right = -right;
      auto [l, r] = getCommonFixedScales(left, right, mode);
      ASSERT_EQ(l.shift, r.shift);
      int32_t x = int32_t(generator() % 511) - 255;
      int32_t y = int32_t(generator() % 511) - 255;
      StoredRange range{3, 0, 255};
      __int128 sum = __int128(x) * l.multiplier + __int128(y) * r.multiplier;
      ASSERT_EQ(emitAddFixed(b, Scaled{x, l.multiplier},
                             Scaled{y, r.multiplier}, int64_t(l.shift), range),
                saturate(divideHalfEven(sum, l.shift) + 3, range));
      if (mode.bits != 31)
        continue;
      // The grid is that of the larger scale: absolute error 2^-31 of it.
      double unit = std::max(std::fabs(left), std::fabs(right)) * 0x1p-30;
      ASSERT_NEAR(std::ldexp(double(l.multiplier), -int(l.shift)), left, unit);
      ASSERT_NEAR(std::ldexp(double(r.multiplier), -int(r.shift)), right, unit);
    }
}

TEST(FixedPoint, QuantizeExhaustivelyInEightBits) {
  EvalBuilder b;
  for (bool isSigned : {false, true})
    for (int64_t zp = 0; zp < 256; ++zp) {
      int64_t low = isSigned ? -128 : 0;
      StoredRange range{zp + low, low, low + 255};
      for (float scale : {0.5f, 0.1f, 3.0f})
        for (int i = -1200; i <= 1200; ++i) {
          // Quarters of a step meet every tie.
          float x = float(i) * 0.25f * scale;
          int64_t want = saturate(
              int64_t(std::nearbyint(x / scale)) + range.zeroPoint, range);
          ASSERT_EQ(emitQuantize(b, x, scale, range), want)
              << x << " " << scale << " " << zp;
        }
      for (int64_t stored = range.low; stored <= range.high; ++stored)
        for (float scale : {0.5f, 0.1f, 3.0f}) {
          float x = emitDequantize(b, int32_t(stored), range.zeroPoint, scale);
          ASSERT_EQ(x, float(stored - range.zeroPoint) * scale);
          ASSERT_EQ(emitQuantize(b, x, scale, range), stored);
        }
    }
}

TEST(FixedPoint, QuantizeSpecialValues) {
  EvalBuilder b;
  for (StoredRange range : {StoredRange{7, 0, 255}, StoredRange{-3, -128, 127},
                            StoredRange{0, INT32_MIN, INT32_MAX}}) {
    EXPECT_EQ(emitQuantize(b, NAN, 1.0f, range), range.zeroPoint);
    EXPECT_EQ(emitQuantize(b, INFINITY, 1.0f, range), range.high);
    EXPECT_EQ(emitQuantize(b, -INFINITY, 1.0f, range), range.low);
    EXPECT_EQ(emitQuantize(b, 1e30f, 1e-3f, range), range.high);
    EXPECT_EQ(emitQuantize(b, -0.0f, 1.0f, range), range.zeroPoint);
  }
}

TEST(FixedPoint, RequantizeEightBitsForAllZeroPoints) {
  EvalBuilder b;
  for (float scale : {1.0f, 0.5f, 0.3f, 2.7f})
    for (int64_t from = 0; from < 256; ++from)
      for (int64_t to = 0; to < 256; to += 5) {
        StoredRange range{to, 0, 255};
        for (int32_t stored = 0; stored < 256; ++stored) {
          float real = float(stored - int32_t(from)) * scale;
          int64_t want = saturate(int64_t(std::nearbyint(real)) + to, range);
          ASSERT_EQ(emitRequantize(b, stored, from, scale, range), want);
        }
      }
}

TEST(FixedPoint, RequantizeAccumulators) {
  EvalBuilder b;
  std::mt19937_64 generator(4);
  for (int i = 0; i < 500000; ++i) {
    float scale = makeScale(generator);
    int32_t acc = int32_t(generator() >> (32 + generator() % 32));
    for (StoredRange range :
         {StoredRange{-5, -128, 127}, StoredRange{40000, 0, 65535},
          StoredRange{9, INT32_MIN, INT32_MAX}}) {
      double rounded = std::nearbyint(float(acc) * scale);
      double moved = rounded + double(range.zeroPoint);
      int64_t want = int64_t(
          std::min(std::max(moved, double(range.low)), double(range.high)));
      ASSERT_EQ(emitRequantize(b, acc, 0, scale, range), want)
          << acc << " * " << scale;
    }
  }
}

TEST(FixedPoint, BiasIsRoundedOnceAndSaturates) {
  EXPECT_EQ(quantizeBias(2.5, 1.0f, 1.0f), 2);
  EXPECT_EQ(quantizeBias(3.5, 1.0f, 1.0f), 4);
  EXPECT_EQ(quantizeBias(-1.0, 0.5f, 0.25f), -8);
  EXPECT_EQ(quantizeBias(1e30, 1e-3f, 1e-3f), INT32_MAX);
  EXPECT_EQ(quantizeBias(-1e30, 1e-3f, 1e-3f), INT32_MIN);
}

TEST(FixedPoint, QuantizeWithoutDivisionIsTheSame) {
  EvalBuilder b;
  std::mt19937_64 generator(7);
  const StoredRange ranges[] = {
      {0, 0, 255}, {131, 0, 255}, {-3, -128, 127},   {7, 100, 200},
      {0, -8, 7},  {255, 0, 255}, {0, -32768, 32767}};
  int found = 0, scales = 0;
  for (int round = 0; round < 400; ++round) {
    const StoredRange &range = ranges[round % 7];
    if (range.high > 1000 && round > 20)
      continue;
    float scale = makeScale(generator);
    ++scales;
    auto factors = findQuantizeFactors(scale, range);
    if (!factors)
      continue;
    ++found;
    auto check = [&](float x) {
      ASSERT_EQ(emitQuantizeByFactors(b, x, *factors, range),
                emitQuantize(b, x, scale, range))
          << x << " / " << scale;
    };
    // The neighbourhood of every middle, and floats of all sizes.
    for (int64_t i = range.low - range.zeroPoint - 2;
         i <= range.high - range.zeroPoint + 2; ++i) {
      float x = float((double(i) + 0.5) * double(scale));
      for (int step = 0; step < 6; ++step, x = std::nextafter(x, INFINITY))
        check(step < 3 ? x : 2 * float((double(i) + 0.5) * scale) - x);
    }
    for (int i = 0; i < 500; ++i) {
      uint32_t bits = uint32_t(generator());
      float x;
      std::memcpy(&x, &bits, sizeof(x));
      check(x);
    }
    for (float x : {0.0f, -0.0f, 1e-40f, -1e-40f, INFINITY, -INFINITY, NAN,
                    3.4e38f, -3.4e38f})
      check(x);
  }
  // Nearly every scale has factors.
  EXPECT_GT(found * 100, scales * 98);
  EXPECT_FALSE(findQuantizeFactors(0.0f, ranges[0]));
  EXPECT_FALSE(findQuantizeFactors(1e-30f, ranges[0]));
  EXPECT_FALSE(findQuantizeFactors(0.1f, {0, INT32_MIN, INT32_MAX}));
}

/// As the kernels for microcontrollers compute it.
static int64_t roundUpperWord(int64_t x, const FixedScale &scale,
                              int32_t zeroPoint) {
  unsigned right = scale.shift - kLeastUpperShift;
  auto upper = int32_t((x * scale.multiplier) >> 32);
  upper += int32_t(uint32_t(2 * zeroPoint + 1) << right);
  return upper >> right >> 1;
}

TEST(UpperWord, RoundsAloneWhereNothingTies) {
  std::mt19937_64 generator(11);
  int allowed = 0, refused = 0;
  for (int i = 0; i < 20000; ++i) {
    auto multiplier = int64_t(generator() >> 33) << (generator() % 24);
    FixedScale scale{multiplier & INT32_MAX, unsigned(generator() % 63)};
    int64_t largest = int64_t(generator() >> 33) >> (generator() % 31);
    auto zeroPoint = int32_t(generator() % 256) - 128;
    if (!roundsInUpperWord(scale, largest, zeroPoint)) {
      ++refused;
      continue;
    }
    ++allowed;
    for (int j = 0; j < 50; ++j) {
      // Powers of two are next to ties; the largest overflows first.
      int64_t x = j == 0   ? largest
                  : j < 32 ? (int64_t(1) << (j - 1))
                           : int64_t(generator() % (largest + 1));
      x = std::min(x, largest);
      for (int64_t sum : {x, -x})
        EXPECT_EQ(roundUpperWord(sum, scale, zeroPoint),
                  shiftRightHalfEven(sum * scale.multiplier, scale.shift) +
                      zeroPoint)
            << sum << " * " << scale.multiplier << " >> " << scale.shift;
    }
  }
  EXPECT_GT(allowed, 1000);
  EXPECT_GT(refused, 1000);
}

TEST(UpperWord, TiesAreFoundWhereTheyCanBe) {
  FixedScale half{int64_t(1) << 30, 34}; // x / 16 has ties from 8 on
  EXPECT_FALSE(canTie(half, 7));
  EXPECT_TRUE(canTie(half, 8));
  EXPECT_FALSE(canTie({(int64_t(1) << 30) + 1, 33}, INT32_MAX));
  EXPECT_FALSE(canTie({0, 40}, INT32_MAX));
  EXPECT_FALSE(roundsInUpperWord({1374389503, 32}, 1, 0)); // no bit to round by
  // The zero point moves past 32 bits.
  EXPECT_FALSE(roundsInUpperWord({1374389503, 33 + 25}, 1, 127));
}

TEST(UpperWord, SumsOfBytesRoundByOneShift) {
  std::mt19937_64 generator(12);
  int allowed = 0;
  for (int i = 0; i < 200; ++i) {
    auto pick = [&](int bits) {
      return int64_t(generator() % (uint64_t(1) << bits));
    };
    unsigned shift = 10 + unsigned(pick(6)) % 45;
    ByteSum sum{{{pick(31), shift}, {pick(31) - pick(31), shift}},
                {pick(8) - 128, pick(8) - 128},
                pick(8) - 128};
    std::optional<int64_t> base = findUntiedBase(sum);
    if (!base)
      continue;
    ++allowed;
    for (int64_t a = -128; a < 128; a += 5)
      for (int64_t b = -128; b < 128; b += 3) {
        int64_t exact = (a - sum.zeroPoints[0]) * sum.scales[0].multiplier +
                        (b - sum.zeroPoints[1]) * sum.scales[1].multiplier;
        EXPECT_EQ((*base + a * sum.scales[0].multiplier +
                   b * sum.scales[1].multiplier) >>
                      shift,
                  shiftRightHalfEven(exact, shift) + sum.zeroPoint);
      }
  }
  EXPECT_GT(allowed, 50);
  FixedScale half{int64_t(1) << 30, 31};
  EXPECT_FALSE(findUntiedBase({{half, half}, {0, 0}, 0}));
  EXPECT_FALSE(findUntiedBase({{{1, 9}, {1, 9}}, {0, 0}, 0}));
}

/// Divisions by constants that stay floats, of every significand.
TEST(FixedPoint, QuotientsWithoutDivisionAreTheSame) {
  EvalBuilder b;
  std::mt19937_64 generator(5);
  int divisors = 0, found = 0;
  auto check = [&](float divisor, int64_t step) {
    ++divisors;
    auto factors = findDivisionFactors(divisor);
    if (!factors)
      return;
    ++found;
    int64_t wrong = 0;
    for (int64_t i = 1 << 23; i < 1 << 24; i += step) {
      auto x = float(i);
      wrong += emitDivideByFactors(b, x, *factors) != x / divisor;
      wrong += emitDivideByFactors(b, -x, *factors) != -x / divisor;
    }
    EXPECT_EQ(wrong, 0) << divisor;
    for (float x : {kLeastDividend, kMostDividend, 0.0f})
      EXPECT_EQ(emitDivideByFactors(b, x, *factors), x / divisor);
    EXPECT_FALSE(std::signbit(emitDivideByFactors(b, 0.0f, *factors)));
  };
  // Those of GELU and of attention, few and many bits.
  for (float divisor : {1.41421354f, 5.65685415f, 3.0f, 0.99999994f, 2.0f})
    check(divisor, 1);
  for (int i = 0; i < 2000; ++i)
    check(makeScale(generator), 20011);
  EXPECT_GT(found * 100, divisors * 80);
  EXPECT_FALSE(findDivisionFactors(0.0f));
  EXPECT_FALSE(findDivisionFactors(-3.0f));
  EXPECT_FALSE(findDivisionFactors(INFINITY));
}
