//===- FoldChannelScales.cpp - Scales by channel into depthwise weights ---===//
// SPDX-License-Identifier: Apache-2.0
//
// w[c] * (s[c] * q) = (w[c] * s[c] / S) * (S * q): the integers q stay what
// they are, under one scale S. Where q comes from a linear op, 1 / s[c] goes
// into its weights, else a product stands before the quantize.
//===----------------------------------------------------------------------===//
#include "FoldQDQ.h"
#include "qopt/Dialect/QG/IR/QG.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace qopt {
#include "qopt/Transforms/FoldChannelScales.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

/// Scales along the last dimension of unsigned bytes under one zero point.
static qg::QuantizedType getChannelType(Type type) {
  qg::QuantizedType quantized = qg::getQuantizedType(type);
  if (!quantized || !quantized.isPerAxis() || quantized.getGroupSize() ||
      quantized.isTable() || quantized.getIntegerFormat().storageBits() != 8 ||
      quantized.getAxis() != cast<RankedTensorType>(type).getRank() - 1 ||
      quantized.getScaleVector().empty() ||
      !llvm::all_equal(quantized.getZeroPointVector()))
    return {};
  return quantized;
}

/// The scales of the constant behind a dequantize, one per output channel.
static qg::DequantizeOp matchWeight(Value weight) {
  auto op = weight.getDefiningOp<qg::DequantizeOp>();
  if (!op || !op.getX().getDefiningOp<qg::ConstantOp>())
    return {};
  qg::QuantizedType type = qg::getQuantizedType(op.getX().getType());
  return type.isPerAxis() && type.getAxis() == 0 && !type.getGroupSize() &&
                 !type.getScaleVector().empty()
             ? op
             : qg::DequantizeOp();
}

/// The same integers under other scales.
static Value scaleWeight(PatternRewriter &rewriter, qg::DequantizeOp weight,
                         function_ref<double(size_t)> factor) {
  auto tensor = cast<RankedTensorType>(weight.getX().getType());
  qg::QuantizedType type = qg::getQuantizedType(tensor);
  SmallVector<float> scales = type.getScaleVector();
  for (auto [o, scale] : llvm::enumerate(scales))
    scale = float(double(scale) * factor(o));
  SmallVector<int64_t> wide = type.getZeroPointVector();
  SmallVector<int32_t> zeros(wide.begin(), wide.end());
  if (llvm::all_of(zeros, [](int32_t zero) { return zero == 0; }))
    zeros.clear();
  auto scaled = qg::QuantizedType::getPerAxis(
      weight.getContext(), type.getFormat(), 0, scales, zeros, 0,
      type.isTable() ? type.getTable().asArrayRef() : ArrayRef<int8_t>());
  rewriter.setInsertionPoint(weight);
  Value constant = qg::createConstant(
      rewriter, weight.getLoc(), *qg::matchConstant(weight.getX()),
      RankedTensorType::get(tensor.getShape(), scaled), "w");
  return qg::DequantizeOp::create(rewriter, weight.getLoc(), weight.getType(),
                                  constant);
}

namespace {
struct MoveChannelScales : OpRewritePattern<qg::QuantizeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(qg::QuantizeOp op,
                                PatternRewriter &rewriter) const override;

private:
  static bool findReaders(qg::QuantizeOp op,
                          SmallVectorImpl<LinearOpInterface> &readers);
  static bool scaleProducer(PatternRewriter &rewriter, Value x,
                            ArrayRef<double> factors);
};
} // namespace

/// All that reads it are depthwise convolutions with rounded weights.
bool MoveChannelScales::findReaders(
    qg::QuantizeOp op, SmallVectorImpl<LinearOpInterface> &readers) {
  for (Operation *user : op->getUsers()) {
    auto dequantize = dyn_cast<qg::DequantizeOp>(user);
    if (!dequantize)
      return false;
    for (OpOperand &use : dequantize->getUses()) {
      auto conv = dyn_cast<LinearOpInterface>(use.getOwner());
      if (!conv || &conv.getInputOperand() != &use || !conv.isDepthwise() ||
          !matchWeight(conv.getWeight()))
        return false;
      readers.push_back(conv);
    }
  }
  return !readers.empty();
}

/// Multiplies the result of a linear op with rounded weights, which may pass a
/// relu: factors are positive. False if `x` is something else.
bool MoveChannelScales::scaleProducer(PatternRewriter &rewriter, Value x,
                                      ArrayRef<double> factors) {
  while (auto relu = x.getDefiningOp<qg::UnaryOp>()) {
    if (relu.getKind() != UnaryKind::relu || !x.hasOneUse())
      return false;
    x = relu.getX();
  }
  auto conv = x.getDefiningOp<LinearOpInterface>();
  if (!conv || !conv.isConvolution() || !x.hasOneUse() ||
      qg::getQuantizedType(conv.getInput().getType()))
    return false;
  qg::DequantizeOp weight = matchWeight(conv.getWeight());
  std::optional<Tensor> bias;
  if (conv.getBias()) {
    bias = qg::matchConstant(conv.getBias());
    if (!bias || bias->dtype() != DType::f32)
      return false;
  }
  if (!weight)
    return false;
  Value scaled =
      scaleWeight(rewriter, weight, [&](size_t o) { return factors[o]; });
  Value newBias;
  if (bias) {
    for (auto [o, value] : llvm::enumerate(bias->mutableSpan<float>()))
      value = float(double(value) * factors[o]);
    newBias = qg::createConstant(
        rewriter, conv.getBias().getLoc(), *bias,
        cast<RankedTensorType>(conv.getBias().getType()), "bias");
  }
  rewriter.modifyOpInPlace(conv, [&] {
    conv.setWeight(scaled);
    if (newBias)
      conv.setBias(newBias);
  });
  return true;
}

LogicalResult
MoveChannelScales::matchAndRewrite(qg::QuantizeOp op,
                                   PatternRewriter &rewriter) const {
  qg::QuantizedType type = getChannelType(op.getType());
  if (!type)
    return rewriter.notifyMatchFailure(op, "not one scale per channel");
  SmallVector<LinearOpInterface> readers;
  if (!findReaders(op, readers))
    return rewriter.notifyMatchFailure(op, "others than depthwise read it");
  SmallVector<float> scales = type.getScaleVector();
  float common = *llvm::max_element(scales);
  SmallVector<double> factors;
  for (float scale : scales)
    factors.push_back(double(common) / double(scale));
  for (LinearOpInterface conv : readers) {
    // Output o belongs to the channel o / (outputs per channel).
    size_t perChannel = size_t(conv.countOutputs()) / scales.size();
    Value weight =
        scaleWeight(rewriter, matchWeight(conv.getWeight()),
                    [&](size_t o) { return 1 / factors[o / perChannel]; });
    rewriter.modifyOpInPlace(conv, [&] { conv.setWeight(weight); });
  }
  Value x = op.getX();
  auto element =
      qg::QuantizedType::getPerTensor(op.getContext(), type.getFormat(), common,
                                      type.getZeroPointVector().front());
  if (!x.hasOneUse() || !scaleProducer(rewriter, x, factors)) {
    rewriter.setInsertionPoint(op);
    auto vector =
        RankedTensorType::get({int64_t(factors.size())}, rewriter.getF32Type());
    Tensor values(DType::f32, vector.getShape());
    for (auto [c, factor] : llvm::enumerate(factors))
      values.setFloat(c, factor);
    Value constant =
        qg::createConstant(rewriter, op.getLoc(), values, vector, "factors");
    x = qg::BinaryOp::create(rewriter, op.getLoc(), op.getX().getType(),
                             BinaryKind::mul, op.getX(), constant,
                             DenseI64ArrayAttr());
  }
  rewriter.setInsertionPoint(op);
  auto quantized = qg::QuantizeOp::create(
      rewriter, op.getLoc(),
      RankedTensorType::get(op.getType().getShape(), element), x);
  for (Operation *user : llvm::make_early_inc_range(op->getUsers())) {
    rewriter.setInsertionPoint(user);
    rewriter.replaceOpWithNewOp<qg::DequantizeOp>(user, user->getResultTypes(),
                                                  quantized);
  }
  rewriter.eraseOp(op);
  return success();
}

void qopt::populateChannelScalesPatterns(RewritePatternSet &patterns) {
  patterns.add<MoveChannelScales>(patterns.getContext());
}

namespace {
struct FoldChannelScales
    : qopt::impl::FoldChannelScalesBase<FoldChannelScales> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateChannelScalesPatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
