//===- Elementwise.cpp - Reference semantics of scalar functions ----------===//
// SPDX-License-Identifier: Apache-2.0
//
// Arrays through the functions of Numerics/Elementwise.h. f16 and bf16 are
// computed in f32; encodings are computed in f32 and rounded, but for sums and
// products of encodings, which follow the integer dialect.
//===----------------------------------------------------------------------===//
#include "Arrays.h"

#include "qopt/Numerics/Affine.h"
#include "qopt/Numerics/ArrayKernels.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::qg;
using namespace qopt::qg::reference;
using numerics::ElementClass;

static ElementClass classify(DType dtype, Type element) {
  if (isFloat(dtype) || isa<QuantizedType>(element))
    return ElementClass::Float;
  return dtype == DType::b1 ? ElementClass::Truth : ElementClass::Integer;
}

static ElementClass classify(const Tensor &x, Value value) {
  return classify(x.dtype(), getTensorType(value).getElementType());
}

template <typename T> static std::vector<T> loadBits(const Tensor &x) {
  ArrayRef<T> span = x.span<T>();
  return std::vector<T>(span.begin(), span.end());
}

/// Puts the elements of a broadcast operand in the result's order.
template <typename T>
static void spread(std::vector<T> &values, ArrayRef<int64_t> shape,
                   ArrayRef<int64_t> result) {
  if (shape == result)
    return;
  std::vector<T> out;
  std::vector<int64_t> indices = getBroadcastIndices(shape, result);
  out.reserve(indices.size());
  for (int64_t index : indices)
    out.push_back(values[index]);
  values = std::move(out);
}

//===----------------------------------------------------------------------===//
// Unary
//===----------------------------------------------------------------------===//

template <typename T>
static LogicalResult evaluateUnary(UnaryOp op, const Tensor &x,
                                   SmallVectorImpl<Tensor> &results) {
  FailureOr<std::vector<T>> values = load<T>(op, op.getX(), x);
  if (failed(values))
    return failure();
  int64_t n = values->size();
  UnaryKind kind = op.getKind();
  if (kind == UnaryKind::is_nan || kind == UnaryKind::is_inf) {
    EvalBuilder b;
    Tensor result(DType::b1, x.shape());
    MutableArrayRef<uint8_t> out = result.mutableSpan<uint8_t>();
    for (int64_t i = 0; i < n; ++i)
      out[i] = numerics::emitPredicate(b, kind, (*values)[i]);
    results.push_back(result);
    return success();
  }
  applyUnary(kind, values->data(), values->data(), n);
  return store<T>(op, *values, results);
}

LogicalResult UnaryOp::evaluate(ArrayRef<Tensor> operands,
                                SmallVectorImpl<Tensor> &results) {
  const Tensor &x = operands[0];
  ElementClass elements = classify(x, getX());
  if (!numerics::isDefinedOn(getKind(), elements))
    return emitOpError() << stringifyUnaryKind(getKind())
                         << " is not defined on " << getX().getType();
  if (elements == ElementClass::Float) {
    if (isDouble(getX()))
      return evaluateUnary<double>(*this, x, results);
    return evaluateUnary<float>(*this, x, results);
  }
  Tensor result(x.dtype(), x.shape());
  EvalBuilder b;
  if (elements == ElementClass::Truth) {
    for (int64_t i = 0, n = x.numElements(); i < n; ++i)
      result.setInt(i, !x.getInt(i));
  } else {
    dispatchInteger(x.dtype(), [&](auto like) {
      using I = decltype(like);
      ArrayRef<I> source = x.span<I>();
      MutableArrayRef<I> out = result.mutableSpan<I>();
      for (size_t i = 0; i < source.size(); ++i)
        out[i] = numerics::emitUnaryInt(b, getKind(), source[i],
                                        isUnsigned(x.dtype()));
    });
  }
  results.push_back(result);
  return success();
}

//===----------------------------------------------------------------------===//
// Binary
//===----------------------------------------------------------------------===//

template <typename T>
static LogicalResult evaluateBinary(BinaryOp op, ArrayRef<Tensor> operands,
                                    SmallVectorImpl<Tensor> &results) {
  FailureOr<std::vector<T>> lhs = load<T>(op, op.getLhs(), operands[0]);
  FailureOr<std::vector<T>> rhs = load<T>(op, op.getRhs(), operands[1]);
  if (failed(lhs) || failed(rhs))
    return failure();
  ArrayRef<int64_t> shape = op.getResultType().getShape();
  spread(*lhs, operands[0].shape(), shape);
  spread(*rhs, operands[1].shape(), shape);
  applyBinary(op.getKind(), lhs->data(), rhs->data(), lhs->data(), lhs->size());
  return store<T>(op, *lhs, results, op.getClamp());
}

/// add, sub and mul of per-tensor encodings of at most 8 bits into one: what
/// fxp.add, or fxp.mul and fxp.requantize, compute in mode f32.
static bool isIntegerBinary(BinaryOp op) {
  if (op.getKind() != BinaryKind::add && op.getKind() != BinaryKind::sub &&
      op.getKind() != BinaryKind::mul)
    return false;
  for (Value value :
       {Value(op.getLhs()), Value(op.getRhs()), Value(op.getResult())}) {
    QuantizedType type = getQuantizedType(value.getType());
    if (!type || !type.isPerTensor() || type.getBits() > 8)
      return false;
  }
  return true;
}

static LogicalResult evaluateIntegers(BinaryOp op, ArrayRef<Tensor> operands,
                                      SmallVectorImpl<Tensor> &results) {
  QuantizedType left = getQuantizedType(op.getLhs().getType());
  QuantizedType right = getQuantizedType(op.getRhs().getType());
  QuantizedType to = getQuantizedType(op.getResultType());
  ArrayRef<int64_t> shape = op.getResultType().getShape();
  std::vector<int32_t> lhs = loadIntegers(operands[0], left.getZeroPoint());
  std::vector<int32_t> rhs = loadIntegers(operands[1], right.getZeroPoint());
  spread(lhs, operands[0].shape(), shape);
  spread(rhs, operands[1].shape(), shape);
  const IntegerFormat &format = to.getIntegerFormat();
  numerics::StoredRange range{to.getZeroPoint(), format.min(), format.max()};
  if (auto clamp = op.getClamp()) {
    range.low = (*clamp)[0];
    range.high = (*clamp)[1];
  }
  float product =
      getRequantizeScale(left.getScale(), right.getScale(), to.getScale());
  float leftScale = getRequantizeScale(left.getScale(), 1, to.getScale());
  float rightScale = getRequantizeScale(right.getScale(), 1, to.getScale());
  if (op.getKind() == BinaryKind::sub)
    rightScale = -rightScale;
  Tensor result(*getDType(to), shape);
  EvalBuilder b;
  for (size_t i = 0; i < lhs.size(); ++i)
    result.setInt(
        i, op.getKind() == BinaryKind::mul
               ? numerics::emitRequantize(b, lhs[i] * rhs[i], 0, product, range)
               : numerics::emitAddScaled(b, numerics::Scaled{lhs[i], leftScale},
                                         numerics::Scaled{rhs[i], rightScale},
                                         range));
  results.push_back(result);
  return success();
}

LogicalResult BinaryOp::evaluate(ArrayRef<Tensor> operands,
                                 SmallVectorImpl<Tensor> &results) {
  ElementClass elements = classify(operands[0], getLhs());
  if (!numerics::isDefinedOn(getKind(), elements))
    return emitOpError() << stringifyBinaryKind(getKind())
                         << " is not defined on " << getLhs().getType();
  if (isIntegerBinary(*this))
    return evaluateIntegers(*this, operands, results);
  if (elements == ElementClass::Float) {
    if (isDouble(getLhs()))
      return evaluateBinary<double>(*this, operands, results);
    return evaluateBinary<float>(*this, operands, results);
  }
  DType dtype = operands[0].dtype();
  Tensor result(dtype, getResultType().getShape());
  EvalBuilder b;
  dispatchInteger(dtype, [&](auto like) {
    using I = decltype(like);
    std::vector<I> lhs = loadBits<I>(operands[0]);
    std::vector<I> rhs = loadBits<I>(operands[1]);
    spread(lhs, operands[0].shape(), result.shape());
    spread(rhs, operands[1].shape(), result.shape());
    MutableArrayRef<I> out = result.mutableSpan<I>();
    for (size_t i = 0; i < lhs.size(); ++i)
      out[i] = numerics::emitBinaryInt(b, getKind(), lhs[i], rhs[i],
                                       isUnsigned(dtype));
  });
  results.push_back(result);
  return success();
}

//===----------------------------------------------------------------------===//
// Compare, select, cast
//===----------------------------------------------------------------------===//

LogicalResult CompareOp::evaluate(ArrayRef<Tensor> operands,
                                  SmallVectorImpl<Tensor> &results) {
  Tensor result(DType::b1, getResultType().getShape());
  MutableArrayRef<uint8_t> out = result.mutableSpan<uint8_t>();
  EvalBuilder b;
  if (classify(operands[0], getLhs()) == ElementClass::Float) {
    // Double holds every element exactly.
    FailureOr<std::vector<double>> lhs =
        load<double>(*this, getLhs(), operands[0]);
    FailureOr<std::vector<double>> rhs =
        load<double>(*this, getRhs(), operands[1]);
    if (failed(lhs) || failed(rhs))
      return failure();
    spread(*lhs, operands[0].shape(), result.shape());
    spread(*rhs, operands[1].shape(), result.shape());
    for (size_t i = 0; i < out.size(); ++i)
      out[i] =
          numerics::emitCompareFloat(b, getPredicate(), (*lhs)[i], (*rhs)[i]);
  } else {
    DType dtype = operands[0].dtype();
    dispatchInteger(dtype, [&](auto like) {
      using I = decltype(like);
      std::vector<I> lhs = loadBits<I>(operands[0]);
      std::vector<I> rhs = loadBits<I>(operands[1]);
      spread(lhs, operands[0].shape(), result.shape());
      spread(rhs, operands[1].shape(), result.shape());
      for (size_t i = 0; i < out.size(); ++i)
        out[i] = numerics::emitCompareInt(b, getPredicate(), lhs[i], rhs[i],
                                          isUnsigned(dtype));
    });
  }
  results.push_back(result);
  return success();
}

LogicalResult SelectOp::evaluate(ArrayRef<Tensor> operands,
                                 SmallVectorImpl<Tensor> &results) {
  Tensor result(operands[1].dtype(), getResultType().getShape());
  std::vector<uint8_t> condition = loadBits<uint8_t>(operands[0]);
  spread(condition, operands[0].shape(), result.shape());
  dispatchInteger(result.dtype(), [&](auto like) {
    using I = decltype(like);
    std::vector<I> onTrue = loadBits<I>(operands[1]);
    std::vector<I> onFalse = loadBits<I>(operands[2]);
    spread(onTrue, operands[1].shape(), result.shape());
    spread(onFalse, operands[2].shape(), result.shape());
    MutableArrayRef<I> out = result.mutableSpan<I>();
    for (size_t i = 0; i < out.size(); ++i)
      out[i] = condition[i] ? onTrue[i] : onFalse[i];
  });
  results.push_back(result);
  return success();
}

/// Float to float or integer; narrow floats go through f32.
static void castFloat(const Tensor &x, Tensor &result) {
  EvalBuilder b;
  unsigned width = 8 * getByteWidth(result.dtype());
  for (int64_t i = 0, n = x.numElements(); i < n; ++i) {
    double value = x.getFloat(i);
    if (isFloat(result.dtype()))
      result.setFloat(i, value);
    else if (result.dtype() == DType::b1)
      result.setInt(i, value != 0);
    else
      result.setInt(i, numerics::emitFloatToInt(b, value, int64_t(), width,
                                                isUnsigned(result.dtype())));
  }
}

/// Integer to integer or float; f16 and bf16 go through f32.
static void castInteger(const Tensor &x, Tensor &result) {
  bool fromUnsigned64 = x.dtype() == DType::u64;
  for (int64_t i = 0, n = x.numElements(); i < n; ++i) {
    int64_t value = x.getInt(i);
    if (result.dtype() == DType::f64)
      result.setFloat(i,
                      fromUnsigned64 ? double(uint64_t(value)) : double(value));
    else if (isFloat(result.dtype()))
      // One rounding to f32: not through double.
      result.setFloat(i,
                      fromUnsigned64 ? float(uint64_t(value)) : float(value));
    else
      result.setInt(i, value);
  }
}

LogicalResult CastOp::evaluate(ArrayRef<Tensor> operands,
                               SmallVectorImpl<Tensor> &results) {
  const Tensor &x = operands[0];
  std::optional<DType> dtype = getDType(getResultType().getElementType());
  if (!dtype)
    return emitOpError() << "expects a result whose elements have a host "
                            "form, got "
                         << getResultType();
  if (*dtype == x.dtype()) {
    results.push_back(x);
    return success();
  }
  Tensor result(*dtype, x.shape());
  if (isFloat(x.dtype()))
    castFloat(x, result);
  else
    castInteger(x, result);
  results.push_back(result);
  return success();
}
