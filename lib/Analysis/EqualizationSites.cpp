//===- EqualizationSites.cpp - Layers that a relu at most joins -----------===//
// SPDX-License-Identifier: Apache-2.0
//
// From every tensor that only layers with constant weights read, back to the
// layer that makes it.
//===----------------------------------------------------------------------===//
#include "qopt/Analysis/EqualizationSites.h"

#include <cmath>

using namespace mlir;
using namespace qopt;

int64_t EqualizationSite::getChannels() const {
  return getTensorType(x).getShape().back();
}

/// A convolution, or a product with one matrix, of float constants.
static LinearOpInterface matchLayer(Operation *op) {
  auto linear = dyn_cast_or_null<LinearOpInterface>(op);
  if (!linear || !linear.hasFloatConstants() || !linear.isShared() ||
      linear.getLinearGeometry().isTransposed ||
      !isa<Float32Type, Float64Type>(
          getTensorType(linear.getWeight()).getElementType()))
    return {};
  return linear;
}

static LinearOpInterface matchWriter(Value value) {
  Operation *op = value.getDefiningOp();
  if (auto relu = dyn_cast<qg::UnaryOp>(op)) {
    if (relu.getKind() != UnaryKind::relu || !relu.getX().hasOneUse())
      return {};
    op = relu.getX().getDefiningOp();
  }
  return matchLayer(op);
}

static std::optional<EqualizationSite> matchSite(Operation &op) {
  if (op.getNumResults() != 1 || op.getResult(0).use_empty())
    return std::nullopt;
  Value x = op.getResult(0);
  auto type = dyn_cast<RankedTensorType>(x.getType());
  if (!type || type.getRank() < 2 || !isa<FloatType>(type.getElementType()))
    return std::nullopt;
  LinearOpInterface writer = matchWriter(x);
  if (!writer || writer.countOutputs() != type.getShape().back())
    return std::nullopt;
  EqualizationSite site{x, writer, {}};
  for (OpOperand &use : x.getUses()) {
    LinearOpInterface reader = matchLayer(use.getOwner());
    if (!reader || &reader.getInputOperand() != &use)
      return std::nullopt;
    site.readers.push_back(reader);
  }
  return site;
}

std::vector<EqualizationSite> qopt::findEqualizationSites(func::FuncOp func) {
  std::vector<EqualizationSite> sites;
  for (Operation &op : func.getOps())
    if (std::optional<EqualizationSite> site = matchSite(op))
      sites.push_back(std::move(*site));
  return sites;
}

SmallVector<double> qopt::getWeightFactors(const EqualizationSite &site) {
  auto getRanges = [&](LinearOpInterface linear, auto getChannel,
                       SmallVector<double> &ranges) {
    Tensor weight = *qg::matchConstant(linear.getWeight());
    WeightChannels channels(linear);
    for (int64_t i = 0; i < weight.numElements(); ++i) {
      double &range = ranges[(channels.*getChannel)(i)];
      range = std::max(range, std::abs(weight.getFloat(i)));
    }
  };
  SmallVector<double> written(site.getChannels(), 0), read(written);
  getRanges(site.writer, &WeightChannels::getOutput, written);
  for (LinearOpInterface reader : site.readers)
    getRanges(reader, &WeightChannels::getInput, read);
  SmallVector<double> factors;
  for (auto [a, b] : llvm::zip(written, read)) {
    double factor = a > 0 && b > 0 ? std::sqrt(a / b) : 1;
    factors.push_back(std::clamp(factor, 1e-4, 1e4));
  }
  return factors;
}
