//===- Elementwise.cpp - Reference semantics of integer scalar functions --===//
// SPDX-License-Identifier: Apache-2.0
//
// The arithmetic is that of Numerics/Affine.h.
//===----------------------------------------------------------------------===//
#include "Integers.h"

#include "qopt/Numerics/Affine.h"
#include "qopt/Numerics/Softmax.h"
#include <algorithm>

using namespace mlir;
using namespace qopt;
using namespace qopt::fxp;
using namespace qopt::fxp::reference;
using numerics::StoredRange;

std::vector<int32_t> reference::load(const Tensor &tensor, bool isUnsigned,
                                     int64_t zeroPoint) {
  int64_t n = tensor.numElements();
  std::vector<int32_t> values(n);
  auto copy = [&](auto like) {
    auto source = tensor.span<decltype(like)>();
    for (int64_t i = 0; i < n; ++i)
      values[i] = int32_t(source[i] - zeroPoint);
  };
  switch (getByteWidth(tensor.dtype())) {
  case 1:
    isUnsigned ? copy(uint8_t()) : copy(int8_t());
    break;
  case 2:
    isUnsigned ? copy(uint16_t()) : copy(int16_t());
    break;
  default:
    copy(int32_t());
  }
  return values;
}

std::vector<int64_t> reference::loadWide(const Tensor &tensor, bool isUnsigned,
                                         int64_t zeroPoint) {
  if (getByteWidth(tensor.dtype()) < 8) {
    std::vector<int32_t> narrow = load(tensor, isUnsigned, zeroPoint);
    return std::vector<int64_t>(narrow.begin(), narrow.end());
  }
  ArrayRef<int64_t> values = tensor.span<int64_t>();
  return std::vector<int64_t>(values.begin(), values.end());
}

Tensor reference::store(ArrayRef<int32_t> values, RankedTensorType type) {
  Tensor result(*qg::getDType(type.getElementType()), type.getShape());
  for (size_t i = 0; i < values.size(); ++i)
    result.setInt(i, values[i]);
  return result;
}

FailureOr<std::vector<float>> reference::loadScales(Operation *op,
                                                    ElementsAttr attr) {
  FailureOr<Tensor> tensor = qg::getTensor(attr, attr.getType());
  if (failed(tensor) || tensor->dtype() != DType::f32)
    return op->emitOpError("expects f32 scales whose bytes are present");
  ArrayRef<float> span = tensor->span<float>();
  return std::vector<float>(span.begin(), span.end());
}

std::vector<int32_t> reference::broadcast(std::vector<int32_t> values,
                                          ArrayRef<int64_t> shape,
                                          ArrayRef<int64_t> result) {
  if (shape == result)
    return values;
  std::vector<int32_t> out(getNumElements(result));
  size_t missing = result.size() - shape.size();
  SmallVector<int64_t> position(result.size(), 0);
  for (int32_t &element : out) {
    int64_t at = 0;
    for (size_t d = 0; d < shape.size(); ++d)
      at = at * shape[d] + (shape[d] == 1 ? 0 : position[missing + d]);
    element = values[at];
    for (size_t d = result.size(); d-- > 0;) {
      if (++position[d] < result[d])
        break;
      position[d] = 0;
    }
  }
  return out;
}

LogicalResult RequantizeOp::evaluate(ArrayRef<Tensor> operands,
                                     SmallVectorImpl<Tensor> &results) {
  FailureOr<std::vector<float>> scales = loadScales(*this, getScales());
  if (failed(scales))
    return failure();
  RequantizeMode mode = getMode().getRequantizeMode();
  std::vector<FixedScale> fixed;
  if (mode.kind != RequantizeMode::F32)
    for (float scale : *scales)
      fixed.push_back(getFixedScale(scale, mode));
  StoredRange range{int64_t(getZp()), getClamp()[0], getClamp()[1]};
  EvalBuilder b;
  if (isWide(getX())) {
    std::vector<int64_t> sums = loadWide(operands[0], /*isUnsigned=*/false);
    std::vector<int32_t> rounded(sums.size());
    for (size_t i = 0; i < sums.size(); ++i) {
      const FixedScale &scale = fixed[i % fixed.size()];
      rounded[i] = numerics::emitRequantizeWide(
          b, sums[i] - int64_t(getXZp()),
          numerics::FixedFactor{scale.multiplier, int64_t(scale.shift)}, range);
    }
    results.push_back(store(rounded, getResultType()));
    return success();
  }
  std::vector<int32_t> x = load(operands[0], getXUnsigned());
  for (size_t i = 0; i < x.size(); ++i) {
    size_t channel = i % scales->size();
    x[i] = mode.kind == RequantizeMode::F32
               ? numerics::emitRequantize(b, x[i], getXZp(), (*scales)[channel],
                                          range)
               : numerics::emitRequantizeFixed(
                     b, x[i], getXZp(),
                     numerics::FixedFactor{fixed[channel].multiplier,
                                           int64_t(fixed[channel].shift)},
                     range);
  }
  results.push_back(store(x, getResultType()));
  return success();
}

LogicalResult AddOp::evaluate(ArrayRef<Tensor> operands,
                              SmallVectorImpl<Tensor> &results) {
  ArrayRef<int64_t> shape = getResultType().getShape();
  std::vector<int32_t> lhs =
      broadcast(load(operands[0], getLhsUnsigned(), getZps()[0]),
                operands[0].shape(), shape);
  std::vector<int32_t> rhs =
      broadcast(load(operands[1], getRhsUnsigned(), getZps()[1]),
                operands[1].shape(), shape);
  StoredRange range{int64_t(getZp()), getClamp()[0], getClamp()[1]};
  float left = getScales()[0], right = getScales()[1];
  RequantizeMode mode = getMode().getRequantizeMode();
  EvalBuilder b;
  if (mode.kind == RequantizeMode::F32) {
    for (size_t i = 0; i < lhs.size(); ++i)
      lhs[i] = numerics::emitAddScaled(b, numerics::Scaled{lhs[i], left},
                                       numerics::Scaled{rhs[i], right}, range);
  } else {
    auto [a, c] = getCommonFixedScales(left, right, mode);
    for (size_t i = 0; i < lhs.size(); ++i)
      lhs[i] = numerics::emitAddFixed(b, numerics::Scaled{lhs[i], a.multiplier},
                                      numerics::Scaled{rhs[i], c.multiplier},
                                      int64_t(a.shift), range);
  }
  results.push_back(store(lhs, getResultType()));
  return success();
}

LogicalResult MulOp::evaluate(ArrayRef<Tensor> operands,
                              SmallVectorImpl<Tensor> &results) {
  ArrayRef<int64_t> shape = getResultType().getShape();
  std::vector<int32_t> lhs =
      broadcast(load(operands[0], getLhsUnsigned(), getZps()[0]),
                operands[0].shape(), shape);
  std::vector<int32_t> rhs =
      broadcast(load(operands[1], getRhsUnsigned(), getZps()[1]),
                operands[1].shape(), shape);
  Tensor products(isWide(getResult()) ? DType::i64 : DType::i32, shape);
  for (size_t i = 0; i < lhs.size(); ++i)
    products.setInt(i, int64_t(lhs[i]) * rhs[i]);
  results.push_back(products);
  return success();
}

LogicalResult LutOp::evaluate(ArrayRef<Tensor> operands,
                              SmallVectorImpl<Tensor> &results) {
  FailureOr<Tensor> table = qg::getTensor(getTable(), getTable().getType());
  if (failed(table))
    return emitOpError("expects a table whose bytes are present");
  std::vector<int32_t> x = load(operands[0], /*isUnsigned=*/true);
  std::vector<int32_t> entries = load(*table, /*isUnsigned=*/false);
  for (int32_t &value : x)
    value = entries[value];
  results.push_back(store(x, getResultType()));
  return success();
}

LogicalResult SoftmaxOp::evaluate(ArrayRef<Tensor> operands,
                                  SmallVectorImpl<Tensor> &results) {
  FailureOr<Tensor> host = qg::getTensor(getTable(), getTable().getType());
  if (failed(host))
    return emitOpError("expects a table whose bytes are present");
  ArrayRef<int32_t> table = host->span<int32_t>();
  std::vector<int32_t> x = load(operands[0], getXUnsigned());
  size_t columns = operands[0].shape().back();
  for (size_t row = 0; row < x.size(); row += columns) {
    int32_t most = *std::max_element(&x[row], &x[row] + columns);
    uint32_t sum = 0;
    for (size_t i = row; i < row + columns; ++i)
      sum += uint32_t(table[most - x[i]]);
    // A table of someone else's making may sum up to nothing.
    if (sum == 0)
      return emitOpError("expects a table whose first entry is positive");
    EvalBuilder b;
    StoredRange range{int64_t(getZp()), getClamp()[0], getClamp()[1]};
    for (size_t i = row; i < row + columns; ++i)
      x[i] = numerics::emitSoftmax(b, table[most - x[i]], int32_t(sum), range);
  }
  results.push_back(store(x, getResultType()));
  return success();
}

/// Calls body(i, channel) for every element; the channel is the coordinate
/// along `axis`, or 0 if there is only one.
template <typename Body>
static void forEachChannel(ArrayRef<int64_t> shape, int64_t axis,
                           size_t channels, Body body) {
  int64_t n = getNumElements(shape);
  int64_t inner =
      channels == 1 ? 1 : getNumElements(shape.drop_front(axis + 1));
  for (int64_t i = 0; i < n; ++i)
    body(i, channels == 1 ? 0 : i / inner % int64_t(channels));
}

LogicalResult QuantizeOp::evaluate(ArrayRef<Tensor> operands,
                                   SmallVectorImpl<Tensor> &results) {
  FailureOr<std::vector<float>> scales = loadScales(*this, getScales());
  if (failed(scales))
    return failure();
  const Tensor &x = operands[0];
  std::vector<int32_t> out(x.numElements());
  EvalBuilder b;
  forEachChannel(
      x.shape(), getAxis(), scales->size(), [&](int64_t i, int64_t channel) {
        StoredRange range{getZps()[channel], getClamp()[0], getClamp()[1]};
        out[i] = numerics::emitQuantize(b, float(x.getFloat(i)),
                                        (*scales)[channel], range);
      });
  results.push_back(store(out, getResultType()));
  return success();
}

LogicalResult DequantizeOp::evaluate(ArrayRef<Tensor> operands,
                                     SmallVectorImpl<Tensor> &results) {
  FailureOr<std::vector<float>> scales = loadScales(*this, getScales());
  if (failed(scales))
    return failure();
  RankedTensorType type = getResultType();
  std::optional<DType> dtype = qg::getDType(type.getElementType());
  if (!dtype || !isFloat(*dtype))
    return emitOpError() << "expects a float result, got " << type;
  std::vector<int64_t> x = loadWide(operands[0], getXUnsigned());
  Tensor result(*dtype, type.getShape());
  EvalBuilder b;
  forEachChannel(type.getShape(), getAxis(), scales->size(),
                 [&](int64_t i, int64_t channel) {
                   result.setFloat(
                       i, numerics::emitDequantize(b, x[i], getZps()[channel],
                                                   (*scales)[channel]));
                 });
  results.push_back(result);
  return success();
}
