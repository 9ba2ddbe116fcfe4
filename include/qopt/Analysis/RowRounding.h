//===- RowRounding.h - Inputs that a file rounds at run time --------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Exporters of dynamic quantization write it as arithmetic: integers, less a
// zero point, times a scale that is computed from the rows. An encoding put on
// any of it rounds a second time, and one on the scales ruins small rows.
//===----------------------------------------------------------------------===//
#ifndef QOPT_ANALYSIS_ROWROUNDING_H
#define QOPT_ANALYSIS_ROWROUNDING_H

#include "mlir/IR/Value.h"

namespace qopt {

/// Whether `value` is made of integers, by Round or a conversion to 8 or 16
/// bits, and scales that are computed at run time; or of integers by Round,
/// Floor or Ceil that nothing bounds, and steps that are constants. Ops that move
/// elements may lie behind. Integers of a table are rounded already, and do not
/// count.
bool isRoundedAtRunTime(mlir::Value value);

/// Whether `value` is integers, whatever its type: rounded, or converted from 8
/// or 16 bits at run time, and shifted.
bool isIntegerValued(mlir::Value value);

} // namespace qopt

#endif // QOPT_ANALYSIS_ROWROUNDING_H
