//===- SplatConstant.h - Constants of one number, and clamps by them ------===//
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//
#ifndef QOPT_ANALYSIS_SPLATCONSTANT_H
#define QOPT_ANALYSIS_SPLATCONSTANT_H

#include "mlir/IR/Value.h"
#include <optional>

namespace qopt {

/// Whether `value` is a constant whose elements are all equal.
bool isSplatConstant(mlir::Value value);

/// The number that all elements of a constant that is not quantized are equal
/// to; none where it has no elements.
std::optional<double> matchSplatConstant(mlir::Value value);

/// What a relu, or a maximum or minimum with one number, clamps: the operand
/// that is not the number. Null for any other op, and where the number is a NaN
/// or stretches the operand. Such an op folds into a saturation.
mlir::Value getClampInput(mlir::Operation *op);

} // namespace qopt

#endif // QOPT_ANALYSIS_SPLATCONSTANT_H
