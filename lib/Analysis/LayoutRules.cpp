//===- LayoutRules.cpp - Ops that compute under another dimension order ---===//
// SPDX-License-Identifier: Apache-2.0
//
// Elementwise and data-movement ops follow any order. Reductions follow it as
// long as the order in which they add stays the same, so that no bit changes.
//===----------------------------------------------------------------------===//
#include "qopt/Analysis/LayoutRules.h"
#include "qopt/Dialect/QG/IR/QGBits.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace qopt;

RankedTensorType qopt::permuteType(RankedTensorType type, ArrayRef<int64_t> p) {
  Type element = type.getElementType();
  if (qg::QuantizedType quantized = qg::getQuantizedType(type))
    if (quantized.isPerAxis())
      element = quantized.withAxis(positionOf(p, quantized.getAxis()));
  return RankedTensorType::get(applyPermutation(p, type.getShape()), element);
}

/// Only ops that treat elements one by one may see a per-axis encoding, and
/// groups only of matrices: they follow the order of the other dimensions.
static bool hasAxisInTheWay(Operation *op) {
  bool isElementwise =
      isa<qg::QuantizeOp, qg::DequantizeOp, qg::RequantizeOp, qg::ObserveOp>(
          op);
  auto isInTheWay = [&](Type type) {
    qg::QuantizedType quantized = qg::getQuantizedType(type);
    if (!quantized || !quantized.isPerAxis())
      return false;
    return !isElementwise || (quantized.getGroupSize() &&
                              cast<RankedTensorType>(type).getRank() > 2);
  };
  return llvm::any_of(op->getOperandTypes(), isInTheWay) ||
         llvm::any_of(op->getResultTypes(), isInTheWay);
}

/// Order of an operand that is broadcast to a result of order `p`; nullopt if
/// it would have to move elements itself.
static std::optional<Permutation> getBroadcastOrder(Value operand,
                                                    ArrayRef<int64_t> p) {
  ArrayRef<int64_t> shape = getShape(operand);
  if (shape.size() == p.size())
    return Permutation(p);
  if (getNumElements(shape) == 1 || operand.getDefiningOp<qg::ConstantOp>())
    return Permutation();
  Permutation extended(p.size() - shape.size(), 1);
  extended.append(shape.begin(), shape.end());
  if (movesNothing(p, extended))
    return Permutation();
  return std::nullopt;
}

/// Ops whose operands all have the result's dimensions (or are broadcast).
static std::optional<OpLayout> getElementwiseLayout(Operation *op,
                                                    ArrayRef<int64_t> p) {
  OpLayout layout;
  layout.result = Permutation(p);
  for (Value operand : op->getOperands()) {
    std::optional<Permutation> order = getBroadcastOrder(operand, p);
    if (!order)
      return std::nullopt;
    layout.operands.push_back(*order);
  }
  return layout;
}

/// Ops that read one tensor in order `p` and others as they are.
static OpLayout getFirstOperandLayout(Operation *op, ArrayRef<int64_t> operand,
                                      ArrayRef<int64_t> result) {
  OpLayout layout;
  layout.operands.resize(op->getNumOperands());
  layout.operands[0] = Permutation(operand);
  layout.result = Permutation(result);
  return layout;
}

std::optional<OpLayout> qopt::getLayoutForResult(Operation *op,
                                                 ArrayRef<int64_t> p) {
  if (op->getNumResults() != 1 || hasAxisInTheWay(op))
    return std::nullopt;
  if (isa<qg::UnaryOp, qg::BinaryOp, qg::CompareOp, qg::SelectOp, qg::CastOp,
          qg::BitcastOp, qg::QuantizeOp, qg::DequantizeOp, qg::RequantizeOp,
          qg::ObserveOp, qg::ConcatOp>(op))
    return getElementwiseLayout(op, p);
  if (isa<qg::SliceOp, qg::PadOp, qg::ResizeOp>(op))
    return getFirstOperandLayout(op, p, p);
  if (isa<qg::BroadcastOp>(op) &&
      getShape(op->getOperand(0)).size() == p.size())
    return getFirstOperandLayout(op, p, p);
  if (auto gather = dyn_cast<qg::GatherOp>(op)) {
    if (getShape(gather.getIndices()).size() != 1)
      return std::nullopt;
    return getFirstOperandLayout(op, p, p);
  }
  if (isa<qg::SoftmaxOp>(op)) {
    if (p.back() != int64_t(p.size()) - 1)
      return std::nullopt;
    return getFirstOperandLayout(op, p, p);
  }
  if (auto reshape = dyn_cast<qg::ReshapeOp>(op)) {
    std::optional<Permutation> operand = permuteReshape(
        getShape(reshape.getResult()), getShape(reshape.getX()), p);
    if (!operand)
      return std::nullopt;
    return getFirstOperandLayout(op, *operand, p);
  }
  return std::nullopt;
}

/// Order of the result of a reduction over an operand of order `p`; nullopt
/// if its elements would be combined in another order.
static std::optional<Permutation> getReducedOrder(ArrayRef<int64_t> p,
                                                  ArrayRef<int64_t> shape,
                                                  ArrayRef<int64_t> axes) {
  Permutation result;
  int64_t lastAxis = -1;
  for (int64_t source : p) {
    if (llvm::is_contained(axes, source)) {
      if (shape[source] != 1 && source < lastAxis)
        return std::nullopt;
      lastAxis = shape[source] == 1 ? lastAxis : source;
      continue;
    }
    result.push_back(
        source - llvm::count_if(axes, [&](int64_t a) { return a < source; }));
  }
  return result;
}

std::optional<OpLayout> qopt::getLayoutForOperand(Operation *op, unsigned index,
                                                  ArrayRef<int64_t> p) {
  if (op->getNumResults() != 1 || hasAxisInTheWay(op))
    return std::nullopt;
  if (isa<qg::ReduceOp, qg::ArgReduceOp>(op)) {
    Permutation axes;
    if (auto reduce = dyn_cast<qg::ReduceOp>(op))
      axes.assign(reduce.getAxes().begin(), reduce.getAxes().end());
    else
      axes.push_back(cast<qg::ArgReduceOp>(op).getAxis());
    std::optional<Permutation> result =
        getReducedOrder(p, getShape(op->getOperand(0)), axes);
    if (!result)
      return std::nullopt;
    return getFirstOperandLayout(op, p, *result);
  }
  if (auto reshape = dyn_cast<qg::ReshapeOp>(op)) {
    std::optional<Permutation> result = permuteReshape(
        getShape(reshape.getX()), getShape(reshape.getResult()), p);
    if (!result)
      return std::nullopt;
    return getFirstOperandLayout(op, p, *result);
  }
  // Elsewhere an operand of the result's rank has the result's order.
  if (getShape(op->getOperand(index)).size() !=
      getShape(op->getResult(0)).size())
    return std::nullopt;
  std::optional<OpLayout> layout = getLayoutForResult(op, p);
  if (!layout || layout->operands[index].empty())
    return std::nullopt;
  return layout;
}

/// The operand of a broadcasting op, given as it is, for a result of order p.
static Value extendBroadcast(OpBuilder &builder, Operation *op, Value operand,
                             ArrayRef<int64_t> p) {
  auto type = cast<RankedTensorType>(operand.getType());
  if (type.getRank() == 0 || type.getNumElements() == 1)
    return operand;
  Permutation shape(p.size() - type.getRank(), 1);
  shape.append(type.getShape().begin(), type.getShape().end());
  auto moved =
      RankedTensorType::get(applyPermutation(p, shape), type.getElementType());
  if (std::optional<Tensor> constant = qg::matchConstant(operand))
    return qg::createConstant(builder, operand.getLoc(),
                              transpose(constant->reshaped(shape), p), moved);
  return qg::ReshapeOp::create(builder, op->getLoc(), moved, operand);
}

Operation *qopt::rebuildWithLayout(OpBuilder &builder, Operation *op,
                                   const OpLayout &layout,
                                   ValueRange operands) {
  ArrayRef<int64_t> p = layout.result;
  SmallVector<Value> inputs(operands);
  if (isa<qg::BinaryOp, qg::CompareOp, qg::SelectOp>(op))
    for (auto [input, order] : llvm::zip_equal(inputs, layout.operands))
      if (order.empty() && getShape(input).size() <= p.size())
        input = extendBroadcast(builder, op, input, p);
  OperationState state(op->getLoc(), op->getName());
  state.addOperands(inputs);
  state.addTypes(
      permuteType(cast<RankedTensorType>(op->getResult(0).getType()), p));
  state.addAttributes(op->getDiscardableAttrDictionary().getValue());
  state.propertiesAttr = op->getPropertiesAsAttribute();
  Operation *moved = builder.create(state);
  TypeSwitch<Operation *>(moved)
      .Case([&](qg::ConcatOp concat) {
        concat.setAxis(positionOf(p, concat.getAxis()));
      })
      .Case([&](qg::SliceOp slice) {
        slice.setOffsets(applyPermutation(p, slice.getOffsets()));
        slice.setStrides(applyPermutation(p, slice.getStrides()));
      })
      .Case([&](qg::PadOp pad) {
        pad.setLow(applyPermutation(p, pad.getLow()));
        pad.setHigh(applyPermutation(p, pad.getHigh()));
      })
      .Case([&](qg::GatherOp gather) {
        gather.setAxis(positionOf(p, gather.getAxis()));
      })
      .Case([&](qg::ResizeOp resize) {
        // The order in which dimensions are resampled stays.
        SmallVector<int64_t> axes;
        for (int64_t axis : resize.getAxes())
          axes.push_back(positionOf(p, axis));
        resize.setAxes(axes);
      })
      .Case([&](qg::ArgReduceOp reduce) {
        reduce.setAxis(positionOf(layout.operands[0], reduce.getAxis()));
      })
      .Case([&](qg::ReduceOp reduce) {
        SmallVector<int64_t> axes;
        for (int64_t axis : reduce.getAxes())
          axes.push_back(positionOf(layout.operands[0], axis));
        llvm::sort(axes);
        reduce.setAxes(axes);
      });
  return moved;
}
