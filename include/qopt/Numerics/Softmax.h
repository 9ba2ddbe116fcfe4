//===- Softmax.h - Softmax of stored bytes in integers --------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The form that targets without floats compute: exponentials of differences
// from a table, one integer division an element. Everything fits 32 bits
// without a sign.
//===----------------------------------------------------------------------===//
#ifndef QOPT_NUMERICS_SOFTMAX_H
#define QOPT_NUMERICS_SOFTMAX_H

#include "qopt/Numerics/Affine.h"
#include <cstdint>
#include <vector>

namespace qopt {

/// The most elements of a row: entries of the table keep 14 bits.
constexpr int64_t kMostSoftmaxElements = int64_t(1) << 16;

/// 256 entries, `rne(2^bits * exp(-d * scale))` for a difference d of stored
/// bytes from the largest of the row. `bits` is 22, less for rows of more than
/// 256 elements, so that 512 * entry + sum of a row is below 2^32.
std::vector<int32_t> getSoftmaxTable(float scale, int64_t elements);

namespace numerics {

/// `entry / sum` in steps of 1/256, rounded half up: 0 to 256. Both are i32
/// bits without a sign, `sum` is not 0.
template <class B, class I> I emitDivideSoftmax(B &b, I entry, I sum) {
  I dividend =
      named(b, b.addI(b.mulI(entry, b.intLike(entry, 512)), sum), "dividend");
  I divisor = named(b, b.mulI(sum, b.intLike(sum, 2)), "divisor");
  return named(b, b.divU(dividend, divisor), "part");
}

/// The stored integer of that quotient.
template <class B, class I>
I emitSoftmax(B &b, I entry, I sum, const StoredRange &range) {
  return emitSaturate(b, emitDivideSoftmax(b, entry, sum),
                      b.intLike(sum, range.zeroPoint),
                      b.intLike(sum, range.low), b.intLike(sum, range.high));
}

} // namespace numerics

} // namespace qopt

#endif // QOPT_NUMERICS_SOFTMAX_H
