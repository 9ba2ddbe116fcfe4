//===- Selection.h - Order of elements, overlap of boxes ------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What qg.top_k and qg.suppress compute on scalars, written once over a builder
// (Elementwise.h) for reference semantics and compiled code.
//===----------------------------------------------------------------------===//
#ifndef QOPT_NUMERICS_SELECTION_H
#define QOPT_NUMERICS_SELECTION_H

#include "qopt/Numerics/Elementwise.h"
#include <array>

namespace qopt::numerics {

/// Whether the float `a` comes before the float `b`, wherever they stand: in
/// descending order with `isMax`, else in ascending order. NaN is the greatest.
template <class B, class V> auto emitIsBeforeFloat(B &b, bool isMax, V x, V y) {
  V low = isMax ? y : x, high = isMax ? x : y;
  auto highIsNan = b.andB(b.neF(high, high), b.eqF(low, low));
  return b.orB(b.ltF(low, high), highIsNan);
}

/// The same of integers.
template <class B, class V>
auto emitIsBeforeInt(B &b, bool isMax, V x, V y, bool isUnsigned) {
  V low = isMax ? y : x, high = isMax ? x : y;
  return isUnsigned ? b.ltU(low, high) : b.ltS(low, high);
}

/// Two corners of a box: (0, 1) and (2, 3) of its four numbers.
template <class V> using Box = std::array<V, 4>;

/// Intersection over union of two boxes is greater than `limit`.
template <class B, class V>
auto emitOverlaps(B &b, const Box<V> &x, const Box<V> &y, V limit) {
  auto low = [&](const Box<V> &box, unsigned i) {
    return b.minimumF(box[i], box[i + 2]);
  };
  auto high = [&](const Box<V> &box, unsigned i) {
    return b.maximumF(box[i], box[i + 2]);
  };
  auto area = [&](const Box<V> &box) {
    return b.mulF(b.subF(high(box, 0), low(box, 0)),
                  b.subF(high(box, 1), low(box, 1)));
  };
  auto common = [&](unsigned i) {
    return b.subF(b.minimumF(high(x, i), high(y, i)),
                  b.maximumF(low(x, i), low(y, i)));
  };
  V zero = b.floatLike(limit, 0);
  V height = common(0), width = common(1);
  V intersection = b.mulF(height, width), first = area(x), second = area(y);
  V all = b.subF(b.addF(first, second), intersection);
  auto isPositive = b.andB(b.gtF(height, zero), b.gtF(width, zero));
  for (V part : {first, second, all})
    isPositive = b.andB(isPositive, b.gtF(part, zero));
  // No division by an area of 0: its result would not be looked at.
  V divisor = b.select(isPositive, all, b.floatLike(limit, 1));
  return b.andB(isPositive, b.gtF(b.divF(intersection, divisor), limit));
}

} // namespace qopt::numerics

#endif // QOPT_NUMERICS_SELECTION_H
