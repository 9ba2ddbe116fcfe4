//===- UseStoredWeights.cpp - Products that read stored weights -----------===//
// SPDX-License-Identifier: Apache-2.0
//
// What was stored stays stored: scales and integers reach the kernels as the
// file has them, instead of as floats made of them at every call.
//===----------------------------------------------------------------------===//
#include "FoldQDQ.h"
#include "qopt/Analysis/WindowProducts.h"
#include "qopt/Dialect/QG/IR/Encodings.h"
#include "qopt/Dialect/QG/IR/StoredRows.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace qopt {
#include "qopt/Transforms/UseStoredWeights.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

/// The constant behind a dequantize, if a product can read it.
static std::optional<Tensor> matchStored(Value weight) {
  auto op = weight.getDefiningOp<qg::DequantizeOp>();
  if (!op || !op.getType().getElementType().isF32() ||
      !qg::Decoder::get(getTensorType(op.getX())) ||
      qg::getQuantizedType(op.getX().getType()).getBits() > 8)
    return std::nullopt;
  return qg::matchConstant(op.getX());
}

static bool isF32(Value value) {
  return getTensorType(value).getElementType().isF32();
}

namespace {
struct ReadStoredMatrix : OpRewritePattern<qg::MatmulOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(qg::MatmulOp op,
                                PatternRewriter &rewriter) const override {
    std::optional<Tensor> stored = matchStored(op.getRhs());
    if (!stored || stored->rank() != 2 || stored->numElements() == 0)
      return rewriter.notifyMatchFailure(op, "rhs is no stored matrix");
    if (!isF32(op.getLhs()) || !isF32(op.getResult()) ||
        (op.getBias() && !qg::matchConstant(op.getBias())))
      return rewriter.notifyMatchFailure(op, "no product of f32 with a "
                                             "constant bias");
    Value x = op.getRhs().getDefiningOp<qg::DequantizeOp>().getX();
    rewriter.modifyOpInPlace(op, [&] { op.getRhsMutable().assign(x); });
    return success();
  }
};

struct ConvToMatmul : OpRewritePattern<qg::ConvOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(qg::ConvOp op,
                                PatternRewriter &rewriter) const override {
    std::optional<Tensor> stored = matchStored(op.getWeight());
    if (!stored || !isF32(op.getX()) || !isF32(op.getResult()) ||
        !isMatrixProduct(op) || stored->numElements() == 0)
      return rewriter.notifyMatchFailure(op, "no convolution of f32 with one "
                                             "stored matrix");
    qg::QuantizedType type = qg::getQuantizedType(
        op.getWeight().getDefiningOp<qg::DequantizeOp>().getX().getType());
    if (type.isPerAxis() && type.getAxis() != 0)
      return rewriter.notifyMatchFailure(op, "parameters lie along the input");
    replaceByMatmul(rewriter, op, *stored);
    return success();
  }
};

/// Rows are decoded as they are picked; a table that was narrowed is narrowed
/// behind that.
struct GatherStoredRows : OpRewritePattern<qg::GatherOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(qg::GatherOp op,
                                PatternRewriter &rewriter) const override {
    Value table = op.getX();
    auto narrowed = table.getDefiningOp<qg::CastOp>();
    if (narrowed)
      table = narrowed.getX();
    std::optional<Tensor> stored = matchStored(table);
    if (!stored || op.getAxis() != 0)
      return rewriter.notifyMatchFailure(op, "picks no stored rows");
    qg::ShapedBuilder b(rewriter, op.getLoc());
    RankedTensorType type =
        getTensorType(table.getDefiningOp<qg::DequantizeOp>().getX());
    Value rows = qg::gatherDecoded(b, *stored, type, op.getIndices());
    if (!rows)
      return rewriter.notifyMatchFailure(op, "rows share parameters");
    rewriter.replaceOp(op, b.convert(rows, b.element(op.getResult())));
    return success();
  }
};

struct UseStoredWeights : qopt::impl::UseStoredWeightsBase<UseStoredWeights> {
  void runOnOperation() override;
};
} // namespace

static void decode(qg::DequantizeOp op) {
  std::optional<Tensor> stored = qg::matchConstant(op.getX());
  std::optional<Tensor> values;
  if (stored && op.getType().getElementType().isF32())
    values = qg::dequantize(*stored, getTensorType(op.getX()));
  if (!values)
    return;
  OpBuilder builder(op);
  op.getResult().replaceAllUsesWith(
      qg::createConstant(builder, op.getLoc(), *values, op.getType(), "w"));
  op.erase();
}

/// Biases are read once for many products.
static bool isBias(qg::DequantizeOp op) {
  return llvm::any_of(op->getUses(), [](OpOperand &use) {
    auto linear = dyn_cast<LinearOpInterface>(use.getOwner());
    return linear && linear.getBiasOperand() == &use &&
           isF32(linear.getInput());
  });
}

/// By float products, converted or not.
static bool isReadByFloats(Value value) {
  return llvm::any_of(value.getUsers(), [](Operation *user) {
    if (auto cast = dyn_cast<qg::CastOp>(user))
      return isReadByFloats(cast.getResult());
    auto linear = dyn_cast<LinearOpInterface>(user);
    return linear && isF32(linear.getInput());
  });
}

/// What nobody reads as it is stored and what would be decoded at every call:
/// weights of float kernels, which pack constants, and parameters that lie in
/// groups or tables.
static bool isDecodedOnce(qg::DequantizeOp op) {
  qg::QuantizedType type = qg::getQuantizedType(op.getX().getType());
  if (type.getGroupSize() || type.isTable())
    return true;
  return isReadByFloats(op.getResult());
}

void UseStoredWeights::runOnOperation() {
  auto decodeWhere = [&](bool (*isDecoded)(qg::DequantizeOp)) {
    for (auto op :
         llvm::make_early_inc_range(getOperation().getOps<qg::DequantizeOp>()))
      if (!op->use_empty() && isDecoded(op))
        decode(op);
  };
  decodeWhere(isBias);
  RewritePatternSet patterns(&getContext());
  populateWidenHalvesPatterns(patterns);
  patterns.add<ReadStoredMatrix, ConvToMatmul, GatherStoredRows>(&getContext());
  if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
    return signalPassFailure();
  decodeWhere(isDecodedOnce);
}
