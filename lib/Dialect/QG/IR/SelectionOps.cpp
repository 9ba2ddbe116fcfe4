//===- SelectionOps.cpp - Verifiers of top_k, compact and suppress --------===//
// SPDX-License-Identifier: Apache-2.0
#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Dialect/QG/IR/Shapes.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::qg;

static Type getElement(Value value) {
  return cast<RankedTensorType>(value.getType()).getElementType();
}

LogicalResult TopKOp::verify() {
  if (getKind() != ReduceKind::max && getKind() != ReduceKind::min) // C1
    return emitOpError("expects kind max or min");
  if (!getElement(getResult()).isSignlessInteger(64)) // C1
    return emitOpError("expects an i64 result");
  if (!getElement(getX()).isIntOrFloat()) // C2
    return emitOpError() << "expects x of floats or integers, got "
                         << getElement(getX());
  ArrayRef<int64_t> x = getShape(getX()), result = getShape(getResult());
  if (getAxis() >= x.size())
    return emitOpError() << "expects an axis below rank " << x.size()
                         << ", got " << getAxis();
  bool isPart = result.size() == x.size();
  for (size_t i = 0; isPart && i < x.size(); ++i)
    isPart = i == getAxis() ? result[i] <= x[i] : result[i] == x[i];
  if (!isPart) // C3
    return emitOpError() << "expects a result of x's shape with at most "
                         << x[getAxis()] << " positions in axis " << getAxis()
                         << ", got " << formatShape(result);
  return success();
}

LogicalResult CompactOp::verify() {
  if (getShape(getMask()).size() != 1 || !getElement(getMask()).isInteger(1) ||
      getShape(getResult()).size() != 1 ||
      !getElement(getResult()).isSignlessInteger(64)) // C1
    return emitOpError() << "expects a vector of i1 and one of i64, got "
                         << getMask().getType() << " and " << getResultType();
  return success();
}

LogicalResult SuppressOp::verify() {
  ArrayRef<int64_t> boxes = getShape(getBoxes());
  if (boxes.size() < 2 || boxes.back() != 4 ||
      !getElement(getBoxes()).isF32()) // C1
    return emitOpError() << "expects boxes [..., n, 4] of f32, got "
                         << getBoxes().getType();
  for (Value marks : {getIsValid(), getResult()}) // C1
    if (getShape(marks) != boxes.drop_back() || !getElement(marks).isInteger(1))
      return emitOpError() << "expects marks " << formatShape(boxes.drop_back())
                           << " of i1, got " << marks.getType();
  if (!getShape(getOverlap()).empty() || !getElement(getOverlap()).isF32() ||
      !getShape(getLimit()).empty() ||
      !getElement(getLimit()).isSignlessInteger(64)) // C2
    return emitOpError() << "expects scalars of f32 and i64, got "
                         << getOverlap().getType() << " and "
                         << getLimit().getType();
  return success();
}
