//===- FoldFactorIntoScales.cpp - Normalization behind stored weights -----===//
// SPDX-License-Identifier: Apache-2.0
//
// Weights that arrive as integers keep them: a factor by channel behind their
// linear op belongs into their scales, and its sign into the integers.
//===----------------------------------------------------------------------===//
#include "ScaledLinear.h"
#include "qopt/Transforms/Patterns.h"

#include <cmath>

using namespace mlir;
using namespace qopt;

namespace {
/// linear(x, dequantize(W)) * s + t -> linear(x, dequantize(W')), W' = s * W
struct FoldFactorIntoScales : OpRewritePattern<qg::BinaryOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(qg::BinaryOp op,
                                PatternRewriter &rewriter) const override {
    FailureOr<ScaledLinear> scaled = ScaledLinear::match(op, rewriter);
    if (failed(scaled))
      return failure();
    LinearOpInterface linear = scaled->linear;
    ArrayRef<float> factors = scaled->affine.scale;
    auto dequantize = linear.getWeight().getDefiningOp<qg::DequantizeOp>();
    if (!dequantize)
      return rewriter.notifyMatchFailure(op, "weights are not stored integers");
    std::optional<Tensor> stored = qg::matchConstant(dequantize.getX());
    auto tensor = cast<RankedTensorType>(dequantize.getX().getType());
    qg::QuantizedType type = qg::getQuantizedType(tensor.getElementType());
    if (!stored || !isUsable(type, linear.getOutputAxis()))
      return rewriter.notifyMatchFailure(op, "scales are not by channel");

    SmallVector<float> scales = type.getScaleVector();
    if (scales.size() == 1)
      scales.assign(linear.countOutputs(), scales[0]);
    SmallVector<int> signs;
    for (auto [scale, factor] : llvm::zip(scales, factors)) {
      float product = scale * std::abs(factor);
      // A channel that vanishes has weights of zero.
      bool vanishes = !std::isnormal(product);
      signs.push_back(vanishes ? 0 : factor < 0 ? -1 : 1);
      if (!vanishes)
        scale = product;
    }
    if (!apply(*stored, linear.getOutputAxis(), signs, type))
      return rewriter.notifyMatchFailure(op, "an integer has no negative");
    auto changed =
        qg::QuantizedType::getPerAxis(rewriter.getContext(), type.getFormat(),
                                      linear.getOutputAxis(), scales);
    rewriter.setInsertionPoint(linear);
    Value weight = qg::createConstant(
        rewriter, dequantize.getLoc(), *stored,
        RankedTensorType::get(tensor.getShape(), changed), "w");
    Value real =
        qg::DequantizeOp::create(rewriter, dequantize.getLoc(),
                                 dequantize.getResult().getType(), weight);
    rewriter.modifyOpInPlace(linear, [&] { linear.setWeight(real); });
    scaled->replace(op, rewriter);
    return success();
  }

private:
  static bool isUsable(qg::QuantizedType type, int64_t axis) {
    if (!type || type.isDynamic_() || type.isTable() || type.getGroupSize())
      return false;
    if (type.isPerAxis() && type.getAxis() != axis)
      return false;
    return llvm::all_of(type.getZeroPointVector(),
                        [](int64_t zero) { return zero == 0; });
  }

  static bool apply(Tensor &stored, int64_t axis, ArrayRef<int> signs,
                    qg::QuantizedType type) {
    int64_t inner = getNumElements(stored.shape().drop_front(axis + 1));
    int64_t extent = stored.shape()[axis];
    const IntegerFormat &format = type.getIntegerFormat();
    for (int64_t i = 0; i < stored.numElements(); ++i) {
      int64_t value = stored.getInt(i) * signs[i / inner % extent];
      if (value < format.min() || value > format.max())
        return false;
      stored.setInt(i, value);
    }
    return true;
  }
};
} // namespace

void qopt::populateFoldFactorIntoScalesPatterns(RewritePatternSet &patterns) {
  patterns.add<FoldFactorIntoScales>(patterns.getContext());
}
