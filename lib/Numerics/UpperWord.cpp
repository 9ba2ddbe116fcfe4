//===- UpperWord.cpp - Where the upper word of a product rounds alone -----===//
// SPDX-License-Identifier: Apache-2.0
//
// A tie is a product with exactly shift - 1 factors of two. The multiplier has
// some, and no |x| <= largest has more than log2(largest).
//===----------------------------------------------------------------------===//
#include "qopt/Numerics/UpperWord.h"

#include "llvm/ADT/bit.h"
#include <cstdlib>

using namespace qopt;

bool qopt::canTie(const FixedScale &scale, int64_t largest) {
  if (scale.multiplier == 0 || scale.shift == 0 || largest == 0)
    return false;
  auto magnitude = uint64_t(std::abs(scale.multiplier));
  auto twos = unsigned(llvm::countr_zero(magnitude));
  unsigned needed = scale.shift - 1;
  return twos <= needed && largest >> (needed - twos) > 0;
}

bool qopt::roundsInUpperWord(const FixedScale &scale, int64_t largest,
                             int64_t zeroPoint) {
  if (scale.shift < kLeastUpperShift || canTie(scale, largest))
    return false;
  unsigned right = scale.shift - kLeastUpperShift;
  // Shifts are below 63 and zero points below 2^16: 2^46 at most.
  int64_t addend = std::abs(2 * zeroPoint + 1) << right;
  // |x * multiplier| <= 2^62.
  int64_t upper = ((largest * std::abs(scale.multiplier)) >> 32) + 1;
  return upper + addend <= INT32_MAX;
}

std::optional<int64_t> qopt::findUntiedBase(const ByteSum &sum) {
  unsigned shift = sum.scales[0].shift;
  // Zero points and differences have 9 bits: two products of 2^39 by 2^10 stay
  // in 32 bits, and 2^8 times 2^54 in 64.
  if (shift < 10 || shift > 54)
    return std::nullopt;
  int64_t left = sum.scales[0].multiplier, right = sum.scales[1].multiplier;
  int64_t half = int64_t(1) << (shift - 1), mask = 2 * half - 1;
  int64_t offset = -sum.zeroPoints[0] * left - sum.zeroPoints[1] * right;
  for (int64_t a = -128; a < 128; ++a)
    for (int64_t b = -128; b < 128; ++b)
      if (((offset + a * left + b * right) & mask) == half)
        return std::nullopt;
  return offset + half + sum.zeroPoint * 2 * half;
}
