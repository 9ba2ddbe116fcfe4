//===- ConstantDivision.h - Quantization without a division ---------------===//
// SPDX-License-Identifier: Apache-2.0
//
// qg.quantize divides by a scale that compiled code knows. A product with a
// reciprocal of two floats gives the same integers for all but a few scales;
// which ones is found by trying every place where the integer changes. So it is
// with quotients that stay floats.
//===----------------------------------------------------------------------===//
#ifndef QOPT_NUMERICS_CONSTANTDIVISION_H
#define QOPT_NUMERICS_CONSTANTDIVISION_H

#include "qopt/Numerics/Affine.h"
#include <optional>

namespace qopt::numerics {

/// `fma(x, factor, x * rest)` for x in [low, high] instead of `x / scale`.
struct QuantizeFactors {
  float low, high;
  float factor, rest;
};

/// Factors with which emitQuantizeByFactors equals emitQuantize for every x;
/// nullopt where there are none.
std::optional<QuantizeFactors> findQuantizeFactors(float scale,
                                                   const StoredRange &range);

template <class B, class V>
auto emitQuantizeByFactors(B &b, V x, const QuantizeFactors &factors,
                           const StoredRange &range) {
  x = b.select(b.neF(x, x), b.floatLike(x, 0), x);
  // Saturates already here: infinities would give NaN below.
  V low = b.floatLike(x, factors.low), high = b.floatLike(x, factors.high);
  x = b.select(b.gtF(x, low), x, low);
  x = b.select(b.ltF(x, high), x, high);
  V rest = b.mulF(x, b.floatLike(x, factors.rest));
  V quotient = b.fma(x, b.floatLike(x, factors.factor), rest);
  auto bits = b.bitsOf(b.addF(quotient, b.floatLike(x, 0x1.8p23)));
  return b.addI(bits, b.intLike(bits, range.zeroPoint - 0x4B400000));
}

/// `fma(x, factor, x * rest)` instead of `x / divisor`.
struct DivisionFactors {
  float factor, rest;
};

/// Magnitudes of dividends for which DivisionFactors are right; +0 is as well,
/// -0 is not.
constexpr float kLeastDividend = 0x1p-40f, kMostDividend = 0x1p72f;

/// Factors that give the rounded quotient of every such dividend; nullopt where
/// there are none, or for divisors that are not in [2^-30, 2^30].
std::optional<DivisionFactors> findDivisionFactors(float divisor);

template <class B, class V>
V emitDivideByFactors(B &b, V x, const DivisionFactors &factors) {
  return b.fma(x, b.floatLike(x, factors.factor),
               b.mulF(x, b.floatLike(x, factors.rest)));
}

} // namespace qopt::numerics

#endif // QOPT_NUMERICS_CONSTANTDIVISION_H
