//===- WriteForIntegers.cpp - Ops that integer targets lack ---------------===//
// SPDX-License-Identifier: Apache-2.0
//
// In terms of those that have a kernel and a unit. Moves are exact; arithmetic
// is rounded afterwards as every tensor is.
//===----------------------------------------------------------------------===//
#include "Volumes.h"
#include "qopt/Analysis/SplatConstant.h"
#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Dialect/QG/IR/ShapedBuilder.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include <cmath>

namespace qopt {
#include "qopt/Transforms/WriteForIntegers.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

/// Which element of a dimension lies at a position beside it.
static int64_t locate(PadMode mode, int64_t position, int64_t extent) {
  if (mode == PadMode::edge)
    return std::clamp<int64_t>(position, 0, extent - 1);
  int64_t period = mode == PadMode::wrap ? extent : 2 * (extent - 1);
  if (period == 0)
    return 0;
  int64_t folded = ((position % period) + period) % period;
  return folded < extent ? folded : period - folded;
}

namespace {
/// A pad of what is there already is a gather in each dimension.
struct PadToGather : OpRewritePattern<qg::PadOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(qg::PadOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getMode() == PadMode::constant ||
        getTensorType(op.getX()).getNumElements() == 0)
      return rewriter.notifyMatchFailure(op, "pads with a number");
    qg::ShapedBuilder b(rewriter, op.getLoc());
    Value x = op.getX();
    SmallVector<int64_t> shape(getShape(x));
    for (auto [axis, extent] : llvm::enumerate(shape)) {
      int64_t low = op.getLow()[axis], high = op.getHigh()[axis];
      if (low == 0 && high == 0)
        continue;
      SmallVector<int64_t> positions;
      for (int64_t i = -low; i < extent + high; ++i)
        positions.push_back(locate(op.getMode(), i, extent));
      x = b.gather(x, b.ints(positions), axis);
    }
    rewriter.replaceOp(op, x);
    return success();
  }
};

/// a / b -> a * (1 / b); min(a, b) -> -max(-a, -b)
struct RewriteBinary : OpRewritePattern<qg::BinaryOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(qg::BinaryOp op,
                                PatternRewriter &rewriter) const override {
    Value lhs = op.getLhs(), rhs = op.getRhs();
    if (!op.getResultType().getElementType().isF32() || qg::matchConstant(rhs))
      return rewriter.notifyMatchFailure(op, "no floats, or by a constant");
    qg::ShapedBuilder b(rewriter, op.getLoc());
    if (op.getKind() == BinaryKind::div && !isSplatConstant(lhs)) {
      Value reciprocal = b.div(b.scalar(1.0, b.f32()), rhs);
      rewriter.replaceOp(op, b.mul(lhs, reciprocal));
      return success();
    }
    if (op.getKind() != BinaryKind::min || qg::matchConstant(lhs) ||
        lhs.getType() != rhs.getType())
      return rewriter.notifyMatchFailure(op, "has an integer form");
    Value larger =
        b.max(b.unary(UnaryKind::neg, lhs), b.unary(UnaryKind::neg, rhs));
    rewriter.replaceOp(op, b.unary(UnaryKind::neg, larger));
    return success();
  }
};

/// mask ? a : b -> a * mask + b * (1 - mask)
struct MaskToProducts : OpRewritePattern<qg::SelectOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(qg::SelectOp op,
                                PatternRewriter &rewriter) const override {
    std::optional<Tensor> mask = qg::matchConstant(op.getCondition());
    auto type = cast<RankedTensorType>(op.getType());
    if (!mask || !type.getElementType().isF32() || type.getNumElements() == 0)
      return rewriter.notifyMatchFailure(op, "no constant mask of floats");
    for (Value value : {op.getOnTrue(), op.getOnFalse()})
      if (std::optional<Tensor> constant = qg::matchConstant(value);
          constant && !llvm::all_of(constant->span<float>(), [](float number) {
            return std::isfinite(number);
          }))
        return rewriter.notifyMatchFailure(op, "infinities are no products");
    qg::ShapedBuilder b(rewriter, op.getLoc());
    Value y;
    for (bool holds : {true, false}) {
      Value value = holds ? op.getOnTrue() : op.getOnFalse();
      if (matchSplatConstant(value) == 0.0)
        continue;
      Tensor factors(DType::f32, mask->shape());
      for (int64_t i = 0; i < mask->numElements(); ++i)
        factors.setFloat(i, (mask->getInt(i) != 0) == holds);
      Value product = qg::matchConstant(value)
                          ? foldProduct(b, value, factors)
                          : b.mul(value, b.constant(factors));
      y = y ? b.add(y, product) : product;
    }
    if (!y)
      return rewriter.notifyMatchFailure(op, "zero everywhere");
    rewriter.replaceOp(op, b.broadcast(y, type.getShape()));
    return success();
  }

  /// A constant times a mask is one; a number is not rounded twice.
  static Value foldProduct(qg::ShapedBuilder &b, Value value,
                           const Tensor &factors) {
    std::optional<double> number = matchSplatConstant(value);
    if (!number)
      return b.mul(value, b.constant(factors));
    Tensor product(DType::f32, factors.shape());
    for (int64_t i = 0; i < factors.numElements(); ++i)
      product.setFloat(i, factors.getFloat(i) != 0 ? *number : 0);
    return b.constant(product);
  }
};

struct WriteForIntegers : qopt::impl::WriteForIntegersBase<WriteForIntegers> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<PadToGather, RewriteBinary, MaskToProducts>(&getContext());
    populateVolumePatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
