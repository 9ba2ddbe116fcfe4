//===- FuseElementwise.cpp - Fuse scalar functions ------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Fewer passes over memory. Nothing is computed twice, so bits and work stay.
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace qopt {
#include "qopt/Target/FuseElementwise.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

static int64_t getIterations(linalg::LinalgOp op) {
  int64_t product = 1;
  for (int64_t range : op.getStaticLoopRanges())
    product *= range;
  return product;
}

/// Bodies longer than this are not joined: registers run out, and LLVM's
/// vectorizer needs time.
static constexpr size_t kMostBodyOps = 400;

static bool mayFuse(OpOperand *operand) {
  auto producer = operand->get().getDefiningOp<linalg::GenericOp>();
  auto consumer = dyn_cast<linalg::GenericOp>(operand->getOwner());
  // A loop would repeat what stands in front of it.
  if (!producer || !consumer || !producer->hasOneUse() ||
      producer->getBlock() != consumer->getBlock() ||
      consumer.getNumParallelLoops() != consumer.getNumLoops())
    return false;
  size_t producerOps = producer.getBody()->getOperations().size();
  size_t consumerOps = consumer.getBody()->getOperations().size();
  if (producerOps + consumerOps > kMostBodyOps)
    return false;
  // A broadcast consumer would repeat the producer's work; a copy is free.
  return getIterations(producer) >= getIterations(consumer) || producerOps == 1;
}

namespace {
struct FuseElementwise : qopt::impl::FuseElementwiseBase<FuseElementwise> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    linalg::populateElementwiseOpsFusionPatterns(patterns, mayFuse);
    GreedyRewriteConfig config;
    config.setUseTopDownTraversal(true);
    if (failed(
            applyPatternsGreedily(getOperation(), std::move(patterns), config)))
      signalPassFailure();
  }
};
} // namespace
