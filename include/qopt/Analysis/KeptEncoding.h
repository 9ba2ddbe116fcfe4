//===- KeptEncoding.h - Ops that hand on what they are given --------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A move of elements and a maximum need no encoding of their own. Calibration
// looks through them to the tensor that has one, and so does assignment.
//===----------------------------------------------------------------------===//
#ifndef QOPT_ANALYSIS_KEPTENCODING_H
#define QOPT_ANALYSIS_KEPTENCODING_H

#include "mlir/IR/Value.h"

namespace qopt {

/// An op that hands on the encoding of its first operand.
bool keepsEncoding(mlir::Operation *op);

/// The tensor that `value` is moved from and that is computed: the result of a
/// move of constants (rows of a table) is one, as constants have no range.
mlir::Value skipMovesBack(mlir::Value value);

} // namespace qopt

#endif // QOPT_ANALYSIS_KEPTENCODING_H
