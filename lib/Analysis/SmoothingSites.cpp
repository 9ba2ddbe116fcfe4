//===- SmoothingSites.cpp - Tensors whose channels may be scaled ----------===//
// SPDX-License-Identifier: Apache-2.0
//
// From every tensor that only linear ops read, back to what makes it.
//===----------------------------------------------------------------------===//
#include "qopt/Analysis/SmoothingSites.h"
#include "qopt/Analysis/ResidualStream.h"

using namespace mlir;
using namespace qopt;

int64_t SmoothingSite::getChannels() const {
  return cast<RankedTensorType>(x.getType()).getShape().back();
}

/// The linear op behind `value` and at most one relu, all read once.
static std::optional<LinearOp> matchWriter(Value value) {
  Operation *op = value.getDefiningOp();
  if (auto relu = dyn_cast_or_null<qg::UnaryOp>(op);
      relu && relu.getKind() == UnaryKind::relu) {
    if (!relu.getX().hasOneUse())
      return std::nullopt;
    op = relu.getX().getDefiningOp();
  }
  std::optional<LinearOp> linear = LinearOp::match(op);
  if (!linear || !linear->hasFloatResult() || !linear->hasConstantOperands())
    return std::nullopt;
  // A product of two activations has no rows to scale.
  return linear;
}

static std::optional<SmoothingSite> matchSite(Operation &op) {
  if (op.getNumResults() != 1)
    return std::nullopt;
  SmoothingSite site;
  site.x = op.getResult(0);
  auto type = dyn_cast<RankedTensorType>(site.x.getType());
  if (!type || type.getRank() < 2 || !type.getElementType().isF32() ||
      site.x.use_empty())
    return std::nullopt;
  for (OpOperand &use : site.x.getUses()) {
    std::optional<LinearOp> reader = LinearOp::match(use.getOwner());
    if (!reader || use.getOperandNumber() != 0 || !reader->isChannelMatrix())
      return std::nullopt;
    site.readers.push_back(*reader);
  }
  site.writer = matchWriter(site.x);
  if (site.writer)
    return site;
  // A normalization, with a gain and an offset if they are still there.
  auto binary = dyn_cast<qg::BinaryOp>(op);
  while (binary && !Normalization::match(binary)) {
    std::optional<ChannelAffine> affine = ChannelAffine::match(binary);
    binary = affine ? affine->x.getDefiningOp<qg::BinaryOp>() : nullptr;
  }
  if (!binary)
    return std::nullopt;
  return site;
}

std::vector<SmoothingSite> qopt::findSmoothingSites(func::FuncOp func) {
  std::vector<SmoothingSite> sites;
  for (Operation &op : func.getOps())
    if (std::optional<SmoothingSite> site = matchSite(op))
      sites.push_back(std::move(*site));
  return sites;
}
