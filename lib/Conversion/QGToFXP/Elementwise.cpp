//===- Elementwise.cpp - Sums, pools, concat and moves in integers --------===//
// SPDX-License-Identifier: Apache-2.0
//
// Ops without weights. One that has no integer form is computed in float
// between a dequantize and a quantize, which is what its definition says.
//===----------------------------------------------------------------------===//
#include "Patterns.h"
#include "qopt/Numerics/Softmax.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::qgtofxp;

static int64_t getCount(ArrayRef<int64_t> extents) {
  return getNumElements(extents);
}

static RankedTensorType withElement(Type type, Type element) {
  return RankedTensorType::get(cast<RankedTensorType>(type).getShape(),
                               element);
}

static RankedTensorType withStored(Type type, const Encoding &encoding) {
  return withElement(type,
                     IntegerType::get(type.getContext(), encoding.storageBits));
}

namespace {
struct ConvertQuantize : ToFXP<qg::QuantizeOp> {
  using ToFXP::ToFXP;
  LogicalResult
  matchAndRewrite(qg::QuantizeOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    std::optional<Encoding> result = getEncoding(op.getType());
    if (!result)
      return op.emitOpError()
             << "expects a static encoding per tensor or axis, "
                "got "
             << op.getType();
    rewriter.replaceOp(
        op, createQuantize(rewriter, op.getLoc(), adaptor.getX(), *result));
    return success();
  }
};

struct ConvertDequantize : ToFXP<qg::DequantizeOp> {
  using ToFXP::ToFXP;
  LogicalResult
  matchAndRewrite(qg::DequantizeOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    std::optional<Encoding> encoding = getEncoding(op.getX().getType());
    if (!encoding)
      return op.emitOpError()
             << "expects a static encoding per tensor or axis, "
                "got "
             << op.getX().getType();
    rewriter.replaceOp(
        op, createDequantize(rewriter, op.getLoc(), adaptor.getX(), *encoding));
    return success();
  }
};

/// i8 -> i8 under other parameters.
Value rescale(OpBuilder &builder, Location loc, Value x, const Encoding &from,
              RequantizeTarget to) {
  float scale = float(double(from.scale()) / double(to.result.scale()));
  to.xZeroPoint = from.zeroPoint();
  to.xUnsigned = from.isUnsigned;
  return createRequantize(builder, loc, x, scale, to);
}

bool isSame(const Encoding &a, const Encoding &b) {
  return a.scales == b.scales && a.zeroPoints == b.zeroPoints &&
         a.isUnsigned == b.isUnsigned && a.low == b.low && a.high == b.high;
}

struct ConvertRequantize : ToFXP<qg::RequantizeOp> {
  using ToFXP::ToFXP;
  LogicalResult
  matchAndRewrite(qg::RequantizeOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    std::optional<Encoding> from = getStored(op.getX().getType());
    std::optional<Encoding> to = getStored(op.getType());
    if (!from || !to)
      return op.emitOpError("expects encodings in integers per tensor");
    rewriter.replaceOp(
        op, rescale(rewriter, op.getLoc(), adaptor.getX(), *from, {*to, mode}));
    return success();
  }
};

struct ConvertConcat : ToFXP<qg::ConcatOp> {
  using ToFXP::ToFXP;
  LogicalResult
  matchAndRewrite(qg::ConcatOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    std::optional<Encoding> to = getStored(op.getType());
    if (!to)
      return rewriter.notifyMatchFailure(op, "not in integers per tensor");
    SmallVector<Value> inputs;
    for (auto [before, x] : llvm::zip(op.getInputs(), adaptor.getInputs())) {
      std::optional<Encoding> from = getStored(before.getType());
      if (!from)
        return rewriter.notifyMatchFailure(op, "not in integers per tensor");
      inputs.push_back(isSame(*from, *to) ? x
                                          : rescale(rewriter, op.getLoc(), x,
                                                    *from, {*to, mode}));
    }
    rewriter.replaceOpWithNewOp<qg::ConcatOp>(op, withStored(op.getType(), *to),
                                              inputs, op.getAxis());
    return success();
  }
};

struct ConvertBinary : ToFXP<qg::BinaryOp> {
  using ToFXP::ToFXP;
  LogicalResult
  matchAndRewrite(qg::BinaryOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    std::optional<Encoding> lhs = getStored(op.getLhs().getType());
    std::optional<Encoding> rhs = getStored(op.getRhs().getType());
    std::optional<Encoding> result = getStored(op.getType());
    if (!lhs || !rhs || !result)
      return rewriter.notifyMatchFailure(op, "not in integers per tensor");
    Location loc = op.getLoc();
    int64_t zps[] = {lhs->zeroPoint(), rhs->zeroPoint()};
    if (op.getKind() == BinaryKind::mul) {
      int64_t reach = getReach(*lhs, zps[0]) * getReach(*rhs, zps[1]);
      Type sums = rewriter.getIntegerType(reach > INT32_MAX ? 64 : 32);
      Value acc = fxp::MulOp::create(
          rewriter, loc, withElement(op.getType(), sums), adaptor.getLhs(),
          adaptor.getRhs(), zps, lhs->isUnsigned, rhs->isUnsigned);
      double scale =
          double(lhs->scale()) * double(rhs->scale()) / double(result->scale());
      rewriter.replaceOp(op, createRequantize(rewriter, loc, acc, float(scale),
                                              {*result, mode, op.getClamp()}));
      return success();
    }
    if (op.getKind() != BinaryKind::add && op.getKind() != BinaryKind::sub)
      return rewriter.notifyMatchFailure(op, "no integer form");
    double sign = op.getKind() == BinaryKind::sub ? -1 : 1;
    float scales[] = {
        float(double(lhs->scale()) / double(result->scale())),
        float(sign * double(rhs->scale()) / double(result->scale()))};
    int64_t range[] = {result->low, result->high};
    rewriter.replaceOpWithNewOp<fxp::AddOp>(
        op, withStored(op.getType(), *result), adaptor.getLhs(),
        adaptor.getRhs(), scales, zps, result->zeroPoint(),
        op.getClamp().value_or(range), lhs->isUnsigned, rhs->isUnsigned,
        result->isUnsigned, mode);
    return success();
  }
};

struct ConvertResize : ToFXP<qg::ResizeOp> {
  using ToFXP::ToFXP;
  LogicalResult
  matchAndRewrite(qg::ResizeOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto integers = op.getIntegerTables();
    std::optional<Encoding> x = getStored(op.getX().getType());
    std::optional<Encoding> result = getStored(op.getType());
    if (!x || !result || !integers)
      return rewriter.notifyMatchFailure(op, "not in integers per tensor");
    SmallVector<int64_t> taps, positions;
    SmallVector<int32_t> coefficients;
    double divisor = result->scale();
    for (auto [table, integer] : llvm::zip(op.getTables(), *integers)) {
      taps.push_back(table.taps);
      llvm::append_range(positions, table.positions);
      llvm::append_range(coefficients, integer.coefficients);
      divisor *= double(integer.denominator);
    }
    Value acc = fxp::ResizeOp::create(
        rewriter, op.getLoc(), withElement(op.getType(), rewriter.getI32Type()),
        adaptor.getX(), op.getAxes(), taps, positions, coefficients,
        x->zeroPoint(), x->isUnsigned);
    rewriter.replaceOp(op, createRequantize(rewriter, op.getLoc(), acc,
                                            float(double(x->scale()) / divisor),
                                            {*result, mode}));
    return success();
  }
};

struct ConvertReduce : ToFXP<qg::ReduceOp> {
  using ToFXP::ToFXP;
  LogicalResult
  matchAndRewrite(qg::ReduceOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    std::optional<Encoding> x = getStored(op.getX().getType());
    if (!x || op.getKind() != ReduceKind::sum)
      return rewriter.notifyMatchFailure(op, "no 8-bit sum");
    int64_t count = getCount(op.getX().getType().getShape()) /
                    std::max<int64_t>(1, getCount(op.getType().getShape()));
    if (count > countSummands(*x))
      return rewriter.notifyMatchFailure(op, "sums may leave 32 bits");
    std::optional<Encoding> result = getStored(op.getType());
    if (!result && isQuantized(op.getType()))
      return rewriter.notifyMatchFailure(op, "not in integers per tensor");
    Value acc = fxp::SumOp::create(
        rewriter, op.getLoc(), withElement(op.getType(), rewriter.getI32Type()),
        adaptor.getX(), op.getAxes(), x->zeroPoint(), x->isUnsigned);
    if (result) {
      float scale = float(double(x->scale()) / double(result->scale()));
      rewriter.replaceOp(op, createRequantize(rewriter, op.getLoc(), acc, scale,
                                              {*result, mode}));
      return success();
    }
    Encoding sum = *x;
    sum.zeroPoints = {0};
    sum.isUnsigned = false;
    rewriter.replaceOp(op, createDequantize(rewriter, op.getLoc(), acc, sum));
    return success();
  }
};

struct ConvertConstant : ToFXP<qg::ConstantOp> {
  using ToFXP::ToFXP;
  LogicalResult
  matchAndRewrite(qg::ConstantOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOpWithNewOp<qg::ConstantOp>(
        op, qg::getStorageTensorType(op.getType()), op.getValue());
    return success();
  }
};

/// The identity.
struct DropObserve : ToFXP<qg::ObserveOp> {
  using ToFXP::ToFXP;
  LogicalResult
  matchAndRewrite(qg::ObserveOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOp(op, adaptor.getX());
    return success();
  }
};

/// A bridge that convertRegionsToTables left: both sides are the same bytes.
struct DropBridge : ToFXP<UnrealizedConversionCastOp> {
  using ToFXP::ToFXP;
  LogicalResult
  matchAndRewrite(UnrealizedConversionCastOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOp(op, adaptor.getInputs());
    return success();
  }
};

/// An op that only moves elements moves stored integers.
struct MoveStorage : ConversionPattern {
  MoveStorage(const TypeConverter &converter, MLIRContext *context)
      : ConversionPattern(converter, MatchAnyOpTypeTag(), 1, context) {}
  LogicalResult
  matchAndRewrite(Operation *op, ArrayRef<Value> operands,
                  ConversionPatternRewriter &rewriter) const override {
    auto rule = dyn_cast<FormatRuleOpInterface>(op);
    if (!rule || rule.getFormatRule() != FormatRule::PassThrough)
      return rewriter.notifyMatchFailure(op, "looks at its elements");
    SmallVector<Value> values(operands);
    if (auto pad = dyn_cast<qg::PadOp>(op);
        pad && !pad.getValue() && pad.getMode() == PadMode::constant)
      if (auto encoding = getEncoding(pad.getX().getType())) {
        if (encoding->zeroPoints.size() != 1)
          return op->emitOpError("expects an encoding per tensor");
        // What an absent value stands for is the real number zero.
        auto type = RankedTensorType::get(
            {}, qg::getStorageElementType(pad.getType().getElementType()));
        Tensor zero(*qg::getDType(type.getElementType()), {});
        zero.setInt(0, encoding->zeroPoint());
        values.push_back(
            qg::createConstant(rewriter, op->getLoc(), zero, type));
      }
    auto type = qg::getStorageTensorType(
        cast<RankedTensorType>(op->getResultTypes()[0]));
    if (auto pad = dyn_cast<qg::PadOp>(op)) {
      rewriter.replaceOpWithNewOp<qg::PadOp>(
          op, type, pad.getMode(), values[0],
          values.size() > 1 ? values[1] : Value(), pad.getLow(), pad.getHigh());
      return success();
    }
    OperationState state(op->getLoc(), op->getName().getStringRef(), values,
                         type, op->getAttrs());
    rewriter.replaceOp(op, rewriter.create(state));
    return success();
  }
};

/// A softmax of bytes into probabilities of 1/256, where floats are not wanted.
struct ConvertSoftmax : OpConversionPattern<qg::SoftmaxOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(qg::SoftmaxOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    RankedTensorType type = op.getType();
    std::optional<Encoding> x = getByteEncoding(op.getX().getType());
    std::optional<Encoding> y = getByteEncoding(type);
    if (!x || !y || y->scale() != 0x1p-8f || y->zeroPoint() != y->low ||
        type.getShape().back() > kMostSoftmaxElements)
      return rewriter.notifyMatchFailure(op, "not bytes into steps of 1/256");
    std::vector<int32_t> table =
        getSoftmaxTable(x->scale(), type.getShape().back());
    auto tableType = RankedTensorType::get({256}, rewriter.getI32Type());
    rewriter.replaceOpWithNewOp<fxp::SoftmaxOp>(
        op, withElement(type, rewriter.getI8Type()), adaptor.getX(),
        qg::getElementsAttr(
            Tensor::from<int32_t>(DType::i32, {256}, ArrayRef<int32_t>(table)),
            tableType, "softmax"),
        x->isUnsigned, y->zeroPoint(), ArrayRef<int64_t>{y->low, y->high},
        y->isUnsigned);
    return success();
  }
};

/// Scales are positive: the stored integers are ordered as what they stand for.
/// Unsigned ones are searched as signed ones, 128 less.
struct ConvertArgReduce : ToFXP<qg::ArgReduceOp> {
  using ToFXP::ToFXP;
  LogicalResult
  matchAndRewrite(qg::ArgReduceOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    std::optional<Encoding> encoding = getStored(op.getX().getType());
    if (!encoding)
      return rewriter.notifyMatchFailure(op, "not integers of one scale");
    Value x = adaptor.getX();
    if (encoding->isUnsigned && encoding->storageBits > 8) {
      Encoding moved = *encoding;
      moved.isUnsigned = false;
      for (int64_t *number : {&moved.zeroPoints[0], &moved.low, &moved.high})
        *number -= 1 << 15;
      x = rescale(rewriter, op.getLoc(), x, *encoding, {moved, mode});
    } else if (encoding->isUnsigned) {
      Tensor table(DType::i8, {256});
      for (int64_t i = 0; i < 256; ++i)
        table.setInt(i, i - 128);
      x = fxp::LutOp::create(
          rewriter, op.getLoc(), x.getType(), x,
          qg::getElementsAttr(
              table, RankedTensorType::get({256}, rewriter.getI8Type()),
              "order"));
    }
    rewriter.replaceOpWithNewOp<qg::ArgReduceOp>(
        op, op.getType(), op.getKind(), x, op.getAxis(), op.getSelectLast());
    return success();
  }
};

/// Any other quantized op: its definition, computed in float.
struct ComputeInFloat : ConversionPattern {
  ComputeInFloat(const TypeConverter &converter, MLIRContext *context)
      : ConversionPattern(converter, MatchAnyOpTypeTag(), 0, context) {}
  LogicalResult
  matchAndRewrite(Operation *op, ArrayRef<Value> operands,
                  ConversionPatternRewriter &rewriter) const override {
    auto rule = dyn_cast<FormatRuleOpInterface>(op);
    if (!rule || op->getNumResults() != 1)
      return rewriter.notifyMatchFailure(op, "not a qg op");
    FormatRule kind = rule.getFormatRule();
    if (kind == FormatRule::PassThrough || kind == FormatRule::Linear ||
        kind == FormatRule::Constant || kind == FormatRule::Boundary)
      return rewriter.notifyMatchFailure(op, "has its own pattern");
    if (op->getAttr("clamp"))
      return op->emitOpError("has no integer form for these encodings");
    SmallVector<Value> values;
    for (auto [before, x] : llvm::zip(op->getOperands(), operands)) {
      if (!isQuantized(before.getType())) {
        values.push_back(x);
        continue;
      }
      std::optional<Encoding> encoding = getEncoding(before.getType());
      if (!encoding)
        return op->emitOpError()
               << "expects static encodings, got " << before.getType();
      values.push_back(createDequantize(rewriter, op->getLoc(), x, *encoding));
    }
    Type type = op->getResultTypes()[0];
    std::optional<Encoding> result = getEncoding(type);
    if (isQuantized(type) && !result)
      return op->emitOpError() << "expects static encodings, got " << type;
    Type computed =
        result ? Type(withElement(type, rewriter.getF32Type())) : type;
    OperationState state(op->getLoc(), op->getName().getStringRef(), values,
                         computed, op->getAttrs());
    Value value = rewriter.create(state)->getResult(0);
    if (result)
      value = createQuantize(rewriter, op->getLoc(), value, *result);
    rewriter.replaceOp(op, value);
    return success();
  }
};
} // namespace

void qgtofxp::populateElementwisePatterns(RewritePatternSet &patterns,
                                          const TypeConverter &converter,
                                          fxp::RequantizeModeAttr mode) {
  MLIRContext *context = patterns.getContext();
  patterns.add<ConvertQuantize, ConvertDequantize, ConvertRequantize,
               ConvertConcat, ConvertBinary, ConvertResize, ConvertReduce,
               ConvertConstant, DropObserve, DropBridge>(converter, context,
                                                         mode);
  patterns.add<MoveStorage, ComputeInFloat>(converter, context);
}

void qgtofxp::populateIntegerOnlyPatterns(RewritePatternSet &patterns,
                                          const TypeConverter &converter,
                                          fxp::RequantizeModeAttr mode) {
  MLIRContext *context = patterns.getContext();
  patterns.add<ConvertSoftmax>(converter, context, /*benefit=*/2);
  patterns.add<ConvertArgReduce>(converter, context, mode, /*benefit=*/2);
}
