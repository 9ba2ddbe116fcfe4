//===- CompositeChecks.h - What verifiers of composite ops share ----------===//
// SPDX-License-Identifier: Apache-2.0
#ifndef QOPT_LIB_DIALECT_QG_COMPOSITE_COMPOSITECHECKS_H
#define QOPT_LIB_DIALECT_QG_COMPOSITE_COMPOSITECHECKS_H

#include "qopt/Dialect/QG/IR/QGComposite.h"
#include <cmath>

namespace qopt::qg {

/// The operands and the result are floats of one type.
inline llvm::LogicalResult checkOneFloatType(mlir::Operation *op,
                                             mlir::ValueRange operands) {
  mlir::Type element = getTensorType(op->getResult(0)).getElementType();
  if (!llvm::isa<mlir::FloatType>(element))
    return op->emitOpError() << "expects a float result, got " << element;
  for (mlir::Value operand : operands)
    if (getTensorType(operand).getElementType() != element)
      return op->emitOpError()
             << "expects operands of the result's element type " << element
             << ", got " << getTensorType(operand).getElementType();
  return mlir::success();
}

inline llvm::LogicalResult checkResultShape(mlir::Operation *op,
                                            llvm::ArrayRef<int64_t> expected) {
  llvm::ArrayRef<int64_t> got = getShape(op->getResult(0));
  if (got == expected)
    return mlir::success();
  return op->emitOpError() << "expects a result of shape "
                           << formatShape(expected) << ", got "
                           << formatShape(got);
}

/// One value, or the failure that was reported.
inline mlir::FailureOr<llvm::SmallVector<mlir::Value>>
asParts(mlir::Value value) {
  if (!value)
    return mlir::failure();
  return llvm::SmallVector<mlir::Value>{value};
}

} // namespace qopt::qg

#endif // QOPT_LIB_DIALECT_QG_COMPOSITE_COMPOSITECHECKS_H
