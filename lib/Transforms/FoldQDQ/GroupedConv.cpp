//===- GroupedConv.cpp - Pointwise convolutions as matrix products --------===//
// SPDX-License-Identifier: Apache-2.0
//
// Integer products with parameters per group exist for matrices only. A 1x1
// window adds in the same order, so nothing changes.
//===----------------------------------------------------------------------===//
#include "FoldQDQ.h"

using namespace mlir;
using namespace qopt;

namespace {
struct GroupedConvToMatmul : OpRewritePattern<qg::ConvOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(qg::ConvOp op,
                                PatternRewriter &rewriter) const override {
    auto dequantize = op.getWeight().getDefiningOp<qg::DequantizeOp>();
    std::optional<Tensor> stored;
    if (dequantize)
      stored = qg::matchConstant(dequantize.getX());
    if (!stored ||
        !qg::getQuantizedType(dequantize.getX().getType()).getGroupSize())
      return rewriter.notifyMatchFailure(op, "weight has no groups");
    ArrayRef<int64_t> weight = stored->shape();
    auto isOne = [](int64_t value) { return value == 1; };
    if (op.getGroups() != 1 || op.getClamp() ||
        !llvm::all_of(weight.drop_front().drop_back(), isOne) ||
        !llvm::all_of(op.getStrides(), isOne) ||
        !llvm::all_of(op.getPads(), [](int64_t pad) { return pad == 0; }))
      return rewriter.notifyMatchFailure(op, "no pointwise convolution");
    Location loc = op.getLoc();
    auto xType = cast<RankedTensorType>(op.getX().getType());
    Type f32 = rewriter.getF32Type();
    int64_t columns = weight.back(), rows = xType.getNumElements() / columns;
    auto matrix = RankedTensorType::get(
        {weight.front(), columns},
        qg::getQuantizedType(dequantize.getX().getType()));
    Value rhs = qg::createConstant(rewriter, dequantize.getLoc(),
                                   stored->reshaped({weight.front(), columns}),
                                   matrix, "w");
    rhs = qg::DequantizeOp::create(
        rewriter, dequantize.getLoc(),
        RankedTensorType::get(matrix.getShape(), f32), rhs);
    Value x = qg::ReshapeOp::create(
        rewriter, loc, RankedTensorType::get({rows, columns}, f32), op.getX());
    Value product = qg::MatmulOp::create(
        rewriter, loc, RankedTensorType::get({rows, weight.front()}, f32), x,
        rhs, op.getBias(), rewriter.getUnitAttr(), DenseI64ArrayAttr());
    rewriter.replaceOpWithNewOp<qg::ReshapeOp>(op, op.getType(), product);
    return success();
  }
};
} // namespace

void qopt::populateGroupedConvPatterns(RewritePatternSet &patterns) {
  patterns.add<GroupedConvToMatmul>(patterns.getContext());
}
