//===- MovedInput.cpp - From an observed tensor to the input of a layer ---===//
// SPDX-License-Identifier: Apache-2.0
//
// Moves are done by their reference semantics: they are few and only copy.
//===----------------------------------------------------------------------===//
#include "MovedInput.h"
#include "TensorGraph.h"

using namespace mlir;
using namespace qopt;

/// Behind ops that keep the encoding; every other operand is constant.
static Value stepBack(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op || !keepsEncoding(op) || op->getNumResults() != 1 ||
      !isa<ReferenceOpInterface>(op))
    return {};
  for (Value operand : op->getOperands().drop_front())
    if (!operand.getDefiningOp<qg::ConstantOp>())
      return {};
  return op->getOperand(0);
}

std::optional<MovedInput> MovedInput::find(Value value) {
  MovedInput result;
  while (true) {
    if ((result.observer = value.getDefiningOp<qg::ObserveOp>())) {
      std::reverse(result.moves.begin(), result.moves.end());
      return result;
    }
    Value before = stepBack(value);
    if (!before)
      return std::nullopt;
    result.moves.push_back(value.getDefiningOp());
    value = before;
  }
}

std::optional<Tensor> MovedInput::apply(Tensor observed) const {
  for (Operation *op : moves) {
    SmallVector<Tensor> operands{std::move(observed)}, results;
    for (Value operand : op->getOperands().drop_front()) {
      std::optional<Tensor> constant = qg::matchConstant(operand);
      if (!constant)
        return std::nullopt;
      operands.push_back(std::move(*constant));
    }
    if (failed(cast<ReferenceOpInterface>(op).evaluate(operands, results)))
      return std::nullopt;
    observed = std::move(results.front());
  }
  return observed;
}

qg::QuantizedType qopt::getMovedEncoding(Value value) {
  while (true) {
    if (auto op = value.getDefiningOp<qg::DequantizeOp>()) {
      qg::QuantizedType type = qg::getQuantizedType(op.getX().getType());
      return type.isPerTensor() ? type : qg::QuantizedType();
    }
    value = stepBack(value);
    if (!value)
      return {};
  }
}
