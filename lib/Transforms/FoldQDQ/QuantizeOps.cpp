//===- QuantizeOps.cpp - dequantize, op, clamp, quantize into one op ------===//
// SPDX-License-Identifier: Apache-2.0
//
// Clamps fold into the saturation of the result: rounding is monotone, so
// quantize(max(v, c)) = max(quantize(v), quantize(c)) exactly.
//===----------------------------------------------------------------------===//
#include "FoldQDQ.h"
#include "qopt/Dialect/QG/IR/Encodings.h"

#include <cmath>

using namespace mlir;
using namespace qopt;

namespace {
/// What follows an op: clamps by constants and a quantize.
struct Tail {
  qg::QuantizeOp quantize;
  std::optional<SmallVector<int64_t, 2>> clamp;
};
} // namespace

/// f32 values of a constant, plain or behind a dequantize.
static std::optional<Tensor> matchRealConstant(Value value) {
  if (std::optional<Tensor> constant = qg::matchConstant(value)) {
    if (constant->dtype() == DType::f32 &&
        !qg::getQuantizedType(value.getType()))
      return constant;
    return std::nullopt;
  }
  auto op = value.getDefiningOp<qg::DequantizeOp>();
  if (!op)
    return std::nullopt;
  std::optional<Tensor> stored = qg::matchConstant(op.getX());
  if (!stored)
    return std::nullopt;
  return qg::dequantize(*stored, cast<RankedTensorType>(op.getX().getType()));
}

/// The one value of a constant with equal elements.
static std::optional<float> matchSplat(Value value) {
  std::optional<Tensor> constant = matchRealConstant(value);
  if (!constant || constant->numElements() == 0)
    return std::nullopt;
  ArrayRef<float> values = constant->span<float>();
  if (!llvm::all_equal(values) || std::isnan(values.front()))
    return std::nullopt;
  return values.front();
}

/// relu, max or min with a constant: moves the bounds and returns the result.
static Value stepOverClamp(Operation *user, Value value, float &low,
                           float &high) {
  if (auto unary = dyn_cast<qg::UnaryOp>(user)) {
    if (unary.getKind() != UnaryKind::relu)
      return {};
    low = std::max(low, 0.0f);
    high = std::max(high, 0.0f);
    return unary.getResult();
  }
  auto binary = dyn_cast<qg::BinaryOp>(user);
  if (!binary || getShape(binary.getResult()) != getShape(value))
    return {};
  Value other = binary.getLhs() == value ? binary.getRhs() : binary.getLhs();
  std::optional<float> bound = matchSplat(other);
  if (!bound)
    return {};
  if (binary.getKind() == BinaryKind::max) {
    low = std::max(low, *bound);
    high = std::max(high, *bound);
    return binary.getResult();
  }
  if (binary.getKind() != BinaryKind::min)
    return {};
  low = std::min(low, *bound);
  high = std::min(high, *bound);
  return binary.getResult();
}

/// The quantize stores at most `mostBits`.
static std::optional<Tail> findTail(Value value, unsigned mostBits) {
  float low = -INFINITY, high = INFINITY;
  while (value.hasOneUse()) {
    Operation *user = *value.user_begin();
    if (auto quantize = dyn_cast<qg::QuantizeOp>(user)) {
      qg::QuantizedType type =
          getStoredTensorType(quantize.getType(), mostBits);
      if (!type)
        return std::nullopt;
      const IntegerFormat &format = type.getIntegerFormat();
      int64_t first = quantizeReal(low, type), last = quantizeReal(high, type);
      Tail tail{quantize, std::nullopt};
      if (first != format.min() || last != format.max())
        tail.clamp = {first, last};
      return tail;
    }
    value = stepOverClamp(user, value, low, high);
    if (!value)
      return std::nullopt;
  }
  return std::nullopt;
}

/// The stored integers, of at most `mostBits`, behind a dequantize, or null.
static Value getStored(Value value, unsigned mostBits) {
  auto op = value.getDefiningOp<qg::DequantizeOp>();
  if (!op || !getStoredTensorType(op.getX().getType(), mostBits))
    return {};
  return op.getX();
}

/// A quantized constant weight without zero point whose scales lie along
/// `axis`; null if `value` is none or does not fit signed bytes. Weights with
/// groups or a table are taken as they are.
static Value getStoredWeight(PatternRewriter &rewriter, Value value,
                             int64_t axis) {
  auto op = value.getDefiningOp<qg::DequantizeOp>();
  if (!op)
    return {};
  qg::QuantizedType type = qg::getQuantizedType(op.getX().getType());
  std::optional<Tensor> stored = qg::matchConstant(op.getX());
  if (stored && (type.getGroupSize() || type.isTable()) &&
      type.getBits() <= 8 && type.getAxis() == axis)
    return op.getX();
  if (!stored || type.isDynamic_() || type.getGroupSize() ||
      type.getIntegerFormat().storageBits() != 8 ||
      (type.isPerAxis() && type.getAxis() != axis))
    return {};
  bool isCentred = llvm::all_of(type.getZeroPointVector(),
                                [](int64_t zero) { return zero == 0; });
  if (isCentred && type.isSigned() && !type.getScaleVector().empty())
    return op.getX();
  std::optional<qg::Decoder> decoder =
      qg::Decoder::get(cast<RankedTensorType>(op.getX().getType()));
  std::optional<Tensor> centred =
      decoder ? decoder->bytes(*stored).bytes : std::nullopt;
  if (!centred)
    return {};
  ArrayRef<float> scales = decoder->scales();
  MLIRContext *context = op.getContext();
  auto element =
      type.isPerTensor()
          ? qg::QuantizedType::getPerTensor(context, "si8", scales.front(), 0)
          : qg::QuantizedType::getPerAxis(context, "si8", axis, scales);
  return qg::createConstant(rewriter, op.getLoc(), *centred,
                            RankedTensorType::get(getShape(value), element),
                            "w");
}

static bool isChannelVector(Value value, int64_t channels) {
  ArrayRef<int64_t> shape = getShape(value);
  return !shape.empty() && shape.back() == channels &&
         getNumElements(shape) == channels;
}

/// The bias operand of a quantized linear op: 32-bit integers are kept where
/// they are in the accumulator's scale, everything else is an f32 constant.
/// Null where `bias` is no constant.
static Value getBias(PatternRewriter &rewriter, Value bias, int64_t channels,
                     float xScale, ArrayRef<float> weightScales) {
  if (auto op = bias.getDefiningOp<qg::DequantizeOp>()) {
    qg::QuantizedType type = qg::getQuantizedType(op.getX().getType());
    SmallVector<float> scales = type.getScaleVector();
    std::optional<Tensor> stored = qg::matchConstant(op.getX());
    bool matches = type.getFormat() == "si32" && stored && !scales.empty() &&
                   getShape(bias).size() == 1 &&
                   llvm::all_of(type.getZeroPointVector(),
                                [](int64_t z) { return z == 0; });
    SmallVector<float> exact;
    for (int64_t o = 0; o < channels && matches; ++o) {
      exact.push_back(xScale * weightScales[weightScales.size() == 1 ? 0 : o]);
      double scale = scales[scales.size() == 1 ? 0 : o];
      matches = std::fabs(scale - exact.back()) <= 1e-6 * exact.back();
    }
    // Files round the product in their own way; the integers are what counts.
    if (matches)
      return qg::createConstant(
          rewriter, bias.getLoc(), *stored,
          RankedTensorType::get(
              {channels},
              qg::QuantizedType::getPerAxis(op.getContext(), "si32", 0, exact)),
          "bias");
  }
  std::optional<Tensor> constant = matchRealConstant(bias);
  if (!constant)
    return {};
  auto type = RankedTensorType::get({channels}, rewriter.getF32Type());
  return qg::createConstant(rewriter, bias.getLoc(),
                            constant->reshaped({channels}), type, "bias");
}

namespace {
/// A linear op whose operands are found to be quantized.
struct QuantizedLinear {
  Value lhs, rhs, bias;
  /// Value that the quantized op replaces: the op's result or that of the add
  /// of its bias.
  Value result;
};
} // namespace

/// The channel constant that the only user adds, if there is one.
static Value findAddedBias(Value result, int64_t channels) {
  if (!result.hasOneUse())
    return {};
  auto add = dyn_cast<qg::BinaryOp>(*result.user_begin());
  if (!add || add.getKind() != BinaryKind::add ||
      add.getType() != result.getType())
    return {};
  Value other = add.getLhs() == result ? add.getRhs() : add.getLhs();
  return isChannelVector(other, channels) && matchRealConstant(other) ? other
                                                                      : Value();
}

static LogicalResult findBias(PatternRewriter &rewriter, Operation *op,
                              Value bias, QuantizedLinear &linear) {
  linear.result = op->getResult(0);
  int64_t channels = getShape(linear.result).back();
  if (!bias) {
    bias = findAddedBias(linear.result, channels);
    if (!bias)
      return success();
    linear.result = (*linear.result.user_begin())->getResult(0);
  }
  float xScale = qg::getQuantizedType(linear.lhs.getType()).getScale();
  SmallVector<float> scales =
      qg::getQuantizedType(linear.rhs.getType()).getScaleVector();
  linear.bias = getBias(rewriter, bias, channels, xScale, scales);
  return success(bool(linear.bias));
}

/// Replaces the op with its clamps and quantize, or the op alone.
static void replaceLinear(PatternRewriter &rewriter, Operation *op,
                          const QuantizedLinear &linear,
                          const std::optional<Tail> &tail) {
  Operation *last = tail ? tail->quantize : linear.result.getDefiningOp();
  NamedAttrList attributes(op->getAttrs());
  if (tail && tail->clamp)
    attributes.set("clamp", rewriter.getDenseI64ArrayAttr(*tail->clamp));
  SmallVector<Value> operands{linear.lhs, linear.rhs};
  if (linear.bias)
    operands.push_back(linear.bias);
  rewriter.setInsertionPoint(last);
  OperationState state(op->getLoc(), op->getName().getStringRef(), operands,
                       last->getResultTypes(), attributes);
  rewriter.replaceOp(last, rewriter.create(state));
}

namespace {
/// A pattern on activations that are stored in `mostBits` or fewer.
template <typename Base> struct OnStored : Base {
  OnStored(MLIRContext *context, unsigned mostBits)
      : Base(context), mostBits(mostBits) {}
  Value getStored(Value value) const { return ::getStored(value, mostBits); }
  std::optional<Tail> findTail(Value value) const {
    return ::findTail(value, mostBits);
  }
  unsigned mostBits;
};

template <typename Op> struct QuantizeConv : OnStored<OpRewritePattern<Op>> {
  using OnStored<OpRewritePattern<Op>>::OnStored;
  LogicalResult matchAndRewrite(Op op,
                                PatternRewriter &rewriter) const override {
    QuantizedLinear linear;
    linear.lhs = this->getStored(op.getX());
    if (!linear.lhs)
      return rewriter.notifyMatchFailure(op, "x is not dequantized");
    linear.rhs = getStoredWeight(rewriter, op.getWeight(), 0);
    if (!linear.rhs)
      return rewriter.notifyMatchFailure(op, "no 8-bit constant weight");
    if (qg::getQuantizedType(linear.rhs.getType()).getGroupSize())
      return rewriter.notifyMatchFailure(op, "groups are for matrices");
    if (failed(findBias(rewriter, op, op.getBias(), linear)))
      return rewriter.notifyMatchFailure(op, "bias is no constant");
    replaceLinear(rewriter, op, linear, this->findTail(linear.result));
    return success();
  }
};

struct QuantizeMatmul : OnStored<OpRewritePattern<qg::MatmulOp>> {
  using OnStored::OnStored;
  LogicalResult matchAndRewrite(qg::MatmulOp op,
                                PatternRewriter &rewriter) const override {
    QuantizedLinear linear;
    linear.lhs = getStored(op.getLhs());
    if (!linear.lhs)
      return rewriter.notifyMatchFailure(op, "lhs is not dequantized");
    if (getShape(op.getRhs()).size() == 2)
      linear.rhs =
          getStoredWeight(rewriter, op.getRhs(), op.getTransposeRhs() ? 0 : 1);
    if (!linear.rhs)
      linear.rhs = getStored(op.getRhs());
    if (!linear.rhs)
      return rewriter.notifyMatchFailure(op, "rhs is not dequantized");
    if (failed(findBias(rewriter, op, op.getBias(), linear)))
      return rewriter.notifyMatchFailure(op, "bias is no constant");
    replaceLinear(rewriter, op, linear, this->findTail(linear.result));
    return success();
  }
};

/// add, sub and mul of two encodings.
struct QuantizeBinary : OnStored<OpRewritePattern<qg::BinaryOp>> {
  using OnStored::OnStored;
  LogicalResult matchAndRewrite(qg::BinaryOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getKind() != BinaryKind::add && op.getKind() != BinaryKind::sub &&
        op.getKind() != BinaryKind::mul)
      return rewriter.notifyMatchFailure(op, "no integer form");
    Value lhs = getStored(op.getLhs()), rhs = getStored(op.getRhs());
    if (!lhs || !rhs)
      return rewriter.notifyMatchFailure(op, "operands are not dequantized");
    if (lhs == rhs || matchSplat(op.getLhs()) || matchSplat(op.getRhs()))
      return rewriter.notifyMatchFailure(op, "is a table");
    std::optional<Tail> tail = findTail(op.getResult());
    if (!tail)
      return rewriter.notifyMatchFailure(op, "result is not quantized");
    DenseI64ArrayAttr clamp;
    if (tail->clamp)
      clamp = rewriter.getDenseI64ArrayAttr(*tail->clamp);
    rewriter.setInsertionPoint(tail->quantize);
    rewriter.replaceOp(tail->quantize,
                       qg::BinaryOp::create(rewriter, op.getLoc(),
                                            tail->quantize.getType(),
                                            op.getKind(), lhs, rhs, clamp));
    return success();
  }
};

/// Puts the encoding of an op without saturation of its own in front of the
/// clamps behind it, which become a table then, or nothing where the encoding
/// ends where they do.
struct RoundBeforeClamp
    : OnStored<OpInterfaceRewritePattern<FormatRuleOpInterface>> {
  using OnStored::OnStored;
  LogicalResult matchAndRewrite(FormatRuleOpInterface op,
                                PatternRewriter &rewriter) const override {
    auto pool = dyn_cast<qg::PoolOp>(*op);
    if (!(pool && pool.getKind() == PoolKind::avg) &&
        !isa<qg::ConcatOp, qg::ResizeOp>(*op))
      return rewriter.notifyMatchFailure(op, "saturates or keeps its encoding");
    if (!llvm::all_of(op->getOperands(),
                      [&](Value x) { return bool(getStored(x)); }))
      return rewriter.notifyMatchFailure(op, "an operand is float");
    Value result = op->getResult(0);
    std::optional<Tail> tail = findTail(result);
    if (!tail || tail->quantize.getX() == result)
      return rewriter.notifyMatchFailure(op, "no clamp between");
    if (!tail->clamp) {
      rewriter.modifyOpInPlace(
          tail->quantize, [&] { tail->quantize.getXMutable().assign(result); });
      return success();
    }
    rewriter.setInsertionPointAfter(op);
    auto quantize = qg::QuantizeOp::create(rewriter, op.getLoc(),
                                           tail->quantize.getType(), result);
    auto rounded = qg::DequantizeOp::create(rewriter, op.getLoc(),
                                            result.getType(), quantize);
    rewriter.replaceAllUsesExcept(result, rounded, quantize);
    return success();
  }
};

struct QuantizeAveragePool : OnStored<OpRewritePattern<qg::PoolOp>> {
  using OnStored::OnStored;
  LogicalResult matchAndRewrite(qg::PoolOp op,
                                PatternRewriter &rewriter) const override {
    Value x = getStored(op.getX());
    if (op.getKind() != PoolKind::avg || !x)
      return rewriter.notifyMatchFailure(op, "no mean of stored integers");
    std::optional<Tail> tail = findTail(op.getResult());
    if (!tail || tail->clamp || op.getResult() != tail->quantize.getX())
      return rewriter.notifyMatchFailure(op, "result is not quantized");
    rewriter.setInsertionPoint(tail->quantize);
    OperationState state(op.getLoc(), op->getName().getStringRef(), {x},
                         tail->quantize->getResultTypes(), op->getAttrs());
    rewriter.replaceOp(tail->quantize, rewriter.create(state));
    return success();
  }
};

struct QuantizeResize : OnStored<OpRewritePattern<qg::ResizeOp>> {
  using OnStored::OnStored;
  LogicalResult matchAndRewrite(qg::ResizeOp op,
                                PatternRewriter &rewriter) const override {
    Value x = getStored(op.getX());
    if (!x)
      return rewriter.notifyMatchFailure(op, "its operand is not dequantized");
    std::optional<Tail> tail = findTail(op.getResult());
    if (!tail || tail->clamp || op.getResult() != tail->quantize.getX())
      return rewriter.notifyMatchFailure(op, "result is not quantized");
    rewriter.setInsertionPoint(tail->quantize);
    auto stored =
        qg::ResizeOp::create(rewriter, op.getLoc(), tail->quantize.getType(),
                             ValueRange{x}, op->getAttrs());
    if (!stored.getIntegerTables()) {
      rewriter.eraseOp(stored);
      return rewriter.notifyMatchFailure(op, "has no integer form");
    }
    rewriter.replaceOp(tail->quantize, stored);
    return success();
  }
};

/// The sum of stored integers; what is done to it stays float.
struct QuantizeSum : OnStored<OpRewritePattern<qg::ReduceOp>> {
  using OnStored::OnStored;
  LogicalResult matchAndRewrite(qg::ReduceOp op,
                                PatternRewriter &rewriter) const override {
    Value x = getStored(op.getX());
    if (op.getKind() != ReduceKind::sum || !x)
      return rewriter.notifyMatchFailure(op, "no sum of stored integers");
    rewriter.modifyOpInPlace(op, [&] { op.getXMutable().assign(x); });
    return success();
  }
};

struct QuantizeConcat : OnStored<OpRewritePattern<qg::ConcatOp>> {
  using OnStored::OnStored;
  LogicalResult matchAndRewrite(qg::ConcatOp op,
                                PatternRewriter &rewriter) const override {
    SmallVector<Value> inputs;
    for (Value input : op.getInputs()) {
      inputs.push_back(getStored(input));
      if (!inputs.back())
        return rewriter.notifyMatchFailure(op, "an operand is float");
    }
    std::optional<Tail> tail = findTail(op.getResult());
    if (tail && !tail->clamp && tail->quantize.getX() == op.getResult()) {
      rewriter.setInsertionPoint(tail->quantize);
      rewriter.replaceOpWithNewOp<qg::ConcatOp>(
          tail->quantize, tail->quantize.getType(), inputs, op.getAxis());
      return success();
    }
    Type element = cast<RankedTensorType>(inputs[0].getType()).getElementType();
    for (Value input : inputs)
      if (qg::getQuantizedType(input.getType()) != element)
        return rewriter.notifyMatchFailure(op, "encodings differ");
    auto concat = qg::ConcatOp::create(
        rewriter, op.getLoc(),
        RankedTensorType::get(op.getType().getShape(), element), inputs,
        op.getAxis());
    rewriter.replaceOpWithNewOp<qg::DequantizeOp>(op, op.getType(), concat);
    return success();
  }
};
} // namespace

void qopt::populateQuantizeOpsPatterns(RewritePatternSet &patterns,
                                       unsigned mostBits) {
  patterns
      .add<QuantizeConv<qg::ConvOp>, QuantizeConv<qg::ConvTransposeOp>,
           QuantizeMatmul, QuantizeBinary, RoundBeforeClamp,
           QuantizeAveragePool, QuantizeResize, QuantizeSum, QuantizeConcat>(
          patterns.getContext(), mostBits);
}
