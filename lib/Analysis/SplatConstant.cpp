//===- SplatConstant.cpp - Constants of one number, and clamps by them ----===//
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//
#include "qopt/Analysis/SplatConstant.h"
#include "qopt/Dialect/QG/IR/QG.h"

#include <cmath>

using namespace mlir;
using namespace qopt;

bool qopt::isSplatConstant(Value value) {
  auto constant = value.getDefiningOp<qg::ConstantOp>();
  if (!constant)
    return false;
  if (getTensorType(value).getNumElements() == 1)
    return true;
  auto dense = dyn_cast<DenseElementsAttr>(constant.getValue());
  return dense && dense.isSplat();
}

std::optional<double> qopt::matchSplatConstant(Value value) {
  // Anything longer that is a splat is stored as one.
  if (!isSplatConstant(value) || qg::getQuantizedType(value.getType()))
    return std::nullopt;
  std::optional<Tensor> tensor = qg::matchConstant(value);
  if (!tensor || tensor->numElements() == 0)
    return std::nullopt;
  return tensor->getFloat(0);
}

Value qopt::getClampInput(Operation *op) {
  if (auto unary = dyn_cast<qg::UnaryOp>(op))
    return unary.getKind() == UnaryKind::relu ? unary.getX() : Value();
  auto binary = dyn_cast<qg::BinaryOp>(op);
  if (!binary || (binary.getKind() != BinaryKind::max &&
                  binary.getKind() != BinaryKind::min))
    return {};
  for (bool right : {true, false}) {
    Value x = right ? binary.getLhs() : binary.getRhs();
    std::optional<double> bound =
        matchSplatConstant(right ? binary.getRhs() : binary.getLhs());
    if (bound && !std::isnan(*bound) && x.getType() == binary.getType())
      return x;
  }
  return {};
}
