//===- Encodings.cpp - Constants under an encoding ------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Counts are exact: what a budget is compared with.
//===----------------------------------------------------------------------===//
#include "qopt/Dialect/QG/IR/Encodings.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::qg;

ParameterIndex::ParameterIndex(QuantizedType type, ArrayRef<int64_t> shape) {
  int64_t axis = type.getAxis();
  if (axis < 0 || axis >= int64_t(shape.size()))
    return;
  extent = std::max<int64_t>(shape[axis], 1);
  for (int64_t size : shape.drop_front(axis + 1))
    inner *= std::max<int64_t>(size, 1);
  groupSize = type.getGroupSize();
  groups = type.getGroupCount(shape);
}

std::optional<Tensor> qg::dequantize(const Tensor &stored,
                                     RankedTensorType type) {
  QuantizedType encoding = getQuantizedType(type);
  if (!encoding || encoding.isDynamic_())
    return std::nullopt;
  SmallVector<float> scales = encoding.getScaleVector();
  SmallVector<int64_t> zeros = encoding.getZeroPointVector();
  ParameterIndex index(encoding, type.getShape());
  if (scales.size() != index.count() || zeros.size() != scales.size())
    return std::nullopt;
  ArrayRef<int8_t> table;
  if (encoding.isTable())
    table = encoding.getTable().asArrayRef();
  Tensor result(DType::f32, stored.shape());
  MutableArrayRef<float> out = result.mutableSpan<float>();
  for (size_t i = 0; i < out.size(); ++i) {
    size_t at = index(i);
    int64_t value = stored.getInt(i);
    if (!table.empty())
      value = table[value & int64_t(table.size() - 1)];
    out[i] = float(value - zeros[at]) * scales[at];
  }
  return result;
}

int64_t qg::getStoredBits(RankedTensorType type) {
  QuantizedType encoding = getQuantizedType(type);
  if (!encoding)
    return type.getNumElements() * type.getElementTypeBitWidth();
  int64_t bits = encoding.getBits();
  int64_t parameters = ParameterIndex(encoding, type.getShape()).count();
  int64_t perParameter = 32;
  if (encoding.getZeroPoints() || encoding.getZeroPoint())
    perParameter += bits;
  int64_t table = encoding.isTable() ? 8 * encoding.getTable().size() : 0;
  return type.getNumElements() * bits + parameters * perParameter + table;
}
