//===- MoveEncodings.cpp - Encodings move with the elements ---------------===//
// SPDX-License-Identifier: Apache-2.0
//
// An op that does not look at its elements commutes with quantize and
// dequantize; so does a maximum, because both are monotone.
//===----------------------------------------------------------------------===//
#include "FoldQDQ.h"

using namespace mlir;
using namespace qopt;

/// Does the op commute with an increasing function of its first operand?
static bool commutes(Operation *op) {
  auto rule = dyn_cast_or_null<FormatRuleOpInterface>(op);
  if (!rule)
    return false;
  if (auto pool = dyn_cast<qg::PoolOp>(op))
    return pool.getKind() == PoolKind::max;
  if (auto reduce = dyn_cast<qg::ReduceOp>(op))
    return reduce.getKind() == ReduceKind::max ||
           reduce.getKind() == ReduceKind::min;
  return rule.getFormatRule() == FormatRule::PassThrough;
}

static RankedTensorType withElement(Type type, Type element) {
  return RankedTensorType::get(cast<RankedTensorType>(type).getShape(),
                               element);
}

/// The encoding behind `op` if `type` is the one before it; null if it cannot
/// be said (a reshape of a per-axis encoding).
static qg::QuantizedType getMoved(Operation *op, qg::QuantizedType type) {
  if (type.isPerTensor())
    return type;
  auto transpose = dyn_cast<qg::TransposeOp>(op);
  if (!transpose || !type.isPerAxis())
    return {};
  // Groups follow the order of the other dimensions.
  if (type.getGroupSize() && transpose.getPermutation().size() != 2)
    return {};
  ArrayRef<int64_t> permutation = transpose.getPermutation();
  return type.withAxis(llvm::find(permutation, type.getAxis()) -
                       permutation.begin());
}

/// The padding value of a constant pad, stored in `type`; null if it has no
/// exact encoding.
static Value encodePadding(PatternRewriter &rewriter, qg::PadOp pad,
                           qg::QuantizedType type) {
  float real = 0;
  if (pad.getValue()) {
    std::optional<Tensor> constant = qg::matchConstant(pad.getValue());
    if (!constant)
      return {};
    real = constant->getFloat(0);
  }
  int64_t stored = quantizeReal(real, type);
  if (float(stored - type.getZeroPoint()) * type.getScale() != real)
    return {};
  Tensor scalar(*qg::getDType(type), {});
  scalar.setInt(0, stored);
  return qg::createConstant(rewriter, pad.getLoc(), scalar,
                            RankedTensorType::get({}, type));
}

/// `op` on `x` (another element type), with `type` as result; null if it does
/// not exist.
static Value moveOnto(PatternRewriter &rewriter, Operation *op, Value x,
                      qg::QuantizedType xType, Type type) {
  if (auto pad = dyn_cast<qg::PadOp>(op)) {
    Value value;
    if (pad.getMode() == PadMode::constant) {
      if (!xType.isPerTensor())
        return {};
      value = encodePadding(rewriter, pad, xType);
      if (!value)
        return {};
    }
    return qg::PadOp::create(rewriter, op->getLoc(), type, pad.getMode(), x,
                             value, pad.getLow(), pad.getHigh());
  }
  SmallVector<Value> operands(op->getOperands());
  operands[0] = x;
  OperationState state(op->getLoc(), op->getName().getStringRef(), operands,
                       type, op->getAttrs());
  return rewriter.create(state)->getResult(0);
}

namespace {
/// move(dequantize(x)) = dequantize(move(x))
struct SinkDequantize : OpInterfaceRewritePattern<FormatRuleOpInterface> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;
  LogicalResult matchAndRewrite(FormatRuleOpInterface iface,
                                PatternRewriter &rewriter) const override {
    Operation *op = iface;
    if (!commutes(op))
      return rewriter.notifyMatchFailure(op, "looks at its elements");
    auto source = op->getOperand(0).getDefiningOp<qg::DequantizeOp>();
    if (!source)
      return rewriter.notifyMatchFailure(op, "operand is no dequantize");
    qg::QuantizedType type = qg::getQuantizedType(source.getX().getType());
    qg::QuantizedType moved = type ? getMoved(op, type) : type;
    if (!moved)
      return rewriter.notifyMatchFailure(op, "encoding does not move along");
    Type result = op->getResultTypes()[0];
    Value stored =
        moveOnto(rewriter, op, source.getX(), type, withElement(result, moved));
    if (!stored)
      return rewriter.notifyMatchFailure(op, "padding has no encoding");
    rewriter.replaceOpWithNewOp<qg::DequantizeOp>(op, result, stored);
    return success();
  }
};

/// quantize(move(x)) = move(quantize(x))
struct RaiseQuantize : OpRewritePattern<qg::QuantizeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(qg::QuantizeOp op,
                                PatternRewriter &rewriter) const override {
    Operation *move = op.getX().getDefiningOp();
    if (!move || !commutes(move) || !move->hasOneUse())
      return rewriter.notifyMatchFailure(op, "no move with one use before it");
    Value x = move->getOperand(0);
    qg::QuantizedType type = qg::getQuantizedType(op.getType());
    if (!type.isPerTensor() || !x.hasOneUse() || qg::matchConstant(x) ||
        !x.getDefiningOp())
      return rewriter.notifyMatchFailure(op, "others read the float value");
    auto quantized = qg::QuantizeOp::create(rewriter, op.getLoc(),
                                            withElement(x.getType(), type), x);
    Value moved = moveOnto(rewriter, move, quantized, type, op.getType());
    if (!moved) {
      rewriter.eraseOp(quantized);
      return rewriter.notifyMatchFailure(op, "padding has no encoding");
    }
    rewriter.replaceOp(op, moved);
    return success();
  }
};

/// quantize(gather(table)) = gather(quantize(table)), rounded here: a table
/// whose rows are read in one encoding is stored in it. Who names a format for
/// the table has decided.
struct QuantizeTable : OpRewritePattern<qg::QuantizeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(qg::QuantizeOp op,
                                PatternRewriter &rewriter) const override {
    auto gather = op.getX().getDefiningOp<qg::GatherOp>();
    if (!gather || !gather->hasOneUse() || gather->hasAttr("qg.weights"))
      return rewriter.notifyMatchFailure(op, "no rows that only it reads");
    qg::QuantizedType type = qg::getQuantizedType(op.getType());
    std::optional<Tensor> values = qg::matchConstant(gather.getX());
    if (!values || values->dtype() != DType::f32 || !type.isPerTensor() ||
        !gather.getX().hasOneUse())
      return rewriter.notifyMatchFailure(op, "no table of its own");
    auto stored = withElement(gather.getX().getType(), type);
    auto quantized = qg::QuantizeOp::create(rewriter, gather.getLoc(), stored,
                                            gather.getX());
    SmallVector<Tensor> rounded;
    bool isRounded = succeeded(quantized.evaluate({*values}, rounded));
    rewriter.eraseOp(quantized);
    if (!isRounded)
      return rewriter.notifyMatchFailure(op, "the table has no integer form");
    Value table = qg::createConstant(rewriter, gather.getX().getLoc(),
                                     rounded.front(), stored, "table");
    rewriter.replaceOp(op, moveOnto(rewriter, gather, table, type,
                                    op.getType()));
    return success();
  }
};

/// relu(move(x)) = move(relu(x)) in front of a quantize, which then follows:
/// the op that made x folds both.
struct RaiseRelu : OpRewritePattern<qg::UnaryOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(qg::UnaryOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getKind() != UnaryKind::relu || !op->hasOneUse() ||
        !isa<qg::QuantizeOp>(*op->user_begin()))
      return rewriter.notifyMatchFailure(op, "no relu that is quantized");
    Operation *move = op.getX().getDefiningOp();
    if (!isa_and_nonnull<qg::ReshapeOp, qg::TransposeOp>(move) ||
        !move->hasOneUse())
      return rewriter.notifyMatchFailure(op, "no move with one use before it");
    Value x = move->getOperand(0);
    if (!x.hasOneUse() || !x.getDefiningOp() || qg::matchConstant(x))
      return rewriter.notifyMatchFailure(op, "others read the float value");
    rewriter.setInsertionPoint(move);
    auto relu = qg::UnaryOp::create(rewriter, op.getLoc(), x.getType(),
                                    UnaryKind::relu, x);
    rewriter.modifyOpInPlace(move, [&] { move->setOperand(0, relu); });
    rewriter.replaceOp(op, move->getResult(0));
    return success();
  }
};

/// quantize(dequantize(x)) = x under one encoding.
struct CancelPair : OpRewritePattern<qg::QuantizeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(qg::QuantizeOp op,
                                PatternRewriter &rewriter) const override {
    auto source = op.getX().getDefiningOp<qg::DequantizeOp>();
    if (!source || source.getX().getType() != op.getType())
      return rewriter.notifyMatchFailure(op, "encodings differ");
    rewriter.replaceOp(op, source.getX());
    return success();
  }
};

/// A move of quantized constants happens now.
struct FoldMovedConstant : OpInterfaceRewritePattern<FormatRuleOpInterface> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;
  LogicalResult matchAndRewrite(FormatRuleOpInterface iface,
                                PatternRewriter &rewriter) const override {
    Operation *op = iface;
    if (!commutes(op) || !qg::getQuantizedType(op->getResultTypes()[0]))
      return rewriter.notifyMatchFailure(op, "no move of stored integers");
    SmallVector<Tensor> operands, results;
    for (Value operand : op->getOperands()) {
      std::optional<Tensor> constant = qg::matchConstant(operand);
      if (!constant)
        return rewriter.notifyMatchFailure(op, "operand is no constant");
      operands.push_back(*constant);
    }
    if (failed(cast<ReferenceOpInterface>(op).evaluate(operands, results)))
      return failure();
    rewriter.replaceOp(
        op, qg::createConstant(rewriter, op->getLoc(), results.front(),
                               cast<RankedTensorType>(op->getResultTypes()[0]),
                               "w"));
    return success();
  }
};
} // namespace

void qopt::populateMoveEncodingsPatterns(RewritePatternSet &patterns) {
  patterns.add<SinkDequantize, QuantizeTable, RaiseQuantize, RaiseRelu, CancelPair,
               FoldMovedConstant>(patterns.getContext());
}
