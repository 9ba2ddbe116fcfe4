//===- GridTest.cpp - The nearest number that a format has ----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Ties, ends and zero points; and that the host rounds as a quantize does.
//===----------------------------------------------------------------------===//
#include "qopt/Numerics/Grid.h"
#include "qopt/Numerics/Affine.h"

#include <gtest/gtest.h>
#include <vector>

using namespace qopt;

namespace {
TEST(Grid, TiesGoToTheEvenNumberOfSteps) {
  auto grid = Grid<double>::of(*lookupIntegerFormat("si4"));
  EXPECT_EQ(roundToLevel(0.5, 0.0, grid).code, 0);
  EXPECT_EQ(roundToLevel(1.5, 0.0, grid).code, 2);
  EXPECT_EQ(roundToLevel(-2.5, 0.0, grid).code, -2);
  // The steps are even, not the code: an odd zero point moves no tie.
  EXPECT_EQ(roundToLevel(0.5, 3.0, grid).code, 3);
  EXPECT_EQ(roundToLevel(1.5, 3.0, grid).code, 5);
}

TEST(Grid, SaturatesAtBothEnds) {
  auto grid = Grid<float>::of(*lookupIntegerFormat("ui3"));
  Level<float> low = roundToLevel(-1e30f, 2.0f, grid);
  EXPECT_EQ(low.code, 0);
  EXPECT_EQ(low.steps, -2);
  Level<float> high = roundToLevel(1e30f, 2.0f, grid);
  EXPECT_EQ(high.code, 7);
  EXPECT_EQ(high.steps, 5);
}

TEST(Grid, SymmetricLeavesOutTheLowestCode) {
  const IntegerFormat &row = *lookupIntegerFormat("si8");
  EXPECT_EQ(roundToLevel(-200.0, 0.0, Grid<double>::of(row)).code, -128);
  EXPECT_EQ(roundToLevel(-200.0, 0.0, Grid<double>::symmetric(row)).code, -127);
  auto codes = Grid<double>::symmetric(*lookupIntegerFormat("ui8"));
  EXPECT_EQ(codes.low, 0);
  EXPECT_EQ(codes.high, 255);
}

TEST(Grid, TablesTakeTheFirstOfTwoEquallyNear) {
  std::vector<double> table = {-6, -1, -1, 3, 8};
  Grid<double> grid{0, 4, table.data(), 5};
  EXPECT_EQ(roundToLevel(1.0, 0.0, grid).code, 1); // 2 from both -1 and 3
  EXPECT_EQ(roundToLevel(1.001, 0.0, grid).code, 3);
  EXPECT_EQ(roundToLevel(-1.0, 0.0, grid).code, 1);
  EXPECT_EQ(roundToLevel(5.5, 0.0, grid).code, 3);
  EXPECT_EQ(roundToLevel(100.0, 0.0, grid).steps, 8);
  EXPECT_EQ(roundToLevel(-100.0, 0.0, grid).steps, -6);
}

TEST(Grid, ZeroPointsPutTheLowEndOnTheLowestCode) {
  Grid<double> bytes{0, 255}, signedBytes{-128, 127};
  EXPECT_EQ(chooseZeroPoint(-1.0, 0.01, bytes), 100);
  EXPECT_EQ(chooseZeroPoint(-1.0, 0.01, signedBytes), -28);
  EXPECT_EQ(chooseZeroPoint(0.0, 0.01, bytes), 0);
  EXPECT_EQ(chooseZeroPoint(-9.0, 0.01, bytes), 255);
}

/// What a quantize gives for a value that is in steps already.
int32_t quantize(float x, numerics::StoredRange range) {
  EvalBuilder b;
  return numerics::emitQuantize(b, x, 1.0f, range);
}

TEST(Grid, RoundsAsQuantizeDoes) {
  for (const char *name : {"ui1", "si2", "ui4", "si8", "ui8", "si16", "ui16"}) {
    const IntegerFormat &row = *lookupIntegerFormat(name);
    for (int64_t zero : {row.min(), int64_t(0), int64_t(1), row.max()}) {
      auto floats = Grid<float>::of(row);
      auto doubles = Grid<double>::of(row);
      numerics::StoredRange range{zero, row.min(), row.max()};
      // Ties, what is next to them, and far outside.
      for (float tie = -40.5f; tie <= 40.5f; tie += 0.5f)
        for (float scale : {1.0f, 997.0f, 1e7f})
          for (float x : {tie * scale, std::nextafter(tie * scale, 1e30f),
                          std::nextafter(tie * scale, -1e30f)}) {
            int32_t expected = quantize(x, range);
            EXPECT_EQ(roundToLevel(x, float(zero), floats).code, expected)
                << name << ' ' << zero << ' ' << x;
            EXPECT_EQ(roundToLevel(double(x), double(zero), doubles).code,
                      expected)
                << name << ' ' << zero << ' ' << x;
          }
    }
  }
}
} // namespace
