//===- QGDims.h - Extents that vary from call to call ---------------------===//
// SPDX-License-Identifier: Apache-2.0
#ifndef QOPT_DIALECT_QG_IR_QGDIMS_H
#define QOPT_DIALECT_QG_IR_QGDIMS_H

#include "mlir/IR/TensorEncoding.h"
#include "qopt/Dialect/QG/IR/QG.h"

#define GET_ATTRDEF_CLASSES
#include "qopt/Dialect/QG/IR/QGDims.h.inc"

namespace qopt::qg {

/// The names of a type's dimensions that vary; null if none does.
DimsAttr getDims(mlir::Type type);

} // namespace qopt::qg

#endif // QOPT_DIALECT_QG_IR_QGDIMS_H
