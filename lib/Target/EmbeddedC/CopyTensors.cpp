//===- CopyTensors.cpp - Copies that kernels and callers want -------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The kernels read an operand again and again from its start. One that repeats
// inside (a map of one channel) is made whole first: a move that costs RAM, in
// the place of a slower loop for all. A kernel rounds its sums once. Every
// result is an array of the caller's.
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

void embedded::cloneForRoundings(func::FuncOp main) {
  for (auto op : llvm::to_vector(main.front().getOps<LinearOpInterface>())) {
    SmallVector<Operation *> readers(op->getResult(0).getUsers());
    if (readers.size() < 2 ||
        !llvm::all_of(readers, llvm::IsaPred<fxp::RequantizeOp>))
      continue;
    OpBuilder builder(op);
    for (Operation *reader : ArrayRef(readers).drop_front())
      reader->setOperand(0, builder.clone(*op.getOperation())->getResult(0));
  }
}

void embedded::storeConstantResults(func::FuncOp main) {
  Operation *end = main.front().getTerminator();
  for (OpOperand &operand : end->getOpOperands()) {
    RankedTensorType type = getTensorType(operand.get());
    Type element = type.getElementType();
    std::optional<Tensor> held = qg::matchConstant(operand.get());
    if (!held || held->numElements() == 0 ||
        !(element.isF32() || element.isSignlessInteger(32) ||
          element.isSignlessInteger(64)))
      continue;
    int64_t size = element.getIntOrFloatBitWidth() / 8 * held->numElements();
    Tensor bytes(DType::i8, {size});
    for (int64_t i = 0; i < size; ++i)
      bytes.setInt(i, static_cast<signed char>(held->data()[i]));
    OpBuilder builder(end);
    operand.set(
        qg::createConstant(builder, operand.get().getLoc(), bytes,
                           RankedTensorType::get({size}, builder.getI8Type())));
    main.setResultAttr(operand.getOperandNumber(), kHeldType,
                       TypeAttr::get(type));
  }
  main.setType(FunctionType::get(main.getContext(), main.getArgumentTypes(),
                                 end->getOperandTypes()));
}

void embedded::copyResults(func::FuncOp main) {
  Operation *end = main.front().getTerminator();
  llvm::DenseSet<Value> given;
  for (OpOperand &operand : end->getOpOperands()) {
    Value root = operand.get();
    while (auto reshape = root.getDefiningOp<qg::ReshapeOp>())
      root = reshape.getX();
    bool isOwn = !isa<BlockArgument>(root) &&
                 !root.getDefiningOp<qg::ConstantOp>() &&
                 given.insert(root).second;
    RankedTensorType type = getTensorType(operand.get());
    if (isOwn || !(type.getElementType().isSignlessInteger(8) ||
                   type.getElementType().isSignlessInteger(16)))
      continue;
    OpBuilder builder(end);
    SmallVector<int64_t> offsets(type.getRank(), 0), strides(type.getRank(), 1);
    operand.set(qg::SliceOp::create(builder, root.getLoc(), type, operand.get(),
                                    offsets, strides));
  }
}
