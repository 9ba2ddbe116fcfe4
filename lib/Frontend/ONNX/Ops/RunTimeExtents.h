//===- RunTimeExtents.h - Operators that data give their extents ----------===//
// SPDX-License-Identifier: Apache-2.0
//
// Forms of operators whose extents are numbers of the graph.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_FRONTEND_ONNX_OPS_RUNTIMEEXTENTS_H
#define QOPT_LIB_FRONTEND_ONNX_OPS_RUNTIMEEXTENTS_H

#include "qopt/Frontend/ONNX/OpBinder.h"

namespace qopt::frontend {

/// Known or not.
llvm::LogicalResult importRange(OpBinder &op);

/// Tensors one behind the other along `axis`, of which data count the positions
/// there: as many as the file declares, or a length again.
Value concatCounted(OpBinder &op, ArrayRef<Value> values, int64_t axis);

/// 0, 1, ... n - 1.
Value countUp(GraphBuilder &b, int64_t n);

} // namespace qopt::frontend

#endif // QOPT_LIB_FRONTEND_ONNX_OPS_RUNTIMEEXTENTS_H
