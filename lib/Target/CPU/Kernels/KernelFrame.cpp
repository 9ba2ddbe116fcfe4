//===- KernelFrame.cpp - A kernel in the place of a product ---------------===//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//
#include "KernelFrame.h"

#include "qopt/Dialect/QG/IR/QG.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::qcpu;

Value qopt::qcpu::createPacked(OpBuilder &builder, Location loc,
                               const Tensor &tensor) {
  auto type = RankedTensorType::get(
      tensor.shape(), qg::getStorageElementType(qg::getElementType(
                          builder.getContext(), tensor.dtype())));
  return qg::createConstant(builder, loc, tensor, type, "packed");
}

Value qopt::qcpu::castShape(OpBuilder &builder, Location loc, Value value,
                            ArrayRef<int64_t> shape) {
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getShape() == shape)
    return value;
  return qg::ReshapeOp::create(
      builder, loc, RankedTensorType::get(shape, type.getElementType()), value);
}

KernelFrame::KernelFrame(OpBuilder &builder, Operation *product,
                         EpilogueLimits limits)
    : builder(builder), product(product), last(product),
      epilogue(collectEpilogue(product, limits)) {
  if (!epilogue.ops.empty())
    last = epilogue.ops.back();
  builder.setInsertionPoint(last);
}

RankedTensorType KernelFrame::getType() const {
  return cast<RankedTensorType>(last->getResult(0).getType());
}

SmallVector<Value>
KernelFrame::createExtras(ArrayRef<int64_t> shape,
                          function_ref<Tensor(const Tensor &)> pad) {
  SmallVector<Value> extras;
  for (const EpilogueOperand &operand : epilogue.operands)
    if (auto *tensor = std::get_if<Tensor>(&operand))
      extras.push_back(createPacked(builder, product->getLoc(), pad(*tensor)));
    else
      extras.push_back(
          castShape(builder, product->getLoc(), std::get<Value>(operand),
                    *getOperandShape(std::get<Value>(operand), shape)));
  return extras;
}

void KernelFrame::fill(Operation *kernel, Type accumulator, ValueRange extras,
                       EpilogueStyle style) {
  Location loc = product->getLoc();
  Block *body = builder.createBlock(&kernel->getRegion(0));
  body->addArgument(accumulator, loc);
  for (Value extra : extras)
    body->addArgument(cast<RankedTensorType>(extra.getType()).getElementType(),
                      loc);
  buildEpilogue(epilogue, *body, product, style);
  builder.setInsertionPointAfter(kernel);
}

void KernelFrame::replaceBy(Value result) {
  last->getResult(0).replaceAllUsesWith(
      castShape(builder, product->getLoc(), result, getType().getShape()));
  // What was read in passing (a residual's dequantization) may have more users.
  for (Operation *op : llvm::reverse(epilogue.ops))
    if (op->use_empty())
      op->erase();
  product->erase();
}
