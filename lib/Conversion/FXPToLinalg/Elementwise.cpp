//===- Elementwise.cpp - fxp scalar functions to linalg -------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Requantization and its relatives, by the functions of Numerics/Affine.h.
//===----------------------------------------------------------------------===//
#include "qopt/Conversion/LinalgBuilder.h"
#include "qopt/Conversion/ScalarBuilder.h"
#include "qopt/Conversion/ToLinalg.h"
#include "qopt/Dialect/FXP/IR/FXP.h"
#include "qopt/Numerics/Softmax.h"

using namespace mlir;
using namespace qopt;

/// A stored integer as i32; sums as they are.
static Value load(OpBuilder &b, Location loc, Value x, bool isUnsigned) {
  Type i32 = b.getI32Type();
  if (x.getType().getIntOrFloatBitWidth() >= 32)
    return x;
  return isUnsigned ? arith::ExtUIOp::create(b, loc, i32, x).getResult()
                    : arith::ExtSIOp::create(b, loc, i32, x).getResult();
}

/// An i32 in the storage type of the result.
static Value store(OpBuilder &b, Location loc, Value x, Type stored) {
  if (x.getType() == stored)
    return x;
  return arith::TruncIOp::create(b, loc, stored, x);
}

static Value subtract(IRScalarBuilder &b, Value x, int64_t zeroPoint) {
  return zeroPoint ? b.subI(x, b.intLike(x, zeroPoint)) : x;
}

namespace {
/// Constant tensor of scales, broadcast along `axis` of `rank` dimensions.
Value getScaleOperand(LinalgBuilder &builder, ElementsAttr scales, int64_t axis,
                      int64_t rank) {
  SmallVector<int64_t> shape(rank - axis, 1);
  int64_t count = scales.getNumElements();
  if (shape.empty() || count == 1)
    shape.clear();
  else
    shape.front() = count;
  FailureOr<Tensor> host = qg::getTensor(scales, scales.getType());
  return builder.constant(host->reshaped(shape), "scales");
}

LogicalResult checkScales(Operation *op, ElementsAttr scales,
                          ConversionPatternRewriter &rewriter) {
  if (failed(qg::getTensor(scales, scales.getType())))
    return rewriter.notifyMatchFailure(op, "the bytes of its scales are gone");
  return success();
}

/// Multipliers and shifts of scales, broadcast as getScaleOperand does.
std::pair<Value, Value> getFixedOperands(LinalgBuilder &builder,
                                         ElementsAttr scales,
                                         RequantizeMode mode) {
  FailureOr<Tensor> host = qg::getTensor(scales, scales.getType());
  SmallVector<int64_t> multipliers, shifts, shape;
  for (float scale : host->span<float>()) {
    FixedScale fixed = getFixedScale(scale, mode);
    multipliers.push_back(fixed.multiplier);
    shifts.push_back(fixed.shift);
  }
  if (multipliers.size() > 1)
    shape.push_back(multipliers.size());
  auto make = [&](ArrayRef<int64_t> values, StringRef hint) {
    return builder.constant(Tensor::from<int64_t>(DType::i64, shape, values),
                            hint);
  };
  return {make(multipliers, "multipliers"), make(shifts, "shifts")};
}

struct LowerRequantize : OpConversionPattern<fxp::RequantizeOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(fxp::RequantizeOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    if (failed(checkScales(op, op.getScales(), rewriter)))
      return failure();
    LinalgBuilder builder{rewriter, op.getLoc()};
    RankedTensorType type = op.getType();
    RequantizeMode mode = op.getMode().getRequantizeMode();
    bool isFloat = mode.kind == RequantizeMode::F32;
    SmallVector<Value> operands{adaptor.getX()};
    if (isFloat) {
      operands.push_back(getScaleOperand(
          builder, op.getScales(), std::max<int64_t>(type.getRank() - 1, 0),
          type.getRank()));
    } else {
      auto [multipliers, shifts] =
          getFixedOperands(builder, op.getScales(), mode);
      operands.append({multipliers, shifts});
    }
    numerics::StoredRange range{int64_t(op.getZp()), op.getClamp()[0],
                                op.getClamp()[1]};
    rewriter.replaceOp(
        op, builder.pointwise(
                type.getShape(), type.getElementType(), operands,
                [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
                  IRScalarBuilder scalar(b, loc);
                  Value x = load(b, loc, args[0], op.getXUnsigned());
                  if (x.getType().isInteger(64)) {
                    Value y = numerics::emitRequantizeWide(
                        scalar, subtract(scalar, x, op.getXZp()),
                        numerics::FixedFactor{Value(args[1]), Value(args[2])},
                        range);
                    return store(b, loc, y, type.getElementType());
                  }
                  Value y =
                      isFloat ? numerics::emitRequantize(scalar, x, op.getXZp(),
                                                         Value(args[1]), range)
                              : numerics::emitRequantizeFixed(
                                    scalar, x, op.getXZp(),
                                    numerics::FixedFactor{Value(args[1]),
                                                          Value(args[2])},
                                    range);
                  return store(b, loc, y, type.getElementType());
                }));
    return success();
  }
};

struct LowerAdd : OpConversionPattern<fxp::AddOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(fxp::AddOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LinalgBuilder builder{rewriter, op.getLoc()};
    Type stored = op.getType().getElementType();
    rewriter.replaceOp(
        op, builder.pointwise(
                op.getType().getShape(), stored,
                {adaptor.getLhs(), adaptor.getRhs()},
                [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
                  IRScalarBuilder scalar(b, loc);
                  Value lhs = load(b, loc, args[0], op.getLhsUnsigned());
                  Value rhs = load(b, loc, args[1], op.getRhsUnsigned());
                  Value sum =
                      emit(op, b, loc, subtract(scalar, lhs, op.getZps()[0]),
                           subtract(scalar, rhs, op.getZps()[1]));
                  return store(b, loc, sum, stored);
                }));
    return success();
  }

  static Value emit(fxp::AddOp op, OpBuilder &builder, Location loc, Value lhs,
                    Value rhs) {
    IRScalarBuilder b(builder, loc);
    numerics::StoredRange range{int64_t(op.getZp()), op.getClamp()[0],
                                op.getClamp()[1]};
    float left = op.getScales()[0], right = op.getScales()[1];
    RequantizeMode mode = op.getMode().getRequantizeMode();
    if (mode.kind == RequantizeMode::F32) {
      Value leftScale = arith::ConstantOp::create(
          builder, loc, builder.getF32FloatAttr(left));
      Value rightScale = arith::ConstantOp::create(
          builder, loc, builder.getF32FloatAttr(right));
      return numerics::emitAddScaled(b, numerics::Scaled{lhs, leftScale},
                                     numerics::Scaled{rhs, rightScale}, range);
    }
    auto [first, second] = getCommonFixedScales(left, right, mode);
    Value like = b.extendToI64(lhs);
    return numerics::emitAddFixed(
        b, numerics::Scaled{lhs, b.intLike(like, first.multiplier)},
        numerics::Scaled{rhs, b.intLike(like, second.multiplier)},
        b.intLike(like, first.shift), range);
  }
};

struct LowerMul : OpConversionPattern<fxp::MulOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(fxp::MulOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LinalgBuilder builder{rewriter, op.getLoc()};
    rewriter.replaceOp(
        op, builder.pointwise(
                op.getType().getShape(), op.getType().getElementType(),
                {adaptor.getLhs(), adaptor.getRhs()},
                [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
                  IRScalarBuilder scalar(b, loc);
                  Value lhs = load(b, loc, args[0], op.getLhsUnsigned());
                  Value rhs = load(b, loc, args[1], op.getRhsUnsigned());
                  lhs = subtract(scalar, lhs, op.getZps()[0]);
                  rhs = subtract(scalar, rhs, op.getZps()[1]);
                  if (op.getType().getElementType().isInteger(32))
                    return scalar.mulI(lhs, rhs);
                  return scalar.mulI(scalar.extendToI64(lhs),
                                     scalar.extendToI64(rhs));
                }));
    return success();
  }
};

struct LowerLut : OpConversionPattern<fxp::LutOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(fxp::LutOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    FailureOr<Tensor> host =
        qg::getTensor(op.getTable(), op.getTable().getType());
    if (failed(host))
      return rewriter.notifyMatchFailure(op, "the bytes of its table are gone");
    LinalgBuilder builder{rewriter, op.getLoc()};
    // Never a splat constant: the lookup wants an array in memory.
    Value table = builder.constant(*host, "table");
    Type stored = op.getType().getElementType();
    rewriter.replaceOp(
        op, builder.pointwise(
                op.getType().getShape(), stored, adaptor.getX(),
                [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
                  Value index = arith::IndexCastUIOp::create(
                      b, loc, b.getIndexType(), args[0]);
                  return tensor::ExtractOp::create(b, loc, table, index);
                }));
    return success();
  }
};

struct LowerSoftmax : OpConversionPattern<fxp::SoftmaxOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(fxp::SoftmaxOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    FailureOr<Tensor> host =
        qg::getTensor(op.getTable(), op.getTable().getType());
    if (failed(host))
      return rewriter.notifyMatchFailure(op, "the bytes of its table are gone");
    LinalgBuilder builder{rewriter, op.getLoc()};
    ArrayRef<int64_t> shape = op.getType().getShape();
    Type i32 = rewriter.getI32Type();
    Value table = builder.constant(*host, "exponentials");
    Value x = builder.pointwise(
        shape, i32, adaptor.getX(),
        [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
          return load(b, loc, args[0], op.getXUnsigned());
        });
    Value most = reduceRows(
        builder, x, INT32_MIN, [](OpBuilder &b, Location loc, ValueRange args) {
          return arith::MaxSIOp::create(b, loc, args[0], args[1]).getResult();
        });
    Value entries = builder.pointwise(
        shape, i32, {x, most},
        [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
          Value difference = arith::SubIOp::create(b, loc, args[1], args[0]);
          Value index = arith::IndexCastUIOp::create(b, loc, b.getIndexType(),
                                                     difference);
          return tensor::ExtractOp::create(b, loc, table, index);
        });
    Value sum = reduceRows(
        builder, entries, 0, [](OpBuilder &b, Location loc, ValueRange args) {
          return arith::AddIOp::create(b, loc, args[0], args[1]).getResult();
        });
    Type stored = op.getType().getElementType();
    rewriter.replaceOp(
        op, builder.pointwise(
                shape, stored, {entries, sum},
                [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
                  IRScalarBuilder scalar(b, loc);
                  numerics::StoredRange range{
                      int64_t(op.getZp()), op.getClamp()[0], op.getClamp()[1]};
                  Value y =
                      numerics::emitSoftmax(scalar, args[0], args[1], range);
                  return store(b, loc, y, stored);
                }));
    return success();
  }

  /// Rows of the last dimension, which stays with one element.
  static Value reduceRows(LinalgBuilder &builder, Value x, int64_t identity,
                          ScalarBody body) {
    auto type = cast<RankedTensorType>(x.getType());
    MLIRContext *context = builder.b.getContext();
    unsigned rank = type.getRank();
    SmallVector<int64_t> shape(type.getShape());
    shape.back() = 1;
    SmallVector<AffineExpr> result;
    for (unsigned d = 0; d + 1 < rank; ++d)
      result.push_back(getAffineDimExpr(d, context));
    result.push_back(getAffineConstantExpr(0, context));
    SmallVector<utils::IteratorType> iterators(rank,
                                               utils::IteratorType::parallel);
    iterators.back() = utils::IteratorType::reduction;
    Value init =
        builder.fill(shape, builder.integer(builder.b.getI32Type(), identity));
    return builder.reduce(x, init,
                          {AffineMap::getMultiDimIdentityMap(rank, context),
                           AffineMap::get(rank, 0, result, context)},
                          iterators, body);
  }
};

struct LowerQuantize : OpConversionPattern<fxp::QuantizeOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(fxp::QuantizeOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    if (failed(checkScales(op, op.getScales(), rewriter)))
      return failure();
    LinalgBuilder builder{rewriter, op.getLoc()};
    RankedTensorType type = op.getType();
    Type stored = type.getElementType();
    Value scales =
        getScaleOperand(builder, op.getScales(), op.getAxis(), type.getRank());
    SmallVector<Value> operands{adaptor.getX(), scales};
    ArrayRef<int64_t> zps = op.getZps();
    if (zps.size() > 1)
      operands.push_back(getZeroPoints(builder, op));
    rewriter.replaceOp(op, builder.pointwise(type.getShape(), stored, operands,
                                             [&](OpBuilder &b, Location loc,
                                                 ValueRange args) -> Value {
                                               return emit(op, b, loc, args,
                                                           stored);
                                             }));
    return success();
  }

  static Value getZeroPoints(LinalgBuilder &builder, fxp::QuantizeOp op) {
    SmallVector<int32_t> values(op.getZps());
    SmallVector<int64_t> shape(op.getType().getRank() - op.getAxis(), 1);
    shape.front() = values.size();
    return builder.constant(Tensor::from<int32_t>(DType::i32, shape, values),
                            "zps");
  }

  /// Zero points that differ are added to the unclamped integer, exactly.
  static Value emit(fxp::QuantizeOp op, OpBuilder &b, Location loc,
                    ValueRange args, Type stored) {
    IRScalarBuilder scalar(b, loc);
    Value x = emitCast(b, loc, args[0], b.getF32Type());
    int64_t low = op.getClamp()[0], high = op.getClamp()[1];
    if (args.size() == 2) {
      numerics::StoredRange range{op.getZps()[0], low, high};
      return store(b, loc,
                   numerics::emitQuantize(scalar, x, Value(args[1]), range),
                   stored);
    }
    // Wider than any sum of a zero point and a stored integer of 16 bits.
    constexpr int64_t reach = int64_t(1) << 20;
    Value wide =
        numerics::emitQuantize(scalar, x, Value(args[1]), {0, -reach, reach});
    Value sum = scalar.addI(wide, args[2]);
    Value least = scalar.intLike(sum, low), most = scalar.intLike(sum, high);
    sum = scalar.select(scalar.ltS(sum, least), least, sum);
    sum = scalar.select(scalar.ltS(most, sum), most, sum);
    return store(b, loc, sum, stored);
  }
};

struct LowerDequantize : OpConversionPattern<fxp::DequantizeOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(fxp::DequantizeOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    if (failed(checkScales(op, op.getScales(), rewriter)))
      return failure();
    LinalgBuilder builder{rewriter, op.getLoc()};
    RankedTensorType type = op.getType();
    SmallVector<Value> operands{
        adaptor.getX(),
        getScaleOperand(builder, op.getScales(), op.getAxis(), type.getRank())};
    ArrayRef<int64_t> zps = op.getZps();
    if (zps.size() > 1) {
      SmallVector<int64_t> shape(type.getRank() - op.getAxis(), 1);
      shape.front() = zps.size();
      SmallVector<int32_t> values(zps);
      operands.push_back(builder.constant(
          Tensor::from<int32_t>(DType::i32, shape, values), "zps"));
    }
    rewriter.replaceOp(
        op, builder.pointwise(
                type.getShape(), type.getElementType(), operands,
                [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
                  IRScalarBuilder scalar(b, loc);
                  Value x = load(b, loc, args[0], op.getXUnsigned());
                  int64_t zp = args.size() > 2 ? 0 : zps[0];
                  if (args.size() > 2)
                    x = scalar.subI(x, args[2]);
                  Value y =
                      numerics::emitDequantize(scalar, x, zp, Value(args[1]));
                  return emitCast(b, loc, y, type.getElementType());
                }));
    return success();
  }
};
} // namespace

namespace qopt {
void populateFXPLinearPatterns(const StorageTypeConverter &converter,
                               RewritePatternSet &patterns);
void populateFXPGroupLinearPatterns(const StorageTypeConverter &converter,
                                    RewritePatternSet &patterns);
void populateFXPResizePatterns(const StorageTypeConverter &converter,
                               RewritePatternSet &patterns);
void populateFXPRecurrentPatterns(const StorageTypeConverter &converter,
                                  RewritePatternSet &patterns);
} // namespace qopt

void qopt::populateFXPToLinalgPatterns(const StorageTypeConverter &converter,
                                       RewritePatternSet &patterns) {
  populateFXPLinearPatterns(converter, patterns);
  populateFXPGroupLinearPatterns(converter, patterns);
  populateFXPResizePatterns(converter, patterns);
  populateFXPRecurrentPatterns(converter, patterns);
  patterns.add<LowerRequantize, LowerAdd, LowerMul, LowerLut, LowerSoftmax,
               LowerQuantize, LowerDequantize>(converter,
                                               patterns.getContext());
}
