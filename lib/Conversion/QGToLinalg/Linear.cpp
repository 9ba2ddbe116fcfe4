//===- Linear.cpp - Float convolutions, products and pools to linalg ------===//
// SPDX-License-Identifier: Apache-2.0
//
// Accumulation in index order with fused multiply-adds. Taps outside the input
// are skipped, not padded: fma(0, w, -0) is +0, and 0 * inf is NaN. Pools may
// pad: max with -inf, and a sum that starts at +0 never is -0.
//===----------------------------------------------------------------------===//
#include "qopt/Conversion/LinalgBuilder.h"
#include "qopt/Conversion/ToLinalg.h"
#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Numerics/WindowSums.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace qopt;
using utils::IteratorType;

static Value yieldFirst(OpBuilder &, Location, ValueRange args) {
  return args[0];
}

static Value multiplyAdd(OpBuilder &b, Location loc, ValueRange args) {
  return math::FmaOp::create(b, loc, args[0], args[1], args[2]);
}

/// Only f32 and f64 accumulate as the reference does.
static LogicalResult checkFloat(Operation *op,
                                ConversionPatternRewriter &rewriter) {
  for (Value value : op->getOperands())
    if (!getTensorType(value).getElementType().isF32() &&
        !getTensorType(value).getElementType().isF64())
      return rewriter.notifyMatchFailure(op, "its operands are not f32 or f64");
  return success();
}

namespace {
struct ConvParts {
  Value x, weight, bias;
  int64_t groups;
  RankedTensorType type;
};
} // namespace

/// Convolution with loops n, p..., k..., c, group, o.
static Value emitConv(LinalgBuilder &builder, WindowLoops loops,
                      const ConvParts &parts) {
  unsigned spatial = loops.getSpatialRank();
  SmallVector<int64_t> weight(getTensorType(parts.weight).getShape());
  int64_t perGroup = weight.front() / parts.groups;
  loops.tail = {IteratorType::reduction, IteratorType::parallel,
                IteratorType::parallel};
  loops.xTail = {1, 0};
  SmallVector<int64_t> xShape(getTensorType(parts.x).getShape());
  xShape.back() = parts.groups;
  xShape.push_back(weight.back());
  Value x = builder.reshape(parts.x, xShape);

  SmallVector<int64_t> order;
  for (unsigned i = 1; i <= spatial + 1; ++i)
    order.push_back(i);
  order.push_back(0);
  Value w = builder.transpose(parts.weight, order);
  SmallVector<int64_t> wShape(getTensorType(w).getShape());
  wShape.back() = parts.groups;
  wShape.push_back(perGroup);
  w = builder.reshape(w, wShape);

  SmallVector<int64_t> outShape(parts.type.getShape());
  outShape.back() = parts.groups;
  outShape.push_back(perGroup);
  Type element = parts.type.getElementType();
  Value init;
  if (parts.bias)
    init = builder.pointwise(
        outShape, element,
        builder.reshape(parts.bias, {parts.groups, perGroup}), yieldFirst);
  else
    init = builder.fill(outShape, builder.real(element, 0.0));
  SmallVector<unsigned> wDims, outDims{0};
  for (unsigned i = 0; i < spatial; ++i) {
    wDims.push_back(loops.getTap(i));
    outDims.push_back(loops.getPosition(i));
  }
  wDims.append({loops.getTail(0), loops.getTail(1), loops.getTail(2)});
  outDims.append({loops.getTail(1), loops.getTail(2)});
  Value sum =
      buildWindow(builder, loops, {x, init, outDims, w, wDims}, multiplyAdd);
  return builder.reshape(sum, parts.type.getShape());
}

template <typename Op> static WindowLoops getConvLoops(Op op) {
  WindowLoops loops;
  ArrayRef<int64_t> weight = getTensorType(op.getWeight()).getShape();
  loops.kernel.assign(weight.begin() + 1, weight.end() - 1);
  loops.strides.assign(op.getStrides().begin(), op.getStrides().end());
  loops.pads.assign(op.getPads().begin(), op.getPads().end());
  loops.dilations.assign(op.getDilations().begin(), op.getDilations().end());
  return loops;
}

namespace {
template <typename Op> struct LowerConv : OpConversionPattern<Op> {
  using OpConversionPattern<Op>::OpConversionPattern;
  LogicalResult
  matchAndRewrite(Op op, typename Op::Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    if (failed(checkFloat(op, rewriter)) ||
        !isa<FloatType>(op.getType().getElementType()))
      return failure();
    LinalgBuilder builder{rewriter, op.getLoc()};
    WindowLoops loops = getConvLoops(op);
    loops.transposed = std::is_same_v<Op, qg::ConvTransposeOp>;
    rewriter.replaceOp(
        op, emitConv(builder, loops,
                     {adaptor.getX(), adaptor.getWeight(), adaptor.getBias(),
                      int64_t(op.getGroups()), op.getType()}));
    return success();
  }
};

struct LowerMatmul : OpConversionPattern<qg::MatmulOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(qg::MatmulOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    if (failed(checkFloat(op, rewriter)) ||
        !isa<FloatType>(op.getType().getElementType()))
      return failure();
    LinalgBuilder builder{rewriter, op.getLoc()};
    ArrayRef<int64_t> shape = op.getType().getShape();
    Value rhs = adaptor.getRhs();
    int64_t rhsRank = getTensorType(rhs).getRank();
    if (op.getTransposeRhs()) {
      SmallVector<int64_t> order =
          llvm::to_vector(llvm::seq<int64_t>(0, rhsRank));
      std::swap(order[rhsRank - 1], order[rhsRank - 2]);
      rhs = builder.transpose(rhs, order);
    }
    // Loops: b..., m, k, n; n innermost, where it vectorizes.
    unsigned batch = shape.size() - 2, rank = shape.size() + 1;
    auto dim = [&](unsigned i) { return rewriter.getAffineDimExpr(i); };
    SmallVector<AffineExpr> lhsExprs, rhsExprs, outExprs;
    for (unsigned i = 0; i < batch; ++i) {
      lhsExprs.push_back(dim(i));
      outExprs.push_back(dim(i));
      if (rhsRank > 2)
        rhsExprs.push_back(dim(i));
    }
    lhsExprs.append({dim(batch), dim(batch + 1)});
    rhsExprs.append({dim(batch + 1), dim(batch + 2)});
    outExprs.append({dim(batch), dim(batch + 2)});
    MLIRContext *context = getContext();
    SmallVector<AffineMap> maps{AffineMap::get(rank, 0, lhsExprs, context),
                                AffineMap::get(rank, 0, rhsExprs, context),
                                AffineMap::get(rank, 0, outExprs, context)};
    SmallVector<IteratorType> iterators(rank, IteratorType::parallel);
    iterators[batch + 1] = IteratorType::reduction;
    Type element = op.getType().getElementType();
    Value init =
        adaptor.getBias()
            ? builder.pointwise(shape, element, adaptor.getBias(), yieldFirst)
            : builder.fill(shape, builder.real(element, 0.0));
    rewriter.replaceOp(op, builder.reduce({adaptor.getLhs(), rhs}, init, maps,
                                          iterators, multiplyAdd));
    return success();
  }
};

struct LowerPool : OpConversionPattern<qg::PoolOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(qg::PoolOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Type original = op.getType().getElementType();
    bool isMax = op.getKind() == PoolKind::max;
    bool isInteger = isMax && isa<IntegerType>(original);
    if (!isInteger &&
        (!isa<FloatType>(original) || failed(checkFloat(op, rewriter))))
      return rewriter.notifyMatchFailure(op, "not defined on these elements");
    bool isUnsigned = original.isUnsignedInteger() || original.isInteger(1);
    LinalgBuilder builder{rewriter, op.getLoc()};
    WindowLoops loops;
    loops.kernel.assign(op.getKernel().begin(), op.getKernel().end());
    loops.strides.assign(op.getStrides().begin(), op.getStrides().end());
    loops.pads.assign(op.getPads().begin(), op.getPads().end());
    loops.dilations.assign(op.getDilations().begin(), op.getDilations().end());
    loops.tail = {IteratorType::parallel};
    loops.xTail = {0};
    Value scalar = getIdentity(builder, op, isUnsigned);
    SmallVector<unsigned> dims{0};
    SmallVector<int64_t> low(op.getType().getRank(), 0), high = low;
    unsigned spatial = loops.getSpatialRank();
    bool isByRows = !isMax && numerics::isSummedByRows(loops.kernel);
    for (unsigned i = 0; i < spatial; ++i) {
      dims.push_back(loops.getPosition(i));
      low[i + 1] = std::exchange(loops.pads[i], 0);
      high[i + 1] = std::exchange(loops.pads[i + spatial], 0);
    }
    dims.push_back(loops.getTail(0));
    Value x = builder.pad(adaptor.getX(), low, high, scalar);
    if (isByRows)
      x = sumRows(builder, loops, {x, scalar, dims},
                  op.getType().getShape().drop_back().back());
    Value init = builder.fill(op.getType().getShape(), scalar);
    Value result = buildWindow(
        builder, loops, {x, init, dims},
        [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
          if (isInteger && isUnsigned)
            return arith::MaxUIOp::create(b, loc, args[2], args[0]);
          if (isInteger)
            return arith::MaxSIOp::create(b, loc, args[2], args[0]);
          if (isMax)
            return arith::MaximumFOp::create(b, loc, args[2], args[0]);
          return arith::AddFOp::create(b, loc, args[2], args[0]);
        });
    if (!isMax)
      result = divideByCounts(builder, op, result);
    rewriter.replaceOp(op, result);
    return success();
  }

  /// Each row of the windows by itself; `loops` then add the rows. `init` is
  /// the scalar to start from.
  static Value sumRows(LinalgBuilder &builder, WindowLoops &loops,
                       const WindowOperands &operands, int64_t positions) {
    WindowLoops rows = loops;
    unsigned last = loops.getSpatialRank() - 1;
    loops.kernel[last] = loops.strides[last] = loops.dilations[last] = 1;
    for (unsigned i = 0; i < last; ++i)
      rows.kernel[i] = rows.strides[i] = rows.dilations[i] = 1;
    SmallVector<int64_t> shape(getTensorType(operands.x).getShape());
    shape[last + 1] = positions;
    Value init = builder.fill(shape, operands.init);
    return buildWindow(
        builder, rows, {operands.x, init, operands.initDims},
        [](OpBuilder &b, Location loc, ValueRange args) -> Value {
          return arith::AddFOp::create(b, loc, args[2], args[0]);
        });
  }

  /// What a window starts from, also at the padding of a maximum.
  static Value getIdentity(LinalgBuilder &builder, qg::PoolOp op,
                           bool isUnsigned) {
    Type element = qg::getStorageElementType(op.getType().getElementType());
    if (op.getKind() != PoolKind::max)
      return builder.real(element, 0.0);
    if (isa<FloatType>(element))
      return builder.real(element, -std::numeric_limits<double>::infinity());
    unsigned width = element.getIntOrFloatBitWidth();
    return builder.integer(element, isUnsigned ? 0 : llvm::minIntN(width));
  }

  /// Positions of a window that count, for every spatial result position.
  static Tensor getCounts(qg::PoolOp op) {
    unsigned spatial = op.getKernel().size();
    ArrayRef<int64_t> x = getTensorType(op.getX()).getShape();
    SmallVector<int64_t> shape(op.getType().getShape().drop_front());
    shape.back() = 1;
    Tensor counts(DType::f32, shape);
    SmallVector<int64_t> at(spatial, 0);
    for (int64_t i = 0, e = counts.numElements(); i < e; ++i) {
      int64_t rest = i, count = 1;
      for (int64_t d = spatial - 1; d >= 0; --d) {
        at[d] = rest % shape[d];
        rest /= shape[d];
        int64_t inside = 0;
        for (int64_t k = 0; k < op.getKernel()[d]; ++k) {
          int64_t position = at[d] * op.getStrides()[d] +
                             k * op.getDilations()[d] - op.getPads()[d];
          inside +=
              op.getCountIncludePad() || (position >= 0 && position < x[d + 1]);
        }
        count *= inside;
      }
      counts.setFloat(i, double(count));
    }
    return counts;
  }

  static Value divideByCounts(LinalgBuilder &builder, qg::PoolOp op,
                              Value sums) {
    RankedTensorType type = op.getType();
    Value counts = builder.constant(getCounts(op), "counts");
    return builder.pointwise(
        type.getShape(), type.getElementType(), {sums, counts},
        [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
          Value count = args[1];
          if (count.getType() != args[0].getType())
            count = arith::ExtFOp::create(b, loc, args[0].getType(), count);
          return arith::DivFOp::create(b, loc, args[0], count);
        });
  }
};
} // namespace

namespace qopt {
void populateQGLinearPatterns(const StorageTypeConverter &converter,
                              RewritePatternSet &patterns) {
  patterns.add<LowerConv<qg::ConvOp>, LowerConv<qg::ConvTransposeOp>,
               LowerMatmul, LowerPool>(converter, patterns.getContext());
}
} // namespace qopt
