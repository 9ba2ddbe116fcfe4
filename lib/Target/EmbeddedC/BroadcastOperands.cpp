//===- BroadcastOperands.cpp - Operands of sums and products, copied ------===//
// SPDX-License-Identifier: Apache-2.0
//
// The kernels read an operand again and again from its start. One that repeats
// inside (a map of one channel) is made whole first: a move that costs RAM, in
// the place of a slower loop for all.
//===----------------------------------------------------------------------===//
#include "Steps.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace qopt;

bool embedded::repeatsInFront(Value operand, Value result) {
  ArrayRef<int64_t> shape = getShape(operand), whole = getShape(result);
  while (!shape.empty() && shape.front() == 1)
    shape = shape.drop_front();
  return shape.size() <= whole.size() && shape == whole.take_back(shape.size());
}

void embedded::broadcastOperands(func::FuncOp main) {
  for (Operation &op : llvm::make_early_inc_range(main.front())) {
    if (!isa<fxp::AddOp, fxp::MulOp>(op))
      continue;
    Value result = op.getResult(0);
    unsigned whole = 0;
    for (OpOperand &operand : op.getOpOperands())
      whole += getShape(operand.get()) == getShape(result);
    for (OpOperand &operand : op.getOpOperands()) {
      bool isWhole = getShape(operand.get()) == getShape(result);
      if (isWhole || (whole && repeatsInFront(operand.get(), result)))
        continue;
      OpBuilder builder(&op);
      auto type = RankedTensorType::get(
          getShape(result), getTensorType(operand.get()).getElementType());
      operand.set(
          qg::BroadcastOp::create(builder, op.getLoc(), type, operand.get()));
      ++whole;
    }
  }
}
