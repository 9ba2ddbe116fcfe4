//===- WrappedValues.cpp - Fixed point that wraps around ------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// f32 sums of whole numbers of a power of two are such numbers, however large:
// what is rounded off is a multiple of a larger power.
//===----------------------------------------------------------------------===//
#include "WrappedValues.h"

#include <cmath>

using namespace mlir;
using namespace qopt;

bool qopt::isPowerOfTwo(double value) {
  int exponent = 0;
  return value > 0 && std::isfinite(value) &&
         std::frexp(value, &exponent) == 0.5;
}

bool qopt::isDivisibleBy(const Tensor &numbers, double step) {
  for (int64_t i = 0, e = numbers.numElements(); i < e; ++i) {
    double count = numbers.getFloat(i) / step;
    if (count != std::nearbyint(count) || !std::isfinite(count))
      return false;
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Remainders
//===----------------------------------------------------------------------===//

static std::optional<Tensor> matchNumbers(Value value) {
  if (!value.getDefiningOp<qg::ConstantOp>() ||
      qg::getQuantizedType(value.getType()))
    return std::nullopt;
  std::optional<Tensor> tensor = qg::matchConstant(value);
  if (!tensor || tensor->numElements() == 0)
    return std::nullopt;
  return tensor;
}

/// Positive finite numbers; one for all where they are equal.
static std::optional<Tensor> matchModulus(Value value) {
  std::optional<Tensor> tensor = matchNumbers(value);
  if (!tensor)
    return std::nullopt;
  bool isSplat = matchSplatNumber(value).has_value();
  Tensor numbers(DType::f64, isSplat ? ArrayRef<int64_t>() : tensor->shape());
  for (int64_t i = 0, e = numbers.numElements(); i < e; ++i) {
    double number = tensor->getFloat(i);
    if (!(number > 0) || !std::isfinite(number))
      return std::nullopt;
    numbers.setFloat(i, number);
  }
  return numbers;
}

static bool isEach(const Tensor &a, const Tensor &b,
                   llvm::function_ref<bool(double, double)> holds) {
  if (a.shape() != b.shape())
    return false;
  for (int64_t i = 0, e = a.numElements(); i < e; ++i)
    if (!holds(a.getFloat(i), b.getFloat(i)))
      return false;
  return true;
}

/// Whether `quotient` is x divided by the modulus.
static bool isQuotient(qg::BinaryOp quotient, Value x, const Tensor &modulus) {
  bool multiplies = quotient.getKind() == BinaryKind::mul;
  Value dividend = quotient.getLhs(), factor = quotient.getRhs();
  if (multiplies && dividend != x)
    std::swap(dividend, factor);
  if (dividend != x)
    return false;
  std::optional<Tensor> factors = matchModulus(factor);
  if (!factors)
    return false;
  if (multiplies)
    return isEach(*factors, modulus,
                  [](double f, double n) { return f == 1 / n; });
  return quotient.getKind() == BinaryKind::div &&
         isEach(*factors, modulus, std::equal_to<double>());
}

std::optional<Remainder> qopt::matchRemainder(Value value) {
  auto op = value.getDefiningOp<qg::BinaryOp>();
  if (!op)
    return std::nullopt;
  if (op.getKind() == BinaryKind::mod) {
    std::optional<Tensor> modulus = matchModulus(op.getRhs());
    return modulus ? std::optional(Remainder{op.getLhs(), *modulus})
                   : std::nullopt;
  }
  auto product = op.getRhs().getDefiningOp<qg::BinaryOp>();
  if (op.getKind() != BinaryKind::sub || !product ||
      product.getKind() != BinaryKind::mul)
    return std::nullopt;
  Value whole = product.getLhs(), number = product.getRhs();
  if (qg::matchConstant(whole))
    std::swap(whole, number);
  auto floor = whole.getDefiningOp<qg::UnaryOp>();
  if (!floor || floor.getKind() != UnaryKind::floor)
    return std::nullopt;
  auto quotient = floor.getX().getDefiningOp<qg::BinaryOp>();
  std::optional<Tensor> modulus = matchModulus(number);
  if (!quotient || !modulus)
    return std::nullopt;
  for (int64_t i = 0, e = modulus->numElements(); i < e; ++i)
    if (!isPowerOfTwo(modulus->getFloat(i)))
      return std::nullopt;
  if (!isQuotient(quotient, op.getLhs(), *modulus))
    return std::nullopt;
  return Remainder{op.getLhs(), *modulus};
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

/// The power of two that a factor is, or is beside: an exporter computes the
/// inverse of one to the last bit only.
static std::optional<double> getNearPower(float factor) {
  for (float near :
       {factor, std::nextafter(factor, 0.0f), std::nextafter(factor, INFINITY)})
    if (isPowerOfTwo(near) && std::isnormal(near))
      return near;
  return std::nullopt;
}

/// Steps of what is multiplied by `factors`, or divided.
static std::optional<ValueStep> scale(ValueStep step, const Tensor &factors,
                                      bool divides) {
  double finest = INFINITY;
  for (int64_t i = 0, e = factors.numElements(); i < e; ++i) {
    float factor = float(factors.getFloat(i));
    // A mask.
    if (factor == 0 && !divides)
      continue;
    std::optional<double> power = getNearPower(factor);
    if (!power)
      return std::nullopt;
    step.isExact &= *power == factor;
    finest = std::min(finest, divides ? 1 / *power : *power);
  }
  step.size *= finest;
  if (!std::isnormal(float(step.size)))
    return std::nullopt;
  return step;
}

std::optional<ValueStep> GridAnalysis::getStep(Value value) {
  if (isRounded(value))
    return ValueStep();
  Operation *op = value.getDefiningOp();
  if (!op || !getTensorType(value).getElementType().isF32())
    return std::nullopt;
  if (std::optional<Remainder> remainder = matchRemainder(value)) {
    std::optional<ValueStep> step = getStep(remainder->x);
    if (!step || !isDivisibleBy(remainder->modulus, step->size))
      return std::nullopt;
    step->isOpen |= !step->isExact;
    return step;
  }
  if (keepsGrid(op))
    return getStep(op->getOperand(0));
  auto binary = dyn_cast<qg::BinaryOp>(op);
  if (!binary)
    return std::nullopt;
  bool isSum = binary.getKind() == BinaryKind::add;
  bool isProduct = binary.getKind() == BinaryKind::mul;
  Value inner = binary.getLhs(), other = binary.getRhs();
  if ((isSum || isProduct) && qg::matchConstant(inner))
    std::swap(inner, other);
  std::optional<Tensor> numbers = matchNumbers(other);
  std::optional<ValueStep> step = numbers ? getStep(inner) : std::nullopt;
  if (!step)
    return std::nullopt;
  if (isProduct || binary.getKind() == BinaryKind::div)
    return scale(*step, *numbers, !isProduct);
  if (!isSum && binary.getKind() != BinaryKind::sub)
    return std::nullopt;
  return isDivisibleBy(*numbers, step->size) ? step : std::nullopt;
}

/// Whether arithmetic with constants leads here from a remainder.
static bool isWrapped(Value value) {
  while (!matchRemainder(value)) {
    auto op = value.getDefiningOp<qg::BinaryOp>();
    if (!op)
      return false;
    value = qg::matchConstant(op.getLhs()) ? op.getRhs() : op.getLhs();
  }
  return true;
}

std::optional<ValueGrid> GridAnalysis::getWrappedGrid(qg::BinaryOp op) {
  Value value = op.getResult();
  std::optional<ValueStep> step =
      isWrapped(value) ? getStep(value) : std::nullopt;
  if (!step)
    return std::nullopt;
  auto [low, high] = getBounds(value).getEnds();
  low /= step->size;
  high /= step->size;
  if (!(std::fabs(low) <= 65536 && std::fabs(high) <= 65536))
    return std::nullopt;
  ValueGrid grid{float(step->size), std::llround(low), std::llround(high), 0};
  // The modulus itself is 0 that came out a bit too small.
  grid.high -= step->isOpen;
  grid.isExact = step->isExact;
  return grid;
}
