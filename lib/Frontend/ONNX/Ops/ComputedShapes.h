//===- ComputedShapes.h - Integers that shapes are made of ----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Files compute shapes from shapes. Where data decide an extent, the arithmetic
// is in the graph, and handlers need to know what its elements are.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_FRONTEND_ONNX_OPS_COMPUTEDSHAPES_H
#define QOPT_LIB_FRONTEND_ONNX_OPS_COMPUTEDSHAPES_H

#include "qopt/Frontend/ONNX/OpBinder.h"

namespace qopt::frontend {

/// An element of a tensor of integers: that of another times a factor plus an
/// offset, or the offset alone (`base` is null).
struct Position {
  Value base;
  int64_t element = 0, offset = 0, factor = 1;

  /// The element of a scalar as it is.
  bool isPlain() const { return base && factor == 1 && offset == 0; }
};

/// Where an element comes from, through what only moves it, adds a constant or
/// multiplies by one. It ends at lengths that data decide.
Position trace(GraphBuilder &b, Value value, int64_t element);

/// Whether two values are one, or computed alike from the same.
bool isSame(Value a, Value b, unsigned depth = 8);

/// `value` as a constant where it is a vector or scalar of integers that are
/// all known, though computed from others that are not; else itself.
Value foldKnownElements(GraphBuilder &b, Value value);

/// An extent that a file asks for: a number, or what data decide, `length` of
/// at most `bound` positions.
struct AskedExtent {
  int64_t bound;
  Value length = {};
};

/// The most elements of a dimension that data decide.
constexpr int64_t kMostCounted = int64_t(1) << 24;

/// Element `i` of a tensor of integers as an extent: known, or a length whose
/// bound is `most`, or what the element is computed of says. None where there is
/// no bound.
std::optional<AskedExtent> askExtent(GraphBuilder &b, Value integers, int64_t i,
                                     std::optional<int64_t> most);

/// `length`, or the one that was computed alike before.
Value unifyLength(GraphBuilder &b, Value length);

/// Element `i` of a tensor of integers as a scalar of i64.
Value elementAt(GraphBuilder &b, Value integers, int64_t i);

/// The extents in input `index`, of which data decide at most one; nothing, and
/// reported, where they have no bound. They are those of output 0, counted from
/// the last.
std::optional<llvm::SmallVector<AskedExtent>>
readExtents(OpBinder &op, unsigned index, llvm::StringRef what);

/// The most that an element of integers can be, where that is known: through
/// what `trace` follows, and minima.
std::optional<int64_t> upperBound(GraphBuilder &b, Value value, int64_t element,
                                  unsigned depth = 8);

/// Whether an element is no greater than a length, as a minimum of it and
/// others.
bool isAtMost(GraphBuilder &b, Value value, int64_t element, Value length,
              unsigned depth = 8);

/// Their bounds.
Shape getBounds(ArrayRef<AskedExtent> extents);

/// `value` as another one of the same elements, whose dimension is counted as
/// `extents` say, if one of them is a length.
Value markAsked(GraphBuilder &b, Value value, ArrayRef<AskedExtent> extents);

} // namespace qopt::frontend

#endif // QOPT_LIB_FRONTEND_ONNX_OPS_COMPUTEDSHAPES_H
