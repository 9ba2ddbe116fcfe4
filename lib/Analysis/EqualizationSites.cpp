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

/// A conv, or a matmul with one matrix, of float constants.
static std::optional<LinearOp> matchLayer(Operation *op) {
  std::optional<LinearOp> linear = LinearOp::match(op);
  if (!linear || !linear->hasConstantOperands() ||
      isa<qg::ConvTransposeOp>(op) ||
      !isa<Float32Type, Float64Type>(
          getTensorType(linear->getWeight()).getElementType()) ||
      (isa<qg::MatmulOp>(op) &&
       getTensorType(linear->getWeight()).getRank() != 2))
    return std::nullopt;
  return linear;
}

static std::optional<LinearOp> matchWriter(Value value) {
  Operation *op = value.getDefiningOp();
  if (auto relu = dyn_cast<qg::UnaryOp>(op)) {
    if (relu.getKind() != UnaryKind::relu || !relu.getX().hasOneUse())
      return std::nullopt;
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
  std::optional<LinearOp> writer = matchWriter(x);
  if (!writer || writer->getChannels() != type.getShape().back())
    return std::nullopt;
  EqualizationSite site{x, *writer, {}};
  for (OpOperand &use : x.getUses()) {
    std::optional<LinearOp> reader = matchLayer(use.getOwner());
    if (!reader || use.getOperandNumber() != 0)
      return std::nullopt;
    site.readers.push_back(*reader);
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

/// Position of every element of `shape` along `axis`.
static SmallVector<int64_t> getPositions(ArrayRef<int64_t> shape,
                                         int64_t axis) {
  int64_t inner = getNumElements(shape.drop_front(axis + 1));
  SmallVector<int64_t> positions(getNumElements(shape));
  for (auto [i, position] : llvm::enumerate(positions))
    position = int64_t(i) / inner % shape[axis];
  return positions;
}

SmallVector<int64_t> qopt::getOutputChannels(const LinearOp &linear) {
  return getPositions(getTensorType(linear.getWeight()).getShape(),
                      linear.getWeightAxis());
}

SmallVector<int64_t> qopt::getInputChannels(const LinearOp &linear) {
  ArrayRef<int64_t> shape = getTensorType(linear.getWeight()).getShape();
  SmallVector<int64_t> channels = getPositions(shape, linear.getInputAxis());
  auto conv = dyn_cast<qg::ConvOp>(linear.getOperation());
  if (!conv || conv.getGroups() == 1)
    return channels;
  // The weight of a group has the channels of that group only.
  SmallVector<int64_t> outputs = getOutputChannels(linear);
  int64_t perGroup = shape[linear.getWeightAxis()] / conv.getGroups();
  for (auto [channel, output] : llvm::zip(channels, outputs))
    channel += output / perGroup * shape.back();
  return channels;
}

SmallVector<double> qopt::getWeightFactors(const EqualizationSite &site) {
  auto getRanges = [&](const LinearOp &linear, ArrayRef<int64_t> channels,
                       SmallVector<double> &ranges) {
    Tensor weight = *qg::matchConstant(linear.getWeight());
    for (auto [i, channel] : llvm::enumerate(channels))
      ranges[channel] = std::max(ranges[channel], std::abs(weight.getFloat(i)));
  };
  SmallVector<double> written(site.getChannels(), 0), read(written);
  getRanges(site.writer, getOutputChannels(site.writer), written);
  for (const LinearOp &reader : site.readers)
    getRanges(reader, getInputChannels(reader), read);
  SmallVector<double> factors;
  for (auto [a, b] : llvm::zip(written, read)) {
    double factor = a > 0 && b > 0 ? std::sqrt(a / b) : 1;
    factors.push_back(std::clamp(factor, 1e-4, 1e4));
  }
  return factors;
}
