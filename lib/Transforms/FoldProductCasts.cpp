//===- FoldProductCasts.cpp - Sums of integers that are read as floats ----===//
// SPDX-License-Identifier: Apache-2.0
//
// ConvInteger and MatMulInteger give 32-bit sums, which a Cast and a Mul turn
// into real numbers. The cast alone is the product of the same encodings with a
// float result, so that factors, biases and a quantize behind it fold as they
// do between QuantizeLinear and DequantizeLinear.
//===----------------------------------------------------------------------===//
#include "FoldQDQ/FoldQDQ.h"
#include "qopt/Dialect/QG/IR/ShapedBuilder.h"
#include "qopt/Transforms/Patterns.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace qopt {
#include "qopt/Transforms/FoldProductCasts.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

namespace {
/// A product of integers that stand for themselves less their zero points.
struct IntegerProduct {
  LinearOpInterface linear;
  Tensor weight; ///< signed bytes
  /// Less which the weights are, by output; empty for none.
  SmallVector<int32_t> zeros;
};
} // namespace

/// Whether a step of the encoding is 1: sums of products are real numbers.
static bool countsOnes(qg::QuantizedType type) {
  return type && type.isPerTensor() && type.getScale() == 1.0f;
}

/// The product with constant signed bytes that gives `sums`.
static std::optional<IntegerProduct> matchProduct(Value sums) {
  auto linear = sums.getDefiningOp<LinearOpInterface>();
  if (!linear || linear.getBias() || !linear.isShared() ||
      !getTensorType(sums).getElementType().isSignlessInteger(32))
    return std::nullopt;
  qg::QuantizedType weight = qg::getQuantizedType(linear.getWeight().getType());
  std::optional<Tensor> stored = qg::matchConstant(linear.getWeight());
  if (!stored || !countsOnes(weight) || weight.getFormat() != "si8" ||
      weight.getZeroPoint() != 0 ||
      !countsOnes(getStoredTensorType(linear.getInput().getType())))
    return std::nullopt;
  return IntegerProduct{linear, *stored, {}};
}

/// `rest`, one number for each output, of a product with ones times `rest`.
static std::optional<SmallVector<int32_t>>
matchZeros(Value value, const IntegerProduct &product) {
  auto times = value.getDefiningOp<qg::BinaryOp>();
  if (!times || times.getKind() != BinaryKind::mul)
    return std::nullopt;
  std::optional<IntegerProduct> sums = matchProduct(times.getLhs());
  std::optional<Tensor> rest = qg::matchConstant(times.getRhs());
  LinearOpInterface linear = product.linear;
  if (!sums || !rest || rest->dtype() != DType::i32 ||
      rest->numElements() != linear.countOutputs() ||
      sums->linear->getName() != linear->getName() ||
      sums->linear->getAttrDictionary() != linear->getAttrDictionary() ||
      sums->linear.getInput() != linear.getInput())
    return std::nullopt;
  if (!llvm::all_of(sums->weight.span<int8_t>(),
                    [](int8_t byte) { return byte == 1; }))
    return std::nullopt;
  ArrayRef<int32_t> zeros = rest->span<int32_t>();
  if (!llvm::all_of(zeros, [](int32_t z) { return z >= -128 && z <= 127; }))
    return std::nullopt;
  return SmallVector<int32_t>(zeros);
}

/// A product, or the difference of one and that with its zero points.
static std::optional<IntegerProduct> matchSums(Value value) {
  if (std::optional<IntegerProduct> product = matchProduct(value))
    return product;
  auto difference = value.getDefiningOp<qg::BinaryOp>();
  if (!difference || difference.getKind() != BinaryKind::sub)
    return std::nullopt;
  std::optional<IntegerProduct> product = matchProduct(difference.getLhs());
  if (!product)
    return std::nullopt;
  std::optional<SmallVector<int32_t>> zeros =
      matchZeros(difference.getRhs(), *product);
  if (!zeros)
    return std::nullopt;
  product->zeros = *zeros;
  return product;
}

/// The weight in real numbers.
static Value createWeight(qg::ShapedBuilder &b, IntegerProduct &product) {
  ArrayRef<int32_t> zeros = product.zeros;
  MLIRContext *context = b.context();
  qg::QuantizedType type;
  if (zeros.empty() || llvm::all_equal(zeros))
    type = qg::QuantizedType::getPerTensor(context, "si8", 1.0f,
                                           zeros.empty() ? 0 : zeros.front());
  else
    type = qg::QuantizedType::getPerAxis(
        context, "si8", product.linear.getOutputAxis(),
        SmallVector<float>(zeros.size(), 1.0f), zeros);
  ArrayRef<int64_t> shape = product.weight.shape();
  return b.emit<qg::DequantizeOp>(
      shape, b.f32(),
      b.constant(product.weight, RankedTensorType::get(shape, type)));
}

namespace {
struct CastProduct : OpRewritePattern<qg::CastOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(qg::CastOp op,
                                PatternRewriter &rewriter) const override {
    if (!getTensorType(op.getResult()).getElementType().isF32())
      return rewriter.notifyMatchFailure(op, "gives no f32");
    std::optional<IntegerProduct> product = matchSums(op.getX());
    if (!product)
      return rewriter.notifyMatchFailure(op, "no product of integers");
    LinearOpInterface linear = product->linear;
    qg::ShapedBuilder b(rewriter, linear.getLoc());
    Value x = linear.getInput();
    Value real = b.emit<qg::DequantizeOp>(b.shape(x), b.f32(), x);
    OperationState state(linear.getLoc(), linear->getName().getStringRef(),
                         {real, createWeight(b, *product)}, op.getType(),
                         linear->getAttrs());
    rewriter.replaceOp(op, rewriter.create(state));
    return success();
  }
};

struct FoldProductCasts : qopt::impl::FoldProductCastsBase<FoldProductCasts> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateFoldProductCastsPatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace

void qopt::populateFoldProductCastsPatterns(RewritePatternSet &patterns) {
  patterns.add<CastProduct>(patterns.getContext());
  populateFoldFactorIntoScalesPatterns(patterns);
}
