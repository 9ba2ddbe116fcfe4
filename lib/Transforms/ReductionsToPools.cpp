//===- ReductionsToPools.cpp - Means and maxima as poolings ---------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Neighbouring dimensions are one, so that every reduction over neighbours is a
// pooling of rows of an image: what has a kernel and a unit everywhere.
//===----------------------------------------------------------------------===//
#include "qopt/Analysis/SplatConstant.h"
#include "qopt/Dialect/QG/IR/QG.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace qopt {
#include "qopt/Transforms/ReductionsToPools.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

static Value createReshape(OpBuilder &builder, Location loc, Value x,
                           ArrayRef<int64_t> shape) {
  auto type = RankedTensorType::get(shape, getTensorType(x).getElementType());
  return type == x.getType()
             ? x
             : qg::ReshapeOp::create(builder, loc, type, x).getResult();
}

/// The last but one dimension, pooled; targets take one image at a time.
static Value createPool(OpBuilder &builder, Location loc, PoolKind kind,
                        Value x) {
  SmallVector<int64_t> shape(getShape(x)), ones(shape.size() - 2, 1);
  SmallVector<int64_t> kernel = ones, pads(2 * ones.size(), 0);
  kernel.back() = shape[shape.size() - 2];
  shape[shape.size() - 2] = 1;
  auto type = RankedTensorType::get(shape, getTensorType(x).getElementType());
  return qg::PoolOp::create(builder, loc, type, kind, x, kernel, ones, pads,
                            ones, /*count_include_pad=*/false);
}

/// Dimensions in front of the reduced ones, these, and those behind them; none
/// where others lie between, or nothing is reduced.
static std::optional<std::array<int64_t, 3>> getParts(qg::ReduceOp op) {
  RankedTensorType type = getTensorType(op.getX());
  SmallVector<int64_t> axes(op.getAxes());
  llvm::sort(axes);
  if (!type.getElementType().isF32() || axes.empty() ||
      axes.back() - axes.front() + 1 != int64_t(axes.size()) ||
      type.getNumElements() == 0)
    return std::nullopt;
  ArrayRef<int64_t> shape = type.getShape();
  return std::array<int64_t, 3>{
      getNumElements(shape.take_front(axes.front())),
      getNumElements(shape.slice(axes.front(), axes.size())),
      getNumElements(shape.drop_front(axes.back() + 1))};
}

static Value createReduction(OpBuilder &builder, qg::ReduceOp op,
                             PoolKind kind) {
  std::array<int64_t, 3> parts = *getParts(op);
  SmallVector<int64_t> shape(parts.begin(), parts.end());
  if (shape[0] != 1)
    shape.insert(shape.begin(), 1);
  Value rows = createReshape(builder, op.getLoc(), op.getX(), shape);
  Value pooled = createPool(builder, op.getLoc(), kind, rows);
  return createReshape(builder, op.getLoc(), pooled, getShape(op.getResult()));
}

/// The number that a sum is divided by, or multiplied with.
static std::optional<double> matchDivisor(qg::BinaryOp op) {
  if (!isSplatConstant(op.getRhs()))
    return std::nullopt;
  std::optional<Tensor> constant = qg::matchConstant(op.getRhs());
  if (!constant || constant->dtype() != DType::f32)
    return std::nullopt;
  double number = constant->getFloat(0);
  if (op.getKind() == BinaryKind::div)
    return number;
  if (op.getKind() == BinaryKind::mul && number != 0)
    return double(float(1 / number));
  return std::nullopt;
}

namespace {
/// sum / n -> pool avg
struct MeanToPool : OpRewritePattern<qg::BinaryOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(qg::BinaryOp op,
                                PatternRewriter &rewriter) const override {
    auto sum = op.getLhs().getDefiningOp<qg::ReduceOp>();
    if (!sum || sum.getKind() != ReduceKind::sum ||
        sum.getType() != op.getType() || !getParts(sum))
      return rewriter.notifyMatchFailure(op, "no sum over neighbours");
    std::optional<double> divisor = matchDivisor(op);
    if (!divisor || *divisor != double((*getParts(sum))[1]))
      return rewriter.notifyMatchFailure(op, "no mean");
    rewriter.replaceOp(op, createReduction(rewriter, sum, PoolKind::avg));
    return success();
  }
};

/// max -> pool max, sum -> pool avg * n
struct ReduceToPool : OpRewritePattern<qg::ReduceOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(qg::ReduceOp op,
                                PatternRewriter &rewriter) const override {
    bool isMax = op.getKind() == ReduceKind::max;
    if ((!isMax && op.getKind() != ReduceKind::sum) || !getParts(op))
      return rewriter.notifyMatchFailure(op, "no sum or maximum of neighbours");
    Value y =
        createReduction(rewriter, op, isMax ? PoolKind::max : PoolKind::avg);
    if (!isMax) {
      Tensor count(DType::f32, {});
      count.setFloat(0, double((*getParts(op))[1]));
      Value factor =
          qg::createConstant(rewriter, op.getLoc(), count,
                             RankedTensorType::get({}, rewriter.getF32Type()));
      y = qg::BinaryOp::create(rewriter, op.getLoc(), op.getType(),
                               BinaryKind::mul, y, factor, DenseI64ArrayAttr());
    }
    rewriter.replaceOp(op, y);
    return success();
  }
};

/// max(a, b) -> pool max of both beside each other
struct MaximumToPool : OpRewritePattern<qg::BinaryOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(qg::BinaryOp op,
                                PatternRewriter &rewriter) const override {
    RankedTensorType type = op.getResultType();
    if (op.getKind() != BinaryKind::max || !type.getElementType().isF32() ||
        op.getLhs().getType() != type || op.getRhs().getType() != type ||
        type.getNumElements() == 0 ||
        llvm::any_of(op->getOperands(), [](Value value) {
          return value.getDefiningOp<qg::ConstantOp>() != nullptr;
        }))
      return rewriter.notifyMatchFailure(op, "no maximum of two tensors");
    int64_t count = type.getNumElements();
    SmallVector<Value> rows;
    for (Value operand : op->getOperands())
      rows.push_back(
          createReshape(rewriter, op.getLoc(), operand, {1, 1, count}));
    auto both = RankedTensorType::get({1, 2, count}, type.getElementType());
    Value joined =
        qg::ConcatOp::create(rewriter, op.getLoc(), both, rows, /*axis=*/1);
    Value pooled = createPool(rewriter, op.getLoc(), PoolKind::max, joined);
    rewriter.replaceOp(
        op, createReshape(rewriter, op.getLoc(), pooled, type.getShape()));
    return success();
  }
};

struct ReductionsToPools
    : qopt::impl::ReductionsToPoolsBase<ReductionsToPools> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<MeanToPool>(&getContext(), /*benefit=*/2);
    patterns.add<ReduceToPool, MaximumToPool>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
