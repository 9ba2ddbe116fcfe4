//===- Counted.h - Positions behind the last that counts ------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Handlers that mix the positions of a dimension whose extent data decide give
// those behind the last an element that changes nothing.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_FRONTEND_ONNX_OPS_COUNTED_H
#define QOPT_LIB_FRONTEND_ONNX_OPS_COUNTED_H

#include "qopt/Frontend/ONNX/OpBinder.h"

namespace qopt::frontend {

/// The dimension of `x` that has a length, where it is one of `axes`.
std::optional<CountedDim> countedAmong(GraphBuilder &b, Value x,
                                       ArrayRef<int64_t> axes);

/// Which of `extent` positions of `dim` count, of a tensor of that rank: i1, 1 in
/// all other dimensions.
Value markFirst(GraphBuilder &b, int64_t extent, CountedDim dim, int64_t rank);

/// What stands behind the last position.
enum class Rest {
  Lowest,
  Highest,
  Last, ///< in ascending order: behind NaN, too
  Zero,
  One
};

/// `x` with such elements behind the last position that counts: all positions
/// of the result do. `x` itself where it has no length.
Value fillRest(GraphBuilder &b, Value x, Rest rest);

/// Indices into a dimension of `x`, negative ones counted from the last
/// position that counts: i64, none of them negative. Null, and reported, where
/// they could not be into any.
Value normalizeInto(OpBinder &op, Value x, int64_t axis, Value indices);

} // namespace qopt::frontend

#endif // QOPT_LIB_FRONTEND_ONNX_OPS_COUNTED_H
