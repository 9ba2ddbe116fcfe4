//===- WideProducts.cpp - Products of 16-bit integers by their bytes ------===//
// SPDX-License-Identifier: Apache-2.0
//
// x - zx = 256 (h - zh) + (l - zl) with bytes h and l, and a weight is a sum of
// signed bytes likewise. Products of bytes are exact in 32 bits and have
// kernels on every target; what they add up to is put together in 32 bits where
// it fits, else in 64, and rounded once: f32(acc) * f32(sx * sw).
//===----------------------------------------------------------------------===//
#include "FoldQDQ.h"
#include "qopt/Dialect/QG/IR/Encodings.h"
#include "qopt/Dialect/QG/IR/ShapedBuilder.h"
#include "qopt/Numerics/FixedPoint.h"

#include <cmath>

using namespace mlir;
using namespace qopt;

namespace {
/// Bytes that are multiplied by a power of 256.
struct BytePart {
  Value value;    ///< encoded in 8 bits with scale 1
  int64_t factor; ///< 1 or 256
};

/// A factor of a product, taken apart.
struct Parts {
  SmallVector<BytePart, 3> parts;
  SmallVector<float> scales; ///< one, or one per output channel
  int64_t most = 0;          ///< the largest magnitude of an integer
  /// Of a constant: the largest sum of magnitudes of a channel.
  int64_t sum = 0;
};
} // namespace

/// The largest magnitude of a byte, signed or not.
static constexpr int64_t kMostOfByte = 255;

static int64_t floorDivide(int64_t a, int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

/// The encoding of activations in 8 or 16 bits behind a dequantize, or null.
static qg::QuantizedType getActivationType(Value x) {
  auto op = x.getDefiningOp<qg::DequantizeOp>();
  qg::QuantizedType type =
      op ? qg::getQuantizedType(op.getX().getType()) : qg::QuantizedType();
  if (!type || !type.isPerTensor() || type.isTable())
    return {};
  unsigned bits = type.getIntegerFormat().storageBits();
  return bits == 8 || bits == 16 ? type : qg::QuantizedType();
}

static std::optional<Parts> splitActivation(qg::ShapedBuilder &b, Value x) {
  qg::QuantizedType type = getActivationType(x);
  if (!type)
    return std::nullopt;
  const IntegerFormat &format = type.getIntegerFormat();
  int64_t zero = type.getZeroPoint();
  Parts parts;
  parts.scales = {type.getScale()};
  parts.most =
      std::max(std::abs(format.min() - zero), std::abs(format.max() - zero));
  if (format.storageBits() == 8) {
    parts.parts = {{x.getDefiningOp<qg::DequantizeOp>().getX(), 1}};
    return parts;
  }
  // x / sx is within 2^-7 of its integer: two roundings of 2^-24 on 2^16.
  Value stored =
      b.unary(UnaryKind::round_even, b.div(x, double(type.getScale())));
  if (zero)
    stored = b.add(stored, double(zero));
  Value high = b.unary(UnaryKind::floor, b.mul(stored, 1.0 / 256));
  Value low = b.sub(stored, b.mul(high, 256.0));
  int64_t highZero = floorDivide(zero, 256), lowZero = zero - 256 * highZero;
  auto encode = [&](Value bytes, StringRef name, int64_t zeroPoint) {
    if (zeroPoint)
      bytes = b.sub(bytes, double(zeroPoint));
    return b.emit<qg::QuantizeOp>(
        b.shape(bytes),
        qg::QuantizedType::getPerTensor(b.context(), name, 1.0f, zeroPoint),
        bytes);
  };
  parts.parts = {{encode(high, format.isSigned ? "si8" : "ui8", highZero), 256},
                 {encode(low, "ui8", lowZero), 1}};
  return parts;
}

/// Integers as 256 * first + second + third, each a signed byte; empty where
/// they are too large. The third is needed near 2^15 alone.
static SmallVector<Tensor, 3> splitIntegers(ArrayRef<int32_t> integers,
                                            ArrayRef<int64_t> shape) {
  SmallVector<Tensor, 3> parts(3, Tensor(DType::i8, shape));
  for (auto [i, value] : llvm::enumerate(integers)) {
    int64_t high =
        std::clamp<int64_t>(floorDivide(value + 128, 256), -128, 127);
    int64_t rest = value - 256 * high;
    int64_t low = std::clamp<int64_t>(rest, -128, 127);
    if (rest - low < -128 || rest - low > 127)
      return {};
    parts[0].setInt(i, high);
    parts[1].setInt(i, low);
    parts[2].setInt(i, rest - low);
  }
  return parts;
}

/// The largest sum of magnitudes over the channels of dimension `axis`.
template <typename Get>
static int64_t sumChannels(ArrayRef<int64_t> shape, int64_t axis, Get get) {
  int64_t inner = getNumElements(shape.drop_front(axis + 1));
  SmallVector<int64_t> sums(shape[axis], 0);
  for (int64_t i = 0, e = getNumElements(shape); i < e; ++i)
    sums[i / inner % shape[axis]] += std::abs(int64_t(get(i)));
  return sums.empty() ? 0 : *llvm::max_element(sums);
}

/// A constant weight in at most 16 bits with scales along `axis`.
static std::optional<Parts> splitWeight(qg::ShapedBuilder &b, Value weight,
                                        int64_t axis) {
  auto op = weight.getDefiningOp<qg::DequantizeOp>();
  std::optional<Tensor> stored =
      op ? qg::matchConstant(op.getX()) : std::nullopt;
  if (!stored)
    return std::nullopt;
  auto tensorType = cast<RankedTensorType>(op.getX().getType());
  qg::QuantizedType type = qg::getQuantizedType(tensorType);
  std::optional<qg::Decoder> decoder = qg::Decoder::get(tensorType);
  if (!decoder || type.getGroupSize() || type.getBits() > 16 ||
      (type.isPerAxis() && type.getAxis() != axis))
    return std::nullopt;
  std::vector<int32_t> integers = decoder->integers(*stored);
  ArrayRef<int64_t> shape = tensorType.getShape();
  SmallVector<Tensor, 3> tensors = splitIntegers(integers, shape);
  if (tensors.empty())
    return std::nullopt;
  Parts parts;
  llvm::append_range(parts.scales, decoder->scales());
  parts.sum = sumChannels(shape, axis, [&](int64_t i) { return integers[i]; });
  int64_t sums[3];
  for (auto [i, tensor] : llvm::enumerate(tensors)) {
    ArrayRef<int8_t> bytes = tensor.span<int8_t>();
    sums[i] = sumChannels(shape, axis, [&](int64_t at) { return bytes[at]; });
    if (kMostOfByte * sums[i] > INT32_MAX)
      return std::nullopt;
  }
  auto byte = qg::QuantizedType::getPerTensor(b.context(), "si8", 1.0f, 0);
  for (auto [i, tensor] : llvm::enumerate(tensors))
    if (sums[i] || (i == 1 && !sums[0]))
      parts.parts.push_back(
          {b.constant(tensor, RankedTensorType::get(shape, byte)),
           i == 0 ? 256 : 1});
  return parts;
}

namespace {
/// A product that is computed by its bytes.
struct WideProduct {
  LinearOpInterface op;
  Parts x, weight;
  int64_t depth; ///< products that an output adds

  int64_t channels() { return op.countOutputs(); }
  double accScale(int64_t channel) const;
  std::optional<SmallVector<int64_t>> getBias();
  Value build(qg::ShapedBuilder &b, PatternRewriter &rewriter);
};
} // namespace

double WideProduct::accScale(int64_t channel) const {
  ArrayRef<float> scales = weight.scales;
  return double(x.scales[0]) * double(scales[scales.size() == 1 ? 0 : channel]);
}

/// The bias in steps of the accumulators; nullopt where it is no constant or
/// beyond 2^62.
std::optional<SmallVector<int64_t>> WideProduct::getBias() {
  SmallVector<int64_t> result(channels(), 0);
  Value bias = op.getBias();
  if (!bias)
    return result;
  std::optional<Tensor> values = qg::matchConstant(bias);
  std::optional<qg::Decoder> decoder;
  if (auto stored = bias.getDefiningOp<qg::DequantizeOp>()) {
    values = qg::matchConstant(stored.getX());
    decoder = qg::Decoder::get(cast<RankedTensorType>(stored.getX().getType()));
    if (!decoder)
      return std::nullopt;
  }
  if (!values)
    return std::nullopt;
  for (auto [o, value] : llvm::enumerate(result)) {
    double real = decoder ? double(decoder->integer(o, values->getInt(o))) *
                                double(decoder->scale(o))
                          : values->getFloat(o);
    double steps = std::nearbyint(real / accScale(o));
    if (!(std::fabs(steps) < 0x1p62))
      return std::nullopt;
    value = int64_t(steps);
  }
  return result;
}

Value WideProduct::build(qg::ShapedBuilder &b, PatternRewriter &rewriter) {
  std::optional<SmallVector<int64_t>> bias = getBias();
  ArrayRef<int64_t> shape = getShape(op->getResult(0));
  int64_t bound = x.most * (weight.sum ? weight.sum : weight.most * depth);
  int64_t mostBias = 0;
  if (bias)
    for (int64_t value : *bias)
      mostBias = std::max(mostBias, std::abs(value));
  bool isNarrow = bound + mostBias <= INT32_MAX;
  DType dtype = isNarrow ? DType::i32 : DType::i64;
  Type type = qg::getElementType(b.context(), dtype);
  auto accType =
      RankedTensorType::get(shape, qg::getElementType(b.context(), DType::i32));
  Value sum;
  for (const BytePart &left : x.parts)
    for (const BytePart &right : weight.parts) {
      OperationState state(op.getLoc(), op->getName().getStringRef(),
                           {left.value, right.value}, accType, op->getAttrs());
      Value part = b.convert(rewriter.create(state)->getResult(0), type);
      if (int64_t factor = left.factor * right.factor; factor != 1)
        part = b.mul(part, double(factor));
      sum = sum ? b.add(sum, part) : part;
    }
  if (mostBias) {
    Tensor steps(dtype, {channels()});
    for (auto [o, value] : llvm::enumerate(*bias))
      steps.setInt(o, value);
    sum = b.add(sum, b.constant(steps));
  }
  Tensor scales(DType::f32, {int64_t(weight.scales.size())});
  for (int64_t o = 0; o < scales.numElements(); ++o)
    scales.setFloat(o, float(accScale(o)));
  Value result = b.mul(b.convert(sum, b.f32()), b.constant(scales));
  return op.getBias() && !bias ? b.add(result, op.getBias()) : result;
}

namespace {
template <typename Op> struct SplitProduct : OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;
  LogicalResult matchAndRewrite(Op op,
                                PatternRewriter &rewriter) const override {
    auto linear = cast<LinearOpInterface>(op.getOperation());
    if (!getTensorType(op.getResult()).getElementType().isF32())
      return rewriter.notifyMatchFailure(op, "the result is not f32");
    if (!isWide(linear.getInput()) && !isWide(linear.getWeight()))
      return rewriter.notifyMatchFailure(op, "nothing has 16 bits");
    if (!getActivationType(linear.getInput()))
      return rewriter.notifyMatchFailure(op, "x is not in integers");
    Operation *before = op->getPrevNode();
    qg::ShapedBuilder b(rewriter, op.getLoc());
    std::optional<Parts> weight =
        splitWeight(b, linear.getWeight(), linear.getOutputAxis());
    int64_t depth = linear.getLinearGeometry().countTaps() *
                    getShape(linear.getWeight())[linear.getInputAxis()];
    if (!weight && linear.canComputeWeight() &&
        kMostOfByte * kMostOfByte * depth <= INT32_MAX)
      weight = splitActivation(b, linear.getWeight());
    if (!weight)
      return rewriter.notifyMatchFailure(op, "no weight whose bytes add up "
                                             "within 32 bits");
    Parts x = *splitActivation(b, linear.getInput());
    Value result = WideProduct{linear, x, *weight, depth}.build(b, rewriter);
    // Steps of one layer are no layers of a report.
    for (Operation *step = before ? before->getNextNode()
                                  : &op->getBlock()->front();
         step != op; step = step->getNextNode())
      if (!isa<LinearOpInterface>(step))
        step->setAttr("qg.step", rewriter.getUnitAttr());
    rewriter.replaceOp(op, result);
    return success();
  }

  /// Behind a dequantize of 9 to 16 bits.
  static bool isWide(Value value) {
    auto op = value.getDefiningOp<qg::DequantizeOp>();
    qg::QuantizedType type =
        op ? qg::getQuantizedType(op.getX().getType()) : qg::QuantizedType();
    return type && type.getBits() > 8 && type.getBits() <= 16;
  }
};
} // namespace

void qopt::populateWideProductsPatterns(RewritePatternSet &patterns) {
  patterns.add<SplitProduct<qg::ConvOp>, SplitProduct<qg::MatmulOp>>(
      patterns.getContext());
}
