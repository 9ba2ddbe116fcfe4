//===- FXPInterfaces.cpp - What passes and backends ask fxp ops -----------===//
// SPDX-License-Identifier: Apache-2.0
//
// Geometry of the linear ops, and the attributes of stored integers.
//===----------------------------------------------------------------------===//
#include "qopt/Dialect/FXP/IR/FXP.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::fxp;

LinearGeometry ConvOp::getLinearGeometry() {
  return LinearGeometry::ofConvolution(
      getShape(getWeight()), {{}, getStrides(), getPads(), getDilations()},
      getGroups());
}

LinearGeometry MatmulOp::getLinearGeometry() {
  return LinearGeometry::ofProduct(getTensorType(getRhs()).getRank(),
                                   getTransposeRhs());
}

LinearGeometry GroupMatmulOp::getLinearGeometry() {
  return LinearGeometry::ofProduct(getTensorType(getRhs()).getRank(),
                                   /*isTransposed=*/true);
}

OpOperand *GroupMatmulOp::getBiasOperand() { return &getBiasMutable(); }

void GroupMatmulOp::setBias(Value bias) { getBiasMutable().set(bias); }

LinearGeometry DecodeMatmulOp::getLinearGeometry() {
  return LinearGeometry::ofProduct(getTensorType(getRhs()).getRank(),
                                   /*isTransposed=*/true);
}

OpOperand *DecodeMatmulOp::getBiasOperand() { return &getBiasMutable(); }

void DecodeMatmulOp::setBias(Value bias) { getBiasMutable().set(bias); }

std::optional<StoredValue> StoredOperandsInterface::findStored(Value value) {
  for (StoredValue &stored : getStoredValues())
    if (stored.value == value)
      return stored;
  return std::nullopt;
}

bool StoredOperandsInterface::isUnsigned(const StoredValue &stored) {
  return !stored.sign.empty() && getOperation()->hasAttr(stored.sign);
}

int64_t StoredOperandsInterface::getZeroPoint(const StoredValue &stored) {
  if (stored.zeroPoint.empty())
    return 0;
  Attribute attribute = getOperation()->getAttr(stored.zeroPoint);
  if (auto list = dyn_cast<DenseI64ArrayAttr>(attribute))
    return list[stored.entry.value_or(0)];
  return cast<IntegerAttr>(attribute).getInt();
}
