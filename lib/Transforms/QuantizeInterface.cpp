//===- QuantizeInterface.cpp - Integers at the door of the model ----------===//
// SPDX-License-Identifier: Apache-2.0
//
// A microcontroller or an FPGA has integers from its sensor and wants integers
// back: the quantize behind an input and the dequantize before an output are
// the caller's business, and his to skip.
//===----------------------------------------------------------------------===//
#include "MovedUses.h"
#include "qopt/Dialect/QG/IR/QG.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace qopt {
#include "qopt/Transforms/QuantizeInterface.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

static Type getElementType(Value value) {
  return getTensorType(value).getElementType();
}

static bool isPerTensor(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  qg::QuantizedType quantized =
      tensor ? qg::getQuantizedType(tensor.getElementType()) : nullptr;
  return quantized && quantized.isPerTensor();
}

/// Null but for f32 of 16-bit floats: exact, so the encoding is the same.
static qg::CastOp getWidening(Operation *op) {
  auto cast = dyn_cast_or_null<qg::CastOp>(op);
  Type from = cast ? getElementType(cast.getX()) : Type();
  return cast && getElementType(cast).isF32() && (from.isF16() || from.isBF16())
             ? cast
             : qg::CastOp();
}

/// Null but for 16-bit floats of f32, which the caller may make of the result.
static qg::CastOp getNarrowing(Operation *op) {
  auto cast = dyn_cast_or_null<qg::CastOp>(op);
  Type to = cast ? getElementType(cast) : Type();
  return cast && getElementType(cast.getX()).isF32() &&
                 (to.isF16() || to.isBF16())
             ? cast
             : qg::CastOp();
}

namespace {
struct QuantizeInterface
    : qopt::impl::QuantizeInterfaceBase<QuantizeInterface> {
  using QuantizeInterfaceBase::QuantizeInterfaceBase;

  void quantizeArgument(BlockArgument argument) {
    auto tensor = dyn_cast<RankedTensorType>(argument.getType());
    SmallVector<Operation *> moves;
    SmallVector<qg::QuantizeOp> quantizes;
    auto isSameQuantize = [&](Operation *user) {
      auto quantize = dyn_cast<qg::QuantizeOp>(user);
      if (!quantize || !isPerTensor(quantize.getType()))
        return false;
      quantizes.push_back(quantize);
      return getElementType(quantize) == getElementType(quantizes.front());
    };
    SmallVector<qg::CastOp> casts;
    auto isQuantized = [&](Operation *user) {
      qg::CastOp cast = getWidening(user);
      if (!cast)
        return isSameQuantize(user);
      casts.push_back(cast);
      return collectMoves(cast.getResult(), moves, isSameQuantize);
    };
    if (!tensor || !isa<FloatType>(tensor.getElementType()) ||
        !collectMoves(argument, moves, isQuantized) || quantizes.empty())
      return;
    setElementType(argument, moves, getElementType(quantizes.front()));
    for (qg::QuantizeOp quantize : quantizes) {
      quantize.getResult().replaceAllUsesWith(quantize.getX());
      quantize.erase();
    }
    for (qg::CastOp cast : casts) {
      cast.getResult().replaceAllUsesWith(cast.getX());
      cast.erase();
    }
  }

  /// The encoded value behind moves of a dequantized one, moved the same way.
  Value quantizeResult(Value value) {
    SmallVector<Operation *> moves;
    while (Operation *op = value.getDefiningOp()) {
      if (movesOneTensor(op))
        moves.push_back(op);
      else if (!getNarrowing(op))
        break;
      value = op->getOperand(0);
    }
    auto dequantize = value.getDefiningOp<qg::DequantizeOp>();
    if (!dequantize || !isPerTensor(dequantize.getX().getType()))
      return {};
    Value moved = dequantize.getX();
    Type element = cast<RankedTensorType>(moved.getType()).getElementType();
    for (Operation *move : llvm::reverse(moves)) {
      OpBuilder builder(move);
      Operation *copy = builder.clone(*move);
      copy->setOperand(0, moved);
      setElementType(copy->getResult(0), {}, element);
      moved = copy->getResult(0);
    }
    return moved;
  }

  /// A softmax of dequantized bytes gets the encoding of probabilities that its
  /// integer form has: steps of 1/256 from the least integer.
  static void quantizeSoftmax(qg::SoftmaxOp softmax) {
    auto dequantize = softmax.getX().getDefiningOp<qg::DequantizeOp>();
    if (!dequantize || !isPerTensor(dequantize.getX().getType()))
      return;
    auto x = cast<RankedTensorType>(dequantize.getX().getType());
    qg::QuantizedType encoding = qg::getQuantizedType(x.getElementType());
    const IntegerFormat &format = encoding.getIntegerFormat();
    if (format.storageBits() != 8)
      return;
    OpBuilder builder(softmax);
    Type element = qg::QuantizedType::getPerTensor(
        builder.getContext(), format.isSigned ? "si8" : "ui8", 0x1p-8f,
        format.min());
    auto y = qg::SoftmaxOp::create(builder, softmax.getLoc(),
                                   RankedTensorType::get(x.getShape(), element),
                                   dequantize.getX());
    softmax.getResult().replaceAllUsesWith(qg::DequantizeOp::create(
        builder, softmax.getLoc(), softmax.getType(), y));
    softmax.erase();
  }

  /// What is searched need not be dequantized.
  static void searchStored(qg::ArgReduceOp op) {
    auto dequantize = op.getX().getDefiningOp<qg::DequantizeOp>();
    if (dequantize && isPerTensor(dequantize.getX().getType()))
      op.getXMutable().assign(dequantize.getX());
  }

  /// The only dequantize that a float value is computed from, or null.
  static qg::DequantizeOp findHead(Value value) {
    qg::DequantizeOp head;
    SmallVector<Value> worklist{value};
    llvm::DenseSet<Operation *> seen;
    while (!worklist.empty()) {
      Operation *op = worklist.pop_back_val().getDefiningOp();
      if (!op)
        return {};
      if (isa<qg::ConstantOp>(op) || !seen.insert(op).second)
        continue;
      if (auto dequantize = dyn_cast<qg::DequantizeOp>(op)) {
        if (head && head != dequantize)
          return {};
        head = dequantize;
      } else {
        llvm::append_range(worklist, op->getOperands());
      }
    }
    return head;
  }

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isExternal() || !function.getBody().hasOneBlock())
      return;
    if (!keepInputs)
      for (BlockArgument argument : function.getArguments())
        quantizeArgument(argument);
    if (integerHeads)
      for (auto softmax :
           llvm::to_vector(function.front().getOps<qg::SoftmaxOp>()))
        quantizeSoftmax(softmax);
    if (integerHeads)
      for (auto op : function.front().getOps<qg::ArgReduceOp>())
        searchStored(op);
    Operation *end = function.front().getTerminator();
    for (OpOperand &operand : end->getOpOperands()) {
      Value value = quantizeResult(operand.get());
      if (!value && dropHead)
        if (qg::DequantizeOp head = findHead(operand.get()))
          if (isPerTensor(head.getX().getType()))
            value = head.getX();
      if (value)
        operand.set(value);
    }
    function.setType(FunctionType::get(&getContext(),
                                       function.front().getArgumentTypes(),
                                       end->getOperandTypes()));
    // What computed the floats that nobody asks for.
    SmallVector<Operation *> ops;
    for (Operation &op : function.front().without_terminator())
      ops.push_back(&op);
    for (Operation *op : llvm::reverse(ops))
      if (isOpTriviallyDead(op))
        op->erase();
  }
};
} // namespace
