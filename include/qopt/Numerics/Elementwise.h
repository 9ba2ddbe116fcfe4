//===- Elementwise.h - Every scalar function, written once ----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The value of qg.unary, qg.binary, qg.compare and qg.cast on one element, as
// templates over a builder. EvalBuilder computes with host numbers (reference
// semantics); IRScalarBuilder (Conversion/ScalarBuilder.h) writes arith and
// math ops on scalars or vectors (compiled code). Both agree in every bit,
// except for the sign and payload of a NaN.
//
// The builder concept. A value `V` is a number or an SSA value; types follow
// from the operands:
//   isDouble(x), getWidth(i)           facts about the type of a value
//   floatLike(x, c), intLike(i, c)     constant of the type of x
//   addF subF mulF divF fma negF absF sqrtF floorF ceilF truncF roundEvenF
//   copySign minimumF maximumF         IEEE 754, half to even; minimumF and
//                                      maximumF give NaN if an operand is NaN
//                                      and order -0 before +0
//   eqF neF ltF leF gtF geF            ordered, but neF true for NaN
//   addI subI mulI andI orI xorI shlI shrS shrU   wrap; amounts < width
//   divS divU remS remU                divisor not 0, not min / -1
//   eqI neI ltS ltU, andB orB xorB, select
//   bitsOf(f), fromBits(i, like)       reinterpretation, same width
//   intToFloat(i, like), unsignedToFloat(i, like)        half to even
//   floatToInt(f, like), floatToUnsigned(f, like)        truncate, in range
//   toDouble(f), fromDouble(d, like), extendToI64(i), truncateToI32(i)
//
// f16 and bf16 are computed in f32 and rounded; the callers do that.
// Straight-line code with selects: no branches, no traps, no libm.
//===----------------------------------------------------------------------===//
#ifndef QOPT_NUMERICS_ELEMENTWISE_H
#define QOPT_NUMERICS_ELEMENTWISE_H

#include "qopt/Numerics/EvalBuilder.h"
#include "qopt/Numerics/Kinds.h"
#include "qopt/Numerics/Polynomials.h"
#include "llvm/Support/ErrorHandling.h"

namespace qopt::numerics {

/// What the elements are; `Truth` is i1.
enum class ElementClass { Float, Integer, Truth };

/// Whether a kind has a value on such elements; verifiers and conversions ask
/// before they call an emit function.
inline bool isDefinedOn(UnaryKind kind, ElementClass elements) {
  switch (kind) {
  case UnaryKind::bit_not:
    return elements != ElementClass::Float;
  case UnaryKind::abs:
  case UnaryKind::neg:
  case UnaryKind::sign:
  case UnaryKind::relu:
    return elements != ElementClass::Truth;
  default:
    return elements == ElementClass::Float;
  }
}
inline bool isDefinedOn(BinaryKind kind, ElementClass elements) {
  switch (kind) {
  case BinaryKind::bit_and:
  case BinaryKind::bit_or:
  case BinaryKind::bit_xor:
    return elements != ElementClass::Float;
  case BinaryKind::shift_left:
  case BinaryKind::shift_right:
    return elements == ElementClass::Integer;
  case BinaryKind::min:
  case BinaryKind::max:
    return true;
  default:
    return elements != ElementClass::Truth;
  }
}

/// is_nan and is_inf of a float.
template <class B, class V> auto emitPredicate(B &b, UnaryKind kind, V x) {
  if (kind == UnaryKind::is_nan)
    return b.neF(x, x);
  return b.eqF(b.absF(x), b.floatLike(x, __builtin_inf()));
}

/// -1, 0, 1; zero and NaN are kept.
template <class B, class V> V emitSign(B &b, V x) {
  V zero = b.floatLike(x, 0);
  V result = b.select(b.gtF(x, zero), b.floatLike(x, 1), x);
  return b.select(b.ltF(x, zero), b.floatLike(x, -1), result);
}

/// A unary kind that is defined on floats and no predicate.
template <class B, class V> V emitUnaryFloat(B &b, UnaryKind kind, V x) {
  switch (kind) {
  case UnaryKind::abs:
    return b.absF(x);
  case UnaryKind::neg:
    return b.negF(x);
  case UnaryKind::sign:
    return emitSign(b, x);
  case UnaryKind::relu: {
    V zero = b.floatLike(x, 0);
    return b.select(b.leF(x, zero), zero, x);
  }
  case UnaryKind::floor:
    return b.floorF(x);
  case UnaryKind::ceil:
    return b.ceilF(x);
  case UnaryKind::round_even:
    return b.roundEvenF(x);
  case UnaryKind::sqrt:
    return b.sqrtF(x);
  case UnaryKind::rsqrt:
    return b.divF(b.floatLike(x, 1), b.sqrtF(x));
  case UnaryKind::exp:
    return emitExp(b, x);
  case UnaryKind::log:
    return emitLog(b, x);
  case UnaryKind::erf:
    return emitErf(b, x);
  case UnaryKind::sigmoid:
    return emitSigmoid(b, x);
  case UnaryKind::sin:
    return emitSine(b, x, /*turns=*/0);
  case UnaryKind::cos:
    return emitSine(b, x, /*turns=*/1);
  case UnaryKind::tan:
    return emitTan(b, x);
  case UnaryKind::asin:
    return emitAsin(b, x);
  case UnaryKind::acos:
    return emitAcos(b, x);
  case UnaryKind::atan:
    return emitAtan(b, x);
  case UnaryKind::sinh:
    return emitSinh(b, x);
  case UnaryKind::cosh:
    return emitCosh(b, x);
  case UnaryKind::tanh:
    return emitTanh(b, x);
  case UnaryKind::asinh:
    return emitAsinh(b, x);
  case UnaryKind::acosh:
    return emitAcosh(b, x);
  case UnaryKind::atanh:
    return emitAtanh(b, x);
  case UnaryKind::bit_not:
  case UnaryKind::is_nan:
  case UnaryKind::is_inf:
    break;
  }
  llvm_unreachable("isDefinedOn was not asked");
}

/// A unary kind that is defined on integers. Results wrap.
template <class B, class V>
V emitUnaryInt(B &b, UnaryKind kind, V x, bool isUnsigned) {
  V zero = b.intLike(x, 0);
  switch (kind) {
  case UnaryKind::bit_not:
    return b.xorI(x, b.intLike(x, -1));
  case UnaryKind::neg:
    return b.subI(zero, x);
  case UnaryKind::abs:
    return isUnsigned ? x : b.select(b.ltS(x, zero), b.subI(zero, x), x);
  case UnaryKind::relu:
    return isUnsigned ? x : b.select(b.ltS(x, zero), zero, x);
  case UnaryKind::sign: {
    V one = b.select(b.eqI(x, zero), zero, b.intLike(x, 1));
    return isUnsigned ? one : b.select(b.ltS(x, zero), b.intLike(x, -1), one);
  }
  default:
    llvm_unreachable("isDefinedOn was not asked");
  }
}

/// C fmod: the sign of the dividend. Exact while |x / y| < 2^24 (2^53); a
/// quotient beyond gives some number of magnitude below |y|.
template <class B, class V> V emitRemFloat(B &b, V x, V y) {
  V zero = b.floatLike(x, 0);
  V dividend = b.absF(x), divisor = b.absF(y);
  V quotient = b.truncF(b.divF(dividend, divisor));
  V r = b.fma(b.negF(quotient), divisor, dividend);
  // The rounded quotient may be one too large or too small.
  r = b.select(b.ltF(r, zero), b.addF(r, divisor), r);
  r = b.select(b.geF(r, divisor), b.subF(r, divisor), r);
  auto lost = b.orB(b.ltF(r, zero), b.geF(r, divisor));
  r = b.select(lost, zero, r);
  V infinity = b.floatLike(x, __builtin_inf());
  auto smaller = b.andB(b.eqF(divisor, infinity), b.ltF(dividend, infinity));
  return b.copySign(b.select(smaller, dividend, r), x);
}

/// NumPy mod: the sign of the divisor.
template <class B, class V> V emitModFloat(B &b, V x, V y) {
  V zero = b.floatLike(x, 0);
  V r = emitRemFloat(b, x, y);
  auto differs = b.xorB(b.ltF(r, zero), b.ltF(y, zero));
  V moved = b.select(differs, b.addF(r, y), r);
  return b.select(b.eqF(r, zero), b.copySign(zero, y), moved);
}

/// A binary kind that is defined on floats.
template <class B, class V> V emitBinaryFloat(B &b, BinaryKind kind, V x, V y) {
  switch (kind) {
  case BinaryKind::add:
    return b.addF(x, y);
  case BinaryKind::sub:
    return b.subF(x, y);
  case BinaryKind::mul:
    return b.mulF(x, y);
  case BinaryKind::div:
    return b.divF(x, y);
  case BinaryKind::min:
    return b.minimumF(x, y);
  case BinaryKind::max:
    return b.maximumF(x, y);
  case BinaryKind::rem:
    return emitRemFloat(b, x, y);
  case BinaryKind::mod:
    return emitModFloat(b, x, y);
  case BinaryKind::pow:
    return emitPow(b, x, y);
  default:
    llvm_unreachable("isDefinedOn was not asked");
  }
}

/// Quotient or remainder without traps: x / 0 = x % 0 = 0, min / -1 = min,
/// min % -1 = 0.
template <class B, class V>
V emitDivision(B &b, V x, V y, bool isUnsigned, bool isRemainder) {
  V zero = b.intLike(x, 0), one = b.intLike(x, 1), minus = b.intLike(x, -1);
  auto byZero = b.eqI(y, zero);
  if (isUnsigned) {
    V divisor = b.select(byZero, one, y);
    V result = isRemainder ? b.remU(x, divisor) : b.divU(x, divisor);
    return b.select(byZero, zero, result);
  }
  auto negates = b.eqI(y, minus);
  V divisor = b.select(b.orB(byZero, negates), one, y);
  V result = isRemainder ? b.remS(x, divisor) : b.divS(x, divisor);
  if (!isRemainder)
    result = b.select(negates, b.subI(zero, x), result);
  return b.select(byZero, zero, result);
}

/// x^y by squaring, wrapping; a negative exponent truncates 1 / x^|y|.
template <class B, class V> V emitPowInt(B &b, V x, V y, bool isUnsigned) {
  V zero = b.intLike(x, 0), one = b.intLike(x, 1);
  V result = one, square = x, exponent = y;
  for (unsigned bit = 0, width = b.getWidth(x); bit < width; ++bit) {
    auto used = b.neI(b.andI(exponent, one), zero);
    result = b.select(used, b.mulI(result, square), result);
    square = b.mulI(square, square);
    exponent = b.shrU(exponent, one);
  }
  if (isUnsigned)
    return result;
  V minus = b.intLike(x, -1);
  auto odd = b.neI(b.andI(y, one), zero);
  V inverse = b.select(b.eqI(x, minus), b.select(odd, minus, one),
                       b.select(b.eqI(x, one), one, zero));
  return b.select(b.ltS(y, zero), inverse, result);
}

/// Amounts outside [0, width) shift everything out.
template <class B, class V>
V emitShift(B &b, BinaryKind kind, V x, V y, bool isUnsigned) {
  V zero = b.intLike(x, 0);
  V last = b.intLike(x, b.getWidth(x) - 1);
  auto beyond = b.ltU(last, y);
  V amount = b.select(beyond, last, y);
  if (kind == BinaryKind::shift_left)
    return b.select(beyond, zero, b.shlI(x, amount));
  if (isUnsigned)
    return b.select(beyond, zero, b.shrU(x, amount));
  return b.shrS(x, amount);
}

/// A binary kind on integers (signless storage, read as `isUnsigned` says).
template <class B, class V>
V emitBinaryInt(B &b, BinaryKind kind, V x, V y, bool isUnsigned) {
  switch (kind) {
  case BinaryKind::add:
    return b.addI(x, y);
  case BinaryKind::sub:
    return b.subI(x, y);
  case BinaryKind::mul:
    return b.mulI(x, y);
  case BinaryKind::div:
    return emitDivision(b, x, y, isUnsigned, /*isRemainder=*/false);
  case BinaryKind::rem:
    return emitDivision(b, x, y, isUnsigned, /*isRemainder=*/true);
  case BinaryKind::mod: {
    V r = emitDivision(b, x, y, isUnsigned, /*isRemainder=*/true);
    if (isUnsigned)
      return r;
    V zero = b.intLike(x, 0);
    auto differs = b.ltS(b.xorI(r, y), zero);
    auto moves = b.andB(differs, b.neI(r, zero));
    return b.select(moves, b.addI(r, y), r);
  }
  case BinaryKind::pow:
    return emitPowInt(b, x, y, isUnsigned);
  case BinaryKind::min:
    return b.select(isUnsigned ? b.ltU(y, x) : b.ltS(y, x), y, x);
  case BinaryKind::max:
    return b.select(isUnsigned ? b.ltU(x, y) : b.ltS(x, y), y, x);
  case BinaryKind::bit_and:
    return b.andI(x, y);
  case BinaryKind::bit_or:
    return b.orI(x, y);
  case BinaryKind::bit_xor:
    return b.xorI(x, y);
  case BinaryKind::shift_left:
  case BinaryKind::shift_right:
    return emitShift(b, kind, x, y, isUnsigned);
  }
  llvm_unreachable("all kinds handled");
}

template <class B, class V>
auto emitCompareFloat(B &b, ComparePredicate predicate, V x, V y) {
  switch (predicate) {
  case ComparePredicate::eq:
    return b.eqF(x, y);
  case ComparePredicate::ne:
    return b.neF(x, y);
  case ComparePredicate::lt:
    return b.ltF(x, y);
  case ComparePredicate::le:
    return b.leF(x, y);
  case ComparePredicate::gt:
    return b.gtF(x, y);
  case ComparePredicate::ge:
    return b.geF(x, y);
  }
  llvm_unreachable("all predicates handled");
}

template <class B, class V>
auto emitCompareInt(B &b, ComparePredicate predicate, V x, V y,
                    bool isUnsigned) {
  auto less = [&](V a, V c) { return isUnsigned ? b.ltU(a, c) : b.ltS(a, c); };
  auto orEqual = [&](V a, V c) { return b.orB(less(a, c), b.eqI(a, c)); };
  switch (predicate) {
  case ComparePredicate::eq:
    return b.eqI(x, y);
  case ComparePredicate::ne:
    return b.neI(x, y);
  case ComparePredicate::lt:
    return less(x, y);
  case ComparePredicate::le:
    return orEqual(x, y);
  case ComparePredicate::gt:
    return less(y, x);
  case ComparePredicate::ge:
    return orEqual(y, x);
  }
  llvm_unreachable("all predicates handled");
}

/// f32 or f64 to an integer of the type of `like`: truncated, saturated, NaN
/// to 0. `width` is the number of bits that saturate (at most the type's).
template <class B, class V, class I>
I emitFloatToInt(B &b, V x, I like, unsigned width, bool isUnsigned) {
  unsigned magnitudeBits = isUnsigned ? width : width - 1;
  double limit = 1.0;
  for (unsigned i = 0; i < magnitudeBits; ++i)
    limit *= 2;
  // Both comparisons are exact: 2^n is a float of either type. One past the
  // lower limit still truncates into range, but for wide integers it is no
  // float, so the limit itself is kept.
  V zero = b.floatLike(x, 0);
  V truncated = b.truncF(x);
  V low = isUnsigned ? zero : b.floatLike(x, -limit);
  auto above = b.geF(truncated, b.floatLike(x, limit));
  auto below = b.ltF(truncated, low);
  auto isNan = b.neF(x, x);
  auto outside = b.orB(b.orB(above, below), isNan);
  V safe = b.select(outside, zero, truncated);
  I value =
      isUnsigned ? b.floatToUnsigned(safe, like) : b.floatToInt(safe, like);
  int64_t most = isUnsigned && width == 64
                     ? int64_t(-1)
                     : int64_t((uint64_t(1) << magnitudeBits) - 1);
  int64_t least = isUnsigned ? 0 : int64_t(uint64_t(-1) << magnitudeBits);
  value = b.select(above, b.intLike(like, most), value);
  return b.select(below, b.intLike(like, least), value);
}

} // namespace qopt::numerics

#endif // QOPT_NUMERICS_ELEMENTWISE_H
