//===- SmallFloats.h - Rounding to floats of at most 8 bits ---------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Such floats are held as f32: a conversion to one is a rounding.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_FRONTEND_ONNX_OPS_SMALLFLOATS_H
#define QOPT_LIB_FRONTEND_ONNX_OPS_SMALLFLOATS_H

#include "qopt/Frontend/ONNX/OpBinder.h"

namespace qopt::frontend {

/// `x` rounded to the numbers of a small float, half to even. What is too large
/// becomes the largest number if the node's attribute `saturate` says so or
/// there is nothing else; a power of two (E8M0) is rounded as `round_mode`
/// says. Reports values that the attributes do not have.
Value roundToSmallFloat(OpBinder &op, Value x, const ElementKind &kind);

/// Floats of at most 24 significant bits inside the range of f32.
struct FloatGrid {
  double most;      ///< what is larger becomes this
  int minExponent;  ///< of the smallest normal number; below, steps are equal
  int mantissaBits; ///< without the leading one
};
/// `x` rounded onto the grid, steps of the last place by `roundSteps`.
Value roundToFloatGrid(GraphBuilder &b, Value x, const FloatGrid &grid,
                       llvm::function_ref<Value(Value)> roundSteps);

} // namespace qopt::frontend

#endif // QOPT_LIB_FRONTEND_ONNX_OPS_SMALLFLOATS_H
