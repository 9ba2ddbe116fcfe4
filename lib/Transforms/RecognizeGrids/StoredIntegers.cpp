//===- StoredIntegers.cpp - Grid values as quantized tensors --------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Walks from a value to the rounding that put it on its grid. What is not
// understood is rounded once more, onto the grid where it is: that is exact.
//===----------------------------------------------------------------------===//
#include "StoredIntegers.h"

#include <cmath>

using namespace mlir;
using namespace qopt;

static RankedTensorType withElement(Value value, Type element) {
  return RankedTensorType::get(getShape(value), element);
}

Value StoredIntegers::dequantize(Value stored) {
  return qg::DequantizeOp::create(builder, stored.getLoc(),
                                  withElement(stored, builder.getF32Type()),
                                  stored);
}

/// Whether saturation to the type does not cut more than [low, high] does.
bool StoredIntegers::covers(double low, double high) const {
  const IntegerFormat &format = type.getIntegerFormat();
  double zero = double(type.getZeroPoint());
  return low + zero <= double(format.min()) &&
         high + zero >= double(format.max());
}

/// (m * scale) / scale rounds to m, so a bound on m is one on the real number.
Value StoredIntegers::quantize(Value real, double low, double high) {
  Location loc = real.getLoc();
  if (!covers(low, high)) {
    auto bound = [&](BinaryKind kind, double steps) {
      if (std::isinf(steps))
        return;
      Tensor number(DType::f32, {});
      number.setFloat(0, double(float(steps) * type.getScale()));
      Value limit =
          qg::createConstant(builder, loc, number,
                             RankedTensorType::get({}, builder.getF32Type()));
      real = qg::BinaryOp::create(builder, loc, real.getType(), kind, real,
                                  limit, DenseI64ArrayAttr());
    };
    bound(BinaryKind::max, low);
    bound(BinaryKind::min, high);
  }
  return qg::QuantizeOp::create(builder, loc, withElement(real, type), real);
}

Value StoredIntegers::snap(Value value) {
  return quantize(value, -INFINITY, INFINITY);
}

Value StoredIntegers::constant(const Tensor &integers, double offset) {
  Tensor stored(*qg::getDType(type), integers.shape());
  for (int64_t i = 0, e = stored.numElements(); i < e; ++i) {
    double number = integers.getFloat(i) - offset + double(type.getZeroPoint());
    const IntegerFormat &format = type.getIntegerFormat();
    if (number < double(format.min()) || number > double(format.max()))
      return {};
    stored.setInt(i, int64_t(number));
  }
  return qg::createConstant(builder, builder.getUnknownLoc(), stored,
                            RankedTensorType::get(stored.shape(), type));
}

/// integers * scale, or integers / (1 / scale).
std::optional<StoredIntegers::Integers>
StoredIntegers::matchDecoded(Value value) {
  if (analysis.isRounded(value))
    return type.getScale() == 1 ? std::optional<Integers>({value})
                                : std::nullopt;
  auto op = value.getDefiningOp<qg::BinaryOp>();
  if (!op ||
      (op.getKind() != BinaryKind::mul && op.getKind() != BinaryKind::div))
    return std::nullopt;
  Value integers = op.getLhs(), factor = op.getRhs();
  if (op.getKind() == BinaryKind::mul && qg::matchConstant(integers))
    std::swap(integers, factor);
  std::optional<double> number = matchSplatNumber(factor);
  if (!number || getShape(integers) != getShape(value))
    return std::nullopt;
  float scale =
      op.getKind() == BinaryKind::div ? 1.0f / float(*number) : float(*number);
  if (scale != type.getScale())
    return std::nullopt;
  return Integers{integers};
}

/// Cuts m off as an op does that stands in front of those seen so far.
void StoredIntegers::Integers::raiseLow(double bound) {
  low = std::max(low, std::min(bound - offset, high));
}
void StoredIntegers::Integers::lowerHigh(double bound) {
  high = std::min(high, std::max(bound - offset, low));
}

/// Skips a conversion that keeps all integers, or saturates.
bool StoredIntegers::skipCast(Integers &integers) {
  auto cast = integers.value.getDefiningOp<qg::CastOp>();
  if (!cast || !analysis.isRounded(cast.getX()))
    return false;
  Type from = getTensorType(cast.getX()).getElementType();
  auto to =
      dyn_cast<IntegerType>(getTensorType(integers.value).getElementType());
  // Integers wrap.
  if (to && isa<IntegerType>(from) &&
      !analysis.getBounds(cast.getX()).isWithin(to))
    return false;
  if (to && isa<FloatType>(from)) {
    double count = std::exp2(to.getWidth());
    integers.raiseLow(to.isUnsigned() ? 0 : -count / 2);
    integers.lowerHigh((to.isUnsigned() ? count : count / 2) - 1);
  }
  integers.value = cast.getX();
  return true;
}

/// Skips a zero point or a clip.
bool StoredIntegers::skipStep(Integers &integers) {
  if (auto unary = integers.value.getDefiningOp<qg::UnaryOp>()) {
    if (unary.getKind() != UnaryKind::relu)
      return false;
    integers.raiseLow(0);
    integers.value = unary.getX();
    return true;
  }
  auto op = integers.value.getDefiningOp<qg::BinaryOp>();
  if (!op)
    return false;
  Value inner = op.getLhs(), other = op.getRhs();
  if (qg::matchConstant(inner) && op.getKind() != BinaryKind::sub)
    std::swap(inner, other);
  std::optional<double> number = matchSplatNumber(other);
  if (!number || getShape(inner) != getShape(op.getResult()))
    return false;
  bool isSum =
      op.getKind() == BinaryKind::add || op.getKind() == BinaryKind::sub;
  // Sums of integers wrap where nothing bounds them.
  if (isSum && !getTensorType(inner).getElementType().isF32() &&
      !analysis.getBounds(op.getResult()).isFinite())
    return false;
  if (op.getKind() == BinaryKind::max)
    integers.raiseLow(*number);
  else if (op.getKind() == BinaryKind::min)
    integers.lowerHigh(*number);
  else if (isSum)
    integers.offset += op.getKind() == BinaryKind::sub ? *number : -*number;
  else
    return false;
  integers.value = inner;
  return true;
}

/// Of a wider encoding with this scale and zero point: what it was made from.
static Value skipWiderEncoding(Value real, qg::QuantizedType type) {
  auto dequantize = real.getDefiningOp<qg::DequantizeOp>();
  auto quantize = dequantize ? dequantize.getX().getDefiningOp<qg::QuantizeOp>()
                             : qg::QuantizeOp();
  if (!quantize)
    return real;
  qg::QuantizedType wide = qg::getQuantizedType(quantize.getType());
  bool isWider =
      wide.isPerTensor() && wide.getScale() == type.getScale() &&
      wide.getZeroPoint() == type.getZeroPoint() &&
      wide.getIntegerFormat().min() <= type.getIntegerFormat().min() &&
      wide.getIntegerFormat().max() >= type.getIntegerFormat().max();
  return isWider ? quantize.getX() : real;
}

Value StoredIntegers::encodeRounding(const Integers &integers) {
  auto round = integers.value.getDefiningOp<qg::UnaryOp>();
  if (!round || round.getKind() != UnaryKind::round_even ||
      integers.offset != 0)
    return {};
  float scale = type.getScale();
  Value x = round.getX();
  auto op = x.getDefiningOp<qg::BinaryOp>();
  std::optional<double> number =
      op ? matchSplatNumber(op.getRhs()) : std::nullopt;
  bool divides =
      number && op.getKind() == BinaryKind::div && float(*number) == scale;
  // The product with the inverse is the quotient for powers of two.
  int exponent = 0;
  bool multiplies = number && op.getKind() == BinaryKind::mul &&
                    std::frexp(scale, &exponent) == 0.5f &&
                    float(*number) == 1 / scale;
  if (divides || multiplies)
    x = op.getLhs();
  else if (scale != 1)
    return {};
  if (getShape(x) != getShape(integers.value) ||
      !getTensorType(x).getElementType().isF32())
    return {};
  x = skipWiderEncoding(x, type);
  // An argument that is only quantized can be passed in integers: what is cut
  // off is cut off behind.
  if (isa<BlockArgument>(x) && !covers(integers.low, integers.high))
    x = dequantize(quantize(x, -INFINITY, INFINITY));
  return quantize(x, integers.low, integers.high);
}

/// The op on stored integers, whose padding is one of them.
Value StoredIntegers::encodeMove(Operation *op, double offset) {
  Value x = encodeIntegers({op->getOperand(0), offset});
  if (!x)
    return {};
  auto result = RankedTensorType::get(getShape(op->getResult(0)), type);
  if (auto pad = dyn_cast<qg::PadOp>(op)) {
    Value fill;
    if (pad.getMode() == PadMode::constant) {
      Tensor zero(DType::f32, {});
      std::optional<Tensor> number =
          pad.getValue() ? qg::matchConstant(pad.getValue()) : zero;
      fill = number ? constant(*number, offset) : Value();
      if (!fill)
        return {};
    }
    return qg::PadOp::create(builder, op->getLoc(), result, pad.getMode(), x,
                             fill, pad.getLow(), pad.getHigh());
  }
  SmallVector<Value> operands(op->getOperands());
  operands[0] = x;
  OperationState state(op->getLoc(), op->getName().getStringRef(), operands,
                       result, op->getAttrs());
  return builder.create(state)->getResult(0);
}

Value StoredIntegers::encodeSelection(const Integers &integers) {
  Operation *op = integers.value.getDefiningOp();
  if (!op)
    return {};
  auto part = [&](Value value) {
    return encodeIntegers({value, integers.offset});
  };
  Value stored;
  if (auto concat = dyn_cast<qg::ConcatOp>(op)) {
    SmallVector<Value> parts = llvm::map_to_vector(concat.getInputs(), part);
    if (llvm::is_contained(parts, Value()))
      return {};
    stored = qg::ConcatOp::create(builder, op->getLoc(),
                                  withElement(concat.getResult(), type), parts,
                                  concat.getAxis());
  } else if (keepsGrid(op)) {
    stored = encodeMove(op, integers.offset);
  } else if (auto select = dyn_cast<qg::SelectOp>(op)) {
    Value a = part(select.getOnTrue()), b = part(select.getOnFalse());
    if (!a || !b)
      return {};
    Value real = qg::SelectOp::create(
        builder, op->getLoc(),
        withElement(select.getResult(), builder.getF32Type()),
        select.getCondition(), dequantize(a), dequantize(b));
    return quantize(real, integers.low, integers.high);
  } else if (auto binary = dyn_cast<qg::BinaryOp>(op);
             binary && (binary.getKind() == BinaryKind::max ||
                        binary.getKind() == BinaryKind::min)) {
    Value a = part(binary.getLhs()), b = part(binary.getRhs());
    if (!a || !b)
      return {};
    Value real = qg::BinaryOp::create(
        builder, op->getLoc(),
        withElement(binary.getResult(), builder.getF32Type()), binary.getKind(),
        dequantize(a), dequantize(b), DenseI64ArrayAttr());
    return quantize(real, integers.low, integers.high);
  }
  if (!stored || covers(integers.low, integers.high))
    return stored;
  return quantize(dequantize(stored), integers.low, integers.high);
}

/// Whether `from` is read on the way to `to` alone.
static bool leadsOnlyTo(Value from, Value to) {
  while (from != to) {
    if (!from.hasOneUse() || from.user_begin()->getNumResults() != 1)
      return false;
    from = from.user_begin()->getResult(0);
  }
  return true;
}

/// An argument of bytes that nothing else reads is one of stored integers.
Value StoredIntegers::encodeArgument(const Integers &integers) {
  auto argument = dyn_cast<BlockArgument>(integers.value);
  if (!argument || integers.offset != double(type.getZeroPoint()) ||
      type.getBits() != 8 ||
      qg::getDType(getTensorType(argument).getElementType()) !=
          qg::getDType(type) ||
      !isa<func::FuncOp>(argument.getOwner()->getParentOp()) ||
      !leadsOnlyTo(argument, root))
    return {};
  arguments.push_back(argument);
  if (covers(integers.low, integers.high))
    return argument;
  return quantize(dequantize(argument), integers.low, integers.high);
}

static void setArgumentType(BlockArgument argument, RankedTensorType type) {
  auto function = cast<func::FuncOp>(argument.getOwner()->getParentOp());
  argument.setType(type);
  SmallVector<Type> inputs(function.getArgumentTypes());
  inputs[argument.getArgNumber()] = type;
  function.setFunctionType(FunctionType::get(
      function.getContext(), inputs, function.getFunctionType().getResults()));
}

Value StoredIntegers::encodeIntegers(Integers integers) {
  if (std::optional<Tensor> tensor = qg::matchConstant(integers.value))
    return constant(*tensor, integers.offset);
  while (skipCast(integers) || skipStep(integers))
    continue;
  if (Value stored = encodeRounding(integers))
    return stored;
  if (Value stored = encodeSelection(integers))
    return stored;
  return encodeArgument(integers);
}

Value StoredIntegers::encode(Value value) {
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointAfterValue(value);
  root = value;
  double low = -INFINITY, high = INFINITY;
  Value inner = value;
  // Clips behind the factor: of real numbers on the grid.
  while (auto op = inner.getDefiningOp<qg::BinaryOp>()) {
    bool isMax = op.getKind() == BinaryKind::max;
    std::optional<double> bound = matchSplatNumber(op.getRhs());
    if ((!isMax && op.getKind() != BinaryKind::min) || !bound ||
        getShape(op.getLhs()) != getShape(value))
      break;
    double steps =
        std::isinf(*bound) ? *bound : std::nearbyint(*bound / type.getScale());
    if (isMax)
      low = std::max(low, std::min(steps, high));
    else
      high = std::min(high, std::max(steps, low));
    inner = op.getLhs();
  }
  std::optional<Integers> integers = matchDecoded(inner);
  if (!integers)
    return snap(value);
  integers->low = low;
  integers->high = high;
  Value stored = encodeIntegers(*integers);
  if (!stored)
    return snap(value);
  for (BlockArgument argument : arguments)
    setArgumentType(argument, withElement(argument, type));
  return stored;
}
