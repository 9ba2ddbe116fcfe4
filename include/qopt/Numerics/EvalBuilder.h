//===- EvalBuilder.h - Scalar functions computed on host numbers ----------===//
// SPDX-License-Identifier: Apache-2.0
//
// The builder of Elementwise.h whose values are C++ numbers: what the
// interpreter, constant folding and lookup tables use.
//===----------------------------------------------------------------------===//
#ifndef QOPT_NUMERICS_EVALBUILDER_H
#define QOPT_NUMERICS_EVALBUILDER_H

#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace qopt {

/// Debug builds inline nothing else, and a host loop over a call per operation
/// would be many times slower. Functions that may run with another instruction
/// set (target_clones) also need it: only inlined code takes their features.
#define QOPT_INLINE __attribute__((always_inline)) inline

/// Floats are `float` or `double`; integers are signed of any width, and the
/// operations that depend on signedness have it in their name. A truth value
/// is `bool`. See Elementwise.h for what each operation means.
struct EvalBuilder {
  template <typename T>
  using Bits = std::conditional_t<std::is_same_v<T, double>, int64_t, int32_t>;
  template <typename I> using U = std::make_unsigned_t<I>;

  template <typename T> QOPT_INLINE bool isDouble(T) const {
    return std::is_same_v<T, double>;
  }
  template <typename I> QOPT_INLINE unsigned getWidth(I) const {
    return std::is_same_v<I, bool> ? 1 : 8 * sizeof(I);
  }
  template <typename T> QOPT_INLINE T floatLike(T, double value) const {
    return T(value);
  }
  template <typename I> QOPT_INLINE I intLike(I, int64_t value) const {
    return I(value);
  }

  template <typename T> QOPT_INLINE T addF(T a, T b) const { return a + b; }
  template <typename T> QOPT_INLINE T subF(T a, T b) const { return a - b; }
  template <typename T> QOPT_INLINE T mulF(T a, T b) const { return a * b; }
  template <typename T> QOPT_INLINE T divF(T a, T b) const { return a / b; }
  QOPT_INLINE float fma(float a, float b, float c) const {
    return __builtin_fmaf(a, b, c);
  }
  QOPT_INLINE double fma(double a, double b, double c) const {
    return __builtin_fma(a, b, c);
  }
  template <typename T> QOPT_INLINE T negF(T a) const { return -a; }
  template <typename T> QOPT_INLINE T absF(T a) const { return std::abs(a); }
  template <typename T> QOPT_INLINE T sqrtF(T a) const { return std::sqrt(a); }
  template <typename T> QOPT_INLINE T floorF(T a) const {
    return std::floor(a);
  }
  template <typename T> QOPT_INLINE T ceilF(T a) const { return std::ceil(a); }
  template <typename T> QOPT_INLINE T truncF(T a) const {
    return std::trunc(a);
  }
  // nearbyint in the default rounding mode, which nobody here changes.
  template <typename T> QOPT_INLINE T roundEvenF(T a) const {
    return std::nearbyint(a);
  }
  template <typename T> QOPT_INLINE T copySign(T magnitude, T sign) const {
    return std::copysign(magnitude, sign);
  }
  template <typename T> QOPT_INLINE T minimumF(T a, T b) const {
    T ordered = a < b ? a : b < a ? b : std::signbit(a) ? a : b;
    return a != a ? a : b != b ? b : ordered;
  }
  template <typename T> QOPT_INLINE T maximumF(T a, T b) const {
    T ordered = a > b ? a : b > a ? b : std::signbit(a) ? b : a;
    return a != a ? a : b != b ? b : ordered;
  }

  template <typename T> QOPT_INLINE bool eqF(T a, T b) const { return a == b; }
  template <typename T> QOPT_INLINE bool neF(T a, T b) const { return a != b; }
  template <typename T> QOPT_INLINE bool ltF(T a, T b) const { return a < b; }
  template <typename T> QOPT_INLINE bool leF(T a, T b) const { return a <= b; }
  template <typename T> QOPT_INLINE bool gtF(T a, T b) const { return a > b; }
  template <typename T> QOPT_INLINE bool geF(T a, T b) const { return a >= b; }

  template <typename I> QOPT_INLINE I addI(I a, I b) const {
    return I(U<I>(a) + U<I>(b));
  }
  template <typename I> QOPT_INLINE I subI(I a, I b) const {
    return I(U<I>(a) - U<I>(b));
  }
  template <typename I> QOPT_INLINE I mulI(I a, I b) const {
    return I(uint64_t(a) * uint64_t(b));
  }
  // The divisions never see a zero divisor or min / -1 (emitBinaryInt).
  template <typename I> QOPT_INLINE I divS(I a, I b) const { return I(a / b); }
  template <typename I> QOPT_INLINE I divU(I a, I b) const {
    return I(U<I>(a) / U<I>(b));
  }
  template <typename I> QOPT_INLINE I remS(I a, I b) const { return I(a % b); }
  template <typename I> QOPT_INLINE I remU(I a, I b) const {
    return I(U<I>(a) % U<I>(b));
  }
  template <typename I> QOPT_INLINE I andI(I a, I b) const { return I(a & b); }
  template <typename I> QOPT_INLINE I orI(I a, I b) const { return I(a | b); }
  template <typename I> QOPT_INLINE I xorI(I a, I b) const { return I(a ^ b); }
  // Amounts are below the width (emitBinaryInt).
  template <typename I> QOPT_INLINE I shlI(I a, I b) const {
    return I(U<I>(a) << U<I>(b));
  }
  template <typename I> QOPT_INLINE I shrS(I a, I b) const {
    return I(a >> U<I>(b));
  }
  template <typename I> QOPT_INLINE I shrU(I a, I b) const {
    return I(U<I>(a) >> U<I>(b));
  }
  template <typename I> QOPT_INLINE bool eqI(I a, I b) const { return a == b; }
  template <typename I> QOPT_INLINE bool neI(I a, I b) const { return a != b; }
  template <typename I> QOPT_INLINE bool ltS(I a, I b) const { return a < b; }
  template <typename I> QOPT_INLINE bool ltU(I a, I b) const {
    return U<I>(a) < U<I>(b);
  }

  template <typename T> QOPT_INLINE T select(bool c, T a, T b) const {
    return c ? a : b;
  }
  QOPT_INLINE bool andB(bool a, bool b) const { return a & b; }
  QOPT_INLINE bool orB(bool a, bool b) const { return a | b; }
  QOPT_INLINE bool xorB(bool a, bool b) const { return a ^ b; }

  template <typename T> QOPT_INLINE Bits<T> bitsOf(T value) const {
    Bits<T> bits;
    std::memcpy(&bits, &value, sizeof(bits));
    return bits;
  }
  template <typename T> QOPT_INLINE T fromBits(Bits<T> bits, T) const {
    T value;
    std::memcpy(&value, &bits, sizeof(value));
    return value;
  }
  /// Signed integer (32 or 64 bits) to float of the second argument's type.
  template <typename I, typename T> QOPT_INLINE T intToFloat(I value, T) const {
    return T(value);
  }
  template <typename I, typename T>
  QOPT_INLINE T unsignedToFloat(I value, T) const {
    return T(U<I>(value));
  }
  /// Truncates; the value must be in the range of the result.
  template <typename T, typename I> QOPT_INLINE I floatToInt(T value, I) const {
    return I(value);
  }
  template <typename T, typename I>
  QOPT_INLINE I floatToUnsigned(T value, I) const {
    return I(U<I>(value));
  }
  template <typename T> QOPT_INLINE double toDouble(T value) const {
    return value;
  }
  template <typename T> QOPT_INLINE T fromDouble(double value, T) const {
    return T(value);
  }
  template <typename I> QOPT_INLINE int64_t extendToI64(I value) const {
    return value;
  }
  QOPT_INLINE int32_t truncateToI32(int64_t value) const {
    return int32_t(value);
  }
};

} // namespace qopt

#endif // QOPT_NUMERICS_EVALBUILDER_H
