//===- WidenHalves.cpp - Encodings in front of products of 16-bit floats --===//
// SPDX-License-Identifier: Apache-2.0
//
// Files whose scales are 16-bit floats round what they dequantize to 16 bits,
// multiply and round again. What the integers stand for is exact in f32: the
// product is one of f32, rounded once.
//===----------------------------------------------------------------------===//
#include "FoldQDQ.h"

using namespace mlir;
using namespace qopt;

static bool isNarrowFloat(Type type) {
  Type element = cast<RankedTensorType>(type).getElementType();
  return element.isF16() || element.isBF16();
}

/// The f32 value that a dequantize gave before it was narrowed.
static Value getDequantized(Value value) {
  auto cast = value ? value.getDefiningOp<qg::CastOp>() : qg::CastOp();
  if (!cast || !cast.getX().getDefiningOp<qg::DequantizeOp>() ||
      !getTensorType(cast.getX()).getElementType().isF32())
    return {};
  return cast.getX();
}

static Value castTo(PatternRewriter &rewriter, Location loc, Value value,
                    Type element) {
  return qg::CastOp::create(
      rewriter, loc, RankedTensorType::get(getShape(value), element), value);
}

namespace {
/// A product of 16-bit floats with a dequantized constant weight.
struct WidenProduct : OpInterfaceRewritePattern<LinearOpInterface> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;
  LogicalResult matchAndRewrite(LinearOpInterface op,
                                PatternRewriter &rewriter) const override {
    Type type = op->getResultTypes().front();
    Value weight = getDequantized(op.getWeight());
    if (!isNarrowFloat(type) || !weight ||
        !qg::matchConstant(
            weight.getDefiningOp<qg::DequantizeOp>().getX()))
      return rewriter.notifyMatchFailure(op, "no 16-bit product of a stored "
                                             "weight");
    Type f32 = rewriter.getF32Type();
    SmallVector<Value> operands;
    for (Value operand : op->getOperands()) {
      Value wide = getDequantized(operand);
      operands.push_back(
          wide ? wide : castTo(rewriter, op->getLoc(), operand, f32));
    }
    OperationState state(
        op->getLoc(), op->getName().getStringRef(), operands,
        RankedTensorType::get(cast<RankedTensorType>(type).getShape(), f32),
        op->getAttrs());
    Value product = rewriter.create(state)->getResult(0);
    rewriter.replaceOp(
        op, castTo(rewriter, op->getLoc(), product,
                   cast<RankedTensorType>(type).getElementType()));
    return success();
  }
};

/// quantize(f32(f16(x))) = quantize(x) behind a linear op.
struct QuantizeWide : OpRewritePattern<qg::QuantizeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(qg::QuantizeOp op,
                                PatternRewriter &rewriter) const override {
    auto widened = op.getX().getDefiningOp<qg::CastOp>();
    auto narrowed =
        widened ? widened.getX().getDefiningOp<qg::CastOp>() : qg::CastOp();
    if (!narrowed || !isNarrowFloat(narrowed.getType()) ||
        narrowed.getX().getType() != op.getX().getType() ||
        !narrowed.getX().getDefiningOp<LinearOpInterface>())
      return rewriter.notifyMatchFailure(op, "no product that was narrowed");
    rewriter.modifyOpInPlace(op, [&] { op.setOperand(narrowed.getX()); });
    return success();
  }
};
} // namespace

void qopt::populateWidenHalvesPatterns(RewritePatternSet &patterns) {
  patterns.add<WidenProduct, QuantizeWide>(patterns.getContext());
}
