//===- Affine.h - Quantize, dequantize and requantize one element ---------===//
// SPDX-License-Identifier: Apache-2.0
//
// The boundary arithmetic, written once over a builder (Elementwise.h) for the
// reference semantics, the lowering to linalg and the epilogues of kernels.
// Every rounding is half to even.
//===----------------------------------------------------------------------===//
#ifndef QOPT_NUMERICS_AFFINE_H
#define QOPT_NUMERICS_AFFINE_H

#include "qopt/Numerics/Elementwise.h"
#include "qopt/Numerics/FixedPoint.h"

namespace qopt::numerics {

/// Whether a builder prints variables (TextBuilder.h); the others ignore names.
template <class B> inline constexpr bool kNamesValues = false;

template <class B, class V>
QOPT_INLINE V named([[maybe_unused]] B &b, V value,
                    [[maybe_unused]] const char *name) {
  if constexpr (kNamesValues<B>)
    return b.name(value, name);
  else
    return value;
}

/// Zero point and inclusive range of a stored integer.
struct StoredRange {
  int64_t zeroPoint;
  int64_t low, high;
};

/// Whether [low - zp, high - zp] lies where adding 1.5 * 2^23 rounds exactly.
inline bool isNarrow(const StoredRange &range) {
  constexpr int64_t limit = int64_t(1) << 21;
  return range.low - range.zeroPoint >= -limit &&
         range.high - range.zeroPoint <= limit;
}

/// min(max(rne(x) + zp, low), high) for an f32 x, as i32; NaN gives zp clamped
/// to the range.
/// Formats of up to 16 bits: the clamp comes first, which is the same because
/// its limits are integers and rounding is monotonic; then adding 1.5 * 2^23
/// rounds and leaves the integer in the low bits (no SSE4.1 needed).
/// `mayBeNan` false drops the test for NaN.
template <class B, class V>
auto emitRoundIntoRange(B &b, V x, const StoredRange &range, bool mayBeNan) {
  V zero = b.floatLike(x, 0);
  if (mayBeNan)
    x = b.select(b.neF(x, x), zero, x);
  if (isNarrow(range)) {
    V low = b.floatLike(x, double(range.low - range.zeroPoint));
    V high = b.floatLike(x, double(range.high - range.zeroPoint));
    x = b.select(b.gtF(x, low), x, low);
    x = b.select(b.ltF(x, high), x, high);
    V magic = b.floatLike(x, 0x1.8p23);
    auto bits = b.bitsOf(b.addF(x, magic));
    // 0x4B400000 are the bits of the magic number.
    return b.addI(bits, b.intLike(bits, range.zeroPoint - 0x4B400000));
  }
  // 32-bit formats: through i64, where nothing overflows.
  auto like = b.bitsOf(x);
  auto rounded = emitFloatToInt(b, b.roundEvenF(x), b.extendToI64(like),
                                /*width=*/33, /*isUnsigned=*/false);
  auto moved = b.addI(rounded, b.intLike(rounded, range.zeroPoint));
  auto low = b.intLike(moved, range.low), high = b.intLike(moved, range.high);
  moved = b.select(b.ltS(moved, low), low, moved);
  moved = b.select(b.ltS(high, moved), high, moved);
  return b.truncateToI32(moved);
}

/// qg.quantize / fxp.quantize: f32 x and scale to i32.
template <class B, class V>
auto emitQuantize(B &b, V x, V scale, const StoredRange &range) {
  return emitRoundIntoRange(b, b.divF(x, scale), range, /*mayBeNan=*/true);
}

/// qg.dequantize / fxp.dequantize: i32 to f32, `f32(x - zp) * scale`.
template <class B, class I, class V>
V emitDequantize(B &b, I x, int64_t zeroPoint, V scale) {
  I moved = zeroPoint ? b.subI(x, b.intLike(x, zeroPoint)) : x;
  return b.mulF(b.intToFloat(moved, scale), scale);
}

/// fxp.requantize in mode f32: i32 accumulator to i32,
/// `sat(rne(f32(acc - xZeroPoint) * scale) + zp)`.
template <class B, class I, class V>
auto emitRequantize(B &b, I acc, int64_t xZeroPoint, V scale,
                    const StoredRange &range) {
  V real = emitDequantize(b, acc, xZeroPoint, scale);
  return emitRoundIntoRange(b, real, range, /*mayBeNan=*/false);
}

/// min(max(x, low), high) for integers of one type.
template <class B, class L> L emitClamp(B &b, L x, L low, L high) {
  x = b.select(b.ltS(x, low), low, x);
  return b.select(b.ltS(high, x), high, x);
}

/// min(max(x + zeroPoint, low), high).
template <class B, class L>
L emitSaturate(B &b, L x, L zeroPoint, L low, L high) {
  return emitClamp(b, b.addI(x, zeroPoint), low, high);
}

/// product / 2^shift rounded half to even: |product| <= 2^62 and `shift`, of
/// the same type (per channel in general), in [0, 62].
template <class B, class L> L emitRoundShift(B &b, L product, L shift) {
  L one = b.intLike(product, 1), zero = b.intLike(product, 0);
  // half - 1 = (1 << (shift - 1)) - 1; both it and `odd` vanish at shift 0.
  auto shifts = b.neI(shift, zero);
  L lower = b.subI(b.select(shifts, shift, one), one);
  L almostHalf = named(b, b.subI(b.shlI(one, lower), one), "almost_half");
  L odd = named(b, b.select(shifts, b.andI(b.shrS(product, shift), one), zero),
                "odd");
  return named(b, b.shrS(b.addI(b.addI(product, almostHalf), odd), shift),
               "rounded");
}

/// The integer part of emitRequantizeFixed: an exact i64 product or sum
/// (|product| <= 2^62) shifted, moved and saturated to i32.
template <class B, class L>
auto emitShiftIntoRange(B &b, L product, L shift, const StoredRange &range) {
  L rounded = emitRoundShift(b, product, shift);
  return b.truncateToI32(emitSaturate(
      b, rounded, b.intLike(product, range.zeroPoint),
      b.intLike(product, range.low), b.intLike(product, range.high)));
}

/// emitRoundShift by 32 + `right` (1 to 30) in words: the upper one of the
/// product decides, and `rest` is 1 if the lower one is not zero, else 0.
/// |high| <= 2^30, as products with multipliers of 31 bits have it.
template <class B, class I>
I emitRoundUpperWord(B &b, I high, I rest, I right) {
  I one = b.intLike(high, 1);
  I odd = b.andI(b.shrS(high, right), one);
  I up = named(b, b.orI(rest, odd), "up");
  I almostHalf = b.subI(b.shlI(one, b.subI(right, one)), one);
  return b.shrS(b.addI(b.addI(high, almostHalf), up), right);
}

/// emitRoundShift of x * multiplier (i32 each) for shifts of 33 to 62.
template <class B, class I>
I emitScaleInWords(B &b, I x, I multiplier, I shift) {
  auto product =
      named(b, b.mulI(b.extendToI64(x), b.extendToI64(multiplier)), "product");
  I high = named(b, b.truncateToI32(b.shrS(product, b.intLike(product, 32))),
                 "high");
  I low = b.truncateToI32(product);
  I rest = b.select(b.neI(low, b.intLike(low, 0)), b.intLike(low, 1),
                    b.intLike(low, 0));
  I right = named(b, b.subI(shift, b.intLike(shift, 32)), "right");
  return emitRoundUpperWord(b, high, rest, right);
}

/// A FixedScale whose numbers are i64 values of a builder.
template <class L> struct FixedFactor {
  L multiplier, shift;
};
template <class L> FixedFactor(L, L) -> FixedFactor<L>;

/// fxp.requantize in modes fixed and pow2.
template <class B, class I, class L>
auto emitRequantizeFixed(B &b, I acc, int64_t xZeroPoint,
                         const FixedFactor<L> &scale,
                         const StoredRange &range) {
  I moved = xZeroPoint ? b.subI(acc, b.intLike(acc, xZeroPoint)) : acc;
  L product = b.mulI(b.extendToI64(moved), scale.multiplier);
  return emitShiftIntoRange(b, product, scale.shift, range);
}

/// The same for sums of 64 bits, below 2^47 by magnitude: their products have
/// up to 78 bits, in an upper word of 64 and a lower one of 32.
template <class B, class L>
auto emitRequantizeWide(B &b, L acc, const FixedFactor<L> &scale,
                        const StoredRange &range) {
  L one = b.intLike(acc, 1), zero = b.intLike(acc, 0);
  L word = b.intLike(acc, 32), mask = b.intLike(acc, 0xFFFFFFFF);
  L low = b.mulI(b.andI(acc, mask), scale.multiplier); // below 2^63
  L high =
      b.addI(b.mulI(b.shrS(acc, word), scale.multiplier), b.shrS(low, word));
  L rest = b.andI(low, mask);
  auto isLong = b.ltS(word, scale.shift);
  // By 33 and more the upper word decides.
  L right = b.select(isLong, b.subI(scale.shift, word), one);
  L sticky = b.select(b.neI(rest, zero), one, zero);
  L upper = emitRoundUpperWord(b, high, sticky, right);
  // By 32 and less all of it is shifted; an upper word that is cut off here
  // saturates every format of 16 bits still.
  L most = b.intLike(acc, 1 << 28), least = b.intLike(acc, -(1 << 28));
  L whole = b.addI(b.shlI(emitClamp(b, high, least, most), word), rest);
  L shift = b.select(isLong, zero, scale.shift);
  L rounded = b.select(isLong, upper, emitRoundShift(b, whole, shift));
  return b.truncateToI32(
      emitSaturate(b, rounded, b.intLike(acc, range.zeroPoint),
                   b.intLike(acc, range.low), b.intLike(acc, range.high)));
}

/// An operand of fxp.add: i32 with its zero point taken off, and its scale, f32
/// or an i64 multiplier.
template <class I, class S> struct Scaled {
  I value;
  S scale;
};
template <class I, class S> Scaled(I, S) -> Scaled<I, S>;

/// fxp.add in mode f32.
template <class B, class I, class V>
auto emitAddScaled(B &b, const Scaled<I, V> &lhs, const Scaled<I, V> &rhs,
                   const StoredRange &range) {
  V right = b.mulF(b.intToFloat(rhs.value, rhs.scale), rhs.scale);
  V sum = b.fma(b.intToFloat(lhs.value, lhs.scale), lhs.scale, right);
  return emitRoundIntoRange(b, sum, range, /*mayBeNan=*/false);
}

/// fxp.add in modes fixed and pow2 (getCommonFixedScales).
template <class B, class I, class L>
auto emitAddFixed(B &b, const Scaled<I, L> &lhs, const Scaled<I, L> &rhs,
                  L shift, const StoredRange &range) {
  L sum = b.addI(b.mulI(b.extendToI64(lhs.value), lhs.scale),
                 b.mulI(b.extendToI64(rhs.value), rhs.scale));
  return emitShiftIntoRange(b, sum, shift, range);
}

} // namespace qopt::numerics

#endif // QOPT_NUMERICS_AFFINE_H
