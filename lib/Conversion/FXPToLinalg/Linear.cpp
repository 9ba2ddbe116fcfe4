//===- Linear.cpp - fxp convolutions, products and pools to linalg --------===//
// SPDX-License-Identifier: Apache-2.0
//
// Integer sums are exact, so positions outside are padded with the zero point
// (they add 0) and loops keep the output channel innermost, where they
// vectorize.
//===----------------------------------------------------------------------===//
#include "qopt/Conversion/LinalgBuilder.h"
#include "qopt/Conversion/ToLinalg.h"
#include "qopt/Dialect/FXP/IR/FXP.h"

using namespace mlir;
using namespace qopt;
using utils::IteratorType;

/// An element of a stored integer tensor as i32, minus its zero point.
static Value widen(OpBuilder &b, Location loc, Value x, bool isUnsigned,
                   int64_t zeroPoint) {
  Type i32 = b.getI32Type();
  if (x.getType() != i32)
    x = isUnsigned ? arith::ExtUIOp::create(b, loc, i32, x).getResult()
                   : arith::ExtSIOp::create(b, loc, i32, x).getResult();
  if (zeroPoint == 0)
    return x;
  Value zp = arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(zeroPoint));
  return arith::SubIOp::create(b, loc, x, zp);
}

/// acc + lhs * rhs in the integers of `acc`.
static Value multiplyAdd(OpBuilder &b, Location loc, Value acc, Value lhs,
                         Value rhs) {
  Type type = acc.getType();
  if (type != lhs.getType()) {
    lhs = arith::ExtSIOp::create(b, loc, type, lhs);
    rhs = arith::ExtSIOp::create(b, loc, type, rhs);
  }
  Value product = arith::MulIOp::create(b, loc, lhs, rhs);
  return arith::AddIOp::create(b, loc, acc, product);
}

/// Pads the spatial dimensions and clears the pads of `loops`.
static Value padSpatial(LinalgBuilder &builder, WindowLoops &loops, Value x,
                        int64_t stored) {
  if (!loops.hasPadding())
    return x;
  unsigned spatial = loops.getSpatialRank();
  SmallVector<int64_t> low(getTensorType(x).getRank(), 0), high = low;
  for (unsigned i = 0; i < spatial; ++i) {
    low[i + 1] = loops.pads[i];
    high[i + 1] = loops.pads[i + spatial];
    loops.pads[i] = loops.pads[i + spatial] = 0;
  }
  Type element = getTensorType(x).getElementType();
  // The zero point of an unsigned format keeps its bits in signless storage.
  unsigned bits = element.getIntOrFloatBitWidth();
  APInt bitsOfStored(64, uint64_t(stored));
  Value scalar = arith::ConstantOp::create(
      builder.b, builder.loc,
      builder.b.getIntegerAttr(element, bitsOfStored.trunc(bits)));
  return builder.pad(x, low, high, scalar);
}

namespace {
struct LowerConv : OpConversionPattern<fxp::ConvOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(fxp::ConvOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LinalgBuilder builder{rewriter, op.getLoc()};
    ArrayRef<int64_t> weight = getTensorType(adaptor.getWeight()).getShape();
    ArrayRef<int64_t> result = op.getType().getShape();
    WindowLoops loops;
    loops.kernel.assign(weight.begin() + 1, weight.end() - 1);
    loops.strides.assign(op.getStrides().begin(), op.getStrides().end());
    loops.pads.assign(op.getPads().begin(), op.getPads().end());
    loops.dilations.assign(op.getDilations().begin(), op.getDilations().end());
    unsigned spatial = loops.getSpatialRank();
    int64_t zp = op.getXZp(), groups = op.getGroups();
    bool isUnsigned = op.getXUnsigned();
    Value x = padSpatial(builder, loops, adaptor.getX(), zp);

    // Loops: n, p..., k..., c, group, o; channels as [group, channel].
    loops.tail = {IteratorType::reduction, IteratorType::parallel,
                  IteratorType::parallel};
    loops.xTail = {1, 0};
    SmallVector<int64_t> xShape(getTensorType(x).getShape());
    xShape.back() = groups;
    xShape.push_back(weight.back());
    x = builder.reshape(x, xShape);
    SmallVector<int64_t> order;
    for (unsigned i = 1; i <= spatial + 1; ++i)
      order.push_back(i);
    order.push_back(0);
    Value w = builder.transpose(adaptor.getWeight(), order);
    SmallVector<int64_t> wShape(getTensorType(w).getShape());
    wShape.back() = groups;
    wShape.push_back(weight.front() / groups);
    w = builder.reshape(w, wShape);

    SmallVector<int64_t> outShape(result);
    outShape.back() = groups;
    outShape.push_back(weight.front() / groups);
    Value bias =
        builder.reshape(adaptor.getBias(), {groups, weight.front() / groups});
    Value init = builder.pointwise(
        outShape, op.getType().getElementType(), bias,
        [](OpBuilder &, Location, ValueRange args) { return args[0]; });
    SmallVector<unsigned> wDims, outDims{0};
    for (unsigned i = 0; i < spatial; ++i) {
      wDims.push_back(loops.getTap(i));
      outDims.push_back(loops.getPosition(i));
    }
    wDims.append({loops.getTail(0), loops.getTail(1), loops.getTail(2)});
    outDims.append({loops.getTail(1), loops.getTail(2)});
    Value sum =
        buildWindow(builder, loops, {x, init, outDims, w, wDims},
                    [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
                      Value lhs = widen(b, loc, args[0], isUnsigned, zp);
                      Value rhs = widen(b, loc, args[1], false, 0);
                      return multiplyAdd(b, loc, args[2], lhs, rhs);
                    });
    rewriter.replaceOp(op, builder.reshape(sum, result));
    return success();
  }
};

struct LowerMatmul : OpConversionPattern<fxp::MatmulOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(fxp::MatmulOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LinalgBuilder builder{rewriter, op.getLoc()};
    ArrayRef<int64_t> shape = op.getType().getShape();
    int64_t batch = shape.size() - 2;
    Value rhs = adaptor.getRhs();
    int64_t rhsRank = getTensorType(rhs).getRank();
    if (op.getTransposeRhs()) {
      SmallVector<int64_t> order =
          llvm::to_vector(llvm::seq<int64_t>(0, rhsRank));
      std::swap(order[rhsRank - 1], order[rhsRank - 2]);
      rhs = builder.transpose(rhs, order);
    }
    // Loops: b..., m, k, n.
    unsigned rank = shape.size() + 1, m = batch, k = batch + 1, n = batch + 2;
    SmallVector<AffineExpr> lhsExprs, rhsExprs, outExprs;
    for (unsigned i = 0; i < batch; ++i) {
      lhsExprs.push_back(rewriter.getAffineDimExpr(i));
      outExprs.push_back(rewriter.getAffineDimExpr(i));
      if (rhsRank > 2)
        rhsExprs.push_back(rewriter.getAffineDimExpr(i));
    }
    lhsExprs.append(
        {rewriter.getAffineDimExpr(m), rewriter.getAffineDimExpr(k)});
    rhsExprs.append(
        {rewriter.getAffineDimExpr(k), rewriter.getAffineDimExpr(n)});
    outExprs.append(
        {rewriter.getAffineDimExpr(m), rewriter.getAffineDimExpr(n)});
    MLIRContext *context = getContext();
    SmallVector<AffineMap> maps{AffineMap::get(rank, 0, lhsExprs, context),
                                AffineMap::get(rank, 0, rhsExprs, context),
                                AffineMap::get(rank, 0, outExprs, context)};
    SmallVector<IteratorType> iterators(rank, IteratorType::parallel);
    iterators[k] = IteratorType::reduction;
    Value init = builder.pointwise(
        shape, op.getType().getElementType(), adaptor.getBias(),
        [](OpBuilder &, Location, ValueRange args) { return args[0]; });
    Value sum = builder.reduce(
        {adaptor.getLhs(), rhs}, init, maps, iterators,
        [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
          Value x = widen(b, loc, args[0], op.getLhsUnsigned(), op.getLhsZp());
          Value y = widen(b, loc, args[1], op.getRhsUnsigned(), op.getRhsZp());
          return multiplyAdd(b, loc, args[2], x, y);
        });
    rewriter.replaceOp(op, sum);
    return success();
  }
};

template <typename PoolOp> WindowLoops getPoolLoops(PoolOp op) {
  WindowLoops loops;
  loops.kernel.assign(op.getKernel().begin(), op.getKernel().end());
  loops.strides.assign(op.getStrides().begin(), op.getStrides().end());
  loops.pads.assign(op.getPads().begin(), op.getPads().end());
  loops.dilations.assign(op.getDilations().begin(), op.getDilations().end());
  loops.tail = {IteratorType::parallel};
  loops.xTail = {0};
  return loops;
}

SmallVector<unsigned> getPoolDims(const WindowLoops &loops) {
  SmallVector<unsigned> dims{0};
  for (unsigned i = 0; i < loops.getSpatialRank(); ++i)
    dims.push_back(loops.getPosition(i));
  dims.push_back(loops.getTail(0));
  return dims;
}

struct LowerMaxPool : OpConversionPattern<fxp::MaxPoolOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(fxp::MaxPoolOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LinalgBuilder builder{rewriter, op.getLoc()};
    WindowLoops loops = getPoolLoops(op);
    Type element = op.getType().getElementType();
    bool isUnsigned = op.getXUnsigned();
    unsigned bits = element.getIntOrFloatBitWidth();
    // The least value never wins against a position inside.
    int64_t least = isUnsigned ? 0 : -(int64_t(1) << (bits - 1));
    Value x = padSpatial(builder, loops, adaptor.getX(), least);
    Value init =
        builder.fill(op.getType().getShape(), builder.integer(element, least));
    rewriter.replaceOp(
        op,
        buildWindow(builder, loops, {x, init, getPoolDims(loops)},
                    [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
                      if (isUnsigned)
                        return arith::MaxUIOp::create(b, loc, args[2], args[0]);
                      return arith::MaxSIOp::create(b, loc, args[2], args[0]);
                    }));
    return success();
  }
};

struct LowerSumPool : OpConversionPattern<fxp::SumPoolOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(fxp::SumPoolOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LinalgBuilder builder{rewriter, op.getLoc()};
    WindowLoops loops = getPoolLoops(op);
    int64_t zp = op.getXZp();
    bool isUnsigned = op.getXUnsigned();
    Value x = padSpatial(builder, loops, adaptor.getX(), zp);
    Value init = builder.fill(op.getType().getShape(),
                              builder.integer(rewriter.getI32Type(), 0));
    rewriter.replaceOp(
        op,
        buildWindow(builder, loops, {x, init, getPoolDims(loops)},
                    [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
                      Value term = widen(b, loc, args[0], isUnsigned, zp);
                      return arith::AddIOp::create(b, loc, args[2], term);
                    }));
    return success();
  }
};

struct LowerSum : OpConversionPattern<fxp::SumOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(fxp::SumOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LinalgBuilder builder{rewriter, op.getLoc()};
    unsigned rank = getTensorType(adaptor.getX()).getRank();
    SmallVector<IteratorType> iterators(rank, IteratorType::parallel);
    for (int64_t axis : op.getAxes())
      iterators[axis] = IteratorType::reduction;
    SmallVector<AffineExpr> kept;
    for (unsigned i = 0; i < rank; ++i)
      if (iterators[i] == IteratorType::parallel)
        kept.push_back(rewriter.getAffineDimExpr(i));
    SmallVector<AffineMap> maps{rewriter.getMultiDimIdentityMap(rank),
                                AffineMap::get(rank, 0, kept, getContext())};
    Value init = builder.fill(op.getType().getShape(),
                              builder.integer(rewriter.getI32Type(), 0));
    rewriter.replaceOp(
        op, builder.reduce(
                adaptor.getX(), init, maps, iterators,
                [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
                  Value term =
                      widen(b, loc, args[0], op.getXUnsigned(), op.getXZp());
                  return arith::AddIOp::create(b, loc, args[1], term);
                }));
    return success();
  }
};
} // namespace

namespace qopt {
void populateFXPLinearPatterns(const StorageTypeConverter &converter,
                               RewritePatternSet &patterns) {
  patterns.add<LowerConv, LowerMatmul, LowerMaxPool, LowerSumPool, LowerSum>(
      converter, patterns.getContext());
}
} // namespace qopt
