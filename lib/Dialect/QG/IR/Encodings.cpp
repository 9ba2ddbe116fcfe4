//===- Encodings.cpp - Constants under an encoding ------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Counts are exact: what a budget is compared with.
//===----------------------------------------------------------------------===//
#include "qopt/Dialect/QG/IR/Encodings.h"

#include "qopt/Numerics/Element.h"

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

std::optional<Decoder> Decoder::get(RankedTensorType type) {
  QuantizedType encoding = getQuantizedType(type);
  if (!encoding || encoding.isDynamic_())
    return std::nullopt;
  Decoder decoder;
  decoder.index = ParameterIndex(encoding, type.getShape());
  decoder.scales_ = encoding.getScaleVector();
  decoder.zeros = encoding.getZeroPointVector();
  size_t count = decoder.index.count();
  if (decoder.scales_.size() != count || decoder.zeros.size() != count)
    return std::nullopt;
  if (encoding.isTable())
    decoder.levels_ = encoding.getTable().asArrayRef();
  return decoder;
}

int64_t Decoder::integer(int64_t element, int64_t stored) const {
  return decodeStored(stored, levels_, zeros[index(element)]);
}

std::vector<int32_t> Decoder::integers(const Tensor &stored) const {
  std::vector<int32_t> result(stored.numElements());
  for (size_t i = 0; i < result.size(); ++i)
    result[i] = int32_t(integer(i, stored.getInt(i)));
  return result;
}

Decoder::Bytes Decoder::bytes(const Tensor &stored) const {
  Bytes result;
  Tensor bytes(DType::i8, stored.shape());
  MutableArrayRef<int8_t> out = bytes.mutableSpan<int8_t>();
  for (size_t i = 0; i < out.size(); ++i) {
    int64_t value = integer(i, stored.getInt(i));
    if (value < -128 || value > 127) {
      result.outside = value;
      return result;
    }
    out[i] = int8_t(value);
  }
  result.bytes = std::move(bytes);
  return result;
}

std::optional<Tensor> qg::dequantize(const Tensor &stored,
                                     RankedTensorType type) {
  std::optional<Decoder> decoder = Decoder::get(type);
  if (!decoder)
    return std::nullopt;
  Tensor result(DType::f32, stored.shape());
  MutableArrayRef<float> out = result.mutableSpan<float>();
  for (size_t i = 0; i < out.size(); ++i)
    out[i] = decoder->real(i, stored.getInt(i));
  return result;
}

Tensor qg::narrowToHalves(const Tensor &values) {
  Tensor halves(DType::f16, values.shape());
  ArrayRef<float> from = values.span<float>();
  MutableArrayRef<uint16_t> to = halves.mutableSpan<uint16_t>();
  for (size_t i = 0; i < from.size(); ++i) {
    to[i] = floatToHalf(from[i]);
    float back = halfToFloat(to[i]);
    if (llvm::bit_cast<uint32_t>(back) != llvm::bit_cast<uint32_t>(from[i]))
      return values;
  }
  return halves;
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
