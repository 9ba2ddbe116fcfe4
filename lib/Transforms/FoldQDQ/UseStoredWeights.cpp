//===- UseStoredWeights.cpp - Products that read stored weights -----------===//
// SPDX-License-Identifier: Apache-2.0
//
// What was stored stays stored: scales and integers reach the kernels as the
// file has them, instead of as floats made of them at every call.
//===----------------------------------------------------------------------===//
#include "FoldQDQ.h"
#include "qopt/Dialect/QG/IR/Encodings.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace qopt {
#include "qopt/Transforms/UseStoredWeights.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

/// The constant behind a dequantize, if a product can read it.
static std::optional<Tensor> matchStored(Value weight) {
  auto op = weight.getDefiningOp<qg::DequantizeOp>();
  if (!op || !op.getType().getElementType().isF32() ||
      !qg::Decoder::get(getTensorType(op.getX())) ||
      qg::getQuantizedType(op.getX().getType()).getBits() > 8)
    return std::nullopt;
  return qg::matchConstant(op.getX());
}

static bool isF32(Value value) {
  return getTensorType(value).getElementType().isF32();
}

namespace {
struct ReadStoredMatrix : OpRewritePattern<qg::MatmulOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(qg::MatmulOp op,
                                PatternRewriter &rewriter) const override {
    std::optional<Tensor> stored = matchStored(op.getRhs());
    if (!stored || stored->rank() != 2 || stored->numElements() == 0)
      return rewriter.notifyMatchFailure(op, "rhs is no stored matrix");
    if (!isF32(op.getLhs()) || !isF32(op.getResult()) ||
        (op.getBias() && !qg::matchConstant(op.getBias())))
      return rewriter.notifyMatchFailure(op, "no product of f32 with a "
                                             "constant bias");
    Value x = op.getRhs().getDefiningOp<qg::DequantizeOp>().getX();
    rewriter.modifyOpInPlace(op, [&] { op.getRhsMutable().assign(x); });
    return success();
  }
};

struct PointwiseConvToMatmul : OpRewritePattern<qg::ConvOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(qg::ConvOp op,
                                PatternRewriter &rewriter) const override {
    std::optional<Tensor> stored = matchStored(op.getWeight());
    if (!stored || !isF32(op.getX()) || !isF32(op.getResult()) ||
        !isPointwiseProduct(op))
      return rewriter.notifyMatchFailure(op, "no pointwise convolution of f32 "
                                             "with a stored weight");
    qg::QuantizedType type = qg::getQuantizedType(
        op.getWeight().getDefiningOp<qg::DequantizeOp>().getX().getType());
    if (type.isPerAxis() && type.getAxis() != 0)
      return rewriter.notifyMatchFailure(op, "parameters lie along the input");
    replaceByMatmul(rewriter, op, *stored);
    return success();
  }
};

struct UseStoredWeights : qopt::impl::UseStoredWeightsBase<UseStoredWeights> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateWidenHalvesPatterns(patterns);
    patterns.add<ReadStoredMatrix, PointwiseConvToMatmul>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
