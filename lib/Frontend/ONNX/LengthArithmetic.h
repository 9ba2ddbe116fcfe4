//===- LengthArithmetic.h - Lengths computed from lengths -----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Tensors that are joined or reshaped alike must have one length, not two that
// are equal.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_FRONTEND_ONNX_LENGTHARITHMETIC_H
#define QOPT_LIB_FRONTEND_ONNX_LENGTHARITHMETIC_H

#include "qopt/Frontend/ONNX/GraphBuilder.h"

namespace qopt::frontend {

/// `kind` of two i64 scalars: the op that the graph has already, if it has one.
Value combineLengths(GraphBuilder &b, BinaryKind kind, Value x, Value y);

} // namespace qopt::frontend

#endif // QOPT_LIB_FRONTEND_ONNX_LENGTHARITHMETIC_H
