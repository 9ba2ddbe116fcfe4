//===- Movement.cpp - Reference semantics of data movement ----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Ops that move elements whatever they are: bytes of the element's width are
// copied along a list of source positions.
//===----------------------------------------------------------------------===//
#include "Arrays.h"

#include "qopt/Numerics/Affine.h"
#include <cstring>

using namespace mlir;
using namespace qopt;
using namespace qopt::qg;
using namespace qopt::qg::reference;

/// result[i] = x[source[i]]; -1 takes the scalar `fill` (zero if empty).
static Tensor take(const Tensor &x, ArrayRef<int64_t> shape,
                   ArrayRef<int64_t> source, const Tensor *fill = nullptr) {
  Tensor result(x.dtype(), shape);
  size_t width = getByteWidth(x.dtype());
  const char *from = x.data();
  char *to = result.mutableData();
  auto copy = [&](auto constantWidth) {
    for (int64_t index : source) {
      if (index >= 0)
        std::memcpy(to, from + index * constantWidth, constantWidth);
      else if (fill)
        std::memcpy(to, fill->data(), constantWidth);
      to += constantWidth;
    }
  };
  // A constant width makes memcpy a move.
  switch (width) {
  case 1:
    copy(std::integral_constant<size_t, 1>());
    break;
  case 4:
    copy(std::integral_constant<size_t, 4>());
    break;
  default:
    copy(width);
  }
  return result;
}

static ArrayRef<int64_t> getResultShape(Operation *op) {
  return getTensorType(op->getResult(0)).getShape();
}

LogicalResult ConstantOp::evaluate(ArrayRef<Tensor>,
                                   SmallVectorImpl<Tensor> &results) {
  FailureOr<Tensor> value = getTensor(getValue(), getResultType());
  if (failed(value))
    return emitOpError() << "expects the bytes of " << getResultType()
                         << "; the resource of its value is missing or of "
                            "another size";
  results.push_back(*value);
  return success();
}

LogicalResult ReshapeOp::evaluate(ArrayRef<Tensor> operands,
                                  SmallVectorImpl<Tensor> &results) {
  results.push_back(operands[0].reshaped(getResultShape(*this)));
  return success();
}

LogicalResult ObserveOp::evaluate(ArrayRef<Tensor> operands,
                                  SmallVectorImpl<Tensor> &results) {
  results.push_back(operands[0]);
  return success();
}

LogicalResult TransposeOp::evaluate(ArrayRef<Tensor> operands,
                                    SmallVectorImpl<Tensor> &results) {
  SmallVector<int64_t> own = reference::getStrides(operands[0].shape());
  SmallVector<int64_t> strides;
  for (int64_t source : getPermutation())
    strides.push_back(own[source]);
  ArrayRef<int64_t> shape = getResultShape(*this);
  results.push_back(take(operands[0], shape, getOffsets(shape, strides)));
  return success();
}

LogicalResult BroadcastOp::evaluate(ArrayRef<Tensor> operands,
                                    SmallVectorImpl<Tensor> &results) {
  ArrayRef<int64_t> shape = getResultShape(*this);
  if (operands[0].shape() == shape) {
    results.push_back(operands[0]);
    return success();
  }
  results.push_back(take(operands[0], shape,
                         getBroadcastIndices(operands[0].shape(), shape)));
  return success();
}

LogicalResult SliceOp::evaluate(ArrayRef<Tensor> operands,
                                SmallVectorImpl<Tensor> &results) {
  SmallVector<int64_t> strides = reference::getStrides(operands[0].shape());
  int64_t base = 0;
  for (size_t i = 0; i < strides.size(); ++i) {
    base += getOffsets()[i] * strides[i];
    strides[i] *= getStrides()[i];
  }
  ArrayRef<int64_t> shape = getResultShape(*this);
  results.push_back(
      take(operands[0], shape, reference::getOffsets(shape, strides, base)));
  return success();
}

/// Stored integers of one encoding rounded into another:
/// rne(f32(stored - zp) * f32(from / to)) + zp.
static FailureOr<Tensor> convertEncoding(Operation *op, const Tensor &x,
                                         RankedTensorType from,
                                         RankedTensorType to) {
  FailureOr<Encoding> source = getEncoding(op, from);
  FailureOr<Encoding> target = getEncoding(op, to);
  if (failed(source) || failed(target))
    return failure();
  Tensor result(*getDType(to.getElementType()), x.shape());
  std::vector<int32_t> stored = loadIntegers(x);
  EvalBuilder b;
  for (int64_t i = 0, n = x.numElements(); i < n; ++i) {
    size_t s = source->channel(i), t = target->channel(i);
    float scale = getRequantizeScale(source->scales[s], 1, target->scales[t]);
    numerics::StoredRange range{target->zeroPoints[t], target->low,
                                target->high};
    result.setInt(i, numerics::emitRequantize(
                         b, stored[i], source->zeroPoints[s], scale, range));
  }
  return result;
}

LogicalResult RequantizeOp::evaluate(ArrayRef<Tensor> operands,
                                     SmallVectorImpl<Tensor> &results) {
  FailureOr<Tensor> result = convertEncoding(
      *this, operands[0], getTensorType(getX()), getResultType());
  if (failed(result))
    return failure();
  results.push_back(*result);
  return success();
}

LogicalResult QuantizeOp::evaluate(ArrayRef<Tensor> operands,
                                   SmallVectorImpl<Tensor> &results) {
  FailureOr<std::vector<float>> x = load<float>(*this, getX(), operands[0]);
  if (failed(x))
    return failure();
  return store<float>(*this, *x, results);
}

LogicalResult DequantizeOp::evaluate(ArrayRef<Tensor> operands,
                                     SmallVectorImpl<Tensor> &results) {
  FailureOr<std::vector<float>> x = load<float>(*this, getX(), operands[0]);
  if (failed(x))
    return failure();
  return store<float>(*this, *x, results);
}

LogicalResult ConcatOp::evaluate(ArrayRef<Tensor> operands,
                                 SmallVectorImpl<Tensor> &results) {
  RankedTensorType type = getResultType();
  Tensor result(*getDType(type.getElementType()), type.getShape());
  int64_t width = getByteWidth(result.dtype());
  int64_t outer = getNumElements(type.getShape().take_front(getAxis()));
  int64_t row = outer ? result.numBytes() / outer : 0;
  char *to = result.mutableData();
  for (auto [value, tensor] : llvm::zip_equal(getInputs(), operands)) {
    Tensor source = tensor;
    RankedTensorType from = getTensorType(value);
    if (from.getElementType() != type.getElementType()) {
      FailureOr<Tensor> converted = convertEncoding(
          *this, tensor, from,
          RankedTensorType::get(from.getShape(), type.getElementType()));
      if (failed(converted))
        return failure();
      source = *converted;
    }
    int64_t bytes =
        getNumElements(source.shape().drop_front(getAxis())) * width;
    for (int64_t i = 0; i < outer; ++i)
      std::memcpy(to + i * row, source.data() + i * bytes, bytes);
    to += bytes;
  }
  results.push_back(result);
  return success();
}

/// Source position of one dimension for a padded position, or -1 for fill.
static int64_t locatePadded(PadMode mode, int64_t position, int64_t extent) {
  if (position >= 0 && position < extent)
    return position;
  switch (mode) {
  case PadMode::constant:
    return -1;
  case PadMode::edge:
    return position < 0 ? 0 : extent - 1;
  case PadMode::wrap: {
    int64_t wrapped = position % extent;
    return wrapped < 0 ? wrapped + extent : wrapped;
  }
  case PadMode::reflect: {
    if (extent == 1)
      return 0;
    int64_t period = 2 * (extent - 1);
    int64_t folded = ((position % period) + period) % period;
    return folded < extent ? folded : period - folded;
  }
  }
  return -1;
}

LogicalResult PadOp::evaluate(ArrayRef<Tensor> operands,
                              SmallVectorImpl<Tensor> &results) {
  const Tensor &x = operands[0];
  ArrayRef<int64_t> shape = getResultShape(*this);
  if (getMode() != PadMode::constant && x.numElements() == 0 &&
      getNumElements(shape) > 0)
    return emitOpError("expects elements to pad with, got an empty tensor");
  // A dimension may crop and pad; -1 is sticky.
  std::vector<int64_t> source{0};
  for (size_t d = 0; d < shape.size(); ++d) {
    std::vector<int64_t> grown;
    grown.reserve(source.size() * shape[d]);
    int64_t extent = x.shape()[d];
    for (int64_t outer : source)
      for (int64_t i = 0; i < shape[d]; ++i) {
        int64_t at =
            outer < 0 ? -1 : locatePadded(getMode(), i - getLow()[d], extent);
        grown.push_back(at < 0 ? -1 : outer * extent + at);
      }
    source = std::move(grown);
  }
  Tensor fill(x.dtype(), {});
  if (operands.size() > 1)
    fill = operands[1];
  else if (QuantizedType type = getQuantizedType(getX().getType())) {
    // The stored integer of the real number zero.
    if (!type.isPerTensor())
      return emitOpError("expects a pad value for an encoding per axis");
    fill.setInt(0, type.getZeroPoint());
  }
  results.push_back(take(x, shape, source, &fill));
  return success();
}

LogicalResult GatherOp::evaluate(ArrayRef<Tensor> operands,
                                 SmallVectorImpl<Tensor> &results) {
  const Tensor &x = operands[0], &indices = operands[1];
  int64_t axis = getAxis(), extent = x.shape()[axis];
  int64_t outer = getNumElements(x.shape().take_front(axis));
  int64_t bytes =
      getNumElements(x.shape().drop_front(axis + 1)) * getByteWidth(x.dtype());
  Tensor result(x.dtype(), getResultShape(*this));
  char *to = result.mutableData();
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t i = 0, n = indices.numElements(); i < n; ++i) {
      int64_t index = indices.getInt(i);
      if (index < -extent || index >= extent)
        return emitOpError() << "expects indices in [" << -extent << ", "
                             << extent << "), got " << index;
      index = index < 0 ? index + extent : index;
      std::memcpy(to, x.data() + (o * extent + index) * bytes, bytes);
      to += bytes;
    }
  results.push_back(result);
  return success();
}
