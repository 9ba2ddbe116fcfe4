//===- FixedPoint.h - Requantization modes --------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// How an accumulator becomes a stored integer: `f32`, `fixed<B>` and `pow2`.
// The mode belongs to the quantized model; a backend never changes it.
//===----------------------------------------------------------------------===//
#ifndef QOPT_NUMERICS_FIXEDPOINT_H
#define QOPT_NUMERICS_FIXEDPOINT_H

#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <optional>
#include <utility>

namespace qopt {

struct RequantizeMode {
  enum Kind { F32, Fixed, Pow2 };
  Kind kind = F32;
  /// Bits of the multiplier, for Fixed: 2 to 31.
  unsigned bits = 0;
};

/// "f32", "fixed" (with bits) or "pow2".
std::optional<RequantizeMode> parseRequantizeMode(llvm::StringRef kind,
                                                  unsigned bits);

/// `acc * multiplier / 2^shift`, rounded once, half to even. The product of
/// any i32 with the multiplier fits i64: |multiplier| <= 2^31. A negative
/// multiplier subtracts (fxp.add).
struct FixedScale {
  int64_t multiplier = 0;
  unsigned shift = 0; ///< 0 to 62

  bool operator==(const FixedScale &other) const {
    return multiplier == other.multiplier && shift == other.shift;
  }
};

/// The nearest scale that the mode (Fixed or Pow2) can express: the mantissa
/// is rounded half to even to B bits, or the power of two nearest by ratio is
/// taken. Exact for B >= 24. Scales too small for any i32 to round to nonzero
/// become 0; scales above 2^30 become 2^30, which saturates every format.
FixedScale getFixedScale(float scale, RequantizeMode mode);

/// Two scales over one power of two, that of the larger; the smaller
/// multiplier is rounded half to even to the same grid (Fixed), or shifted
/// (Pow2). The shifts are equal.
std::pair<FixedScale, FixedScale> getCommonFixedScales(float lhs, float rhs,
                                                       RequantizeMode mode);

/// product / 2^shift rounded half to even; shift in [0, 62] and
/// |product| <= 2^62.
int64_t shiftRightHalfEven(int64_t product, unsigned shift);

/// Bias of an integer accumulation, `rne(value / (xScale * weightScale))`
/// saturated to i32. Double precision: the quotient of a float by an exact
/// product of two floats is rounded before it is rounded to an integer, the
/// same on every host.
int32_t quantizeBias(double value, float xScale, float weightScale);

/// `f32(xScale * weightScale / resultScale)`, computed in double: the scale of
/// the requantization after a convolution, matmul or product.
float getRequantizeScale(float xScale, float weightScale, float resultScale);

} // namespace qopt

#endif // QOPT_NUMERICS_FIXEDPOINT_H
