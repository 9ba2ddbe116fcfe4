//===- GroupedConv.cpp - Pointwise convolutions as matrix products --------===//
// SPDX-License-Identifier: Apache-2.0
//
// Integer products with parameters per group exist for matrices only. A 1x1
// window adds in the same order, so nothing changes.
//===----------------------------------------------------------------------===//
#include "FoldQDQ.h"

using namespace mlir;
using namespace qopt;

bool qopt::isPointwiseProduct(qg::ConvOp op) {
  auto isOne = [](int64_t value) { return value == 1; };
  return op.getGroups() == 1 && !op.getClamp() &&
         llvm::all_of(getShape(op.getWeight()).drop_front().drop_back(),
                      isOne) &&
         llvm::all_of(op.getStrides(), isOne) &&
         llvm::all_of(op.getPads(), [](int64_t pad) { return pad == 0; });
}

void qopt::replaceByMatmul(PatternRewriter &rewriter, qg::ConvOp op,
                           const Tensor &stored) {
  Location loc = op.getLoc();
  auto dequantize = op.getWeight().getDefiningOp<qg::DequantizeOp>();
  ArrayRef<int64_t> weight = stored.shape();
  auto xType = cast<RankedTensorType>(op.getX().getType());
  Type f32 = rewriter.getF32Type();
  int64_t columns = weight.back();
  int64_t rows = getNumElements(xType.getShape().drop_back());
  auto matrix =
      RankedTensorType::get({weight.front(), columns},
                            qg::getQuantizedType(dequantize.getX().getType()));
  Value rhs = qg::createConstant(rewriter, dequantize.getLoc(),
                                 stored.reshaped({weight.front(), columns}),
                                 matrix, "w");
  rhs = qg::DequantizeOp::create(rewriter, dequantize.getLoc(),
                                 RankedTensorType::get(matrix.getShape(), f32),
                                 rhs);
  Value x = qg::ReshapeOp::create(
      rewriter, loc, RankedTensorType::get({rows, columns}, f32), op.getX());
  Value product = qg::MatmulOp::create(
      rewriter, loc, RankedTensorType::get({rows, weight.front()}, f32), x, rhs,
      op.getBias(), rewriter.getUnitAttr(), DenseI64ArrayAttr());
  rewriter.replaceOpWithNewOp<qg::ReshapeOp>(op, op.getType(), product);
}

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
    if (!isPointwiseProduct(op))
      return rewriter.notifyMatchFailure(op, "no pointwise convolution");
    replaceByMatmul(rewriter, op, *stored);
    return success();
  }
};
} // namespace

void qopt::populateGroupedConvPatterns(RewritePatternSet &patterns) {
  patterns.add<GroupedConvToMatmul>(patterns.getContext());
}
