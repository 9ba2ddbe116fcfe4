//===- UpperWord.h - Where the upper word of a product rounds alone -------===//
// SPDX-License-Identifier: Apache-2.0
//
// `acc * multiplier / 2^shift`, half to even, needs all 64 bits of the product
// only to tell a tie. Where no sum that a layer can have makes one, the upper
// 32 bits decide, in three instructions of most cores in place of twenty.
//===----------------------------------------------------------------------===//
#ifndef QOPT_NUMERICS_UPPERWORD_H
#define QOPT_NUMERICS_UPPERWORD_H

#include "qopt/Numerics/FixedPoint.h"

namespace qopt {

/// The least shift that leaves a bit of the upper word to round by.
inline constexpr unsigned kLeastUpperShift = 33;

/// Whether x * multiplier / 2^shift lies half way between two integers for
/// some x with |x| <= largest.
bool canTie(const FixedScale &scale, int64_t largest);

/// Whether, for all |x| <= largest and with `right = shift - 33`,
/// `(upperWord(x * multiplier) + (2 * zeroPoint + 1) * 2^right) >> right >> 1`
/// in 32 bits is x * multiplier / 2^shift, rounded half to even, plus the zero
/// point: no x ties, and nothing overflows. largest is at most 2^31 and the
/// zero point has up to 16 bits.
bool roundsInUpperWord(const FixedScale &scale, int64_t largest,
                       int64_t zeroPoint);

/// Two bytes, from -128 to 127, and what of each stands for zero.
struct ByteSum {
  FixedScale scales[2]; ///< of one shift
  int64_t zeroPoints[2];
  int64_t zeroPoint; ///< of the result
};

/// `base` such that, for all bytes a and b,
/// `(base + a * multiplier 0 + b * multiplier 1) >> shift` is their rounded sum
/// with the zero point, and fits 32 bits; nullopt if one ties, or 64 or 32 bits
/// overflow.
std::optional<int64_t> findUntiedBase(const ByteSum &sum);

} // namespace qopt

#endif // QOPT_NUMERICS_UPPERWORD_H
