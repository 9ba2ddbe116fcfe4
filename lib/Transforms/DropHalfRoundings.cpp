//===- DropHalfRoundings.cpp - f32 between ops of 16-bit floats -----------===//
// SPDX-License-Identifier: Apache-2.0
//
// Networks in 16-bit floats round every result to them. Where results are going
// to be rounded to 8 bits, that rounding is noise of a thousandth of a step,
// and its casts keep linear ops from their normalizations, activations and
// encodings.
//===----------------------------------------------------------------------===//
#include "MovedUses.h"
#include "qopt/Dialect/QG/IR/QG.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace qopt {
#include "qopt/Transforms/DropHalfRoundings.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

static bool isHalf(Value value) {
  Type element = getTensorType(value).getElementType();
  return element.isF16() || element.isBF16();
}

static bool widens(qg::CastOp op) {
  return isHalf(op.getX()) && getTensorType(op).getElementType().isF32();
}

namespace {
/// widen(narrow(x)) = x, but for the rounding.
struct DropRounding : OpRewritePattern<qg::CastOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(qg::CastOp op,
                                PatternRewriter &rewriter) const override {
    auto narrow = op.getX().getDefiningOp<qg::CastOp>();
    if (!widens(op) || !narrow || narrow.getX().getType() != op.getType())
      return rewriter.notifyMatchFailure(op, "does not widen what was f32");
    rewriter.replaceOp(op, narrow.getX());
    return success();
  }
};

/// Whether `op` gives elements of its tensors as they are.
static bool moves(Operation *op) {
  return movesOneTensor(op) || isa_and_nonnull<qg::ConcatOp, qg::GatherOp,
                                               qg::PadOp, qg::BroadcastOp>(op);
}

/// widen(move(x)) = move(widen(x)).
struct RaiseWidening : OpRewritePattern<qg::CastOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(qg::CastOp op,
                                PatternRewriter &rewriter) const override {
    Operation *move = op.getX().getDefiningOp();
    if (!widens(op) || !moves(move))
      return rewriter.notifyMatchFailure(op, "does not widen what is moved");
    rewriter.setInsertionPoint(move);
    auto widen = [&](Value value) -> Value {
      auto type = getTensorType(value).clone(rewriter.getF32Type());
      return qg::CastOp::create(rewriter, op.getLoc(), type, value);
    };
    Operation *wide = rewriter.clone(*move);
    rewriter.modifyOpInPlace(wide, [&] {
      rewriter.setInsertionPoint(wide);
      for (OpOperand &operand : wide->getOpOperands())
        if (isHalf(operand.get()))
          operand.set(widen(operand.get()));
      wide->getResult(0).setType(op.getType());
    });
    rewriter.replaceOp(op, wide);
    return success();
  }
};

struct DropHalfRoundings
    : qopt::impl::DropHalfRoundingsBase<DropHalfRoundings> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<DropRounding, RaiseWidening>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
