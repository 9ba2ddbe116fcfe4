//===- LinearLayer.cpp - A linear op and its constants --------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What the op is, it says itself (LinearOpInterface).
//===----------------------------------------------------------------------===//
#include "qopt/Analysis/LinearLayer.h"
#include "qopt/Analysis/ChannelConstant.h"

using namespace mlir;
using namespace qopt;

LinearOpInterface qopt::matchLinearProducer(Value value) {
  if (!value.hasOneUse())
    return {};
  if (auto reshape = value.getDefiningOp<qg::ReshapeOp>()) {
    ArrayRef<int64_t> from = getShape(reshape.getX());
    ArrayRef<int64_t> to = getShape(reshape.getResult());
    if (from.empty() || to.empty() || from.back() != to.back() ||
        !reshape.getX().hasOneUse())
      return {};
    value = reshape.getX();
  }
  return value.getDefiningOp<LinearOpInterface>();
}

bool qopt::hasFloatResult(LinearOpInterface linear) {
  return getTensorType(linear->getResult(0)).getElementType().isF32();
}

std::optional<SmallVector<float>>
qopt::getBiasValues(LinearOpInterface linear) {
  if (!linear.getBias())
    return SmallVector<float>(linear.countOutputs(), 0.0f);
  return matchChannelConstant(linear.getBias(), linear.countOutputs(), 1);
}

std::optional<Tensor> qopt::getWeightValues(LinearOpInterface linear) {
  if (!getTensorType(linear.getWeight()).getElementType().isF32())
    return std::nullopt;
  return qg::matchConstant(linear.getWeight());
}

void qopt::setBiasValues(PatternRewriter &rewriter, LinearOpInterface linear,
                         ArrayRef<float> values) {
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(linear);
  auto type =
      RankedTensorType::get({int64_t(values.size())}, rewriter.getF32Type());
  Value bias = qg::createConstant(
      rewriter, linear.getLoc(),
      Tensor::from<float>(DType::f32, type.getShape(), values), type, "bias");
  rewriter.modifyOpInPlace(linear, [&] { linear.setBias(bias); });
}

void qopt::setWeightValues(PatternRewriter &rewriter, LinearOpInterface linear,
                           const Tensor &values) {
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(linear);
  Value old = linear.getWeight();
  Value weight = qg::createConstant(rewriter, old.getLoc(), values,
                                    getTensorType(old), "weight");
  rewriter.modifyOpInPlace(linear, [&] { linear.setWeight(weight); });
}
