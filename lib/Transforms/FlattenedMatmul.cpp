//===- FlattenedMatmul.cpp - A flatten whose order weights can absorb -----===//
// SPDX-License-Identifier: Apache-2.0
//
// Classifiers flatten [N, C, H, W] before their first fully connected layer.
//===----------------------------------------------------------------------===//
#include "FlattenedMatmul.h"
#include "qopt/Analysis/SplatConstant.h"

using namespace mlir;
using namespace qopt;

/// Whether the rows (dimension K) of a weight can be permuted.
static bool hasConstantRows(LinearOpInterface matmul) {
  Value weight = matmul.getWeight();
  if (auto dequantize = weight.getDefiningOp<qg::DequantizeOp>())
    weight = dequantize.getX();
  if (!weight.getDefiningOp<qg::ConstantOp>() ||
      getTensorType(weight).getRank() != 2)
    return false;
  qg::QuantizedType type = qg::getQuantizedType(weight.getType());
  return !type || type.isPerTensor() ||
         (type.isPerAxis() && type.getAxis() == matmul.getOutputAxis() &&
          type.getGroupSize() == 0);
}

/// Whether `op` treats all elements of its first tensor alike.
static bool isUniform(Operation *op) {
  auto isPerAxis = [](Type type) {
    qg::QuantizedType quantized = qg::getQuantizedType(type);
    return quantized && quantized.isPerAxis();
  };
  if (isPerAxis(op->getResult(0).getType()))
    return false;
  if (auto binary = dyn_cast<qg::BinaryOp>(op))
    return binary.getLhs().getType() == binary.getType() &&
           isSplatConstant(binary.getRhs());
  return isa<qg::UnaryOp, qg::QuantizeOp, qg::DequantizeOp, qg::RequantizeOp,
             qg::ObserveOp>(op);
}

static bool collectMatmuls(Value value,
                           SmallVectorImpl<LinearOpInterface> &matmuls) {
  for (OpOperand &use : value.getUses()) {
    Operation *user = use.getOwner();
    auto matmul = dyn_cast<LinearOpInterface>(user);
    if (matmul && !matmul.getLinearGeometry().window) {
      if (&matmul.getInputOperand() != &use || !hasConstantRows(matmul))
        return false;
      matmuls.push_back(matmul);
      continue;
    }
    if (use.getOperandNumber() != 0 || user->getNumResults() != 1 ||
        !isUniform(user) || !collectMatmuls(user->getResult(0), matmuls))
      return false;
  }
  return true;
}

std::optional<FlattenedMatmul> FlattenedMatmul::match(Operation *op,
                                                      ArrayRef<int64_t> p) {
  auto reshape = dyn_cast<qg::ReshapeOp>(op);
  if (!reshape)
    return std::nullopt;
  ArrayRef<int64_t> from = getTensorType(reshape.getX()).getShape();
  ArrayRef<int64_t> to = getTensorType(reshape.getResult()).getShape();
  SmallVector<ReshapeGroup> groups = groupReshape(from, to);
  if (groups.empty() || to.empty() ||
      ArrayRef<int64_t>(groups.back().to) !=
          ArrayRef<int64_t>{int64_t(to.size()) - 1})
    return std::nullopt;
  // In front of the merged dimensions everything stays where it is.
  const ReshapeGroup &merged = groups.back();
  FlattenedMatmul result;
  for (int64_t dimension : merged.from)
    result.extents.push_back(from[dimension]);
  int64_t last = -1;
  for (int64_t dimension : p) {
    if (from[dimension] == 1)
      continue;
    const auto *found = llvm::find(merged.from, dimension);
    if (found != merged.from.end()) {
      result.order.push_back(found - merged.from.begin());
      continue;
    }
    if (!result.order.empty() || dimension < last)
      return std::nullopt;
    last = dimension;
  }
  if (!collectMatmuls(reshape.getResult(), result.matmuls) ||
      result.matmuls.empty())
    return std::nullopt;
  return result;
}

void FlattenedMatmul::permuteWeights() {
  for (LinearOpInterface matmul : matmuls) {
    auto dequantize = matmul.getWeight().getDefiningOp<qg::DequantizeOp>();
    Value weight = dequantize ? dequantize.getX() : matmul.getWeight();
    RankedTensorType type = getTensorType(weight);
    Tensor values = *qg::matchConstant(weight);
    bool rowsLast = matmul.getInputAxis() == 1;
    // Rows seen as the merged dimensions, with the columns on their side.
    Permutation shape(extents), p(order);
    if (rowsLast) {
      shape.insert(shape.begin(), type.getDimSize(0));
      for (int64_t &dimension : p)
        ++dimension;
      p.insert(p.begin(), 0);
    } else {
      shape.push_back(type.getDimSize(1));
      p.push_back(int64_t(p.size()));
    }
    OpBuilder builder(matmul);
    Value moved = qg::createConstant(
        builder, weight.getLoc(),
        transpose(values.reshaped(shape), p).reshaped(type.getShape()), type);
    if (dequantize)
      moved = qg::DequantizeOp::create(builder, dequantize.getLoc(),
                                       dequantize.getType(), moved);
    matmul.setWeight(moved);
  }
}
