//===- WidenHalves.cpp - Encodings in front of products of 16-bit floats --===//
// SPDX-License-Identifier: Apache-2.0
//
// Files whose scales are 16-bit floats round what they dequantize to 16 bits,
// multiply and round again. What the integers stand for is exact in f32: such a
// product reads it before it was narrowed, and is rounded once.
//===----------------------------------------------------------------------===//
#include "FoldQDQ.h"

using namespace mlir;
using namespace qopt;

static bool isNarrowFloat(Value value) {
  Type element = getTensorType(value).getElementType();
  return element.isF16() || element.isBF16();
}

/// What `value` was before it was narrowed to 16 bits and widened again.
static Value getWide(Value value) {
  auto widened = value ? value.getDefiningOp<qg::CastOp>() : qg::CastOp();
  auto narrowed =
      widened ? widened.getX().getDefiningOp<qg::CastOp>() : qg::CastOp();
  if (!narrowed || !isNarrowFloat(narrowed) ||
      narrowed.getX().getType() != value.getType())
    return {};
  return narrowed.getX();
}

/// The dequantize whose elements `value` moves; null for another value.
static qg::DequantizeOp getMovedDequantize(Value value) {
  while (value && isa_and_nonnull<qg::ReshapeOp, qg::TransposeOp>(
                      value.getDefiningOp()))
    value = value.getDefiningOp()->getOperand(0);
  return value ? value.getDefiningOp<qg::DequantizeOp>() : qg::DequantizeOp();
}

static qg::DequantizeOp getDequantize(Value value) {
  Value wide = getWide(value);
  return wide ? wide.getDefiningOp<qg::DequantizeOp>() : qg::DequantizeOp();
}

/// Whether a product of 16-bit floats is meant, not one of the f32 numbers that
/// 16-bit floats were widened to.
static bool isNarrowProduct(LinearOpInterface op) {
  auto input = op.getInput().getDefiningOp<qg::CastOp>();
  return (input && isNarrowFloat(input.getX())) ||
         llvm::all_of(op->getUsers(), [](Operation *user) {
           auto cast = dyn_cast<qg::CastOp>(user);
           return cast && isNarrowFloat(cast);
         });
}

namespace {
/// A product with a dequantized constant weight that was narrowed.
struct WidenProduct : OpInterfaceRewritePattern<LinearOpInterface> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;
  LogicalResult matchAndRewrite(LinearOpInterface op,
                                PatternRewriter &rewriter) const override {
    qg::DequantizeOp weight = getDequantize(op.getWeight());
    if (!weight || !qg::matchConstant(weight.getX()))
      return rewriter.notifyMatchFailure(op, "no narrowed stored weight");
    if (!isNarrowProduct(op))
      return rewriter.notifyMatchFailure(op, "a product of f32");
    rewriter.modifyOpInPlace(op, [&] {
      for (OpOperand &operand : op->getOpOperands())
        if (Value wide = getWide(operand.get()); getMovedDequantize(wide))
          operand.set(wide);
    });
    return success();
  }
};

/// quantize(f32(f16(x))) = quantize(x) behind a linear op.
struct QuantizeWide : OpRewritePattern<qg::QuantizeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(qg::QuantizeOp op,
                                PatternRewriter &rewriter) const override {
    Value wide = getWide(op.getX());
    if (!wide || !wide.getDefiningOp<LinearOpInterface>())
      return rewriter.notifyMatchFailure(op, "no product that was narrowed");
    rewriter.modifyOpInPlace(op, [&] { op->setOperand(0, wide); });
    return success();
  }
};
} // namespace

void qopt::populateWidenHalvesPatterns(RewritePatternSet &patterns) {
  patterns.add<WidenProduct, QuantizeWide>(patterns.getContext());
}
