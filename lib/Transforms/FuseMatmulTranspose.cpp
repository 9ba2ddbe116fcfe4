//===- FuseMatmulTranspose.cpp - Read the right operand by columns --------===//
// SPDX-License-Identifier: Apache-2.0
//
// Attention multiplies by a transposed key. The matmul reads it either way.
//===----------------------------------------------------------------------===//
#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Support/Permutation.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace qopt {
#include "qopt/Transforms/FuseMatmulTranspose.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

namespace {
/// matmul(a, transpose(b)) -> matmul(a, b) transpose_rhs
struct FuseRightTranspose : OpRewritePattern<qg::MatmulOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(qg::MatmulOp op,
                                PatternRewriter &rewriter) const override {
    auto transpose = op.getRhs().getDefiningOp<qg::TransposeOp>();
    if (!transpose)
      return rewriter.notifyMatchFailure(op, "rhs is no transpose");
    Permutation swapped = identityPermutation(
        cast<RankedTensorType>(op.getRhs().getType()).getRank());
    std::swap(swapped.back(), swapped[swapped.size() - 2]);
    if (ArrayRef<int64_t>(swapped) != transpose.getPermutation())
      return rewriter.notifyMatchFailure(op, "moves more than the matrices");
    rewriter.modifyOpInPlace(op, [&] {
      op.getRhsMutable().assign(transpose.getX());
      op.setTransposeRhs(!op.getTransposeRhs());
    });
    return success();
  }
};

struct FuseMatmulTranspose
    : qopt::impl::FuseMatmulTransposeBase<FuseMatmulTranspose> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<FuseRightTranspose>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
