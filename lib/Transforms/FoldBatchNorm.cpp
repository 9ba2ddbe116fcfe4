//===- FoldBatchNorm.cpp - Channel factors move into constant weights -----===//
// SPDX-License-Identifier: Apache-2.0
//
// W' = W * s by row and b' = b * s + t (methods 2.0). A factor in front of a
// linear op scales the weight's input channels; an offset in front becomes a
// bias, unless padding puts zeros beside the shifted values.
//===----------------------------------------------------------------------===//
#include "ScaledLinear.h"
#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Transforms/Patterns.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include <cmath>

namespace qopt {
#include "qopt/Transforms/FoldBatchNorm.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

/// Multiplies every slice of `weight` along `axis` by its factor.
static void scaleAxis(Tensor &weight, int64_t axis, ArrayRef<float> factors) {
  int64_t inner = getNumElements(weight.shape().drop_front(axis + 1));
  int64_t extent = weight.shape()[axis];
  for (auto [i, number] : llvm::enumerate(weight.mutableSpan<float>()))
    number *= factors[int64_t(i) / inner % extent];
}

/// A weight beyond the range of floats is infinite where its product with a
/// small input is not.
static bool areFinite(ArrayRef<float> numbers) {
  return llvm::all_of(numbers,
                      [](float number) { return std::isfinite(number); });
}

namespace {
/// linear(x) * s -> linear(x) with weight W * s and bias b * s
struct FoldFactorBehind : OpRewritePattern<qg::BinaryOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(qg::BinaryOp op,
                                PatternRewriter &rewriter) const override {
    FailureOr<ScaledLinear> scaled = ScaledLinear::match(op, rewriter);
    if (failed(scaled))
      return failure();
    std::optional<Tensor> weight = getWeightValues(scaled->linear);
    if (!weight)
      return rewriter.notifyMatchFailure(op, "weights are not constant");
    scaleAxis(*weight, scaled->linear.getOutputAxis(), scaled->affine.scale);
    if (!areFinite(weight->span<float>()) || !areFinite(scaled->bias))
      return rewriter.notifyMatchFailure(op, "a weight would not be finite");
    setWeightValues(rewriter, scaled->linear, *weight);
    scaled->replace(op, rewriter);
    return success();
  }
};

/// linear(x * s + t) -> linear(x) with scaled input channels
struct FoldAffineBefore : RewritePattern {
  explicit FoldAffineBefore(MLIRContext *context)
      : RewritePattern(MatchAnyOpTypeTag(), /*benefit=*/1, context) {}

  LogicalResult matchAndRewrite(Operation *op,
                                PatternRewriter &rewriter) const override {
    auto linear = dyn_cast<LinearOpInterface>(op);
    if (!linear || !hasFloatResult(linear))
      return rewriter.notifyMatchFailure(op, "not a linear op");
    auto binary = linear.getInput().getDefiningOp<qg::BinaryOp>();
    if (!binary || !binary->hasOneUse())
      return rewriter.notifyMatchFailure(op, "no arithmetic read only here");
    std::optional<ChannelAffine> affine = ChannelAffine::match(binary);
    if (!affine)
      return rewriter.notifyMatchFailure(op, "no channel constants");
    if (!affine->offset.empty() && !linear.passesOffsets())
      return rewriter.notifyMatchFailure(op, "padding keeps offsets out");
    std::optional<Tensor> weight = getWeightValues(linear);
    std::optional<SmallVector<float>> bias = getBiasValues(linear);
    if (!weight || !bias)
      return rewriter.notifyMatchFailure(op, "weights are not constant");
    fold(linear, *affine, *weight, *bias);
    if (!areFinite(weight->span<float>()) || !areFinite(*bias))
      return rewriter.notifyMatchFailure(op, "a weight would not be finite");
    setWeightValues(rewriter, linear, *weight);
    if (!affine->offset.empty())
      setBiasValues(rewriter, linear, *bias);
    rewriter.modifyOpInPlace(op,
                             [&] { linear.getInputOperand().set(affine->x); });
    return success();
  }

private:
  static void fold(LinearOpInterface linear, const ChannelAffine &affine,
                   Tensor &weight, MutableArrayRef<float> bias) {
    // Sums of up to K products: in double, then rounded once.
    SmallVector<double> sums(bias.begin(), bias.end());
    WeightChannels channels(linear);
    for (auto [i, number] : llvm::enumerate(weight.mutableSpan<float>())) {
      int64_t input = channels.getInput(i), output = channels.getOutput(i);
      if (!affine.offset.empty())
        sums[output] += double(number) * affine.offset[input];
      if (!affine.scale.empty())
        number *= affine.scale[input];
    }
    llvm::copy(sums, bias.begin());
  }
};

struct FoldBatchNorm : qopt::impl::FoldBatchNormBase<FoldBatchNorm> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateFoldBatchNormPatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace

void qopt::populateFoldBatchNormPatterns(RewritePatternSet &patterns) {
  patterns.add<FoldFactorBehind, FoldAffineBefore>(patterns.getContext());
  populateFoldFactorIntoScalesPatterns(patterns);
  populateFuseBiasPatterns(patterns);
}
