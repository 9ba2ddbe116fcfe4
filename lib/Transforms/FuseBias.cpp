//===- FuseBias.cpp - Additions of channel constants become biases --------===//
// SPDX-License-Identifier: Apache-2.0
//
// A bias costs nothing: accumulation starts at it. Exporters write it as an
// addition behind the op, often with a reshape between.
//===----------------------------------------------------------------------===//
#include "qopt/Analysis/ChannelConstant.h"
#include "qopt/Analysis/LinearLayer.h"
#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Transforms/Patterns.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace qopt {
#include "qopt/Transforms/FuseBias.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

namespace {
/// linear(x) + c -> linear(x) with bias b + c
struct FuseOffset : OpRewritePattern<qg::BinaryOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(qg::BinaryOp op,
                                PatternRewriter &rewriter) const override {
    std::optional<ChannelAffine> affine = ChannelAffine::match(op);
    if (!affine || affine->offset.empty() || !affine->scale.empty())
      return rewriter.notifyMatchFailure(op, "adds no channel constant");
    LinearOpInterface linear = matchLinearProducer(affine->x);
    if (!linear || !hasFloatResult(linear))
      return rewriter.notifyMatchFailure(op, "no linear op that is read once");
    std::optional<SmallVector<float>> bias = getBiasValues(linear);
    if (!bias)
      return rewriter.notifyMatchFailure(op, "the bias is not constant");
    for (auto [sum, offset] : llvm::zip_equal(*bias, affine->offset))
      sum += offset;
    setBiasValues(rewriter, linear, *bias);
    rewriter.replaceOp(op, affine->x);
    return success();
  }
};

struct FuseBias : qopt::impl::FuseBiasBase<FuseBias> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateFuseBiasPatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace

void qopt::populateFuseBiasPatterns(RewritePatternSet &patterns) {
  patterns.add<FuseOffset>(patterns.getContext());
}
