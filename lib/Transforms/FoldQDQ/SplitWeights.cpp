//===- SplitWeights.cpp - Weights that leave signed bytes -----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A weight of 8 bits less its zero point is within [-255, 255]. What leaves a
// signed byte is the sum of two or three, and x * (a + b) = x * a + x * b: the
// input channels that need it are read again, by the rest. Integers add up to
// the same number, so every target with kernels for bytes has exact ones.
//===----------------------------------------------------------------------===//
#include "FoldQDQ.h"
#include "qopt/Dialect/QG/IR/Encodings.h"
#include "qopt/Dialect/QG/IR/ShapedBuilder.h"

#include <algorithm>

using namespace mlir;
using namespace qopt;

namespace {
/// Integers as `[outer, channels, inner]`, `channels` those of one group.
struct WeightView {
  int64_t outer, channels, inner;

  WeightView(ArrayRef<int64_t> shape, int64_t axis)
      : outer(getNumElements(shape.take_front(axis))), channels(shape[axis]),
        inner(getNumElements(shape.drop_front(axis + 1))) {}
  int64_t at(int64_t o, int64_t channel, int64_t i) const {
    return (o * channels + channel) * inner + i;
  }
};

/// Signed bytes whose channels are channels of x, some of them repeatedly.
struct SplitWeight {
  Tensor bytes;
  SmallVector<int64_t> channels;
};
} // namespace

/// Takes from every integer what fits a signed byte; the channels of what was
/// taken and is not zero.
static SmallVector<int64_t> takeBytes(const WeightView &view,
                                      std::vector<int32_t> &integers,
                                      std::vector<int8_t> &bytes) {
  SmallVector<int64_t> channels;
  bytes.resize(integers.size());
  for (int64_t c = 0; c < view.channels; ++c) {
    bool isUsed = false;
    for (int64_t o = 0; o < view.outer; ++o)
      for (int64_t i = 0; i < view.inner; ++i) {
        int64_t at = view.at(o, c, i);
        bytes[at] = int8_t(std::clamp(integers[at], -128, 127));
        integers[at] -= bytes[at];
        isUsed |= bytes[at] != 0;
      }
    if (isUsed)
      channels.push_back(c);
  }
  return channels;
}

static SplitWeight split(std::vector<int32_t> integers, ArrayRef<int64_t> shape,
                         int64_t axis) {
  WeightView view(shape, axis);
  SmallVector<std::vector<int8_t>, 3> parts(1);
  SplitWeight result;
  takeBytes(view, integers, parts[0]);
  // (part, channel) of every channel of the result.
  SmallVector<std::pair<int64_t, int64_t>> origins;
  for (int64_t c = 0; c < view.channels; ++c)
    origins.push_back({0, c});
  while (llvm::any_of(integers, [](int32_t rest) { return rest != 0; })) {
    parts.emplace_back();
    for (int64_t c : takeBytes(view, integers, parts.back()))
      origins.push_back({int64_t(parts.size()) - 1, c});
  }
  SmallVector<int64_t> extents(shape);
  extents[axis] = origins.size();
  result.bytes = Tensor(DType::i8, extents);
  int64_t next = 0;
  for (int64_t o = 0; o < view.outer; ++o)
    for (auto [part, c] : origins)
      for (int64_t i = 0; i < view.inner; ++i)
        result.bytes.setInt(next++, parts[part][view.at(o, c, i)]);
  for (auto [part, c] : origins)
    result.channels.push_back(c);
  return result;
}

/// The integers of a constant weight of 8 bits, with scales along `axis`, some
/// of which leave a signed byte; empty for any other weight.
static std::vector<int32_t> getLargeIntegers(qg::DequantizeOp op,
                                             int64_t axis) {
  auto tensorType = cast<RankedTensorType>(op.getX().getType());
  qg::QuantizedType type = qg::getQuantizedType(tensorType);
  std::optional<Tensor> stored = qg::matchConstant(op.getX());
  if (!stored || type.isDynamic_() || type.getGroupSize() || type.isTable() ||
      type.getIntegerFormat().storageBits() != 8 ||
      (type.isPerAxis() && type.getAxis() != axis))
    return {};
  std::optional<qg::Decoder> decoder = qg::Decoder::get(tensorType);
  if (!decoder || decoder->bytes(*stored).bytes)
    return {};
  return decoder->integers(*stored);
}

/// The dequantized bytes, with the scales of `op`.
static Value createWeight(qg::ShapedBuilder &b, qg::DequantizeOp op,
                          const Tensor &bytes) {
  qg::QuantizedType type = qg::getQuantizedType(op.getX().getType());
  SmallVector<float> scales = type.getScaleVector();
  auto stored = type.isPerTensor()
                    ? qg::QuantizedType::getPerTensor(b.context(), "si8",
                                                      scales.front(), 0)
                    : qg::QuantizedType::getPerAxis(b.context(), "si8",
                                                    type.getAxis(), scales);
  return b.emit<qg::DequantizeOp>(
      bytes.shape(), b.f32(),
      b.constant(bytes, RankedTensorType::get(bytes.shape(), stored)));
}

namespace {
template <typename Op> struct SplitLargeWeight : OpRewritePattern<Op> {
  SplitLargeWeight(MLIRContext *context, bool wide)
      : OpRewritePattern<Op>(context), wide(wide) {}
  LogicalResult matchAndRewrite(Op op,
                                PatternRewriter &rewriter) const override {
    auto linear = cast<LinearOpInterface>(op.getOperation());
    auto x = linear.getInput().template getDefiningOp<qg::DequantizeOp>();
    if (!x || !getStoredTensorType(x.getX().getType(), wide ? 16 : 8))
      return rewriter.notifyMatchFailure(op, "x is not dequantized");
    auto weight = linear.getWeight().template getDefiningOp<qg::DequantizeOp>();
    if (!weight || !linear.isShared())
      return rewriter.notifyMatchFailure(op, "no constant weight");
    if (isa<qg::MatmulOp>(op) && !wide &&
        getStoredTensorType(weight.getX().getType()))
      return rewriter.notifyMatchFailure(op, "a product takes one zero point");
    std::vector<int32_t> integers =
        getLargeIntegers(weight, linear.getOutputAxis());
    if (integers.empty())
      return rewriter.notifyMatchFailure(op, "weight has 8 signed bits");
    SplitWeight parts = split(std::move(integers), getShape(weight.getResult()),
                              linear.getInputAxis());
    int64_t groups = linear.getLinearGeometry().groups;
    int64_t channels = getShape(linear.getInput()).back() / groups;
    SmallVector<int64_t> picked;
    for (int64_t g = 0; g < groups; ++g)
      for (int64_t c : parts.channels)
        picked.push_back(g * channels + c);
    qg::ShapedBuilder b(rewriter, op.getLoc());
    Value stored = b.gather(x.getX(), b.ints(picked), b.rank(x) - 1);
    Value wide = b.emit<qg::DequantizeOp>(b.shape(stored), b.f32(), stored);
    Value bytes = createWeight(b, weight, parts.bytes);
    rewriter.modifyOpInPlace(op, [&] {
      linear.getInputOperand().set(wide);
      linear.setWeight(bytes);
    });
    return success();
  }

private:
  bool wide;
};
} // namespace

void qopt::populateSplitWeightsPatterns(RewritePatternSet &patterns,
                                        bool wide) {
  patterns
      .add<SplitLargeWeight<qg::ConvOp>, SplitLargeWeight<qg::ConvTransposeOp>,
           SplitLargeWeight<qg::MatmulOp>>(patterns.getContext(), wide);
}
