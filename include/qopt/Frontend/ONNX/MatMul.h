//===- MatMul.h - Matrix products shared by handlers ----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// NumPy's matmul on any ranks, for the float, quantized and integer ops.
//===----------------------------------------------------------------------===//
#ifndef QOPT_FRONTEND_ONNX_MATMUL_H
#define QOPT_FRONTEND_ONNX_MATMUL_H

#include "qopt/Frontend/ONNX/OpBinder.h"

namespace qopt::frontend {

/// The product of operands of rank >= 2. One with a constant becomes linear
/// layers, each with a matrix of its own.
Value buildProduct(GraphBuilder &b, Value lhs, Value rhs);

/// np.matmul(lhs, rhs).
Value buildMatMul(GraphBuilder &b, Value lhs, Value rhs);

} // namespace qopt::frontend

#endif // QOPT_FRONTEND_ONNX_MATMUL_H
