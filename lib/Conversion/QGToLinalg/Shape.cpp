//===- Shape.cpp - qg data movement to tensor ops and index maps ----------===//
// SPDX-License-Identifier: Apache-2.0
//
// Views where bytes stay in place (reshape, slice), copies through index maps
// elsewhere. Element types do not matter.
//===----------------------------------------------------------------------===//
#include "qopt/Conversion/LinalgBuilder.h"
#include "qopt/Conversion/ToLinalg.h"
#include "qopt/Dialect/QG/IR/QG.h"

using namespace mlir;
using namespace qopt;

static Value yieldFirst(OpBuilder &, Location, ValueRange args) {
  return args[0];
}

namespace {
struct LowerConstant : OpConversionPattern<qg::ConstantOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(qg::ConstantOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    RankedTensorType type = qg::getStorageTensorType(op.getType());
    ElementsAttr value = op.getValue();
    if (value.getType() != type) {
      FailureOr<Tensor> host = qg::getTensor(value, op.getType());
      if (failed(host))
        return rewriter.notifyMatchFailure(op, "its bytes are gone");
      value = qg::getElementsAttr(*host, type);
    }
    rewriter.replaceOpWithNewOp<arith::ConstantOp>(op, type, value);
    return success();
  }
};

struct LowerReshape : OpConversionPattern<qg::ReshapeOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(qg::ReshapeOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LinalgBuilder builder{rewriter, op.getLoc()};
    rewriter.replaceOp(
        op, builder.reshape(adaptor.getX(), op.getType().getShape()));
    return success();
  }
};

struct LowerTranspose : OpConversionPattern<qg::TransposeOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(qg::TransposeOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LinalgBuilder builder{rewriter, op.getLoc()};
    rewriter.replaceOp(op,
                       builder.transpose(adaptor.getX(), op.getPermutation()));
    return success();
  }
};

struct LowerBroadcast : OpConversionPattern<qg::BroadcastOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(qg::BroadcastOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LinalgBuilder builder{rewriter, op.getLoc()};
    Type element = getTensorType(adaptor.getX()).getElementType();
    rewriter.replaceOp(op, builder.pointwise(op.getType().getShape(), element,
                                             adaptor.getX(), yieldFirst));
    return success();
  }
};

struct LowerSlice : OpConversionPattern<qg::SliceOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(qg::SliceOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    RankedTensorType type = qg::getStorageTensorType(op.getType());
    if (type.getNumElements() == 0) {
      // An empty slice may start behind the end, which no view may.
      rewriter.replaceOp(op, LinalgBuilder{rewriter, op.getLoc()}.empty(
                                 type.getShape(), type.getElementType()));
      return success();
    }
    // Forward steps are a view, but along the last dimension, whose elements
    // kernels want side by side; the rest is an index map on that view. (The
    // map alone would not do: linalg wants a dimension read as it is to be
    // read to its end.)
    SmallVector<int64_t> offsets, sizes, strides;
    SmallVector<AffineExpr> exprs;
    bool isView = true;
    for (int64_t i = 0; i < type.getRank(); ++i) {
      int64_t count = type.getDimSize(i);
      int64_t stride = count == 1 ? 1 : op.getStrides()[i];
      int64_t step = std::abs(stride), last = (count - 1) * stride;
      int64_t inner = i + 1 == type.getRank() ? step : 1;
      offsets.push_back(op.getOffsets()[i] + std::min<int64_t>(last, 0));
      sizes.push_back((count - 1) * inner + 1);
      strides.push_back(step / inner);
      AffineExpr dim = rewriter.getAffineDimExpr(i) * inner;
      exprs.push_back(stride > 0 ? dim : -dim + (sizes.back() - 1));
      isView &= stride > 0 && inner == 1;
    }
    auto viewType = RankedTensorType::get(sizes, type.getElementType());
    Value view = tensor::ExtractSliceOp::create(
        rewriter, op.getLoc(), viewType, adaptor.getX(), ValueRange(),
        ValueRange(), ValueRange(), offsets, sizes, strides);
    if (!isView)
      view = LinalgBuilder{rewriter, op.getLoc()}.gather(
          type.getShape(), type.getElementType(), view,
          AffineMap::get(type.getRank(), 0, exprs, rewriter.getContext()),
          yieldFirst);
    rewriter.replaceOp(op, view);
    return success();
  }
};

struct LowerConcat : OpConversionPattern<qg::ConcatOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(qg::ConcatOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    for (Value input : op.getInputs())
      if (getTensorType(input).getElementType() !=
          op.getType().getElementType())
        return rewriter.notifyMatchFailure(op,
                                           "its operands' encodings differ");
    RankedTensorType type = qg::getStorageTensorType(op.getType());
    Location loc = op.getLoc();
    Value out = tensor::EmptyOp::create(rewriter, loc, type.getShape(),
                                        type.getElementType());
    SmallVector<int64_t> offsets(type.getRank(), 0), strides(type.getRank(), 1);
    for (Value input : adaptor.getInputs()) {
      ArrayRef<int64_t> sizes = getTensorType(input).getShape();
      if (getTensorType(input).getNumElements() == 0)
        continue; // its offset may be the extent, where no slice may start
      out = tensor::InsertSliceOp::create(
          rewriter, loc, type, input, out, ValueRange(), ValueRange(),
          ValueRange(), offsets, sizes, strides);
      offsets[op.getAxis()] += sizes[op.getAxis()];
    }
    rewriter.replaceOp(op, out);
    return success();
  }
};

struct LowerPad : OpConversionPattern<qg::PadOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(qg::PadOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LinalgBuilder builder{rewriter, op.getLoc()};
    Type element = getTensorType(adaptor.getX()).getElementType();
    if (op.getMode() == PadMode::constant) {
      Value scalar = getScalar(builder, adaptor.getValue(), element);
      if (!scalar)
        return rewriter.notifyMatchFailure(op, "its value is a tensor that "
                                               "cannot be read as a scalar");
      rewriter.replaceOp(
          op, builder.pad(adaptor.getX(), op.getLow(), op.getHigh(), scalar));
      return success();
    }
    rewriter.replaceOp(op, emitIndexed(builder, op, adaptor.getX(), element));
    return success();
  }

  static Value getScalar(LinalgBuilder &builder, Value value, Type element) {
    if (!value)
      return arith::ConstantOp::create(builder.b, builder.loc,
                                       builder.b.getZeroAttr(element));
    SmallVector<Value> zeros(getTensorType(value).getRank(), builder.index(0));
    return tensor::ExtractOp::create(builder.b, builder.loc, value, zeros);
  }

  /// Reads every element at a computed position.
  static Value emitIndexed(LinalgBuilder &builder, qg::PadOp op, Value x,
                           Type element) {
    ArrayRef<int64_t> from = getTensorType(x).getShape();
    return builder.gather(
        op.getType().getShape(), element, {}, {},
        [&](OpBuilder &b, Location loc, ValueRange) -> Value {
          LinalgBuilder nested{b, loc};
          SmallVector<Value> indices;
          for (auto [i, extent] : llvm::enumerate(from)) {
            Value at = linalg::IndexOp::create(b, loc, i);
            at =
                arith::SubIOp::create(b, loc, at, nested.index(op.getLow()[i]));
            indices.push_back(op.getLow()[i] || op.getHigh()[i]
                                  ? wrapIndex(nested, at, extent, op.getMode())
                                  : at);
          }
          return tensor::ExtractOp::create(b, loc, x, indices);
        });
  }

  static Value wrapIndex(LinalgBuilder &builder, Value at, int64_t extent,
                         PadMode mode) {
    OpBuilder &b = builder.b;
    Location loc = builder.loc;
    Value zero = builder.index(0), last = builder.index(extent - 1);
    if (mode == PadMode::edge) {
      Value low = arith::MaxSIOp::create(b, loc, at, zero);
      return arith::MinSIOp::create(b, loc, low, last);
    }
    // reflect has period 2 * (extent - 1), wrap has period extent.
    int64_t period =
        mode == PadMode::wrap ? extent : std::max<int64_t>(2 * (extent - 1), 1);
    Value length = builder.index(period);
    Value rest = arith::RemSIOp::create(b, loc, at, length);
    Value isNegative =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, rest, zero);
    Value shifted = arith::AddIOp::create(b, loc, rest, length);
    Value phase = arith::SelectOp::create(b, loc, isNegative, shifted, rest);
    if (mode == PadMode::wrap)
      return phase;
    Value mirrored = arith::SubIOp::create(b, loc, length, phase);
    return arith::MinSIOp::create(b, loc, phase, mirrored);
  }
};

struct LowerGather : OpConversionPattern<qg::GatherOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(qg::GatherOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LinalgBuilder builder{rewriter, op.getLoc()};
    Value x = adaptor.getX(), indices = adaptor.getIndices();
    RankedTensorType from = getTensorType(x);
    int64_t axis = op.getAxis(), rank = op.getType().getRank();
    int64_t indexRank = getTensorType(indices).getRank();
    SmallVector<AffineExpr> exprs;
    for (int64_t i = 0; i < indexRank; ++i)
      exprs.push_back(rewriter.getAffineDimExpr(axis + i));
    AffineMap map = AffineMap::get(rank, 0, exprs, rewriter.getContext());
    bool isUnsigned =
        getTensorType(op.getIndices()).getElementType().isUnsignedInteger();
    int64_t extent = from.getDimSize(axis);
    rewriter.replaceOp(
        op, builder.gather(
                op.getType().getShape(), from.getElementType(), indices, map,
                [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
                  Value at = clampIndex({b, loc}, args[0], isUnsigned, extent);
                  SmallVector<Value> position;
                  for (int64_t i = 0; i < from.getRank(); ++i) {
                    if (i == axis)
                      position.push_back(at);
                    else
                      position.push_back(linalg::IndexOp::create(
                          b, loc, i < axis ? i : i + indexRank - 1));
                  }
                  return tensor::ExtractOp::create(b, loc, x, position);
                }));
    return success();
  }

  /// Counts negative indices from the end, then clamps into [0, extent).
  static Value clampIndex(LinalgBuilder builder, Value stored, bool isUnsigned,
                          int64_t extent) {
    OpBuilder &b = builder.b;
    Location loc = builder.loc;
    Type index = b.getIndexType();
    Value at =
        isUnsigned
            ? arith::IndexCastUIOp::create(b, loc, index, stored).getResult()
            : arith::IndexCastOp::create(b, loc, index, stored);
    Value zero = builder.index(0);
    Value isNegative =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, at, zero);
    Value fromEnd = arith::AddIOp::create(b, loc, at, builder.index(extent));
    at = arith::SelectOp::create(b, loc, isNegative, fromEnd, at);
    at = arith::MaxSIOp::create(b, loc, at, zero);
    return arith::MinSIOp::create(b, loc, at, builder.index(extent - 1));
  }
};

struct LowerObserve : OpConversionPattern<qg::ObserveOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(qg::ObserveOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOp(op, adaptor.getX());
    return success();
  }
};
} // namespace

namespace qopt {
void populateQGShapePatterns(const StorageTypeConverter &converter,
                             RewritePatternSet &patterns) {
  patterns.add<LowerConstant, LowerReshape, LowerTranspose, LowerBroadcast,
               LowerSlice, LowerConcat, LowerPad, LowerGather, LowerObserve>(
      converter, patterns.getContext());
}
} // namespace qopt
