//===- StoredWeights.cpp - Weights that a file brings in integers ---------===//
// SPDX-License-Identifier: Apache-2.0
//
// They have their encoding; what multiplies them may get one.
//===----------------------------------------------------------------------===//
#include "AssignWeights.h"
#include "qopt/Analysis/WindowProducts.h"
#include "qopt/Dialect/QG/IR/Encodings.h"

#include <cmath>

using namespace mlir;
using namespace qopt;

Value qopt::matchStoredWeight(LinearOpInterface op) {
  auto dequantize = op.getWeight().getDefiningOp<qg::DequantizeOp>();
  if (!dequantize || !qg::matchConstant(dequantize.getX()))
    return {};
  qg::QuantizedType type = qg::getQuantizedType(dequantize.getX().getType());
  if (type.isDynamic_() || type.getBits() > 8 ||
      (type.isPerAxis() && type.getAxis() != op.getOutputAxis()))
    return {};
  return dequantize.getX();
}

/// |b| / (sx * sw) leaves half of 32 bits to the sums.
static bool fitsBias(LinearOpInterface op, ArrayRef<float> scales,
                     double xScale) {
  std::optional<Tensor> bias =
      op.getBias() ? qg::matchConstant(op.getBias()) : std::nullopt;
  if (!bias)
    return !op.getBias();
  size_t channels = size_t(bias->numElements());
  size_t perChannel = std::max<size_t>(1, scales.size() / channels);
  for (size_t i = 0; i < channels * perChannel; ++i) {
    double scale = scales[scales.size() == 1 ? 0 : i];
    if (!(std::fabs(bias->getFloat(i / perChannel)) <= xScale * scale * 0x1p30))
      return false;
  }
  return true;
}

StringRef qopt::getReasonAgainstStored(LinearOpInterface op, double xScale) {
  if (!op.isShared())
    return "its weights are a stack of stored matrices";
  Value stored = matchStoredWeight(op);
  if (!stored)
    return "its weights are stored with scales that differ along its sums, or "
           "in more than 8 bits";
  qg::QuantizedType type = qg::getQuantizedType(stored.getType());
  if (type.getGroupSize() && !op.canHaveGroups() && !isMatrixProduct(op))
    return "its weights are stored in blocks, which only products and "
           "convolutions without groups take";
  std::optional<qg::Decoder> decoder =
      qg::Decoder::get(cast<RankedTensorType>(stored.getType()));
  // Without blocks what leaves a byte is taken apart (qg-fold-qdq).
  if (!decoder || (type.getGroupSize() && !type.isTable() &&
                   !decoder->bytes(*qg::matchConstant(stored)).bytes))
    return "its stored weights less their zero points need more than 8 bits";
  // Sums of blocks become floats before the bias is added.
  if (!type.getGroupSize() && !fitsBias(op, decoder->scales(), xScale))
    return "its bias needs more than 32 bits";
  return "";
}
