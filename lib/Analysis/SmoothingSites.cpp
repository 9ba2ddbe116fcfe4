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
static LinearOpInterface matchWriter(Value value) {
  Operation *op = value.getDefiningOp();
  if (auto relu = dyn_cast_or_null<qg::UnaryOp>(op);
      relu && relu.getKind() == UnaryKind::relu) {
    if (!relu.getX().hasOneUse())
      return {};
    op = relu.getX().getDefiningOp();
  }
  auto linear = dyn_cast_or_null<LinearOpInterface>(op);
  if (!linear || !linear.hasFloatConstants() ||
      !isa<Float32Type, Float64Type>(getTensorType(value).getElementType()))
    return {};
  // A product of two activations has no rows to scale.
  return linear;
}

/// A normalization, with gains and offsets if they are still there.
static bool matchNormalized(SmoothingSite &site) {
  site.gain.assign(site.getChannels(), 1);
  site.offset.assign(site.getChannels(), 0);
  site.base = site.x;
  while (auto binary = site.base.getDefiningOp<qg::BinaryOp>()) {
    if (Normalization::match(binary))
      return true;
    BinaryKind kind = binary.getKind();
    bool constantLeft =
        binary.getLhs().getDefiningOp<qg::ConstantOp>() != nullptr;
    Value rest = constantLeft ? binary.getRhs() : binary.getLhs();
    auto type = cast<RankedTensorType>(rest.getType());
    std::optional<SmallVector<double>> numbers =
        matchChannelVector(constantLeft ? binary.getLhs() : binary.getRhs(),
                           site.getChannels(), type.getRank());
    if (!numbers || type != binary.getResultType() ||
        (kind != BinaryKind::mul && kind != BinaryKind::add))
      return false;
    for (auto [c, number] : llvm::enumerate(*numbers)) {
      if (kind == BinaryKind::add)
        site.offset[c] += site.gain[c] * number;
      else
        site.gain[c] *= number;
    }
    site.base = rest;
  }
  return false;
}

static std::optional<SmoothingSite> matchSite(Operation &op) {
  if (op.getNumResults() != 1)
    return std::nullopt;
  SmoothingSite site;
  site.x = op.getResult(0);
  auto type = dyn_cast<RankedTensorType>(site.x.getType());
  if (!type || type.getRank() < 2 ||
      !isa<Float32Type, Float64Type>(type.getElementType()) ||
      site.x.use_empty())
    return std::nullopt;
  for (OpOperand &use : site.x.getUses()) {
    auto reader = dyn_cast<LinearOpInterface>(use.getOwner());
    if (!reader || &reader.getInputOperand() != &use ||
        !reader.hasFloatConstants() || !reader.isChannelMatrix())
      return std::nullopt;
    site.readers.push_back(reader);
  }
  site.writer = matchWriter(site.x);
  site.canShift = !isa<qg::UnaryOp>(op);
  if (site.writer || matchNormalized(site))
    return site;
  return std::nullopt;
}

std::vector<SmoothingSite> qopt::findSmoothingSites(func::FuncOp func) {
  std::vector<SmoothingSite> sites;
  for (Operation &op : func.getOps())
    if (std::optional<SmoothingSite> site = matchSite(op))
      sites.push_back(std::move(*site));
  return sites;
}
