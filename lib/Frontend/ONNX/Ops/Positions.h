//===- Positions.h - Indices as positions in a flattened tensor -----------===//
// SPDX-License-Identifier: Apache-2.0
//
// What gathers, scatters and slices at run time share.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_FRONTEND_ONNX_OPS_POSITIONS_H
#define QOPT_LIB_FRONTEND_ONNX_OPS_POSITIONS_H

#include "qopt/Frontend/ONNX/OpBinder.h"

namespace qopt::frontend {

/// Negative indices counted from the end, as i64.
Value normalizeIndices(OpBinder &op, Value indices, int64_t extent);

/// Negative indices counted from the end of so many positions, as i64.
Value countFromEnd(GraphBuilder &b, Value indices, Value extent);

/// `x` moved by so many positions along `axis`; `fill` moves in.
Value shiftAxis(GraphBuilder &b, Value x, int64_t axis, int64_t by,
                double fill = 0);

/// Sums (`add`) or products (`mul`) of all positions up to each along `axis`, or
/// from each on.
Value accumulate(GraphBuilder &b, BinaryKind kind, Value x, int64_t axis,
                 bool isReverse);

/// How far apart two neighbours along `axis` are in row-major order.
int64_t getStride(ArrayRef<int64_t> shape, int64_t axis);

/// For every element of `shape`, its position in a tensor of extents `within`
/// as if its coordinate along `axis` were 0.
Tensor getRowPositions(ArrayRef<int64_t> shape, ArrayRef<int64_t> within,
                       int64_t axis);

/// x[.., indices[..], ..] element by element: each element of `indices`, of x's
/// rank, stands for its coordinate along `axis`. Values in [-extent, extent).
Value gatherElements(OpBinder &op, Value x, Value indices, int64_t axis);

} // namespace qopt::frontend

#endif // QOPT_LIB_FRONTEND_ONNX_OPS_POSITIONS_H
