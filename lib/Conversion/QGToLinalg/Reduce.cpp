//===- Reduce.cpp - qg reductions and softmax to linalg -------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The reduced dimensions are moved last and become rows that are folded.
//===----------------------------------------------------------------------===//
#include "qopt/Conversion/FoldRow.h"
#include "qopt/Conversion/ScalarBuilder.h"
#include "qopt/Conversion/ToLinalg.h"
#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Numerics/Elementwise.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace qopt;

namespace {
/// One reduction of rows.
struct RowReduction {
  ReduceKind kind;
  Type element; ///< in memory
  bool isUnsigned;

  /// f16 and bf16 are reduced in f32.
  Type getComputeType(OpBuilder &b) const {
    if (isa<FloatType>(element) && element.getIntOrFloatBitWidth() < 32)
      return b.getF32Type();
    return element;
  }
  TypedAttr getIdentity(OpBuilder &b) const;
  Value combine(OpBuilder &b, Location loc, Value x, Value y) const;
  Value emitRow(OpBuilder &b, Location loc, Value rows, Value row) const;
};
} // namespace

TypedAttr RowReduction::getIdentity(OpBuilder &b) const {
  Type type = getComputeType(b);
  if (isa<FloatType>(type)) {
    double infinity = std::numeric_limits<double>::infinity();
    double value = kind == ReduceKind::sum    ? 0.0
                   : kind == ReduceKind::prod ? 1.0
                   : kind == ReduceKind::max  ? -infinity
                                              : infinity;
    return b.getFloatAttr(type, value);
  }
  unsigned width = type.getIntOrFloatBitWidth();
  APInt value = kind == ReduceKind::sum    ? APInt(width, 0)
                : kind == ReduceKind::prod ? APInt(width, 1)
                : kind == ReduceKind::max
                    ? (isUnsigned ? APInt::getMinValue(width)
                                  : APInt::getSignedMinValue(width))
                    : (isUnsigned ? APInt::getMaxValue(width)
                                  : APInt::getSignedMaxValue(width));
  return b.getIntegerAttr(type, value);
}

Value RowReduction::combine(OpBuilder &b, Location loc, Value x,
                            Value y) const {
  IRScalarBuilder scalar(b, loc);
  BinaryKind binary = kind == ReduceKind::sum    ? BinaryKind::add
                      : kind == ReduceKind::prod ? BinaryKind::mul
                      : kind == ReduceKind::max  ? BinaryKind::max
                                                 : BinaryKind::min;
  if (isa<FloatType>(getElementTypeOrSelf(x)))
    return numerics::emitBinaryFloat(scalar, binary, x, y);
  return numerics::emitBinaryInt(scalar, binary, x, y, isUnsigned);
}

/// The reduction of row `row` of a 2-d tensor.
Value RowReduction::emitRow(OpBuilder &b, Location loc, Value rows,
                            Value row) const {
  bool isExtremum = kind == ReduceKind::max || kind == ReduceKind::min;
  Value result = foldRow(
      {b, loc}, rows, row, getIdentity(b),
      [&](OpBuilder &nested, Location at, ValueRange args) -> Value {
        return combine(nested, at, args[0], args[1]);
      },
      isExtremum ? FoldOrder::Any : FoldOrder::Fixed);
  if (result.getType() == element)
    return result;
  return arith::TruncFOp::create(b, loc, element, result);
}

/// x as rows of the elements that are reduced together.
static Value makeRows(LinalgBuilder &builder, Value x, ArrayRef<int64_t> axes) {
  ArrayRef<int64_t> shape = getTensorType(x).getShape();
  SmallVector<int64_t> order, reduced;
  int64_t rows = 1, extent = 1;
  for (int64_t i = 0, rank = shape.size(); i < rank; ++i) {
    bool isReduced = llvm::is_contained(axes, i);
    (isReduced ? reduced : order).push_back(i);
    (isReduced ? extent : rows) *= shape[i];
  }
  llvm::append_range(order, reduced);
  return builder.reshape(builder.transpose(x, order), {rows, extent});
}

static Value reduceRows(LinalgBuilder &builder, Value rows,
                        const RowReduction &reduction) {
  return builder.gather({getTensorType(rows).getDimSize(0)}, reduction.element,
                        {}, {},
                        [&](OpBuilder &b, Location loc, ValueRange) -> Value {
                          Value row = linalg::IndexOp::create(b, loc, 0);
                          return reduction.emitRow(b, loc, rows, row);
                        });
}

namespace {
struct LowerReduce : OpConversionPattern<qg::ReduceOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(qg::ReduceOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Type original = getTensorType(op.getX()).getElementType();
    if (!isa<FloatType, IntegerType>(original) || original.isInteger(1))
      return rewriter.notifyMatchFailure(op, "not defined on these elements");
    LinalgBuilder builder{rewriter, op.getLoc()};
    Type element = getTensorType(adaptor.getX()).getElementType();
    RowReduction reduction{op.getKind(), element, original.isUnsignedInteger()};
    Value rows = makeRows(builder, adaptor.getX(), op.getAxes());
    rewriter.replaceOp(op, builder.reshape(reduceRows(builder, rows, reduction),
                                           op.getType().getShape()));
    return success();
  }
};

struct LowerArgReduce : OpConversionPattern<qg::ArgReduceOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(qg::ArgReduceOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Type original = getTensorType(op.getX()).getElementType();
    LinalgBuilder builder{rewriter, op.getLoc()};
    Value rows = makeRows(builder, adaptor.getX(), {int64_t(op.getAxis())});
    bool isUnsigned = original.isUnsignedInteger() || original.isInteger(1);
    if (auto quantized = dyn_cast<qg::QuantizedType>(original)) {
      if (!quantized.isPerTensor())
        return rewriter.notifyMatchFailure(op, "scales differ along an axis");
      isUnsigned = !quantized.isSigned();
    }
    Value result = builder.gather(
        {getTensorType(rows).getDimSize(0)}, rewriter.getI64Type(), {}, {},
        [&](OpBuilder &b, Location loc, ValueRange) -> Value {
          return emitRow(op, {b, loc}, rows, isUnsigned);
        });
    rewriter.replaceOp(op, builder.reshape(result, op.getType().getShape()));
    return success();
  }

  static Value emitRow(qg::ArgReduceOp op, LinalgBuilder builder, Value rows,
                       bool isUnsigned) {
    OpBuilder &b = builder.b;
    Location loc = builder.loc;
    Value row = linalg::IndexOp::create(b, loc, 0);
    Value zero = builder.index(0);
    Value first =
        tensor::ExtractOp::create(b, loc, rows, ValueRange{row, zero});
    auto loop = scf::ForOp::create(
        b, loc, builder.index(1),
        builder.index(getTensorType(rows).getDimSize(1)), builder.index(1),
        ValueRange{first, zero},
        [&](OpBuilder &nested, Location, Value i, ValueRange args) {
          Value now =
              tensor::ExtractOp::create(nested, loc, rows, ValueRange{row, i});
          Value better = isBetter(op, IRScalarBuilder(nested, loc), now,
                                  args[0], isUnsigned);
          Value best =
              arith::SelectOp::create(nested, loc, better, now, args[0]);
          Value index =
              arith::SelectOp::create(nested, loc, better, i, args[1]);
          scf::YieldOp::create(nested, loc, ValueRange{best, index});
        });
    return arith::IndexCastOp::create(b, loc, b.getI64Type(),
                                      loop.getResult(1));
  }

  /// The first NaN wins; among equals the first, or with select_last the last.
  static Value isBetter(qg::ArgReduceOp op, IRScalarBuilder scalar, Value now,
                        Value old, bool isUnsigned) {
    bool isMax = op.getKind() == ReduceKind::max;
    Value low = isMax ? old : now, high = isMax ? now : old;
    if (!isa<FloatType>(now.getType())) {
      Value better = isUnsigned ? scalar.ltU(low, high) : scalar.ltS(low, high);
      return op.getSelectLast() ? scalar.orB(better, scalar.eqI(now, old))
                                : better;
    }
    Value better = scalar.orB(scalar.neF(now, now), scalar.ltF(low, high));
    if (op.getSelectLast())
      better = scalar.orB(better, scalar.eqF(now, old));
    return scalar.andB(better, scalar.eqF(old, old));
  }
};

struct LowerSoftmax : OpConversionPattern<qg::SoftmaxOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(qg::SoftmaxOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    RankedTensorType type = op.getType();
    Type element = type.getElementType();
    if ((!element.isF32() && !element.isF64()) ||
        getTensorType(op.getX()).getElementType() != element)
      return rewriter.notifyMatchFailure(op, "not defined on these elements");
    LinalgBuilder builder{rewriter, op.getLoc()};
    Value rows = makeRows(builder, adaptor.getX(), {type.getRank() - 1});
    SmallVector<int64_t> shape(getTensorType(rows).getShape());
    Value top = reduceRows(builder, rows, {ReduceKind::max, element, false});
    Value powers = builder.pointwise(
        shape, element, {rows, builder.reshape(top, {shape[0], 1})},
        [](OpBuilder &b, Location loc, ValueRange args) -> Value {
          IRScalarBuilder scalar(b, loc);
          return numerics::emitUnaryFloat(scalar, UnaryKind::exp,
                                          scalar.subF(args[0], args[1]));
        });
    Value sum = reduceRows(builder, powers, {ReduceKind::sum, element, false});
    Value result = builder.pointwise(
        shape, element, {powers, builder.reshape(sum, {shape[0], 1})},
        [](OpBuilder &b, Location loc, ValueRange args) -> Value {
          return IRScalarBuilder(b, loc).divF(args[0], args[1]);
        });
    rewriter.replaceOp(op, builder.reshape(result, type.getShape()));
    return success();
  }
};
} // namespace

namespace qopt {
void populateQGReducePatterns(const StorageTypeConverter &converter,
                              RewritePatternSet &patterns) {
  patterns.add<LowerReduce, LowerArgReduce, LowerSoftmax>(
      converter, patterns.getContext());
}
} // namespace qopt
