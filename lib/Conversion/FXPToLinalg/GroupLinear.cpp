//===- GroupLinear.cpp - fxp products with scales per group to linalg -----===//
// SPDX-License-Identifier: Apache-2.0
//
// The plain form, for targets and shapes that no kernel takes: integer sums
// per group first, then the groups in order.
//===----------------------------------------------------------------------===//
#include "qopt/Conversion/FoldRow.h"
#include "qopt/Conversion/ScalarBuilder.h"
#include "qopt/Conversion/ToLinalg.h"
#include "qopt/Dialect/FXP/IR/FXP.h"
#include "qopt/Numerics/GroupMatmul.h"

using namespace mlir;
using namespace qopt;
using utils::IteratorType;

/// Maps of `rank` loops to some of their dimensions.
static AffineMap select(OpBuilder &b, unsigned rank,
                        ArrayRef<unsigned> dimensions) {
  SmallVector<AffineExpr> results;
  for (unsigned dimension : dimensions)
    results.push_back(b.getAffineDimExpr(dimension));
  return AffineMap::get(rank, 0, results, b.getContext());
}

namespace {
struct LowerGroupMatmul : OpConversionPattern<fxp::GroupMatmulOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(fxp::GroupMatmulOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LinalgBuilder builder{rewriter, op.getLoc()};
    ArrayRef<int64_t> shape = op.getType().getShape();
    ArrayRef<int64_t> rhs = getTensorType(adaptor.getRhs()).getShape();
    int64_t n = rhs[0], k = rhs[1], group = op.getGroup();
    int64_t groups = (k + group - 1) / group, missing = groups * group - k;
    int64_t m = n ? op.getType().getNumElements() / n : 0;
    Type i32 = rewriter.getI32Type(), f32 = rewriter.getF32Type();
    // Elements behind the end of a row multiply zeros.
    auto split = [&](Value x, int64_t rows) {
      x = builder.reshape(x, {rows, k});
      if (missing)
        x = builder.pad(x, {0, 0}, {0, missing},
                        builder.integer(rewriter.getI8Type(), 0));
      return builder.reshape(x, {rows, groups, group});
    };
    Value x = split(adaptor.getLhs(), m), w = split(adaptor.getRhs(), n);
    SmallVector<Value> factors{x, w};
    SmallVector<AffineMap> maps{select(rewriter, 4, {0, 2, 3}),
                                select(rewriter, 4, {1, 2, 3})};
    if (adaptor.getRhsZps()) {
      factors.push_back(adaptor.getRhsZps());
      maps.push_back(select(rewriter, 4, {1, 2}));
    }
    maps.push_back(select(rewriter, 4, {0, 1, 2}));
    Value acc = builder.reduce(
        factors, builder.fill({m, n, groups}, builder.integer(i32, 0)), maps,
        {IteratorType::parallel, IteratorType::parallel, IteratorType::parallel,
         IteratorType::reduction},
        [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
          IRScalarBuilder s(b, loc);
          Value left =
              op.getLhsUnsigned()
                  ? arith::ExtUIOp::create(b, loc, i32, args[0]).getResult()
                  : arith::ExtSIOp::create(b, loc, i32, args[0]).getResult();
          if (op.getLhsZp())
            left = s.subI(left, s.intLike(left, op.getLhsZp()));
          Value right = arith::ExtSIOp::create(b, loc, i32, args[1]);
          if (args.size() == 4)
            right = s.subI(right, arith::ExtSIOp::create(b, loc, i32, args[2]));
          return s.addI(args.back(), s.mulI(left, right));
        });
    Value sum = builder.reduce(
        {acc, adaptor.getScales()}, builder.fill({m, n}, builder.real(f32, 0)),
        {rewriter.getMultiDimIdentityMap(3), select(rewriter, 3, {1, 2}),
         select(rewriter, 3, {0, 1})},
        {IteratorType::parallel, IteratorType::parallel,
         IteratorType::reduction},
        [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
          IRScalarBuilder s(b, loc);
          return s.fma(s.intToFloat(args[0], args[2]), args[1], args[2]);
        });
    Value scale = adaptor.getLhsScales();
    scale = scale ? builder.reshape(scale, {m, 1})
                  : builder.fill(
                        {1, 1},
                        builder.real(f32, op.getLhsScale().convertToFloat()));
    Value result = builder.pointwise(
        {m, n}, f32, {sum, scale, adaptor.getBias()},
        [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
          return IRScalarBuilder(b, loc).fma(args[0], args[1], args[2]);
        });
    rewriter.replaceOp(op, builder.reshape(result, shape));
    return success();
  }
};

/// Weights first, then the product of floats.
struct LowerDecodeMatmul : OpConversionPattern<fxp::DecodeMatmulOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(fxp::DecodeMatmulOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LinalgBuilder builder{rewriter, op.getLoc()};
    ArrayRef<int64_t> rhs = getTensorType(adaptor.getRhs()).getShape();
    int64_t n = rhs[0], k = rhs[1];
    int64_t m = n ? op.getType().getNumElements() / n : 0;
    Type i32 = rewriter.getI32Type(), f32 = rewriter.getF32Type();
    AffineMap identity = rewriter.getMultiDimIdentityMap(2);
    AffineMap block = AffineMap::get(
        2, 0,
        {rewriter.getAffineDimExpr(0).floorDiv(op.getBlock()[0]),
         rewriter.getAffineDimExpr(1).floorDiv(op.getBlock()[1])},
        rewriter.getContext());
    SmallVector<Value> inputs{adaptor.getRhs(), adaptor.getScales()};
    SmallVector<AffineMap> maps{identity, block};
    if (adaptor.getZps()) {
      inputs.push_back(adaptor.getZps());
      maps.push_back(block);
    }
    maps.push_back(identity);
    Value weights = builder.reduce(
        inputs, builder.fill({n, k}, builder.real(f32, 0)), maps,
        {IteratorType::parallel, IteratorType::parallel},
        [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
          IRScalarBuilder s(b, loc);
          Value code = arith::ExtSIOp::create(b, loc, i32, args[0]);
          if (args.size() == 4)
            code = s.subI(code, arith::ExtSIOp::create(b, loc, i32, args[2]));
          return s.mulF(s.intToFloat(code, args[1]), args[1]);
        });
    Value bias = builder.pointwise(
        {m, n}, f32, adaptor.getBias(),
        [](OpBuilder &, Location, ValueRange args) { return args[0]; });
    Value x = builder.reshape(adaptor.getLhs(), {m, k});
    Value sum = builder.reduce(
        {x, weights}, bias,
        {select(rewriter, 3, {0, 2}), select(rewriter, 3, {1, 2}),
         select(rewriter, 3, {0, 1})},
        {IteratorType::parallel, IteratorType::parallel,
         IteratorType::reduction},
        [](OpBuilder &b, Location loc, ValueRange args) -> Value {
          return IRScalarBuilder(b, loc).fma(args[0], args[1], args[2]);
        });
    rewriter.replaceOp(op, builder.reshape(sum, op.getType().getShape()));
    return success();
  }
};
} // namespace

/// The largest magnitude of row `row`. Neither order nor NaN matters, so that
/// it need not be found one element after the other.
static Value emitMagnitude(LinalgBuilder builder, Value rows, Value row) {
  return foldRow(
      builder, rows, row, builder.b.getF32FloatAttr(0),
      [](OpBuilder &b, Location loc, ValueRange args) -> Value {
        IRScalarBuilder s(b, loc);
        return numerics::emitLargerMagnitude(s, args[0], args[1]);
      },
      FoldOrder::Any);
}

namespace {
struct LowerQuantizeRows : OpConversionPattern<fxp::QuantizeRowsOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(fxp::QuantizeRowsOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LinalgBuilder builder{rewriter, op.getLoc()};
    ArrayRef<int64_t> shape =
        cast<RankedTensorType>(op.getResult().getType()).getShape();
    int64_t k = shape.back();
    int64_t m = getNumElements(shape.drop_back());
    Type f32 = rewriter.getF32Type();
    Value x = builder.reshape(adaptor.getX(), {m, k});
    Value magnitudes = builder.gather(
        {m}, f32, {}, {}, [&](OpBuilder &b, Location loc, ValueRange) -> Value {
          Value row = linalg::IndexOp::create(b, loc, 0);
          return emitMagnitude({b, loc}, x, row);
        });
    Value scales = builder.pointwise(
        {m}, f32, magnitudes,
        [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
          IRScalarBuilder s(b, loc);
          return numerics::emitRowScale(s, args[0]);
        });
    Value rows = builder.pointwise(
        {m, k}, rewriter.getI8Type(), {x, builder.reshape(scales, {m, 1})},
        [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
          IRScalarBuilder s(b, loc);
          Value rounded =
              numerics::emitQuantize(s, args[0], args[1], numerics::kRowRange);
          return arith::TruncIOp::create(b, loc, b.getI8Type(), rounded);
        });
    rewriter.replaceOp(op, {builder.reshape(rows, shape),
                            builder.reshape(scales, shape.drop_back())});
    return success();
  }
};
} // namespace

namespace qopt {
void populateFXPGroupLinearPatterns(const StorageTypeConverter &converter,
                                    RewritePatternSet &patterns) {
  patterns.add<LowerGroupMatmul, LowerDecodeMatmul, LowerQuantizeRows>(
      converter, patterns.getContext());
}
} // namespace qopt
