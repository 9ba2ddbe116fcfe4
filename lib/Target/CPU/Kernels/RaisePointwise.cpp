//===- RaisePointwise.cpp - Scalar functions before moves of elements -----===//
// SPDX-License-Identifier: Apache-2.0
//
// A reshape or a transpose between a product and a scalar function keeps it out
// of the kernel. Which comes first is the same for the result; bytes that a
// quantization made are also fewer to move.
//===----------------------------------------------------------------------===//
#include "Epilogue.h"
#include "Product.h"

#include "mlir/IR/IRMapping.h"
#include "qopt/Dialect/FXP/IR/FXP.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::qcpu;

/// A reshape or transpose that nothing else reads.
static Operation *matchMove(Value value) {
  Operation *op = value.getDefiningOp();
  return op && value.hasOneUse() && isa<qg::ReshapeOp, qg::TransposeOp>(op)
             ? op
             : nullptr;
}

/// The operand that is not a constant; null if `op` is no function of one
/// element of it.
static OpOperand *getElementOperand(Operation *op) {
  auto isFloat = [](Value value) {
    return getTensorType(value).getElementType().isF32();
  };
  if (auto quantize = dyn_cast<fxp::QuantizeOp>(op))
    return quantize.getZps().size() == 1 &&
                   quantize.getScales().getNumElements() == 1
               ? &op->getOpOperand(0)
               : nullptr;
  if (isa<qg::UnaryOp>(op))
    return isFloat(op->getResult(0)) && isFloat(op->getOperand(0))
               ? &op->getOpOperand(0)
               : nullptr;
  auto binary = dyn_cast<qg::BinaryOp>(op);
  if (!binary || binary.getClamp() || !isFloat(binary.getResult()))
    return nullptr;
  unsigned element = matchSplat(binary.getLhs()) ? 1 : 0;
  Value constant = op->getOperand(1 - element);
  return matchSplat(constant) &&
                 getTensorType(op->getOperand(element)) == binary.getType()
             ? &op->getOpOperand(element)
             : nullptr;
}

/// Whether the moves begin at what a kernel may compute.
static bool startsAtFloats(Operation *move) {
  Value source = move->getOperand(0);
  while (Operation *next = matchMove(source))
    source = next->getOperand(0);
  Operation *op = source.getDefiningOp();
  return op && (isProduct(op) ||
                isa<fxp::DequantizeOp, qg::UnaryOp, qg::BinaryOp>(op));
}

/// `op(move(x))` as `move(op(x))`; the new op.
static Operation *raise(Operation *op, OpOperand &operand, Operation *move) {
  OpBuilder builder(op);
  Value source = move->getOperand(0);
  auto type = getTensorType(op->getResult(0));
  IRMapping mapping;
  mapping.map(operand.get(), source);
  for (Value constant : op->getOperands())
    if (constant != operand.get()) {
      Tensor scalar(DType::f32, {});
      scalar.setFloat(0, *matchSplat(constant));
      mapping.map(
          constant,
          qg::createConstant(builder, constant.getLoc(), scalar,
                             RankedTensorType::get({}, builder.getF32Type())));
    }
  Operation *early = builder.clone(*op, mapping);
  early->getResult(0).setType(RankedTensorType::get(
      getTensorType(source).getShape(), type.getElementType()));
  Operation *late = builder.clone(*move);
  late->setOperand(0, early->getResult(0));
  late->getResult(0).setType(type);
  op->getResult(0).replaceAllUsesWith(late->getResult(0));
  op->erase();
  move->erase();
  return early;
}

void qopt::qcpu::raisePointwise(ModuleOp module) {
  SmallVector<Operation *> ops;
  module.walk([&](Operation *op) {
    if (isa<qg::UnaryOp, qg::BinaryOp, fxp::QuantizeOp>(op))
      ops.push_back(op);
  });
  // In program order: what one op has passed is in front of the next.
  for (Operation *op : ops)
    while (OpOperand *operand = getElementOperand(op)) {
      Operation *move = matchMove(operand->get());
      if (!move || !startsAtFloats(move))
        break;
      op = raise(op, *operand, move);
    }
}
