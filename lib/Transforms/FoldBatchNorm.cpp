//===- FoldBatchNorm.cpp - Channel factors move into constant weights -----===//
// SPDX-License-Identifier: Apache-2.0
//
// W' = W * s by row and b' = b * s + t (methods 2.0). A factor in front of a
// linear op scales the weight's input channels; an offset in front becomes a
// bias, unless padding puts zeros beside the shifted values.
//===----------------------------------------------------------------------===//
#include "ScaledLinear.h"
#include "qopt/Transforms/Passes.h"

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace qopt {
#define GEN_PASS_DEF_FOLDBATCHNORM
#include "qopt/Transforms/Passes.h.inc"
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

/// Position of an element of the weight among the inputs of its linear op:
/// which input channel it is multiplied with, and to which output it adds.
static std::pair<int64_t, int64_t>
getChannels(LinearOp linear, ArrayRef<int64_t> shape, int64_t element) {
  if (auto matmul = dyn_cast<qg::MatmulOp>(linear.getOperation())) {
    int64_t major = element / shape.back() % shape[shape.size() - 2];
    int64_t minor = element % shape.back();
    if (matmul.getTransposeRhs())
      std::swap(major, minor);
    return {major, minor};
  }
  int64_t groups = 1;
  if (auto conv = dyn_cast<qg::ConvOp>(linear.getOperation()))
    groups = conv.getGroups();
  if (auto conv = dyn_cast<qg::ConvTransposeOp>(linear.getOperation()))
    groups = conv.getGroups();
  int64_t output = element / (getNumElements(shape) / shape.front());
  int64_t group = output / (shape.front() / groups);
  return {group * shape.back() + element % shape.back(), output};
}

/// Whether a constant added to the input adds one constant per channel to the
/// result.
static bool passesOffsets(LinearOp linear) {
  Operation *op = linear.getOperation();
  if (auto conv = dyn_cast<qg::ConvOp>(op))
    return llvm::all_of(conv.getPads(), [](int64_t pad) { return pad == 0; });
  auto matmul = dyn_cast<qg::MatmulOp>(op);
  return matmul &&
         cast<RankedTensorType>(matmul.getRhs().getType()).getRank() == 2;
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
    std::optional<Tensor> weight = scaled->linear.getWeightValues();
    if (!weight)
      return rewriter.notifyMatchFailure(op, "weights are not constant");
    scaleAxis(*weight, scaled->linear.getWeightAxis(), scaled->affine.scale);
    scaled->linear.setWeight(rewriter, *weight);
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
    std::optional<LinearOp> linear = LinearOp::match(op);
    if (!linear || !linear->hasFloatResult())
      return rewriter.notifyMatchFailure(op, "not a linear op");
    auto binary = op->getOperand(0).getDefiningOp<qg::BinaryOp>();
    if (!binary || !binary->hasOneUse())
      return rewriter.notifyMatchFailure(op, "no arithmetic read only here");
    std::optional<ChannelAffine> affine = ChannelAffine::match(binary);
    if (!affine)
      return rewriter.notifyMatchFailure(op, "no channel constants");
    if (!affine->offset.empty() && !passesOffsets(*linear))
      return rewriter.notifyMatchFailure(op, "padding keeps offsets out");
    std::optional<Tensor> weight = linear->getWeightValues();
    std::optional<SmallVector<float>> bias = linear->getBiasValues();
    if (!weight || !bias)
      return rewriter.notifyMatchFailure(op, "weights are not constant");
    fold(*linear, *affine, *weight, *bias);
    linear->setWeight(rewriter, *weight);
    if (!affine->offset.empty())
      linear->setBias(rewriter, *bias);
    rewriter.modifyOpInPlace(op, [&] { op->setOperand(0, affine->x); });
    return success();
  }

private:
  static void fold(LinearOp linear, const ChannelAffine &affine, Tensor &weight,
                   MutableArrayRef<float> bias) {
    // Sums of up to K products: in double, then rounded once.
    SmallVector<double> sums(bias.begin(), bias.end());
    SmallVector<int64_t> shape(weight.shape());
    for (auto [i, number] : llvm::enumerate(weight.mutableSpan<float>())) {
      auto [input, output] = getChannels(linear, shape, i);
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
