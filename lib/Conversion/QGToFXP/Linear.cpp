//===- Linear.cpp - Convolutions and matmuls into integers ----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// acc = bias + sum (x - zx) * w with bias = rne(b / (sx * sw)) in double, then
// a requantization by f32(double(sx) * double(sw) / double(sy)): the reference
// semantics of the quantized ops, spelled out.
//===----------------------------------------------------------------------===//
#include "Patterns.h"
#include "qopt/Dialect/FXP/IR/Levels.h"
#include "qopt/Dialect/QG/IR/Encodings.h"
#include "qopt/Numerics/Grid.h"

#include <cmath>

using namespace mlir;
using namespace qopt;
using namespace qopt::qgtofxp;

namespace {
/// A constant weight as signed bytes without zero point, the table they come
/// from if there is one, and one scale per output channel (or one for all).
struct Weight {
  Tensor values;
  SmallVector<int8_t> levels;
  SmallVector<float> scales;
  unsigned bits; ///< of the format

  /// Says on the product what the bytes alone do not.
  void describe(Value acc) const {
    fxp::setLevels(acc.getDefiningOp(), levels);
    fxp::setWeightBits(acc.getDefiningOp(), bits);
  }
};

/// What becomes of the accumulators of a linear op.
struct Epilogue {
  SmallVector<double> accScales;  ///< sx * sw, one or one per channel
  std::optional<Encoding> result; ///< nullopt: f32
  std::optional<ArrayRef<int64_t>> clamp;
  bool isStored = false; ///< the accumulators are the result
};
} // namespace

/// Signed bytes `stored - zero point`; an error where they leave a byte.
static FailureOr<Weight> getWeight(Operation *op, Value value, int64_t axis) {
  auto type = cast<RankedTensorType>(value.getType());
  std::optional<qg::Decoder> decoder = qg::Decoder::get(type);
  std::optional<Tensor> stored = qg::matchConstant(value);
  if (!decoder || !stored)
    return op->emitOpError("expects a quantized constant weight");
  qg::QuantizedType encoding = qg::getQuantizedType(type);
  ArrayRef<float> scales = decoder->scales();
  if (encoding.getGroupSize() || encoding.getBits() > 8 ||
      (scales.size() > 1 && encoding.getAxis() != axis))
    return op->emitOpError()
           << "expects 8-bit weights with one scale per tensor or per element "
              "of dimension "
           << axis << ", got " << value.getType();
  qg::Decoder::Bytes bytes = decoder->bytes(*stored);
  if (!bytes.bytes)
    return op->emitOpError() << "expects weights within 8 signed bits of "
                                "their zero point, got "
                             << bytes.outside;
  return Weight{*bytes.bytes, SmallVector<int8_t>(decoder->levels()),
                SmallVector<float>(scales), encoding.getBits()};
}

/// Sums of the weights of every channel, or of their magnitudes.
static SmallVector<int64_t> sumMagnitudes(const Tensor &weight, int64_t axis,
                                          bool magnitude) {
  int64_t inner = 1, channels = weight.shape()[axis];
  for (int64_t extent : weight.shape().drop_front(axis + 1))
    inner *= extent;
  SmallVector<int64_t> sums(channels, 0);
  ArrayRef<int8_t> values = weight.span<int8_t>();
  for (size_t i = 0; i < values.size(); ++i)
    sums[(i / inner) % channels] +=
        magnitude ? std::abs(int64_t(values[i])) : int64_t(values[i]);
  return sums;
}

/// Whether the stored result of a channel is one number, whatever the products
/// add to its bias: at most `most` of the accumulator's steps.
static bool hasOneResult(const Epilogue &epilogue, double accScale, double bias,
                         double most) {
  if (!epilogue.result)
    return false;
  const Encoding &result = *epilogue.result;
  Grid<double> grid{double(result.low), double(result.high)};
  auto store = [&](double real) {
    return roundToLevel(real / double(result.scale()),
                        double(result.zeroPoint()), grid)
        .code;
  };
  return store(bias - most * accScale) == store(bias + most * accScale);
}

/// Trained networks have channels that died, with scales as small as floats
/// allow, in whose steps their bias is no 32-bit number. Where the weights are
/// zero, or too small to move the result, the channel is its bias: any scale of
/// its accumulators is exact, and one that holds the bias is taken.
static void simplifyDeadChannels(Value bias, int64_t axis, int64_t reach,
                                 Weight &weight, Epilogue &epilogue) {
  std::optional<Tensor> real = bias ? qg::matchConstant(bias) : std::nullopt;
  if (!real || isQuantized(bias.getType()))
    return;
  SmallVector<int64_t> sums = sumMagnitudes(weight.values, axis, true);
  SmallVector<double> &scales = epilogue.accScales;
  int64_t inner = 1;
  for (int64_t extent : weight.values.shape().drop_front(axis + 1))
    inner *= extent;
  for (auto [channel, sum] : llvm::enumerate(sums)) {
    constexpr double kMost = 1 << 30;
    double value = real->getFloat(channel);
    double scale = scales[scales.size() == 1 ? 0 : channel];
    if (!std::isfinite(value) || !(std::fabs(value) / scale > kMost) ||
        (sum &&
         !hasOneResult(epilogue, scale, value, double(sum) * double(reach))))
      continue;
    for (int64_t i = 0; sum && i < weight.values.numElements(); ++i)
      if (i / inner % int64_t(sums.size()) == int64_t(channel))
        weight.values.setInt(i, 0);
    if (scales.size() == 1)
      scales.assign(sums.size(), scale);
    // A power of two: the scale keeps its digits.
    scales[channel] =
        std::ldexp(scale, std::ilogb(std::fabs(value) / scale / kMost) + 1);
  }
}

/// Bits of which sums of products are proven to stay inside: those of bytes
/// have 32; those of i16 have as many, or 64 with magnitudes of 47, which a
/// requantization is exact for.
static constexpr unsigned kMostSumBits = 47;

static unsigned getMostSumBits(const Encoding &x) {
  return x.storageBits > 8 ? kMostSumBits : 31;
}

/// Integer bias: rne(b / accScale); a si32 bias in just that scale (as an f32
/// product) is taken as it is stored.
static FailureOr<SmallVector<int64_t>> getBias(Operation *op, Value bias,
                                               ArrayRef<double> accScales,
                                               const Encoding &x) {
  int64_t channels = cast<LinearOpInterface>(op).countOutputs();
  SmallVector<int64_t> result(channels, 0);
  if (!bias)
    return result;
  std::optional<Tensor> stored = qg::matchConstant(bias);
  if (!stored)
    return op->emitOpError("expects a constant bias");
  std::optional<Encoding> encoding = getEncoding(bias.getType());
  for (int64_t o = 0; o < channels; ++o) {
    double accScale = accScales[accScales.size() == 1 ? 0 : o];
    if (!encoding) {
      double scaled = roundToInteger(stored->getFloat(o) / accScale);
      unsigned bits = getMostSumBits(x);
      if (!(std::fabs(scaled) < std::ldexp(1.0, bits)))
        return op->emitOpError() << "expects a bias that fits " << bits + 1
                                 << " bits in the accumulator's scale, got "
                                 << scaled << " in channel " << o;
      result[o] = int64_t(scaled);
      continue;
    }
    size_t row = encoding->scales.size() == 1 ? 0 : o;
    int64_t value = stored->getInt(o) - encoding->zeroPoints[row];
    if (encoding->scales[row] != float(accScale)) {
      double real = double(value) * double(encoding->scales[row]);
      value = int64_t(roundToInteger(real / accScale));
    }
    result[o] = value;
  }
  return result;
}

/// What accumulators need: `sums` are the largest sums of |w|, by channel.
struct SumBound {
  ArrayRef<int64_t> sums, bias;
  int64_t reach; ///< the largest |x - zx|
};

/// 32, or 64 where products of i16 may leave 32 bits; an error where those of
/// bytes do.
static FailureOr<unsigned> getSumBits(Operation *op, const SumBound &bound,
                                      const Encoding &x) {
  unsigned bits = 32, most = getMostSumBits(x);
  for (auto [o, sum] : llvm::enumerate(bound.sums)) {
    int64_t reach = sum * bound.reach + std::abs(bound.bias[o]);
    if (reach >> most)
      return op->emitOpError()
             << "expects accumulators within " << most + 1 << " bits, channel "
             << o << " can reach " << reach
             << "; use smaller weights or fewer bits";
    if (reach > INT32_MAX)
      bits = 64;
  }
  return bits;
}

/// Requantizes or dequantizes accumulators whose last dimension is channels.
static Value finish(OpBuilder &builder, Location loc, Value acc,
                    const Epilogue &epilogue, fxp::RequantizeModeAttr mode) {
  if (epilogue.isStored)
    return acc;
  SmallVector<float> scales;
  if (epilogue.result) {
    for (double scale : epilogue.accScales)
      scales.push_back(float(scale / double(epilogue.result->scale())));
    return createRequantize(builder, loc, acc, scales,
                            {*epilogue.result, mode, epilogue.clamp});
  }
  for (double scale : epilogue.accScales)
    scales.push_back(float(scale));
  auto type = cast<RankedTensorType>(acc.getType());
  if (llvm::all_equal(scales))
    scales.truncate(1);
  return fxp::DequantizeOp::create(
      builder, loc,
      RankedTensorType::get(type.getShape(), builder.getF32Type()), acc,
      getScalesAttr(builder.getContext(), scales),
      SmallVector<int64_t>(scales.size(), 0), type.getRank() - 1,
      /*x_unsigned=*/false);
}

/// Scales of the accumulators and the encoding of the result.
template <typename Op>
static FailureOr<Epilogue> getEpilogue(Op op, double xScale,
                                       ArrayRef<float> weightScales,
                                       fxp::RequantizeModeAttr mode) {
  Epilogue epilogue;
  for (float scale : weightScales)
    epilogue.accScales.push_back(xScale * double(scale));
  epilogue.clamp = op.getClamp();
  epilogue.isStored = op.getType().getElementType().isInteger(32);
  if (!isQuantized(op.getType()))
    return epilogue;
  epilogue.result = getStoredEncoding(op.getType(), mode);
  if (!epilogue.result)
    return op.emitOpError() << "expects an f32 result or an 8-bit one per "
                               "tensor, got "
                            << op.getType();
  return epilogue;
}

namespace {
/// What a convolution, transposed or not, is made of; weights are `[O, ...]`.
struct ConvParts {
  Encoding x;
  Weight weight;
  Epilogue epilogue;
  SmallVector<int64_t> bias;
  unsigned sumBits = 32;
};
} // namespace

template <typename OpT>
static FailureOr<ConvParts> getConvParts(OpT op, fxp::RequantizeModeAttr mode) {
  std::optional<Encoding> x = getStoredEncoding(op.getX().getType(), mode);
  if (!x)
    return op.emitOpError()
           << "expects an 8-bit input per tensor, got " << op.getX().getType();
  FailureOr<Weight> weight = getWeight(op, op.getWeight(), 0);
  if (failed(weight))
    return failure();
  FailureOr<Epilogue> epilogue =
      getEpilogue(op, x->scale(), weight->scales, mode);
  if (failed(epilogue))
    return failure();
  simplifyDeadChannels(op.getBias(), 0, getReach(*x, x->zeroPoint()), *weight,
                       *epilogue);
  FailureOr<SmallVector<int64_t>> bias =
      getBias(op, op.getBias(), epilogue->accScales, *x);
  if (failed(bias))
    return failure();
  return ConvParts{*x, *weight, *epilogue, *bias, /*sumBits=*/32};
}

namespace {
struct ConvertConv : ToFXP<qg::ConvOp> {
  using ToFXP::ToFXP;
  LogicalResult
  matchAndRewrite(qg::ConvOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    FailureOr<ConvParts> parts = getConvParts(op, mode);
    if (failed(parts))
      return failure();
    auto &[x, weight, epilogue, bias, sumBits] = *parts;
    // Without padding every accumulator holds the whole sum of weights, so
    // the zero point is a part of the bias.
    int64_t zeroPoint = x.zeroPoint();
    bool isPadded = llvm::any_of(op.getPads(), [](int64_t p) { return p; });
    if (!isPadded && zeroPoint) {
      SmallVector<int64_t> sums = sumMagnitudes(weight.values, 0, false);
      for (auto [value, sum] : llvm::zip(bias, sums))
        value -= zeroPoint * sum;
      zeroPoint = 0;
    }
    FailureOr<unsigned> bits = getSumBits(
        op,
        {sumMagnitudes(weight.values, 0, true), bias, getReach(x, zeroPoint)},
        x);
    if (failed(bits))
      return failure();
    sumBits = *bits;
    Location loc = op.getLoc();
    auto weightType =
        RankedTensorType::get(getShape(op.getWeight()), rewriter.getI8Type());
    Value weights =
        qg::createConstant(rewriter, loc, weight.values, weightType, "w");
    auto accType = RankedTensorType::get(op.getType().getShape(),
                                         rewriter.getIntegerType(sumBits));
    Value acc =
        fxp::ConvOp::create(rewriter, loc, accType, adaptor.getX(), weights,
                            createSumsConstant(rewriter, loc, bias, sumBits),
                            op.getStrides(), op.getPads(), op.getDilations(),
                            op.getGroups(), zeroPoint, x.isUnsigned);
    weight.describe(acc);
    rewriter.replaceOp(op, finish(rewriter, loc, acc, epilogue, mode));
    return success();
  }
};

struct ConvertMatmul : ToFXP<qg::MatmulOp> {
  using ToFXP::ToFXP;
  LogicalResult
  matchAndRewrite(qg::MatmulOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    qg::QuantizedType matrix = qg::getQuantizedType(op.getRhs().getType());
    if (matrix &&
        (matrix.getGroupSize() || !isQuantized(op.getLhs().getType())))
      return rewriter.notifyMatchFailure(op, "has groups or a float lhs "
                                             "(GroupLinear.cpp)");
    std::optional<Encoding> lhs = getStored(op.getLhs().getType());
    if (!lhs)
      return op.emitOpError() << "expects an 8-bit lhs per tensor, got "
                              << op.getLhs().getType();
    if (isWeight(op.getRhs()))
      return rewriteWeights(op, adaptor, rewriter, *lhs);
    return rewriteActivations(op, adaptor, rewriter, *lhs);
  }

  /// A constant matrix; one whose bytes need their zero point (unsigned
  /// weights around 0) goes the way of an activation.
  static bool isWeight(Value rhs) {
    std::optional<Tensor> stored = qg::matchConstant(rhs);
    std::optional<Encoding> encoding = getByteEncoding(rhs.getType());
    if (!stored || getShape(rhs).size() != 2)
      return false;
    for (int64_t i = 0, e = stored->numElements(); encoding && i < e; ++i) {
      int64_t shifted = stored->getInt(i) - encoding->zeroPoint();
      if (shifted < -128 || shifted > 127)
        return false;
    }
    return true;
  }

  LogicalResult rewriteWeights(qg::MatmulOp op, OpAdaptor adaptor,
                               ConversionPatternRewriter &rewriter,
                               const Encoding &lhs) const {
    int64_t axis = op.getTransposeRhs() ? 0 : 1;
    FailureOr<Weight> weight = getWeight(op, op.getRhs(), axis);
    if (failed(weight))
      return failure();
    FailureOr<Epilogue> epilogue =
        getEpilogue(op, lhs.scale(), weight->scales, mode);
    if (failed(epilogue))
      return failure();
    simplifyDeadChannels(op.getBias(), axis, getReach(lhs, lhs.zeroPoint()),
                         *weight, *epilogue);
    FailureOr<SmallVector<int64_t>> bias =
        getBias(op, op.getBias(), epilogue->accScales, lhs);
    if (failed(bias))
      return failure();
    SmallVector<int64_t> sums = sumMagnitudes(weight->values, axis, false);
    for (auto [value, sum] : llvm::zip(*bias, sums))
      value -= lhs.zeroPoint() * sum;
    FailureOr<unsigned> bits = getSumBits(
        op,
        {sumMagnitudes(weight->values, axis, true), *bias, getReach(lhs, 0)},
        lhs);
    if (failed(bits))
      return failure();
    Location loc = op.getLoc();
    Value weights = qg::createConstant(
        rewriter, loc, weight->values,
        RankedTensorType::get(getShape(op.getRhs()), rewriter.getI8Type()),
        "w");
    Value acc = fxp::MatmulOp::create(
        rewriter, loc, getAccType(op, *bits), adaptor.getLhs(), weights,
        createSumsConstant(rewriter, loc, *bias, *bits), /*lhs_zp=*/0,
        lhs.isUnsigned,
        /*rhs_zp=*/0, /*rhs_unsigned=*/false, op.getTransposeRhs());
    weight->describe(acc);
    rewriter.replaceOp(op, finish(rewriter, loc, acc, *epilogue, mode));
    return success();
  }

  LogicalResult rewriteActivations(qg::MatmulOp op, OpAdaptor adaptor,
                                   ConversionPatternRewriter &rewriter,
                                   const Encoding &lhs) const {
    std::optional<Encoding> rhs = getStored(op.getRhs().getType());
    if (!rhs)
      return op.emitOpError() << "expects an 8-bit rhs per tensor, got "
                              << op.getRhs().getType();
    FailureOr<Epilogue> epilogue =
        getEpilogue(op, lhs.scale(), ArrayRef<float>(rhs->scale()), mode);
    if (failed(epilogue))
      return failure();
    int64_t channels = op.getType().getShape().back();
    const Encoding &wider = lhs.storageBits > rhs->storageBits ? lhs : *rhs;
    FailureOr<SmallVector<int64_t>> bias =
        getBias(op, op.getBias(), epilogue->accScales, wider);
    if (failed(bias))
      return failure();
    SmallVector<int64_t> sums(channels, getShape(op.getLhs()).back() *
                                            getReach(*rhs, rhs->zeroPoint()));
    FailureOr<unsigned> bits =
        getSumBits(op, {sums, *bias, getReach(lhs, lhs.zeroPoint())}, wider);
    if (failed(bits))
      return failure();
    Location loc = op.getLoc();
    Value acc = fxp::MatmulOp::create(
        rewriter, loc, getAccType(op, *bits), adaptor.getLhs(),
        adaptor.getRhs(), createSumsConstant(rewriter, loc, *bias, *bits),
        lhs.zeroPoint(), lhs.isUnsigned, rhs->zeroPoint(), rhs->isUnsigned,
        op.getTransposeRhs());
    rewriter.replaceOp(op, finish(rewriter, loc, acc, *epilogue, mode));
    return success();
  }

  static RankedTensorType getAccType(qg::MatmulOp op, unsigned bits) {
    return RankedTensorType::get(op.getType().getShape(),
                                 IntegerType::get(op.getContext(), bits));
  }
};

/// A transposed convolution is a convolution of the input with zeros between
/// its elements and the mirrored weights; where kernel and stride are equal
/// the windows do not overlap and it is one matmul and a move of elements.
struct ConvertConvTranspose : ToFXP<qg::ConvTransposeOp> {
  using ToFXP::ToFXP;
  LogicalResult
  matchAndRewrite(qg::ConvTransposeOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    FailureOr<ConvParts> parts = getConvParts(op, mode);
    if (failed(parts))
      return failure();
    const Encoding &x = parts->x;
    FailureOr<unsigned> bits =
        getSumBits(op,
                   {sumMagnitudes(parts->weight.values, 0, true), parts->bias,
                    getReach(x, x.zeroPoint())},
                   x);
    if (failed(bits))
      return failure();
    parts->sumBits = *bits;
    Value result = isPixelShuffle(op)
                       ? rewriteAsMatmul(op, adaptor.getX(), rewriter, *parts)
                       : rewriteAsConv(op, adaptor.getX(), rewriter, *parts);
    rewriter.replaceOp(op, result);
    return success();
  }

  static bool isPixelShuffle(qg::ConvTransposeOp op) {
    auto isZero = [](int64_t v) { return v == 0; };
    return op.getGroups() == 1 &&
           getShape(op.getWeight()).drop_front().drop_back() ==
               op.getStrides() &&
           llvm::all_of(op.getPads(), isZero) &&
           llvm::all_of(op.getOutputPadding(), isZero) &&
           llvm::all_of(op.getDilations(), [](int64_t d) { return d == 1; });
  }

  Value rewriteAsMatmul(qg::ConvTransposeOp op, Value x,
                        ConversionPatternRewriter &rewriter,
                        const ConvParts &parts) const {
    const auto &[encoding, weight, epilogue, bias, sumBits] = parts;
    Location loc = op.getLoc();
    ArrayRef<int64_t> in = getShape(x), w = weight.values.shape();
    int64_t channels = w.front(), taps = 1, rows = 1;
    for (int64_t extent : w.drop_front().drop_back())
      taps *= extent;
    for (int64_t extent : in.drop_back())
      rows *= extent;
    int64_t depth = in.back();
    // [O, taps, C] -> [taps * O, C], the rhs of a matmul with transpose_rhs.
    Tensor matrix(DType::i8, {taps * channels, depth});
    MutableArrayRef<int8_t> to = matrix.mutableSpan<int8_t>();
    ArrayRef<int8_t> from = weight.values.span<int8_t>();
    SmallVector<int64_t> wideBias(taps * channels);
    for (int64_t t = 0; t < taps; ++t)
      for (int64_t o = 0; o < channels; ++o) {
        int64_t sum = 0;
        for (int64_t c = 0; c < depth; ++c) {
          int8_t value = from[(o * taps + t) * depth + c];
          to[(t * channels + o) * depth + c] = value;
          sum += value;
        }
        wideBias[t * channels + o] = bias[o] - encoding.zeroPoint() * sum;
      }
    Epilogue wide = epilogue;
    if (epilogue.accScales.size() > 1)
      for (int64_t t = 1; t < taps; ++t)
        llvm::append_range(wide.accScales, epilogue.accScales);
    Type stored = getTensorType(x).getElementType();
    Value lhs = qg::ReshapeOp::create(
        rewriter, loc, RankedTensorType::get({rows, depth}, stored), x);
    Value rhs = qg::createConstant(
        rewriter, loc, matrix,
        RankedTensorType::get({taps * channels, depth}, rewriter.getI8Type()),
        "w");
    Value acc = fxp::MatmulOp::create(
        rewriter, loc,
        RankedTensorType::get({rows, taps * channels},
                              rewriter.getIntegerType(sumBits)),
        lhs, rhs, createSumsConstant(rewriter, loc, wideBias, sumBits),
        /*lhs_zp=*/0, encoding.isUnsigned, /*rhs_zp=*/0, /*rhs_unsigned=*/false,
        /*transpose_rhs=*/true);
    weight.describe(acc);
    return createDepthToSpace(rewriter, op,
                              finish(rewriter, loc, acc, wide, mode));
  }

  /// [N*s..., k...*O] -> [N, s..., k..., O] -> [N, s0, k0, s1, k1, .., O] ->
  /// [N, s0*k0, ...].
  static Value createDepthToSpace(OpBuilder &builder, qg::ConvTransposeOp op,
                                  Value flat) {
    Location loc = op.getLoc();
    ArrayRef<int64_t> in = getShape(op.getX()), w = getShape(op.getWeight());
    ArrayRef<int64_t> out = op.getType().getShape();
    Type element = cast<RankedTensorType>(flat.getType()).getElementType();
    int64_t spatial = in.size() - 2;
    SmallVector<int64_t> wide(in.begin(), in.end() - 1), order{0}, moved;
    llvm::append_range(wide, w.drop_front().drop_back());
    wide.push_back(w.front());
    for (int64_t i = 0; i < spatial; ++i) {
      order.push_back(1 + i);
      order.push_back(1 + spatial + i);
    }
    order.push_back(1 + 2 * spatial);
    for (int64_t source : order)
      moved.push_back(wide[source]);
    Value split = qg::ReshapeOp::create(
        builder, loc, RankedTensorType::get(wide, element), flat);
    Value shuffled = qg::TransposeOp::create(
        builder, loc, RankedTensorType::get(moved, element), split, order);
    return qg::ReshapeOp::create(builder, loc,
                                 RankedTensorType::get(out, element), shuffled);
  }

  Value rewriteAsConv(qg::ConvTransposeOp op, Value x,
                      ConversionPatternRewriter &rewriter,
                      const ConvParts &parts) const {
    const auto &[encoding, weight, epilogue, bias, sumBits] = parts;
    Location loc = op.getLoc();
    int64_t spatial = op.getStrides().size();
    Type stored = getTensorType(x).getElementType();
    Tensor zero(*qg::getDType(stored), {});
    zero.setInt(0, encoding.zeroPoint());
    Value fill = qg::createConstant(rewriter, loc, zero,
                                    RankedTensorType::get({}, stored));
    Value spread = spreadElements(rewriter, loc, x, fill, op.getStrides());
    ArrayRef<int64_t> w = weight.values.shape();
    // Padding of the equivalent convolution; what is negative crops.
    SmallVector<int64_t> low(spatial + 2, 0), high(spatial + 2, 0);
    SmallVector<int64_t> pads(2 * spatial, 0);
    SmallVector<int64_t> shape(getShape(spread));
    bool crops = false;
    for (int64_t i = 0; i < spatial; ++i) {
      int64_t reach = (w[i + 1] - 1) * op.getDilations()[i];
      pads[i] = reach - op.getPads()[i];
      pads[spatial + i] =
          reach - op.getPads()[spatial + i] + op.getOutputPadding()[i];
      low[i + 1] = std::min<int64_t>(pads[i], 0);
      high[i + 1] = std::min<int64_t>(pads[spatial + i], 0);
      shape[i + 1] += low[i + 1] + high[i + 1];
      crops |= low[i + 1] || high[i + 1];
      pads[i] = std::max<int64_t>(pads[i], 0);
      pads[spatial + i] = std::max<int64_t>(pads[spatial + i], 0);
    }
    if (crops)
      spread =
          qg::PadOp::create(rewriter, loc, RankedTensorType::get(shape, stored),
                            PadMode::constant, spread, fill, low, high);
    Tensor mirrored = mirror(weight.values);
    Value weights =
        qg::createConstant(rewriter, loc, mirrored,
                           RankedTensorType::get(w, rewriter.getI8Type()), "w");
    Value acc = fxp::ConvOp::create(
        rewriter, loc,
        RankedTensorType::get(op.getType().getShape(),
                              rewriter.getIntegerType(sumBits)),
        spread, weights, createSumsConstant(rewriter, loc, bias, sumBits),
        SmallVector<int64_t>(spatial, 1), pads, op.getDilations(),
        op.getGroups(), encoding.zeroPoint(), encoding.isUnsigned);
    weight.describe(acc);
    return finish(rewriter, loc, acc, epilogue, mode);
  }

  /// stride - 1 elements of `fill` between the elements of every spatial
  /// dimension.
  static Value spreadElements(OpBuilder &builder, Location loc, Value x,
                              Value fill, ArrayRef<int64_t> strides) {
    if (llvm::all_of(strides, [](int64_t s) { return s == 1; }))
      return x;
    Type stored = getTensorType(x).getElementType();
    SmallVector<int64_t> in(getShape(x)), split{in.front()}, low{0}, high{0};
    SmallVector<int64_t> merged{in.front()}, out{in.front()};
    for (auto [i, stride] : llvm::enumerate(strides)) {
      split.append({in[i + 1], 1});
      low.append({0, 0});
      high.append({0, stride - 1});
      merged.push_back(in[i + 1] * stride);
      out.push_back((in[i + 1] - 1) * stride + 1);
    }
    for (SmallVector<int64_t> *shape : {&split, &merged, &out})
      shape->push_back(in.back());
    low.push_back(0);
    high.push_back(0);
    SmallVector<int64_t> padded(split);
    for (size_t i = 0; i < padded.size(); ++i)
      padded[i] += high[i];
    x = qg::ReshapeOp::create(builder, loc,
                              RankedTensorType::get(split, stored), x);
    x = qg::PadOp::create(builder, loc, RankedTensorType::get(padded, stored),
                          PadMode::constant, x, fill, low, high);
    x = qg::ReshapeOp::create(builder, loc,
                              RankedTensorType::get(merged, stored), x);
    return qg::SliceOp::create(builder, loc, RankedTensorType::get(out, stored),
                               x, SmallVector<int64_t>(out.size(), 0),
                               SmallVector<int64_t>(out.size(), 1));
  }

  /// The taps of every output channel in reverse order.
  static Tensor mirror(const Tensor &weight) {
    Tensor result(DType::i8, weight.shape());
    int64_t depth = weight.shape().back(), channels = weight.shape().front();
    int64_t taps = weight.numElements() / (depth * channels);
    ArrayRef<int8_t> from = weight.span<int8_t>();
    MutableArrayRef<int8_t> to = result.mutableSpan<int8_t>();
    for (int64_t o = 0; o < channels; ++o)
      for (int64_t t = 0; t < taps; ++t)
        for (int64_t c = 0; c < depth; ++c)
          to[(o * taps + t) * depth + c] =
              from[(o * taps + taps - 1 - t) * depth + c];
    return result;
  }
};
} // namespace

void qgtofxp::populateLinearPatterns(RewritePatternSet &patterns,
                                     const TypeConverter &converter,
                                     fxp::RequantizeModeAttr mode) {
  patterns.add<ConvertConv, ConvertMatmul, ConvertConvTranspose>(
      converter, patterns.getContext(), mode);
}
