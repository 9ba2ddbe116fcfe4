//===- Arrays.cpp - Operands as plain arrays ------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Encodings over whole arrays; the arithmetic itself is in Numerics/Affine.h.
//===----------------------------------------------------------------------===//
#include "Arrays.h"

#include "qopt/Numerics/Affine.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::qg;
using namespace qopt::qg::reference;

bool reference::isDouble(Value value) {
  return getTensorType(value).getElementType().isF64();
}

SmallVector<int64_t> reference::getStrides(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 1;)
    strides[i - 1] = strides[i] * shape[i];
  return strides;
}

std::vector<int64_t> reference::getOffsets(ArrayRef<int64_t> extents,
                                           ArrayRef<int64_t> strides,
                                           int64_t base) {
  std::vector<int64_t> offsets{base};
  // Grown from the outermost dimension, which keeps row-major order.
  for (size_t d = 0; d < extents.size(); ++d) {
    std::vector<int64_t> grown;
    grown.reserve(offsets.size() * extents[d]);
    for (int64_t offset : offsets)
      for (int64_t i = 0; i < extents[d]; ++i)
        grown.push_back(offset + i * strides[d]);
    offsets = std::move(grown);
  }
  return offsets;
}

std::vector<int64_t> reference::getBroadcastIndices(ArrayRef<int64_t> shape,
                                                    ArrayRef<int64_t> result) {
  if (shape == result)
    return {};
  SmallVector<int64_t> own = reference::getStrides(shape);
  SmallVector<int64_t> strides(result.size(), 0);
  size_t missing = result.size() - shape.size();
  for (size_t i = 0; i < shape.size(); ++i)
    if (shape[i] != 1)
      strides[missing + i] = own[i];
  return getOffsets(result, strides);
}

FailureOr<Encoding> reference::getEncoding(Operation *op,
                                           RankedTensorType type) {
  QuantizedType quantized = getQuantizedType(type);
  if (!quantized)
    return op->emitOpError() << "expects a quantized tensor, got " << type;
  if (quantized.isDynamic_())
    return op->emitOpError("has no reference semantics for an encoding whose "
                           "parameters are known at run time only");
  Encoding encoding;
  encoding.scales = quantized.getScaleVector();
  encoding.zeroPoints = quantized.getZeroPointVector();
  encoding.low = quantized.getIntegerFormat().min();
  encoding.high = quantized.getIntegerFormat().max();
  if (!quantized.isPerAxis())
    return encoding;
  int64_t axis = quantized.getAxis();
  if (axis >= type.getRank())
    return op->emitOpError() << "expects an axis below rank " << type.getRank()
                             << ", got " << axis;
  encoding.channel = ParameterIndex(quantized, type.getShape());
  int64_t count =
      type.getDimSize(axis) * quantized.getGroupCount(type.getShape());
  if (int64_t(encoding.scales.size()) != count ||
      int64_t(encoding.zeroPoints.size()) != count)
    return op->emitOpError()
           << "expects " << count << " scales and zero points for dimension "
           << axis << ", got " << encoding.scales.size();
  return encoding;
}

FailureOr<Decoder> reference::getDecoder(Operation *op, RankedTensorType type) {
  if (failed(getEncoding(op, type)))
    return failure();
  return *Decoder::get(type);
}

void reference::narrow(Encoding &encoding,
                       std::optional<ArrayRef<int64_t>> clamp) {
  if (!clamp)
    return;
  encoding.low = (*clamp)[0];
  encoding.high = (*clamp)[1];
}

std::vector<int32_t> reference::loadIntegers(const Tensor &tensor,
                                             int64_t zeroPoint) {
  std::vector<int32_t> values(tensor.numElements());
  int64_t n = tensor.numElements();
  if (tensor.dtype() == DType::i8) {
    ArrayRef<int8_t> source = tensor.span<int8_t>();
    for (int64_t i = 0; i < n; ++i)
      values[i] = int32_t(source[i] - zeroPoint);
    return values;
  }
  if (tensor.dtype() == DType::u8) {
    ArrayRef<uint8_t> source = tensor.span<uint8_t>();
    for (int64_t i = 0; i < n; ++i)
      values[i] = int32_t(source[i] - zeroPoint);
    return values;
  }
  for (int64_t i = 0; i < n; ++i)
    values[i] = int32_t(tensor.getInt(i) - zeroPoint);
  return values;
}

template <typename T>
FailureOr<std::vector<T>> reference::load(Operation *op, Value value,
                                          const Tensor &tensor) {
  int64_t n = tensor.numElements();
  std::vector<T> values(n);
  if (tensor.dtype() == DType::f32 && std::is_same_v<T, float>) {
    std::copy_n(tensor.span<float>().begin(), n, values.begin());
    return values;
  }
  if (isFloat(tensor.dtype())) {
    for (int64_t i = 0; i < n; ++i)
      values[i] = T(tensor.getFloat(i));
    return values;
  }
  FailureOr<Decoder> decoder = getDecoder(op, getTensorType(value));
  if (failed(decoder))
    return failure();
  std::vector<int32_t> integers = decoder->integers(tensor);
  EvalBuilder b;
  for (int64_t i = 0; i < n; ++i)
    values[i] = numerics::emitDequantize(b, integers[i], 0, decoder->scale(i));
  return values;
}

template <typename T>
LogicalResult reference::store(Operation *op, ArrayRef<T> values,
                               SmallVectorImpl<Tensor> &results,
                               std::optional<ArrayRef<int64_t>> clamp) {
  RankedTensorType type = getTensorType(op->getResult(0));
  std::optional<DType> dtype = getDType(type.getElementType());
  if (!dtype)
    return op->emitOpError() << "expects a result whose elements have a host "
                                "form, got "
                             << type;
  Tensor result(*dtype, type.getShape());
  int64_t n = result.numElements();
  if (isFloat(*dtype)) {
    if (*dtype == DType::f32 && std::is_same_v<T, float>)
      std::copy(values.begin(), values.end(),
                result.mutableSpan<float>().begin());
    else
      for (int64_t i = 0; i < n; ++i)
        result.setFloat(i, values[i]);
    results.push_back(std::move(result));
    return success();
  }
  FailureOr<Encoding> encoding = getEncoding(op, type);
  if (failed(encoding))
    return failure();
  narrow(*encoding, clamp);
  EvalBuilder b;
  for (int64_t i = 0; i < n; ++i) {
    size_t channel = encoding->channel(i);
    numerics::StoredRange range{encoding->zeroPoints[channel], encoding->low,
                                encoding->high};
    result.setInt(i, numerics::emitQuantize(b, float(values[i]),
                                            encoding->scales[channel], range));
  }
  results.push_back(std::move(result));
  return success();
}

namespace qopt::qg::reference {
template FailureOr<std::vector<float>> load(Operation *, Value, const Tensor &);
template FailureOr<std::vector<double>> load(Operation *, Value,
                                             const Tensor &);
template LogicalResult store(Operation *, ArrayRef<float>,
                             SmallVectorImpl<Tensor> &,
                             std::optional<ArrayRef<int64_t>>);
template LogicalResult store(Operation *, ArrayRef<double>,
                             SmallVectorImpl<Tensor> &,
                             std::optional<ArrayRef<int64_t>>);
} // namespace qopt::qg::reference
