//===- HadamardTest.cpp - Orders and orthogonality ------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Every order that the constructions claim is checked entry by entry.
//===----------------------------------------------------------------------===//
#include "qopt/Numerics/Hadamard.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace qopt;

TEST(Hadamard, RowsAreOrthogonal) {
  int64_t found = 0;
  for (int64_t order = 1; order <= 256; ++order) {
    std::optional<SignMatrix> h = getHadamardMatrix(order);
    if (!h)
      continue;
    ++found;
    ASSERT_EQ(h->order, order);
    ASSERT_EQ(int64_t(h->entries.size()), order * order);
    for (int8_t entry : h->entries)
      ASSERT_EQ(std::abs(entry), 1);
    for (int64_t i = 0; i < order; ++i)
      for (int64_t j = i; j < order; ++j) {
        int64_t product = 0;
        for (int64_t k = 0; k < order; ++k)
          product += (*h)(i, k) * (*h)(j, k);
        ASSERT_EQ(product, i == j ? order : 0)
            << order << ": " << i << "," << j;
      }
  }
  // 1, 2, and the 64 multiples of 4 but 92, 116, 156, 172, 184, 188, 232, 236.
  EXPECT_EQ(found, 2 + 64 - 8);
}

TEST(Hadamard, OrdersOfTransformersExist) {
  // 120 = 2 * 60 needs Paley's construction over 59; 28 and 52 need the second
  // or a field of 27 or 25 elements.
  for (int64_t order : {12, 20, 28, 36, 52, 60, 76, 100, 108, 120, 240, 384,
                        480, 768, 1536, 3072, 4096})
    EXPECT_TRUE(getHadamardMatrix(order)) << order;
}

TEST(Hadamard, OtherOrdersAreRefused) {
  for (int64_t order : {-4, 0, 3, 5, 6, 10, 18, 92})
    EXPECT_FALSE(getHadamardMatrix(order)) << order;
}

TEST(Hadamard, RotationsAreOrthogonalForEveryOrder) {
  for (int64_t order : {1, 2, 3, 5, 6, 15, 30, 46, 92, 120, 126}) {
    for (uint64_t seed : {0, 1, 7}) {
      RotationMatrix r = getRotationMatrix(order, seed);
      for (int64_t i = 0; i < order; ++i)
        for (int64_t j = i; j < order; ++j) {
          double product = 0;
          for (int64_t k = 0; k < order; ++k)
            product += r(i, k) * r(j, k);
          ASSERT_NEAR(product, i == j ? 1 : 0, 1e-12) << order;
        }
    }
  }
}

TEST(Hadamard, SeedsDrawSignsOfRows) {
  RotationMatrix plain = getRotationMatrix(120, 0);
  RotationMatrix drawn = getRotationMatrix(120, 5);
  int64_t negative = 0;
  for (int64_t i = 0; i < 120; ++i) {
    double sign = drawn(i, 0) / plain(i, 0);
    negative += sign < 0;
    for (int64_t j = 0; j < 120; ++j)
      ASSERT_EQ(drawn(i, j), sign * plain(i, j));
  }
  EXPECT_GT(negative, 40);
  EXPECT_LT(negative, 80);
}
