//===- ChannelAffineToConv.cpp - Channel arithmetic as depthwise layers ---===//
// SPDX-License-Identifier: Apache-2.0
//
// A depthwise convolution of one position multiplies and shifts channels by
// numbers of their own. It rounds none of them: a channel has one weight, which
// a scale by channel represents exactly in any number of bits.
//===----------------------------------------------------------------------===//
#include "qopt/Analysis/ChannelConstant.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include <cmath>

namespace qopt {
#include "qopt/Transforms/ChannelAffineToConv.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

/// Numbers that differ by channel, those of a mean and a variance as a rule; a
/// function of equal numbers is a table.
static bool differ(ArrayRef<float> numbers) {
  return !numbers.empty() && !llvm::all_equal(numbers);
}

static Value createNumbers(OpBuilder &builder, Location loc,
                           ArrayRef<float> numbers, ArrayRef<int64_t> shape) {
  auto type = RankedTensorType::get(shape, builder.getF32Type());
  return qg::createConstant(
      builder, loc, Tensor::from<float>(DType::f32, shape, numbers), type);
}

/// x * scale + offset by channel; an empty list is 1 or 0.
static Value createDepthwise(OpBuilder &builder, Location loc, Value x,
                             ArrayRef<float> scale, ArrayRef<float> offset) {
  RankedTensorType type = getTensorType(x);
  int64_t channels = type.getShape().back();
  SmallVector<float> ones(channels, 1.0f);
  if (scale.empty())
    scale = ones;
  // Convolutions have at least one dimension between batch and channels.
  SmallVector<int64_t> shape(type.getShape());
  if (type.getRank() < 3)
    shape = {1, type.getNumElements() / std::max<int64_t>(channels, 1),
             channels};
  auto wide = RankedTensorType::get(shape, type.getElementType());
  if (wide != type)
    x = qg::ReshapeOp::create(builder, loc, wide, x);
  size_t spatial = shape.size() - 2;
  SmallVector<int64_t> ones64(spatial, 1), zeros(2 * spatial, 0);
  SmallVector<int64_t> weightShape(spatial + 2, 1);
  weightShape[0] = channels;
  Value bias;
  if (!offset.empty())
    bias = createNumbers(builder, loc, offset, {channels});
  Value y = qg::ConvOp::create(
      builder, loc, wide, x, createNumbers(builder, loc, scale, weightShape),
      bias, ones64, zeros, ones64, channels, DenseI64ArrayAttr());
  return wide == type ? y : qg::ReshapeOp::create(builder, loc, type, y);
}

namespace {
/// Products and sums of one tensor and channel constants, from the last to the
/// first.
struct AffineChain {
  Value x;
  SmallVector<float> scale, offset;

  static std::optional<AffineChain> match(qg::BinaryOp last);
};
} // namespace

/// y = s2 * (s1 * x + o1) + o2
static void prepend(AffineChain &chain, const ChannelAffine &first) {
  size_t channels = std::max(first.scale.size(), first.offset.size());
  auto get = [](ArrayRef<float> numbers, size_t i, float otherwise) {
    return numbers.empty() ? otherwise : numbers[i];
  };
  SmallVector<float> scale, offset;
  for (size_t i = 0; i < channels; ++i) {
    float outer = get(chain.scale, i, 1);
    scale.push_back(outer * get(first.scale, i, 1));
    offset.push_back(
        std::fma(outer, get(first.offset, i, 0), get(chain.offset, i, 0)));
  }
  chain.x = first.x;
  chain.scale = std::move(scale);
  chain.offset = std::move(offset);
}

std::optional<AffineChain> AffineChain::match(qg::BinaryOp last) {
  AffineChain chain;
  Value value = last.getResult();
  while (auto op = value.getDefiningOp<qg::BinaryOp>()) {
    std::optional<ChannelAffine> affine = ChannelAffine::match(op);
    if (!affine || (op != last && !op->hasOneUse()))
      break;
    prepend(chain, *affine);
    value = affine->x;
  }
  auto isFinite = [](float number) { return std::isfinite(number); };
  if (!chain.x || !llvm::all_of(chain.scale, isFinite) ||
      !llvm::all_of(chain.offset, isFinite) ||
      !(differ(chain.scale) || differ(chain.offset)))
    return std::nullopt;
  return chain;
}

/// Does another op of the chain follow?
static bool continues(qg::BinaryOp op) {
  if (!op->hasOneUse())
    return false;
  auto next = dyn_cast<qg::BinaryOp>(*op->user_begin());
  return next && ChannelAffine::match(next);
}

/// The numbers of a constant that differs along dimension 1 of `type` alone, as
/// files have them that put channels there; null for any other.
static Value getNumbersOfSecond(PatternRewriter &rewriter, Value value,
                                RankedTensorType type) {
  int64_t rank = type.getRank();
  std::optional<Tensor> tensor = qg::matchConstant(value);
  if (!tensor || rank < 3 || tensor->rank() > rank ||
      tensor->dtype() != DType::f32 || tensor->numElements() < 2)
    return {};
  int64_t dim = 1 - (rank - tensor->rank());
  if (dim < 0 || tensor->shape()[dim] != tensor->numElements() ||
      tensor->numElements() != type.getDimSize(1))
    return {};
  return createNumbers(rewriter, value.getLoc(), tensor->span<float>(),
                       {tensor->numElements()});
}

namespace {
/// Arithmetic by the second dimension, with that one put last around it.
struct MoveChannelsLast : OpRewritePattern<qg::BinaryOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(qg::BinaryOp op,
                                PatternRewriter &rewriter) const override {
    RankedTensorType type = op.getResultType();
    BinaryKind kind = op.getKind();
    if (!type.getElementType().isF32() ||
        (kind != BinaryKind::add && kind != BinaryKind::sub &&
         kind != BinaryKind::mul && kind != BinaryKind::div))
      return rewriter.notifyMatchFailure(op, "no float arithmetic");
    for (unsigned i : {0, 1}) {
      Value x = op->getOperand(1 - i);
      Value numbers =
          x.getType() == type
              ? getNumbersOfSecond(rewriter, op->getOperand(i), type)
              : Value();
      if (!numbers)
        continue;
      SmallVector<int64_t> last{0}, back{0, type.getRank() - 1};
      for (int64_t d = 2; d < type.getRank(); ++d) {
        last.push_back(d);
        back.push_back(d - 1);
      }
      last.push_back(1);
      SmallVector<int64_t> shape;
      for (int64_t d : last)
        shape.push_back(type.getDimSize(d));
      auto moved = RankedTensorType::get(shape, type.getElementType());
      Value operands[2];
      operands[i] = numbers;
      operands[1 - i] =
          qg::TransposeOp::create(rewriter, op.getLoc(), moved, x, last);
      Value y =
          qg::BinaryOp::create(rewriter, op.getLoc(), moved, kind, operands[0],
                               operands[1], DenseI64ArrayAttr());
      rewriter.replaceOpWithNewOp<qg::TransposeOp>(op, type, y, back);
      return success();
    }
    return rewriter.notifyMatchFailure(op, "no numbers of dimension 1");
  }
};

struct AffineToConv : OpRewritePattern<qg::BinaryOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(qg::BinaryOp op,
                                PatternRewriter &rewriter) const override {
    if (continues(op))
      return rewriter.notifyMatchFailure(op, "the chain goes on");
    std::optional<AffineChain> chain = AffineChain::match(op);
    if (!chain)
      return rewriter.notifyMatchFailure(op, "no arithmetic by channel");
    rewriter.replaceOp(op, createDepthwise(rewriter, op.getLoc(), chain->x,
                                           chain->scale, chain->offset));
    return success();
  }
};

/// x < 0 ? x * slope : x -> relu(x) + depthwise(min(x, 0))
struct SlopesToConv : OpRewritePattern<qg::SelectOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(qg::SelectOp op,
                                PatternRewriter &rewriter) const override {
    auto compare = op.getCondition().getDefiningOp<qg::CompareOp>();
    auto product = op.getOnTrue().getDefiningOp<qg::BinaryOp>();
    Value x = op.getOnFalse();
    if (!compare || !product || product.getKind() != BinaryKind::mul ||
        compare.getPredicate() != ComparePredicate::lt ||
        compare.getLhs() != x || product.getLhs() != x ||
        x.getType() != op.getType())
      return rewriter.notifyMatchFailure(op, "no slope of negative numbers");
    std::optional<Tensor> zero = qg::matchConstant(compare.getRhs());
    std::optional<ChannelAffine> affine = ChannelAffine::match(product);
    if (!zero || zero->numElements() != 1 || zero->getFloat(0) != 0 ||
        !affine || affine->x != x || !differ(affine->scale))
      return rewriter.notifyMatchFailure(op, "no slopes by channel");
    Location loc = op.getLoc();
    Value positive =
        qg::UnaryOp::create(rewriter, loc, op.getType(), UnaryKind::relu, x);
    Value negative =
        qg::BinaryOp::create(rewriter, loc, op.getType(), BinaryKind::min, x,
                             compare.getRhs(), DenseI64ArrayAttr());
    Value scaled = createDepthwise(rewriter, loc, negative, affine->scale, {});
    rewriter.replaceOpWithNewOp<qg::BinaryOp>(op, op.getType(), BinaryKind::add,
                                              positive, scaled,
                                              DenseI64ArrayAttr());
    return success();
  }
};

struct ChannelAffineToConv
    : qopt::impl::ChannelAffineToConvBase<ChannelAffineToConv> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<SlopesToConv>(&getContext(), /*benefit=*/2);
    patterns.add<AffineToConv>(&getContext());
    // Channels last before chains of them are looked for.
    RewritePatternSet moves(&getContext());
    moves.add<MoveChannelsLast>(&getContext());
    qg::TransposeOp::getCanonicalizationPatterns(moves, &getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(moves))) ||
        failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
