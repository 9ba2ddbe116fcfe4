//===- ElementwiseTest.cpp - Accuracy of the scalar functions -------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Polynomials against libm in double (f32) and long double (f64), in units in
// the last place, over dense grids of bit patterns; special values as in C99.
//===----------------------------------------------------------------------===//
#include "qopt/Numerics/Elementwise.h"
#include "qopt/Numerics/ArrayKernels.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <vector>

using namespace qopt;

namespace {
using Reference = long double (*)(long double);

struct Row {
  UnaryKind kind;
  double low, high; ///< of the argument
  Reference reference;
  double ulpF32, ulpF64; ///< bounds
};
} // namespace

static long double sigmoid(long double x) { return 1 / (1 + std::exp(-x)); }
static long double rsqrt(long double x) { return 1 / std::sqrt(x); }

static const Row kRows[] = {
    {UnaryKind::exp, -104, 88.8, std::exp, 1, 1},
    {UnaryKind::log, 1e-45, 3e38, std::log, 1, 1},
    {UnaryKind::tanh, -12, 12, std::tanh, 2.5, 2.5},
    {UnaryKind::sigmoid, -104, 104, sigmoid, 2.5, 2.5},
    {UnaryKind::erf, -6, 6, std::erf, 1.5, 1.5},
    {UnaryKind::sin, -8192, 8192, std::sin, 1.5, 1.5},
    {UnaryKind::cos, -8192, 8192, std::cos, 1.5, 1.5},
    {UnaryKind::tan, -8192, 8192, std::tan, 3.5, 3.5},
    {UnaryKind::asin, -1, 1, std::asin, 4, 4},
    {UnaryKind::acos, -1, 1, std::acos, 4, 4},
    {UnaryKind::atan, -1e6, 1e6, std::atan, 2.5, 2.5},
    {UnaryKind::sinh, -89, 89, std::sinh, 3, 3},
    {UnaryKind::cosh, -89, 89, std::cosh, 2, 2},
    {UnaryKind::asinh, -1e30, 1e30, std::asinh, 3.5, 3.5},
    {UnaryKind::acosh, 1, 1e30, std::acosh, 3.5, 3.5},
    {UnaryKind::atanh, -0.999999, 0.999999, std::atanh, 3.5, 3.5},
    {UnaryKind::sqrt, 0, 1e38, std::sqrt, 0.5, 0.5},
    {UnaryKind::rsqrt, 1e-38, 1e38, rsqrt, 1.5, 1.5}};

/// |got - want| in units of the last place of T at `want`.
template <typename T> static double getUlps(T got, long double want) {
  if (std::isnan(want))
    return std::isnan(got) ? 0 : 1e30;
  long double limit = std::numeric_limits<T>::max();
  if (std::isinf(got) && std::fabs(want) >= limit * (1 - 1e-7L))
    return 0;
  int exponent;
  std::frexp(want, &exponent);
  exponent = std::max(exponent, std::numeric_limits<T>::min_exponent);
  long double unit =
      std::ldexp(1.0L, exponent - std::numeric_limits<T>::digits);
  return double(std::fabs((long double)got - want) / unit);
}

/// Arguments spread over exponents (half) and evenly (half).
template <typename T>
static std::vector<T> makeGrid(const Row &row, int count) {
  std::vector<T> grid;
  T low = T(row.low), high = T(row.high);
  double smallest = std::numeric_limits<T>::denorm_min();
  for (int i = 0; i <= count; ++i) {
    double t = double(i) / count;
    grid.push_back(T(low + (high - low) * t));
    double top = std::log2(std::max(std::fabs(row.low), std::fabs(row.high)));
    double bottom = row.low > 0 ? std::log2(row.low) : std::log2(smallest) + 1;
    T magnitude = T(std::exp2(bottom + (top - bottom) * t) * (1 + t / 3));
    for (T x : {magnitude, T(-magnitude)})
      if (x >= low && x <= high)
        grid.push_back(x);
  }
  return grid;
}

template <typename T>
static double getWorst(const Row &row, int count, T &where) {
  std::vector<T> x = makeGrid<T>(row, count), y(x.size());
  applyUnary(row.kind, x.data(), y.data(), x.size());
  double worst = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    double ulps = getUlps<T>(y[i], row.reference(x[i]));
    if (ulps > worst || ulps != ulps) {
      worst = ulps;
      where = x[i];
    }
  }
  return worst;
}

TEST(Elementwise, AccuracyOfF32) {
  for (const Row &row : kRows) {
    float where = 0;
    double worst = getWorst<float>(row, 100000, where);
    RecordProperty(stringifyUnaryKind(row.kind).str() + "_ulps",
                   std::to_string(worst));
    EXPECT_LE(worst, row.ulpF32)
        << stringifyUnaryKind(row.kind).str() << " at " << where;
  }
}

TEST(Elementwise, AccuracyOfF64) {
  for (const Row &row : kRows) {
    double where = 0;
    double worst = getWorst<double>(row, 100000, where);
    RecordProperty(stringifyUnaryKind(row.kind).str() + "_ulps",
                   std::to_string(worst));
    EXPECT_LE(worst, row.ulpF64)
        << stringifyUnaryKind(row.kind).str() << " at " << where;
  }
}

template <typename T> static T apply(UnaryKind kind, T x) {
  T y;
  applyUnary(kind, &x, &y, 1);
  return y;
}

template <typename T> static void checkSpecialValues() {
  const T inf = std::numeric_limits<T>::infinity();
  const T nan = std::numeric_limits<T>::quiet_NaN();
  const T tiny = std::numeric_limits<T>::denorm_min();
  for (const Row &row : kRows) {
    std::string name = stringifyUnaryKind(row.kind).str();
    EXPECT_TRUE(std::isnan(apply(row.kind, nan))) << name;
    for (T x : {T(0), T(-0.0), tiny, T(-tiny), inf, T(-inf)}) {
      T got = apply(row.kind, x), want = T(row.reference(x));
      if (std::isnan(want)) {
        EXPECT_TRUE(std::isnan(got)) << name << " of " << x;
        continue;
      }
      EXPECT_LE(getUlps<T>(got, row.reference(x)), row.ulpF32)
          << name << " of " << x << " = " << got;
      if (want == 0 && row.kind != UnaryKind::acosh)
        EXPECT_EQ(std::signbit(got), std::signbit(want)) << name << " of " << x;
    }
  }
  EXPECT_EQ(apply(UnaryKind::relu, T(-0.0)), 0);
  EXPECT_FALSE(std::signbit(apply(UnaryKind::relu, T(-0.0))));
  EXPECT_TRUE(std::isnan(apply(UnaryKind::relu, nan)));
  EXPECT_EQ(apply(UnaryKind::round_even, T(2.5)), 2);
  EXPECT_EQ(apply(UnaryKind::round_even, T(-3.5)), -4);
  EXPECT_EQ(apply(UnaryKind::sign, T(-7)), -1);
  EXPECT_TRUE(std::signbit(apply(UnaryKind::sign, T(-0.0))));
}

TEST(Elementwise, SpecialValuesOfF32) { checkSpecialValues<float>(); }
TEST(Elementwise, SpecialValuesOfF64) { checkSpecialValues<double>(); }

/// The product of the parts, which is 0 by underflow.
template <typename T> static void checkVanishing(T first, T last) {
  EvalBuilder b;
  for (T x = first; x < last; x += T(1) / 1024) {
    auto [p, n] = numerics::emitExpParts(b, x);
    EXPECT_EQ(numerics::emitExp(b, x), numerics::emitScale(b, p + 1, n)) << x;
  }
}

TEST(Elementwise, ExponentialsThatVanishOfF32) {
  checkVanishing<float>(-110, -80);
}
TEST(Elementwise, ExponentialsThatVanishOfF64) {
  checkVanishing<double>(-760, -700);
}

template <typename T> static T apply(BinaryKind kind, T x, T y) {
  T z;
  applyBinary(kind, &x, &y, &z, 1);
  return z;
}

static bool isSame(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) ||
         (a == b && std::signbit(a) == std::signbit(b));
}

TEST(Elementwise, RemainderIsFmod) {
  const float inf = INFINITY;
  for (float x : {5.5f, -5.5f, 0.0f, -0.0f, 1e6f, 7.0f, -7.0f, 0.3f, inf})
    for (float y : {2.0f, -2.0f, 0.1f, 3.5f, inf, -inf, 0.0f, 7.0f}) {
      EXPECT_TRUE(isSame(apply(BinaryKind::rem, x, y), std::fmod(x, y)))
          << x << " rem " << y << " = " << apply(BinaryKind::rem, x, y);
    }
  EXPECT_EQ(apply(BinaryKind::mod, -5.0f, 3.0f), 1.0f);
  EXPECT_EQ(apply(BinaryKind::mod, 5.0f, -3.0f), -1.0f);
  EXPECT_EQ(apply(BinaryKind::mod, -6.0f, 3.0f), 0.0f);
}

TEST(Elementwise, PowerHasTheCasesOfC99) {
  const float inf = INFINITY, nan = NAN;
  const float values[] = {0.0f,  -0.0f, 1.0f,  -1.0f, 2.0f, -2.0f, 0.5f, 3.0f,
                          -3.0f, 2.5f,  -2.5f, inf,   -inf, nan,   1e-3f};
  for (float x : values)
    for (float y : values) {
      float got = apply(BinaryKind::pow, x, y);
      long double want = std::pow((long double)x, (long double)y);
      if (std::isnan(want))
        EXPECT_TRUE(std::isnan(got)) << x << " pow " << y << " = " << got;
      else if (want == 0 || std::isinf(want))
        EXPECT_TRUE(isSame(got, double(want)))
            << x << " pow " << y << " = " << got;
      else
        EXPECT_LE(getUlps<float>(got, want), 0.5001)
            << x << " pow " << y << " = " << got;
    }
}

TEST(Elementwise, MinimumAndMaximumKeepNanAndOrderZeros) {
  EXPECT_TRUE(std::isnan(apply(BinaryKind::min, NAN, 1.0f)));
  EXPECT_TRUE(std::isnan(apply(BinaryKind::max, 1.0f, NAN)));
  EXPECT_TRUE(std::signbit(apply(BinaryKind::min, 0.0f, -0.0f)));
  EXPECT_FALSE(std::signbit(apply(BinaryKind::max, -0.0f, 0.0f)));
}

TEST(Elementwise, IntegersOfEightBitsExhaustively) {
  EvalBuilder b;
  using numerics::emitBinaryInt;
  for (int x = -128; x < 128; ++x)
    for (int y = -128; y < 128; ++y) {
      int8_t s = int8_t(x), t = int8_t(y);
      int u = uint8_t(s), v = uint8_t(t);
      auto is = [&](BinaryKind kind, bool isUnsigned, int want) {
        EXPECT_EQ(emitBinaryInt(b, kind, s, t, isUnsigned), int8_t(want))
            << stringifyBinaryKind(kind).str() << " " << x << " " << y;
      };
      is(BinaryKind::add, false, x + y);
      is(BinaryKind::sub, false, x - y);
      is(BinaryKind::mul, false, x * y);
      is(BinaryKind::div, false, y == 0 ? 0 : x / y);
      is(BinaryKind::div, true, v == 0 ? 0 : u / v);
      is(BinaryKind::rem, false, y == 0 ? 0 : x % y);
      is(BinaryKind::rem, true, v == 0 ? 0 : u % v);
      is(BinaryKind::mod, false, y == 0 ? 0 : ((x % y) + y) % y);
      is(BinaryKind::min, false, std::min(x, y));
      is(BinaryKind::max, true, std::max(u, v));
      is(BinaryKind::shift_left, false, v >= 8 ? 0 : x << v);
      is(BinaryKind::shift_right, false, x >> std::min(v, 7));
      is(BinaryKind::shift_right, true, v >= 8 ? 0 : u >> v);
      uint8_t power = 1;
      for (int i = 0; i < v; ++i)
        power = uint8_t(power * u);
      is(BinaryKind::pow, true, power);
    }
}

TEST(Elementwise, FloatToIntegerSaturates) {
  EvalBuilder b;
  using numerics::emitFloatToInt;
  EXPECT_EQ(emitFloatToInt(b, NAN, int32_t(), 32, false), 0);
  EXPECT_EQ(emitFloatToInt(b, 3e9f, int32_t(), 32, false), INT32_MAX);
  EXPECT_EQ(emitFloatToInt(b, -3e9f, int32_t(), 32, false), INT32_MIN);
  EXPECT_EQ(emitFloatToInt(b, -1.9f, int32_t(), 32, false), -1);
  EXPECT_EQ(uint8_t(emitFloatToInt(b, 255.9f, int8_t(), 8, true)), 255);
  EXPECT_EQ(uint8_t(emitFloatToInt(b, 256.0f, int8_t(), 8, true)), 255);
  EXPECT_EQ(emitFloatToInt(b, -0.9f, int8_t(), 8, true), 0);
  EXPECT_EQ(emitFloatToInt(b, -128.9f, int8_t(), 8, false), -128);
  EXPECT_EQ(uint64_t(emitFloatToInt(b, 1e30, int64_t(), 64, true)), UINT64_MAX);
  EXPECT_EQ(emitFloatToInt(b, 0x1p63, int64_t(), 64, false), INT64_MAX);
}
