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

std::optional<LinearOp> LinearOp::match(Operation *op) {
  if (!isa_and_nonnull<qg::ConvOp, qg::ConvTransposeOp, qg::MatmulOp>(op))
    return std::nullopt;
  return LinearOp(op);
}

std::optional<LinearOp> LinearOp::matchProducer(Value value) {
  if (!value.hasOneUse())
    return std::nullopt;
  if (auto reshape = value.getDefiningOp<qg::ReshapeOp>()) {
    ArrayRef<int64_t> from = getTensorType(reshape.getX()).getShape();
    ArrayRef<int64_t> to = reshape.getResultType().getShape();
    if (from.empty() || to.empty() || from.back() != to.back() ||
        !reshape.getX().hasOneUse())
      return std::nullopt;
    value = reshape.getX();
  }
  return match(value.getDefiningOp());
}

Value LinearOp::getBias() const {
  return op->getNumOperands() > 2 ? op->getOperand(2) : Value();
}

int64_t LinearOp::getChannels() const {
  return getTensorType(op->getResult(0)).getShape().back();
}

bool LinearOp::hasFloatResult() const {
  return getTensorType(op->getResult(0)).getElementType().isF32();
}

int64_t LinearOp::getWeightAxis() const {
  auto matmul = dyn_cast<qg::MatmulOp>(op);
  if (!matmul)
    return 0;
  return getTensorType(getWeight()).getRank() -
         (matmul.getTransposeRhs() ? 2 : 1);
}

int64_t LinearOp::getInputAxis() const {
  auto matmul = dyn_cast<qg::MatmulOp>(op);
  int64_t rank = getTensorType(getWeight()).getRank();
  return matmul && !matmul.getTransposeRhs() ? rank - 2 : rank - 1;
}

bool LinearOp::hasConstantOperands() const {
  return getWeight().getDefiningOp<qg::ConstantOp>() &&
         (!getBias() || getBias().getDefiningOp<qg::ConstantOp>());
}

bool LinearOp::isChannelMatrix() const {
  if (!hasConstantOperands())
    return false;
  RankedTensorType weight = getTensorType(getWeight());
  if (auto conv = dyn_cast<qg::ConvOp>(op))
    return conv.getGroups() == 1 &&
           llvm::all_of(weight.getShape().drop_front().drop_back(),
                        [](int64_t extent) { return extent == 1; }) &&
           llvm::all_of(conv.getPads(), [](int64_t pad) { return pad == 0; });
  return isa<qg::MatmulOp>(op) && weight.getRank() == 2;
}

std::optional<SmallVector<float>> LinearOp::getBiasValues() const {
  if (!getBias())
    return SmallVector<float>(getChannels(), 0.0f);
  return matchChannelConstant(getBias(), getChannels(), 1);
}

std::optional<Tensor> LinearOp::getWeightValues() const {
  if (!getTensorType(getWeight()).getElementType().isF32())
    return std::nullopt;
  return qg::matchConstant(getWeight());
}

void LinearOp::setBias(PatternRewriter &rewriter,
                       ArrayRef<float> values) const {
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(op);
  auto type =
      RankedTensorType::get({int64_t(values.size())}, rewriter.getF32Type());
  Value bias = qg::createConstant(
      rewriter, op->getLoc(),
      Tensor::from<float>(DType::f32, type.getShape(), values), type, "bias");
  // All three ops take the bias as their last operand.
  rewriter.modifyOpInPlace(op, [&] {
    if (getBias())
      op->setOperand(2, bias);
    else
      op->insertOperands(2, bias);
  });
}

void LinearOp::setWeight(PatternRewriter &rewriter,
                         const Tensor &values) const {
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(op);
  Value weight = qg::createConstant(rewriter, getWeight().getLoc(), values,
                                    getTensorType(getWeight()), "weight");
  rewriter.modifyOpInPlace(op, [&] { op->setOperand(1, weight); });
}
