//===- Bitcast.cpp - Verifier and reference semantics of bitcast ----------===//
// SPDX-License-Identifier: Apache-2.0
#include "qopt/Dialect/QG/IR/QGBits.h"
#include "qopt/Dialect/QG/IR/Shapes.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::qg;

#define GET_OP_CLASSES
#include "qopt/Dialect/QG/IR/QGBitOps.cpp.inc"

/// Bits of a plain element of whole bytes; 0 for any other.
static unsigned getWidth(Value value) {
  Type type = cast<RankedTensorType>(value.getType()).getElementType();
  unsigned width = type.isIntOrFloat() ? type.getIntOrFloatBitWidth() : 0;
  return width >= 8 && width <= 64 ? width : 0;
}

LogicalResult BitcastOp::verify() {
  if (getWidth(getX()) == 0 || getWidth(getX()) != getWidth(getResult())) // C1
    return emitOpError() << "expects floats or integers of one width of 8 to "
                            "64 bits, got "
                         << getX().getType() << " and "
                         << getResult().getType();
  if (getShape(getX()) != getShape(getResult())) // C2
    return emitOpError() << "expects a result of shape "
                         << formatShape(getShape(getX())) << ", got "
                         << formatShape(getShape(getResult()));
  return success();
}

LogicalResult BitcastOp::evaluate(ArrayRef<Tensor> operands,
                                  SmallVectorImpl<Tensor> &results) {
  std::optional<DType> dtype = getDType(getResultType().getElementType());
  if (!dtype || getByteWidth(*dtype) != getByteWidth(operands[0].dtype()))
    return emitOpError() << "expects a result whose elements have a host "
                            "form, got "
                         << getResultType();
  results.push_back(operands[0].bitcast(*dtype));
  return success();
}
