//===- NumberRanges.cpp - Between which numbers elements lie --------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Interval arithmetic backwards from a value, as far as extents need it. Corners
// are computed in f64 and rounded as the op rounds, which keeps their order.
//===----------------------------------------------------------------------===//
#include "NumberRanges.h"
#include "qopt/Dialect/QG/IR/QGControl.h"

#include "llvm/ADT/TypeSwitch.h"
#include <cmath>

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

bool NumberRange::isBounded() const {
  return std::isfinite(low) && std::isfinite(high);
}

/// f64 has every integer up to here.
static constexpr double kMostExact = double(int64_t(1) << 53);

namespace {
class RangeFinder {
public:
  RangeFinder(GraphBuilder &b, bool believes) : b(b), believes(believes) {}
  using Element = std::optional<int64_t>;
  NumberRange find(Value value, Element element);

private:
  NumberRange compute(Value value, Element element);
  NumberRange ofOp(Operation *op, Element element);
  NumberRange ofConstant(const Tensor &tensor, Element element) const;
  NumberRange ofUnary(qg::UnaryOp op, Element element);
  NumberRange ofBinary(qg::BinaryOp op, Element element);
  NumberRange ofCast(qg::CastOp op, Element element);
  NumberRange ofReduce(qg::ReduceOp op);
  NumberRange ofConcat(qg::ConcatOp op, Element element);
  NumberRange ofGather(qg::GatherOp op, Element element);
  NumberRange ofBroadcast(Value operand, Value result, Element element);
  NumberRange joined(ValueRange values);
  /// What a type can hold, for one that nothing else is known of.
  static NumberRange ofType(Type type);
  static NumberRange wrap(NumberRange range, Type type);

  GraphBuilder &b;
  /// In the bounds of lengths.
  bool believes;
  /// Values are looked at again for other elements; graphs can be large.
  unsigned depth = 0, visits = 0;
};
} // namespace

static NumberRange join(NumberRange a, NumberRange b) {
  return {std::min(a.low, b.low), std::max(a.high, b.high)};
}

NumberRange RangeFinder::ofType(Type type) {
  auto integer = dyn_cast<IntegerType>(type);
  if (!integer || integer.getWidth() > 32)
    return {};
  double count = std::ldexp(1.0, int(integer.getWidth()));
  if (integer.getWidth() == 1)
    return {0, 1};
  if (integer.isUnsigned())
    return {0, count - 1};
  return {-count / 2, count / 2 - 1};
}

/// A result that may not fit wraps around; floats are rounded.
NumberRange RangeFinder::wrap(NumberRange range, Type type) {
  if (type.isF32() && range.isBounded())
    return {double(float(range.low)), double(float(range.high))};
  if (type.isF64())
    return range.isBounded() ? range : NumberRange();
  if (!isa<IntegerType>(type))
    return {};
  NumberRange most = ofType(type);
  bool fits = range.low >= std::max(most.low, -kMostExact) &&
              range.high <= std::min(most.high, kMostExact);
  return fits ? range : most;
}

NumberRange RangeFinder::ofConstant(const Tensor &tensor,
                                    Element element) const {
  // Tables of weights are not what extents are made of.
  constexpr int64_t kMost = 1 << 16;
  int64_t count = tensor.numElements();
  if (count == 0 || count > kMost || (element && *element >= count))
    return {};
  NumberRange range{tensor.getFloat(element.value_or(0)),
                    tensor.getFloat(element.value_or(0))};
  for (int64_t i = 1; !element && i < count; ++i)
    range = join(range, {tensor.getFloat(i), tensor.getFloat(i)});
  bool isKnown = range.isBounded() && range.low >= -kMostExact &&
                 range.high <= kMostExact;
  return isKnown ? range : NumberRange();
}

NumberRange RangeFinder::ofUnary(qg::UnaryOp op, Element element) {
  NumberRange x = find(op.getX(), element);
  Type type = b.element(op.getResult());
  auto rounded = [&](double (*function)(double)) {
    return NumberRange{function(x.low), function(x.high)};
  };
  switch (op.getKind()) {
  case UnaryKind::neg:
    return wrap({-x.high, -x.low}, type);
  case UnaryKind::abs:
    return wrap({x.contains(0) ? 0 : std::min(std::abs(x.low), std::abs(x.high)),
                 std::max(std::abs(x.low), std::abs(x.high))},
                type);
  case UnaryKind::relu:
    return wrap({std::max(x.low, 0.0), std::max(x.high, 0.0)}, type);
  case UnaryKind::floor:
    return wrap(rounded(std::floor), type);
  case UnaryKind::ceil:
    return wrap(rounded(std::ceil), type);
  case UnaryKind::round_even:
    return wrap(rounded(std::nearbyint), type);
  default:
    return ofType(type);
  }
}

/// The corners of `function` over two intervals.
template <typename Function>
static NumberRange corners(NumberRange x, NumberRange y, Function function) {
  if (!x.isBounded() || !y.isBounded())
    return {};
  NumberRange range{function(x.low, y.low), function(x.low, y.low)};
  for (double value : {function(x.low, y.high), function(x.high, y.low),
                       function(x.high, y.high)})
    range = join(range, {value, value});
  return range;
}

NumberRange RangeFinder::ofBinary(qg::BinaryOp op, Element element) {
  Value result = op.getResult();
  NumberRange x = ofBroadcast(op.getLhs(), result, element),
              y = ofBroadcast(op.getRhs(), result, element);
  Type type = b.element(result);
  bool isInteger = isa<IntegerType>(type);
  switch (op.getKind()) {
  case BinaryKind::add:
    return wrap(corners(x, y, std::plus<double>()), type);
  case BinaryKind::sub:
    return wrap(corners(x, y, std::minus<double>()), type);
  case BinaryKind::mul:
    return wrap(corners(x, y, std::multiplies<double>()), type);
  case BinaryKind::div:
    if (y.contains(0))
      return ofType(type);
    return wrap(corners(x, y,
                        [&](double a, double d) {
                          return isInteger ? std::trunc(a / d) : a / d;
                        }),
                type);
  case BinaryKind::rem:
  case BinaryKind::mod:
    // No further from 0 than the divisor, and not below it for numbers above.
    if (!isInteger || !y.isBounded() || y.low <= 0)
      return ofType(type);
    if (op.getKind() == BinaryKind::mod || x.low >= 0)
      return {0, y.high - 1};
    return {1 - y.high, y.high - 1};
  case BinaryKind::min:
    return isInteger ? NumberRange{std::min(x.low, y.low),
                                   std::min(x.high, y.high)}
                     : wrap(corners(x, y, [](double a, double c) {
                              return std::min(a, c);
                            }),
                            type);
  case BinaryKind::max:
    return isInteger ? NumberRange{std::max(x.low, y.low),
                                   std::max(x.high, y.high)}
                     : wrap(corners(x, y, [](double a, double c) {
                              return std::max(a, c);
                            }),
                            type);
  default:
    return ofType(type);
  }
}

NumberRange RangeFinder::ofCast(qg::CastOp op, Element element) {
  NumberRange x = find(op.getX(), element);
  Type from = b.element(op.getX()), to = b.element(op.getResult());
  if (to.isInteger(1))
    return {0, 1};
  if (isa<FloatType>(to))
    return wrap(x, to);
  if (isa<IntegerType>(from))
    return wrap(x, to);
  // Truncated towards zero; NaN, which clamps let pass, gives 0.
  return wrap({std::trunc(x.low), std::trunc(x.high)}, to);
}

NumberRange RangeFinder::ofReduce(qg::ReduceOp op) {
  NumberRange x = find(op.getX(), std::nullopt);
  int64_t results = b.type(op.getResult()).getNumElements();
  double count = double(b.type(op.getX()).getNumElements()) /
                 double(std::max<int64_t>(results, 1));
  Type type = b.element(op.getResult());
  bool isOrder =
      op.getKind() == ReduceKind::max || op.getKind() == ReduceKind::min;
  if (count < 1 || !x.isBounded())
    return ofType(type);
  if (isOrder)
    return x;
  if (op.getKind() != ReduceKind::sum || !isa<IntegerType>(type))
    return ofType(type);
  return wrap({x.low * count, x.high * count}, type);
}

NumberRange RangeFinder::ofConcat(qg::ConcatOp op, Element element) {
  if (!element || b.rank(op.getResult()) != 1)
    return joined(op.getInputs());
  for (Value input : op.getInputs()) {
    if (*element < b.extent(input, 0))
      return find(input, element);
    *element -= b.extent(input, 0);
  }
  return {};
}

NumberRange RangeFinder::ofGather(qg::GatherOp op, Element element) {
  std::optional<Tensor> indices = b.constantOf(op.getIndices());
  if (!element || !indices || b.rank(op.getX()) != 1)
    return find(op.getX(), std::nullopt);
  int64_t index = indices->getInt(*element), extent = b.extent(op.getX(), 0);
  index += index < 0 ? extent : 0;
  if (index < 0 || index >= extent)
    return {};
  return find(op.getX(), index);
}

/// Of an operand of an elementwise op.
NumberRange RangeFinder::ofBroadcast(Value operand, Value result,
                                     Element element) {
  int64_t count = b.type(operand).getNumElements();
  bool isSame = b.shape(operand) == b.shape(result);
  return find(operand, count == 1 ? Element(0) : isSame ? element : Element());
}

NumberRange RangeFinder::joined(ValueRange values) {
  std::optional<NumberRange> range;
  for (Value value : values) {
    NumberRange own = find(value, std::nullopt);
    range = range ? join(*range, own) : own;
  }
  return range.value_or(NumberRange());
}

NumberRange RangeFinder::ofOp(Operation *op, Element element) {
  Type type = b.element(op->getResult(0));
  return llvm::TypeSwitch<Operation *, NumberRange>(op)
      .Case([&](qg::UnaryOp unary) { return ofUnary(unary, element); })
      .Case([&](qg::BinaryOp binary) { return ofBinary(binary, element); })
      .Case([&](qg::CastOp cast) { return ofCast(cast, element); })
      .Case([&](qg::ReduceOp reduce) { return ofReduce(reduce); })
      .Case([&](qg::ConcatOp concat) { return ofConcat(concat, element); })
      .Case([&](qg::GatherOp gather) { return ofGather(gather, element); })
      .Case([&](qg::SelectOp select) {
        Value result = select.getResult();
        return join(ofBroadcast(select.getOnTrue(), result, element),
                    ofBroadcast(select.getOnFalse(), result, element));
      })
      .Case([&](qg::ReshapeOp reshape) { return find(reshape.getX(), element); })
      .Case([&](qg::SliceOp slice) {
        bool isVector = b.rank(slice.getX()) == 1 && element;
        return find(slice.getX(), isVector
                                      ? Element(slice.getOffsets()[0] +
                                                *element * slice.getStrides()[0])
                                      : Element());
      })
      .Case<qg::TransposeOp, qg::BroadcastOp>([&](Operation *move) {
        Value x = move->getOperand(0);
        return find(x, b.type(x).getNumElements() == 1 ? Element(0) : Element());
      })
      .Case([&](qg::PadOp pad) {
        NumberRange x = find(pad.getX(), std::nullopt);
        return pad.getMode() == PadMode::constant && pad.getValue()
                   ? join(x, find(pad.getValue(), 0))
                   : x;
      })
      .Case([&](qg::ScatterOp scatter) {
        return scatter.getKind() == ScatterKind::replace
                   ? join(find(scatter->getOperand(0), std::nullopt),
                          find(scatter->getOperand(2), std::nullopt))
                   : ofType(type);
      })
      .Case([&](qg::ArgReduceOp reduce) {
        double count = double(b.extent(reduce.getX(), reduce.getAxis()));
        return NumberRange{0, std::max(count - 1, 0.0)};
      })
      .Case([&](qg::TopKOp top) {
        double count = double(b.extent(top.getX(), top.getAxis()));
        return NumberRange{0, std::max(count - 1, 0.0)};
      })
      .Case([&](qg::CompactOp compact) {
        double count = double(b.extent(compact.getMask(), 0));
        return NumberRange{0, std::max(count - 1, 0.0)};
      })
      .Default([&](Operation *) { return ofType(type); });
}

NumberRange RangeFinder::compute(Value value, Element element) {
  if (std::optional<int64_t> bound = b.boundOf(value); bound && believes)
    return {0, double(*bound)};
  if (std::optional<Tensor> constant = b.constantOf(value))
    return ofConstant(*constant, element);
  if (Operation *op = value.getDefiningOp())
    return ofOp(op, element);
  // The number of a step.
  auto argument = cast<BlockArgument>(value);
  auto loop = dyn_cast_or_null<qg::LoopOp>(argument.getOwner()->getParentOp());
  if (loop && argument.getArgNumber() == 0)
    return {0, double(loop.getCount()) - 1};
  return ofType(b.element(value));
}

NumberRange RangeFinder::find(Value value, Element element) {
  constexpr unsigned kMostDepth = 64, kMostVisits = 4096;
  if (!GraphBuilder::isTensor(value) || qg::getQuantizedType(value.getType()))
    return {};
  if (depth >= kMostDepth || ++visits > kMostVisits)
    return ofType(b.element(value));
  ++depth;
  NumberRange range = compute(value, element);
  --depth;
  return range;
}

NumberRange frontend::rangeOf(GraphBuilder &b, Value value,
                              std::optional<int64_t> element) {
  return value ? RangeFinder(b, /*believes=*/true).find(value, element)
               : NumberRange();
}

NumberRange frontend::rangeOfOps(GraphBuilder &b, Value value) {
  return RangeFinder(b, /*believes=*/false).find(value, std::nullopt);
}
