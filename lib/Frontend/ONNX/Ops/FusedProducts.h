//===- FusedProducts.h - Products of stored integers, scaled --------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What MatMulIntegerToFloat and QAttention share.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_FRONTEND_ONNX_OPS_FUSEDPRODUCTS_H
#define QOPT_LIB_FRONTEND_ONNX_OPS_FUSEDPRODUCTS_H

#include "qopt/Frontend/ONNX/OpBinder.h"

namespace qopt::frontend {

/// Integers with what makes numbers of them; the zero point may be null.
struct StoredOperand {
  Value x, scale, zeroPoint;
};

/// The product of two, in f32, as the nodes for MatMulInteger, Cast, Mul and
/// Add give it; the bias may be null.
Value buildScaledProduct(OpBinder &op, const StoredOperand &lhs,
                         const StoredOperand &rhs, Value bias);

} // namespace qopt::frontend

#endif // QOPT_LIB_FRONTEND_ONNX_OPS_FUSEDPRODUCTS_H
