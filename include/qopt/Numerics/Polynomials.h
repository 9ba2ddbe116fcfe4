//===- Polynomials.h - exp, log, erf, trigonometry without libm -----------===//
// SPDX-License-Identifier: Apache-2.0
//
// Straight-line definitions of the transcendental functions over a builder
// (Elementwise.h), so that interpreter and compiled code agree in every bit
// and loops over them vectorize. f32 is computed in f32, f64 in f64.
//
// Largest errors found by test/unit/ElementwiseTest.cpp stand there as bounds.
//===----------------------------------------------------------------------===//
#ifndef QOPT_NUMERICS_POLYNOMIALS_H
#define QOPT_NUMERICS_POLYNOMIALS_H

#include <cstdint>
#include <initializer_list>
#include <utility>

namespace qopt::numerics {

/// Horner's rule with fused multiply-adds, highest coefficient first.
template <class B, class V>
V emitHorner(B &b, V x, std::initializer_list<double> coefficients) {
  const double *it = coefficients.begin();
  V sum = b.floatLike(x, *it);
  while (++it != coefficients.end())
    sum = b.fma(sum, x, b.floatLike(x, *it));
  return sum;
}

/// x rounded to an integer: as a float, and as an integer of the same width.
/// Adding 1.5 * 2^(mantissa bits) leaves the integer in the low bits of the
/// sum; unlike a conversion this is defined (garbage, then NaN) for NaN.
/// |x| < 2^22 (2^51).
template <class B, class V> auto emitRoundToInt(B &b, V x) {
  V magic = b.floatLike(x, b.isDouble(x) ? 0x1.8p52 : 0x1.8p23);
  V sum = b.addF(x, magic);
  return std::make_pair(b.subF(sum, magic),
                        b.subI(b.bitsOf(sum), b.bitsOf(magic)));
}

/// 2^n for n in the range of normal exponents.
template <class B, class V, class I> V emitPowerOfTwo(B &b, I n, V like) {
  int64_t bias = b.isDouble(like) ? 1023 : 127;
  int64_t mantissa = b.isDouble(like) ? 52 : 23;
  return b.fromBits(
      b.shlI(b.addI(n, b.intLike(n, bias)), b.intLike(n, mantissa)), like);
}

/// x * 2^n in two steps, which reach subnormal numbers and infinity.
template <class B, class V, class I> V emitScale(B &b, V x, I n) {
  I half = b.shrS(n, b.intLike(n, 1));
  V once = b.mulF(x, emitPowerOfTwo(b, half, x));
  return b.mulF(once, emitPowerOfTwo(b, b.subI(n, half), x));
}

/// e^x = 2^n * (1 + p): Cody-Waite reduction by ln 2 in two parts, Taylor
/// series on |r| <= ln(2)/2 (truncated at 5e-9 relative, 4e-18 for f64).
template <class B, class V> auto emitExpParts(B &b, V x) {
  bool wide = b.isDouble(x);
  // Beyond these everything is 0 or infinity; NaN stays NaN.
  V low = b.floatLike(x, wide ? -750.0 : -105.0);
  V high = b.floatLike(x, wide ? 711.0 : 90.0);
  x = b.minimumF(b.maximumF(x, low), high);
  auto [n, integer] =
      emitRoundToInt(b, b.mulF(x, b.floatLike(x, 1.4426950408889634074)));
  V minus = b.negF(n);
  V r = b.fma(minus,
              b.floatLike(x, wide ? 0x1.62e42fefa39efp-1 : 0x1.62e430p-1), x);
  r = b.fma(minus,
            b.floatLike(x, wide ? 0x1.abc9e3b39803fp-56 : -0x1.05c610p-29), r);
  V tail =
      wide ? emitHorner(b, r,
                        {1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800,
                         1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040,
                         1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 0.5})
           : emitHorner(
                 b, r,
                 {1.0 / 5040, 1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 0.5});
  V p = b.fma(b.mulF(r, r), tail, r);
  return std::make_pair(p, integer);
}

/// As emitScale, but where nothing is left the second factor is 0: a product
/// that underflows takes x86 some 150 cycles, and e^x of an attention's mask is
/// nothing else. 2^n * (1 + p) with 1 + p < 1.42 rounds to 0 for n < -150
/// (-1075).
template <class B, class V> V emitExp(B &b, V x) {
  auto [p, n] = emitExpParts(b, x);
  auto half = b.shrS(n, b.intLike(n, 1));
  V once = b.mulF(b.addF(p, b.floatLike(x, 1)), emitPowerOfTwo(b, half, x));
  auto vanishes = b.ltS(n, b.intLike(n, b.isDouble(x) ? -1075 : -150));
  return b.mulF(once, b.select(vanishes, b.floatLike(x, 0),
                               emitPowerOfTwo(b, b.subI(n, half), x)));
}

/// e^x - 1 without cancellation; for x <= 88 (700).
template <class B, class V> V emitExpMinusOne(B &b, V x) {
  auto [p, n] = emitExpParts(b, x);
  V power = emitPowerOfTwo(b, n, x);
  return b.fma(power, p, b.subF(power, b.floatLike(x, 1)));
}

/// log(x): x = 2^k (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)), the series of
/// 2 atanh(s) with s = f / (2 + f), arranged as in fdlibm to keep the leading
/// terms exact.
template <class B, class V> V emitLog(B &b, V x) {
  bool wide = b.isDouble(x);
  int64_t mantissa = wide ? 52 : 23;
  V one = b.floatLike(x, 1), zero = b.floatLike(x, 0);
  // Subnormal arguments are scaled into the normal range.
  auto tiny = b.ltF(x, b.floatLike(x, wide ? 0x1p-1022 : 0x1p-126));
  V scaled =
      b.select(tiny, b.mulF(x, b.floatLike(x, wide ? 0x1p54 : 0x1p25)), x);
  auto bits = b.bitsOf(scaled);
  // Subtracting the bits of sqrt(1/2) makes the exponent field k.
  auto base = b.bitsOf(b.floatLike(x, 0.70710678118654752440));
  auto k = b.shrS(b.subI(bits, base), b.intLike(bits, mantissa));
  V m = b.fromBits(b.subI(bits, b.shlI(k, b.intLike(bits, mantissa))), x);
  k = b.subI(k, b.select(tiny, b.intLike(k, wide ? 54 : 25), b.intLike(k, 0)));
  V exponent = b.intToFloat(k, x);
  V f = b.subF(m, one);
  V s = b.divF(f, b.addF(f, b.floatLike(x, 2)));
  V z = b.mulF(s, s);
  V series =
      wide
          ? emitHorner(b, z,
                       {2.0 / 23, 2.0 / 21, 2.0 / 19, 2.0 / 17, 2.0 / 15,
                        2.0 / 13, 2.0 / 11, 2.0 / 9, 2.0 / 7, 2.0 / 5, 2.0 / 3})
          : emitHorner(b, z, {2.0 / 9, 2.0 / 7, 2.0 / 5, 2.0 / 3});
  V r = b.mulF(z, series);
  V half = b.mulF(b.mulF(f, f), b.floatLike(x, 0.5));
  // log = k ln2_hi + (f - (half - (s (half + r) + k ln2_lo)))
  V lower = b.fma(
      exponent,
      b.floatLike(x, wide ? 1.90821492927058770002e-10 : 1.428606765330187e-06),
      b.mulF(s, b.addF(half, r)));
  V inner = b.subF(f, b.subF(half, lower));
  V result = b.fma(
      exponent,
      b.floatLike(x, wide ? 6.93147180369123816490e-01 : 0.693145751953125),
      inner);
  V infinity = b.floatLike(x, __builtin_inf());
  result = b.select(b.eqF(x, infinity), infinity, result);
  result = b.select(b.eqF(x, zero), b.negF(infinity), result);
  V nan = b.floatLike(x, __builtin_nan(""));
  return b.select(b.geF(x, zero), result, nan);
}

/// log(1 + x): the rounding error of 1 + x is put back to first order.
template <class B, class V> V emitLogOnePlus(B &b, V x) {
  V one = b.floatLike(x, 1);
  V u = b.addF(x, one);
  V infinity = b.floatLike(x, __builtin_inf());
  V correction = b.divF(b.subF(x, b.subF(u, one)), u);
  V log = emitLog(b, u);
  auto exact = b.orB(b.eqF(u, infinity), b.eqF(u, b.floatLike(x, 0)));
  return b.select(exact, log, b.addF(log, correction));
}

/// tanh|x| = m / (m + 2) with m = e^(2|x|) - 1; 1 within rounding beyond 10
/// (20).
template <class B, class V> V emitTanh(B &b, V x) {
  V limit = b.floatLike(x, b.isDouble(x) ? 20 : 10);
  V magnitude = b.minimumF(b.absF(x), limit);
  V m = emitExpMinusOne(b, b.addF(magnitude, magnitude));
  return b.copySign(b.divF(m, b.addF(m, b.floatLike(x, 2))), x);
}

/// 1 / (1 + e^-x), with e^-|x| so that small results keep their precision.
template <class B, class V> V emitSigmoid(B &b, V x) {
  V one = b.floatLike(x, 1);
  V e = emitExp(b, b.negF(b.absF(x)));
  V numerator = b.select(b.ltF(x, b.floatLike(x, 0)), e, one);
  return b.divF(numerator, b.addF(one, e));
}

/// x + x P(x^2) below 1, 1 - t e^(-x^2) Q(t) with t = 1 / (1 + x/2) above
/// (Chebyshev fits: 1.3e-9 and 2.4e-8; f64 1.4e-19 and 3.2e-16).
template <class B, class V> V emitErf(B &b, V x) {
  bool wide = b.isDouble(x);
  V one = b.floatLike(x, 1);
  V magnitude = b.minimumF(b.absF(x), b.floatLike(x, 6));
  V square = b.mulF(magnitude, magnitude);
  V near = wide ? emitHorner(b, square,
                             {5.9571761477489114e-11, -1.13728488567916737e-9,
                              1.46597752740474358e-8, -1.6350312701054695e-7,
                              1.6461000484121368e-6, -0.0000149255952668311816,
                              0.000120553311116427109, -0.000854832698083378991,
                              0.00522397762481801447, -0.0268661706450767932,
                              0.112837916709548787, -0.376126389031837481,
                              0.12837916709551257})
                : emitHorner(b, square,
                             {7.875875063e-5, -0.0008016864287, 0.005189087423,
                              -0.02685421201, 0.1128359472, -0.3761262667,
                              0.128379166});
  near = b.fma(near, magnitude, magnitude);
  V t = b.divF(one, b.fma(magnitude, b.floatLike(x, 0.5), one));
  V u = b.subF(t, b.floatLike(x, 0.5));
  V far = wide ? emitHorner(b, u,
                            {0.0455989585243395675, 0.0698769693855200113,
                             -0.0489584930955087726, -0.0356606240657933881,
                             0.0741177591362983876, -0.00876960506365233062,
                             -0.0848757699035778134, 0.0535863848868169092,
                             0.0988996044408040031, -0.103666955933063963,
                             -0.172085295184250744, 0.145768926007342074,
                             0.558944185112214617, 0.687160684413833184,
                             0.51079135262101145})
               : emitHorner(b, u,
                            {0.07384420535, -0.1016866243, -0.1710584633,
                             0.1457476344, 0.5589326183, 0.6871607745,
                             0.5107913722});
  V complement = b.mulF(b.mulF(far, t), emitExp(b, b.negF(square)));
  V result = b.select(b.leF(magnitude, one), near, b.subF(one, complement));
  return b.copySign(b.select(b.neF(x, x), x, result), x);
}

/// sin and cos of the argument reduced by multiples of pi/2, and the number of
/// quarter turns. Three-part Cody-Waite with fused multiply-adds: accurate for
/// |x| <= 2^13 (2^30); beyond, the result stays in [-1, 1] but loses digits.
template <class B, class V> auto emitSinCosParts(B &b, V x) {
  bool wide = b.isDouble(x);
  auto [n, quarter] =
      emitRoundToInt(b, b.mulF(x, b.floatLike(x, 0.63661977236758134308)));
  V minus = b.negF(n);
  V r = b.fma(minus,
              b.floatLike(x, wide ? 0x1.921fb54442d18p+0 : 0x1.921fb6p+0), x);
  r = b.fma(minus,
            b.floatLike(x, wide ? 0x1.1a62633145c07p-54 : -0x1.777a5cp-25), r);
  r = b.fma(minus,
            b.floatLike(x, wide ? -0x1.f1976b7ed8fbcp-110 : -0x1.ee59dap-50),
            r);
  // Arguments too large to reduce leave |r| > 1: keep the result bounded.
  V bound = b.floatLike(x, 1);
  r = b.maximumF(b.minimumF(r, bound), b.negF(bound));
  V z = b.mulF(r, r);
  V sine =
      wide ? emitHorner(b, z,
                        {1.0 / 355687428096000, -1.0 / 1307674368000,
                         1.0 / 6227020800, -1.0 / 39916800, 1.0 / 362880,
                         -1.0 / 5040, 1.0 / 120, -1.0 / 6})
           : emitHorner(b, z, {1.0 / 362880, -1.0 / 5040, 1.0 / 120, -1.0 / 6});
  sine = b.fma(b.mulF(sine, z), r, r);
  V cosine = wide ? emitHorner(b, z,
                               {1.0 / 20922789888000, -1.0 / 87178291200,
                                1.0 / 479001600, -1.0 / 3628800, 1.0 / 40320,
                                -1.0 / 720, 1.0 / 24, -0.5})
                  : emitHorner(b, z,
                               {-1.0 / 3628800, 1.0 / 40320, -1.0 / 720,
                                1.0 / 24, -0.5});
  cosine = b.fma(cosine, z, b.floatLike(x, 1));
  return std::make_pair(std::make_pair(sine, cosine), quarter);
}

/// sin(x + turns * pi/2).
template <class B, class V> V emitSine(B &b, V x, int64_t turns) {
  auto [parts, counted] = emitSinCosParts(b, x);
  auto quarter = b.addI(counted, b.intLike(counted, turns));
  auto zero = b.intLike(quarter, 0);
  auto odd = b.neI(b.andI(quarter, b.intLike(quarter, 1)), zero);
  auto down = b.neI(b.andI(quarter, b.intLike(quarter, 2)), zero);
  V value = b.select(odd, parts.second, parts.first);
  value = b.select(down, b.negF(value), value);
  // The reduction loses the sign of zero.
  return turns ? value : b.select(b.eqF(x, b.floatLike(x, 0)), x, value);
}

template <class B, class V> V emitTan(B &b, V x) {
  auto [parts, quarter] = emitSinCosParts(b, x);
  auto odd =
      b.neI(b.andI(quarter, b.intLike(quarter, 1)), b.intLike(quarter, 0));
  V numerator = b.select(odd, b.negF(parts.second), parts.first);
  V value = b.divF(numerator, b.select(odd, parts.first, parts.second));
  return b.select(b.eqF(x, b.floatLike(x, 0)), x, value);
}

/// Reduced to [0, tan(pi/8)] by atan(x) = pi/2 - atan(1/x) and
/// pi/4 + atan((x-1)/(x+1)), then x P(x^2) (fits: 1.9e-8, f64 1.3e-18).
template <class B, class V> V emitAtan(B &b, V x) {
  bool wide = b.isDouble(x);
  V one = b.floatLike(x, 1), zero = b.floatLike(x, 0);
  V magnitude = b.absF(x);
  auto large = b.gtF(magnitude, one);
  V t = b.select(large, b.divF(one, magnitude), magnitude);
  auto middle = b.gtF(t, b.floatLike(x, 0.41421356237309504880));
  V r = b.select(middle, b.divF(b.subF(t, one), b.addF(t, one)), t);
  V z = b.mulF(r, r);
  V p = wide ? emitHorner(b, z,
                          {-0.0178047739605094292, 0.0379646950702134864,
                           -0.0503508058911342659, 0.0584687350341150896,
                           -0.0666295116272792709, 0.0769204527429199827,
                           -0.0909089680591216129, 0.111111107448106473,
                           -0.142857142792480543, 0.19999999999940869,
                           -0.333333333333331211})
             : emitHorner(
                   b, z,
                   {0.07976187945, -0.1384845888, 0.1997407952, -0.3333278569});
  p = b.fma(b.mulF(p, z), r, r);
  V quarter = b.floatLike(x, 0.78539816339744830962);
  p = b.addF(p, b.select(middle, quarter, zero));
  V half = b.floatLike(x, 1.57079632679489661923);
  p = b.select(large, b.subF(half, p), p);
  return b.copySign(p, x);
}

/// atan(x / sqrt(1 - x^2)).
template <class B, class V> V emitAsin(B &b, V x) {
  V one = b.floatLike(x, 1);
  V product = b.mulF(b.subF(one, x), b.addF(one, x));
  return emitAtan(b, b.divF(x, b.sqrtF(product)));
}

/// 2 atan(sqrt((1 - x) / (1 + x))).
template <class B, class V> V emitAcos(B &b, V x) {
  V one = b.floatLike(x, 1);
  V t = b.sqrtF(b.divF(b.subF(one, x), b.addF(one, x)));
  V half = emitAtan(b, t);
  return b.addF(half, half);
}

/// h - 1/(4h) with h = e^|x| / 2 above 1, (m + m / (m + 1)) / 2 with
/// m = e^|x| - 1 below.
template <class B, class V> V emitSinh(B &b, V x) {
  V one = b.floatLike(x, 1);
  V magnitude = b.absF(x);
  auto [p, n] = emitExpParts(b, magnitude);
  V h = emitScale(b, b.addF(p, one), b.subI(n, b.intLike(n, 1)));
  V large = b.subF(h, b.divF(b.floatLike(x, 0.25), h));
  V m = emitExpMinusOne(b, b.minimumF(magnitude, one));
  V small = b.mulF(b.addF(m, b.divF(m, b.addF(m, one))), b.floatLike(x, 0.5));
  return b.copySign(b.select(b.gtF(magnitude, one), large, small), x);
}

template <class B, class V> V emitCosh(B &b, V x) {
  V one = b.floatLike(x, 1);
  auto [p, n] = emitExpParts(b, b.absF(x));
  V h = emitScale(b, b.addF(p, one), b.subI(n, b.intLike(n, 1)));
  return b.addF(h, b.divF(b.floatLike(x, 0.25), h));
}

/// log(1 + |x| + x^2 / (1 + sqrt(1 + x^2))); log|x| + ln 2 where x^2 is large.
template <class B, class V> V emitAsinh(B &b, V x) {
  V one = b.floatLike(x, 1);
  V magnitude = b.absF(x);
  V limit = b.floatLike(x, b.isDouble(x) ? 0x1p30 : 0x1p14);
  auto large = b.gtF(magnitude, limit);
  V bounded = b.minimumF(magnitude, limit);
  V square = b.mulF(bounded, bounded);
  V root = b.sqrtF(b.addF(square, one));
  V small = b.addF(bounded, b.divF(square, b.addF(root, one)));
  V log = b.addF(emitLog(b, magnitude), b.floatLike(x, 0.69314718055994530942));
  return b.copySign(b.select(large, log, emitLogOnePlus(b, small)), x);
}

/// log(1 + t + sqrt(2 t + t^2)) with t = x - 1.
template <class B, class V> V emitAcosh(B &b, V x) {
  V t = b.subF(x, b.floatLike(x, 1));
  V limit = b.floatLike(x, b.isDouble(x) ? 0x1p30 : 0x1p14);
  V bounded = b.minimumF(t, limit);
  V root = b.sqrtF(b.mulF(bounded, b.addF(bounded, b.floatLike(x, 2))));
  V log = b.addF(emitLog(b, x), b.floatLike(x, 0.69314718055994530942));
  V small = emitLogOnePlus(b, b.addF(bounded, root));
  return b.select(b.gtF(t, limit), log, small);
}

/// log(1 + 2 |x| / (1 - |x|)) / 2.
template <class B, class V> V emitAtanh(B &b, V x) {
  V magnitude = b.absF(x);
  V twice = b.addF(magnitude, magnitude);
  V argument = b.divF(twice, b.subF(b.floatLike(x, 1), magnitude));
  V result = b.mulF(emitLogOnePlus(b, argument), b.floatLike(x, 0.5));
  return b.copySign(result, x);
}

/// |x|^y = e^(y log|x|), with the cases of C99. f32 is computed in f64 and
/// rounded once more; f64 has an error of |y log x| ulp.
template <class B, class V> V emitPow(B &b, V narrowX, V narrowY) {
  auto x = b.toDouble(narrowX), y = b.toDouble(narrowY);
  auto one = b.floatLike(x, 1), zero = b.floatLike(x, 0);
  auto magnitude = b.absF(x);
  auto power = emitExp(b, b.mulF(y, emitLog(b, magnitude)));
  // An odd integer y keeps the sign of x, another integer drops it.
  auto halfY = b.mulF(y, b.floatLike(y, 0.5));
  auto isInteger = b.eqF(b.truncF(y), y);
  auto isOdd = b.andB(isInteger, b.neF(b.truncF(halfY), halfY));
  auto signedPower = b.select(isOdd, b.copySign(power, x), power);
  auto nan = b.floatLike(x, __builtin_nan(""));
  auto finiteNegative =
      b.andB(b.ltF(x, zero), b.neF(magnitude, b.floatLike(x, __builtin_inf())));
  auto undefined = b.andB(finiteNegative, b.neF(b.truncF(y), y));
  auto result = b.select(undefined, nan, signedPower);
  auto unitBase = b.andB(b.eqF(magnitude, one),
                         b.eqF(b.absF(y), b.floatLike(y, __builtin_inf())));
  auto isOne = b.orB(b.orB(b.eqF(y, zero), b.eqF(x, one)), unitBase);
  return b.fromDouble(b.select(isOne, one, result), narrowX);
}

} // namespace qopt::numerics

#endif // QOPT_NUMERICS_POLYNOMIALS_H
