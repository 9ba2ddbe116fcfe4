//===- GroupedConv.cpp - Convolutions as matrix products ------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Integer products with parameters per group exist for matrices only. A product
// with what every window sees adds in the same order: what lies outside adds
// zeros.
//===----------------------------------------------------------------------===//
#include "FoldQDQ.h"
#include "qopt/Analysis/WindowProducts.h"
#include "qopt/Dialect/QG/IR/ShapedBuilder.h"

using namespace mlir;
using namespace qopt;

/// What every window of `op` sees, taps in order: [positions, taps * C].
static Value gatherWindows(qg::ShapedBuilder &b, qg::ConvOp op) {
  ArrayRef<int64_t> kernel = getShape(op.getWeight()).drop_front().drop_back();
  ArrayRef<int64_t> result = getShape(op.getResult());
  int64_t rank = kernel.size(), channels = getShape(op.getX()).back();
  int64_t taps = getNumElements(kernel);
  SmallVector<int64_t> low(rank + 2, 0), high(low), sizes(result), steps{1};
  for (int64_t i = 0; i < rank; ++i) {
    low[i + 1] = op.getPads()[i];
    high[i + 1] = op.getPads()[i + rank];
  }
  sizes.back() = channels;
  llvm::append_range(steps, op.getStrides());
  steps.push_back(1);
  Value x = b.pad(PadMode::constant, op.getX(), Value(), low, high);
  SmallVector<Value> seen;
  for (int64_t tap = 0; tap < taps; ++tap) {
    SmallVector<int64_t> offsets(rank + 2, 0);
    for (int64_t i = rank, rest = tap; i-- > 0; rest /= kernel[i])
      offsets[i + 1] = rest % kernel[i] * op.getDilations()[i];
    seen.push_back(b.slice(x, offsets, sizes, steps));
  }
  Value windows = taps == 1 ? seen.front() : b.concat(seen, rank + 1);
  return b.reshape(windows,
                   {getNumElements(result.drop_back()), taps * channels});
}

void qopt::replaceByMatmul(PatternRewriter &rewriter, qg::ConvOp op,
                           const Tensor &stored) {
  Location loc = op.getLoc();
  auto dequantize = op.getWeight().getDefiningOp<qg::DequantizeOp>();
  qg::ShapedBuilder b(rewriter, loc);
  int64_t outputs = stored.shape().front();
  int64_t columns = getNumElements(stored.shape().drop_front());
  auto matrix = RankedTensorType::get(
      {outputs, columns}, qg::getQuantizedType(dequantize.getX().getType()));
  Value rhs =
      qg::createConstant(rewriter, dequantize.getLoc(),
                         stored.reshaped({outputs, columns}), matrix, "w");
  rhs = qg::DequantizeOp::create(
      rewriter, dequantize.getLoc(),
      RankedTensorType::get(matrix.getShape(), rewriter.getF32Type()), rhs);
  Value x = gatherWindows(b, op);
  Value product = qg::MatmulOp::create(
      rewriter, loc,
      RankedTensorType::get({b.extent(x, 0), outputs}, rewriter.getF32Type()),
      x, rhs, op.getBias(), rewriter.getUnitAttr(), DenseI64ArrayAttr());
  if (Attribute reason = op->getAttr("qg.float_reason"))
    product.getDefiningOp()->setAttr("qg.float_reason", reason);
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
    if (!isMatrixProduct(op))
      return rewriter.notifyMatchFailure(op, "no product of one matrix");
    replaceByMatmul(rewriter, op, *stored);
    return success();
  }
};
} // namespace

void qopt::populateGroupedConvPatterns(RewritePatternSet &patterns) {
  patterns.add<GroupedConvToMatmul>(patterns.getContext());
}
