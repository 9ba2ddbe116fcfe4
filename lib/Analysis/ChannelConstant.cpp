//===- ChannelConstant.cpp - Factors and offsets by channel ---------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Normalizations and biases arrive as arithmetic with channel constants.
//===----------------------------------------------------------------------===//
#include "qopt/Analysis/ChannelConstant.h"

using namespace mlir;
using namespace qopt;

std::optional<SmallVector<float>>
qopt::matchChannelConstant(Value value, int64_t channels, int64_t rank) {
  if (!value.getDefiningOp<qg::ConstantOp>())
    return std::nullopt;
  RankedTensorType type = getTensorType(value);
  ArrayRef<int64_t> shape = type.getShape();
  if (!type.getElementType().isF32() || type.getRank() > rank ||
      getNumElements(shape) != (shape.empty() ? 1 : shape.back()) ||
      (getNumElements(shape) != 1 && shape.back() != channels))
    return std::nullopt;
  std::optional<Tensor> tensor = qg::matchConstant(value);
  if (!tensor)
    return std::nullopt;
  ArrayRef<float> numbers = tensor->span<float>();
  for (float number : numbers)
    if (!std::isfinite(number))
      return std::nullopt;
  if (numbers.size() == 1)
    return SmallVector<float>(channels, numbers.front());
  return SmallVector<float>(numbers.begin(), numbers.end());
}

std::optional<ChannelAffine> ChannelAffine::match(qg::BinaryOp op) {
  RankedTensorType type = op.getResultType();
  if (!type.getElementType().isF32() || type.getRank() == 0)
    return std::nullopt;
  bool constantLeft = op.getLhs().getDefiningOp<qg::ConstantOp>() != nullptr;
  ChannelAffine affine;
  affine.x = constantLeft ? op.getRhs() : op.getLhs();
  if (affine.x.getType() != type)
    return std::nullopt;
  int64_t channels = type.getShape().back();
  std::optional<SmallVector<float>> numbers = matchChannelConstant(
      constantLeft ? op.getLhs() : op.getRhs(), channels, type.getRank());
  if (!numbers)
    return std::nullopt;
  switch (op.getKind()) {
  case BinaryKind::add:
    affine.offset = *numbers;
    return affine;
  case BinaryKind::mul:
    affine.scale = *numbers;
    return affine;
  case BinaryKind::sub:
    affine.offset = *numbers;
    if (constantLeft) {
      affine.scale.assign(channels, -1.0f);
      return affine;
    }
    for (float &number : affine.offset)
      number = -number;
    return affine;
  case BinaryKind::div:
    if (constantLeft)
      return std::nullopt;
    for (float number : *numbers) {
      float inverse = 1.0f / number;
      if (!std::isnormal(inverse))
        return std::nullopt;
      affine.scale.push_back(inverse);
    }
    return affine;
  default:
    return std::nullopt;
  }
}
