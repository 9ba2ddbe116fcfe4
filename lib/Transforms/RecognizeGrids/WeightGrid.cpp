//===- WeightGrid.cpp - Weights that lie on grids -------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The constant that a grid is stored as, whoever found it.
//===----------------------------------------------------------------------===//
#include "WeightGrid.h"

#include <cmath>

using namespace mlir;
using namespace qopt;

int64_t qopt::getWeightElement(ArrayRef<int64_t> shape, int64_t axis,
                               int64_t channel, int64_t position) {
  int64_t inner = getNumElements(shape.drop_front(axis + 1));
  return (position / inner * shape[axis] + channel) * inner + position % inner;
}

/// The narrowest format of codes and zero points.
static const IntegerFormat *findCodeFormat(int64_t low, int64_t high) {
  for (const IntegerFormat &format : getIntegerFormats())
    if (!format.isTable && format.bits >= 2 && format.bits <= 8 &&
        format.isSigned == (low < 0) && format.min() <= low &&
        format.max() >= high)
      return &format;
  return nullptr;
}

qg::QuantizedType WeightGrid::getType(MLIRContext *context) const {
  double low = 0, high = 0;
  auto widen = [&](ArrayRef<float> values) {
    for (float value : values) {
      low = std::min(low, double(value));
      high = std::max(high, double(value));
    }
  };
  widen(codes.span<float>());
  widen(zeros);
  SmallVector<int32_t> points;
  for (float zero : zeros) {
    if (zero != std::nearbyint(zero))
      return {};
    points.push_back(int32_t(zero));
  }
  for (float scale : scales)
    if (!(scale > 0) || !std::isnormal(scale))
      return {};
  const IntegerFormat *format = findCodeFormat(int64_t(low), int64_t(high));
  if (!format)
    return {};
  if (axis < 0)
    return qg::QuantizedType::getPerTensor(context, format->name, scales[0],
                                           points[0]);
  if (llvm::all_of(points, [](int32_t zero) { return zero == 0; }))
    points.clear();
  return qg::QuantizedType::getPerAxis(context, format->name, axis, scales,
                                       points, groupSize);
}

static Value createWeight(OpBuilder &builder, Value old, const Tensor &codes,
                          qg::QuantizedType type) {
  Tensor stored(*qg::getDType(type), codes.shape());
  for (int64_t i = 0, e = stored.numElements(); i < e; ++i)
    stored.setInt(i, int64_t(codes.getFloat(i)));
  Value constant =
      qg::createConstant(builder, old.getLoc(), stored,
                         RankedTensorType::get(getShape(old), type), "w");
  return qg::DequantizeOp::create(builder, old.getLoc(), old.getType(),
                                  constant);
}

bool qopt::setStoredWeight(OpBuilder &builder, LinearOpInterface op,
                           const WeightGrid &grid) {
  qg::QuantizedType type = grid.getType(builder.getContext());
  if (!type)
    return false;
  builder.setInsertionPoint(op);
  op.setWeight(createWeight(builder, op.getWeight(), grid.codes, type));
  return true;
}
