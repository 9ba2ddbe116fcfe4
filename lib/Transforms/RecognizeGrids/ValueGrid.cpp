//===- ValueGrid.cpp - Values that can only be some integers --------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Bounds are computed in f32 as the ops compute: rounding is monotone, so the
// results of the bounds bound the results.
//===----------------------------------------------------------------------===//
#include "ValueGrid.h"
#include "WrappedValues.h"
#include "qopt/Dialect/QG/IR/Encodings.h"

#include "llvm/ADT/TypeSwitch.h"
#include <cmath>

using namespace mlir;
using namespace qopt;

/// Integers up to here are exact in f32, and so are their sums with others.
static constexpr double kMostExact = 1 << 24;
/// Bounds by element are kept up to this many elements.
static constexpr int64_t kMostElements = 1 << 16;

static bool isF32(Value value) {
  return getTensorType(value).getElementType().isF32();
}

std::optional<double> qopt::matchSplatNumber(Value value) {
  if (getTensorType(value).getNumElements() == 0)
    return std::nullopt;
  auto constant = value.getDefiningOp<qg::ConstantOp>();
  std::optional<Tensor> tensor = qg::matchConstant(value);
  if (!constant || !tensor || qg::getQuantizedType(value.getType()))
    return std::nullopt;
  double first = tensor->getFloat(0);
  for (int64_t i = 1, e = tensor->numElements(); i < e; ++i)
    if (tensor->getFloat(i) != first)
      return std::nullopt;
  return std::isnan(first) ? std::nullopt : std::optional<double>(first);
}

bool qopt::keepsGrid(Operation *op) {
  if (auto pool = dyn_cast_or_null<qg::PoolOp>(op))
    return pool.getKind() == PoolKind::max;
  auto rule = dyn_cast_or_null<FormatRuleOpInterface>(op);
  return rule && rule.getFormatRule() == FormatRule::PassThrough &&
         op->getNumOperands() > 0;
}

//===----------------------------------------------------------------------===//
// Bounds
//===----------------------------------------------------------------------===//

static Bounds makeBounds(double low, double high) {
  Bounds bounds{Tensor(DType::f64, {}), Tensor(DType::f64, {})};
  bounds.low.setFloat(0, low);
  bounds.high.setFloat(0, high);
  return bounds;
}

static Bounds unknown() { return makeBounds(-INFINITY, INFINITY); }

std::pair<double, double> Bounds::getEnds() const {
  ArrayRef<double> lows = low.span<double>(), highs = high.span<double>();
  if (lows.empty() || highs.empty())
    return {-INFINITY, INFINITY};
  return {*llvm::min_element(lows), *llvm::max_element(highs)};
}

static Bounds collapse(const Bounds &bounds) {
  auto [low, high] = bounds.getEnds();
  return makeBounds(low, high);
}

bool Bounds::isFinite() const {
  auto [least, most] = getEnds();
  return std::isfinite(least) && std::isfinite(most);
}

bool Bounds::isWithin(IntegerType type) const {
  auto [least, most] = getEnds();
  double count = std::exp2(type.getWidth());
  return type.isUnsigned() ? least >= 0 && most < count
                           : least >= -count / 2 && most < count / 2;
}

/// Elementwise over two shapes that broadcast.
static Tensor combine(const Tensor &a, const Tensor &b,
                      llvm::function_ref<double(double, double)> function) {
  int64_t rank = std::max(a.rank(), b.rank());
  SmallVector<int64_t> shape(rank, 1);
  auto extent = [&](const Tensor &t, int64_t dim) {
    int64_t own = dim - (rank - t.rank());
    return own < 0 ? int64_t(1) : t.shape()[own];
  };
  for (int64_t dim = 0; dim < rank; ++dim)
    shape[dim] = extent(a, dim) == 1 ? extent(b, dim) : extent(a, dim);
  Tensor result(DType::f64, shape);
  auto index = [&](const Tensor &t, int64_t element) {
    int64_t position = 0, step = 1;
    for (int64_t dim = rank - 1; dim >= 0; --dim) {
      if (extent(t, dim) != 1)
        position += element % shape[dim] * step;
      step *= extent(t, dim);
      element /= shape[dim];
    }
    return position;
  };
  for (int64_t i = 0, e = result.numElements(); i < e; ++i)
    result.setFloat(i,
                    function(a.getFloat(index(a, i)), b.getFloat(index(b, i))));
  return result;
}

static Bounds getConstantBounds(Value value) {
  std::optional<Tensor> tensor = qg::matchConstant(value);
  if (!tensor || qg::getQuantizedType(value.getType()) ||
      tensor->numElements() > kMostElements || tensor->numElements() == 0)
    return unknown();
  Tensor numbers(DType::f64, tensor->shape());
  for (int64_t i = 0, e = tensor->numElements(); i < e; ++i) {
    double number = tensor->getFloat(i);
    if (std::isnan(number))
      return unknown();
    numbers.setFloat(i, number);
  }
  return {numbers, numbers};
}

static double compute(BinaryKind kind, double a, double b) {
  switch (kind) {
  case BinaryKind::add:
    return double(float(a + b));
  case BinaryKind::sub:
    return double(float(a - b));
  case BinaryKind::mul:
    return double(float(a * b));
  default:
    return double(float(a / b));
  }
}

Bounds GridAnalysis::getRemainderBounds(const Remainder &remainder) {
  std::optional<ValueStep> step = getStep(remainder.x);
  bool isBelow =
      step && step->isExact && isDivisibleBy(remainder.modulus, step->size);
  double most = isBelow ? step->size : 0;
  Tensor high(DType::f64, remainder.modulus.shape());
  for (int64_t i = 0, e = high.numElements(); i < e; ++i)
    high.setFloat(i, remainder.modulus.getFloat(i) - most);
  return {makeBounds(0, 0).low, high};
}

Bounds GridAnalysis::computeBinaryBounds(qg::BinaryOp op) {
  if (std::optional<Remainder> remainder = matchRemainder(op.getResult()))
    return getRemainderBounds(*remainder);
  const Bounds a = getBounds(op.getLhs()), b = getBounds(op.getRhs());
  auto least = [](double x, double y) { return std::min(x, y); };
  auto most = [](double x, double y) { return std::max(x, y); };
  if (op.getKind() == BinaryKind::min)
    return {combine(a.low, b.low, least), combine(a.high, b.high, least)};
  if (op.getKind() == BinaryKind::max)
    return {combine(a.low, b.low, most), combine(a.high, b.high, most)};
  bool isArithmetic =
      op.getKind() == BinaryKind::add || op.getKind() == BinaryKind::sub ||
      op.getKind() == BinaryKind::mul || op.getKind() == BinaryKind::div;
  // Integers wrap where they leave their type: 24 bits are far from that in
  // the types that quantizers compute in, and narrower ones are given up.
  Type element = op.getResultType().getElementType();
  bool isWide =
      isa<IntegerType>(element) && element.getIntOrFloatBitWidth() > 16;
  if (!isArithmetic || !(element.isF32() || isWide) || !a.isFinite() ||
      !b.isFinite())
    return unknown();
  bool divides = op.getKind() == BinaryKind::div;
  auto [divisorLow, divisorHigh] = b.getEnds();
  if (divides && (isWide || (divisorLow <= 0 && divisorHigh >= 0)))
    return unknown();
  auto with = [&](const Tensor &x, const Tensor &y) {
    return combine(
        x, y, [&](double p, double q) { return compute(op.getKind(), p, q); });
  };
  Tensor ll = with(a.low, b.low), lh = with(a.low, b.high);
  Tensor hl = with(a.high, b.low), hh = with(a.high, b.high);
  return {combine(combine(ll, lh, least), combine(hl, hh, least), least),
          combine(combine(ll, lh, most), combine(hl, hh, most), most)};
}

static Bounds mapBounds(const Bounds &bounds,
                        llvm::function_ref<double(double)> function) {
  auto map = [&](const Tensor &x) {
    return combine(x, x, [&](double value, double) { return function(value); });
  };
  return {map(bounds.low), map(bounds.high)};
}

static Bounds computeUnaryBounds(UnaryKind kind, const Bounds &x) {
  switch (kind) {
  case UnaryKind::relu:
    return mapBounds(x, [](double v) { return std::max(v, 0.0); });
  case UnaryKind::round_even:
    return mapBounds(x, [](double v) { return std::nearbyint(v); });
  case UnaryKind::floor:
    return mapBounds(x, [](double v) { return std::floor(v); });
  case UnaryKind::ceil:
    return mapBounds(x, [](double v) { return std::ceil(v); });
  case UnaryKind::sign:
    return mapBounds(x, [](double v) { return double((v > 0) - (v < 0)); });
  case UnaryKind::neg: {
    Bounds negated = mapBounds(x, [](double v) { return -v; });
    return {negated.high, negated.low};
  }
  default:
    return unknown();
  }
}

/// What an integer type holds.
static Bounds getTypeBounds(Type element) {
  auto integer = dyn_cast<IntegerType>(element);
  if (!integer || integer.getWidth() > 16)
    return unknown();
  if (integer.getWidth() == 1)
    return makeBounds(0, 1);
  double count = std::exp2(integer.getWidth());
  return integer.isUnsigned() ? makeBounds(0, count - 1)
                              : makeBounds(-count / 2, count / 2 - 1);
}

static Bounds getDequantizedBounds(qg::DequantizeOp op) {
  qg::QuantizedType type = qg::getQuantizedType(op.getX().getType());
  if (!type || !type.isPerTensor() || type.getBits() > 16)
    return unknown();
  const IntegerFormat &format = type.getIntegerFormat();
  auto real = [&](int64_t stored) {
    return double(float(stored - type.getZeroPoint()) * type.getScale());
  };
  return makeBounds(real(format.min()), real(format.max()));
}

Bounds GridAnalysis::computeBounds(Value value) {
  Operation *op = value.getDefiningOp();
  auto join = [&](ValueRange values) {
    double low = INFINITY, high = -INFINITY;
    for (Value each : values) {
      auto [least, most] = getBounds(each).getEnds();
      low = std::min(low, least);
      high = std::max(high, most);
    }
    return makeBounds(low, high);
  };
  if (!op)
    return getTypeBounds(getTensorType(value).getElementType());
  return TypeSwitch<Operation *, Bounds>(op)
      .Case([&](qg::ConstantOp) { return getConstantBounds(value); })
      .Case([&](qg::BinaryOp binary) { return computeBinaryBounds(binary); })
      .Case([&](qg::UnaryOp unary) {
        return computeUnaryBounds(unary.getKind(), getBounds(unary.getX()));
      })
      .Case([&](qg::CastOp cast) {
        // A conversion that wraps or saturates ends at the type's ends.
        const Bounds from = getBounds(cast.getX());
        Bounds to = getTypeBounds(getTensorType(value).getElementType());
        auto [low, high] = to.getEnds();
        auto [least, most] = from.getEnds();
        bool fits = least >= low && most <= high &&
                    std::max(-least, most) <= kMostExact;
        if (!fits)
          return to;
        // Truncated towards zero: never beyond the whole numbers around.
        return Bounds{
            mapBounds(from, [](double v) { return std::floor(v); }).low,
            mapBounds(from, [](double v) { return std::ceil(v); }).high};
      })
      .Case([&](qg::DequantizeOp dequantize) {
        return getDequantizedBounds(dequantize);
      })
      .Case([&](qg::PoolOp pool) {
        if (pool.getKind() == PoolKind::max)
          return collapse(getBounds(pool.getX()));
        std::optional<ValueGrid> mean = getGrid(value);
        return mean ? makeBounds(double(mean->low) * mean->scale,
                                 double(mean->high) * mean->scale)
                    : unknown();
      })
      .Case([&](qg::SelectOp select) {
        return join({select.getOnTrue(), select.getOnFalse()});
      })
      .Case([&](qg::ConcatOp concat) { return join(concat.getInputs()); })
      .Case([&](qg::PadOp pad) {
        const Bounds inner = collapse(getBounds(pad.getX()));
        if (pad.getMode() != PadMode::constant)
          return inner;
        if (pad.getValue())
          return join({pad.getX(), pad.getValue()});
        auto [low, high] = inner.getEnds();
        return makeBounds(std::min(low, 0.0), std::max(high, 0.0));
      })
      .Default([&](Operation *other) {
        return keepsGrid(other) ? collapse(getBounds(other->getOperand(0)))
                                : unknown();
      });
}

const Bounds &GridAnalysis::getBounds(Value value) {
  auto it = bounds.find(value);
  if (it != bounds.end())
    return it->second;
  Bounds computed = computeBounds(value);
  // One more use of an element costs as much as one more element.
  if (computed.low.numElements() > kMostElements)
    computed = collapse(computed);
  return bounds[value] = std::move(computed);
}

//===----------------------------------------------------------------------===//
// Integers
//===----------------------------------------------------------------------===//

/// A constant all of whose elements are integers that f32 adds exactly.
static bool isIntegerConstant(Value value) {
  std::optional<Tensor> tensor = qg::matchConstant(value);
  if (!tensor || qg::getQuantizedType(value.getType()))
    return false;
  for (int64_t i = 0, e = tensor->numElements(); i < e; ++i) {
    double number = tensor->getFloat(i);
    if (number != std::nearbyint(number) || std::fabs(number) > kMostExact)
      return false;
  }
  return true;
}

bool GridAnalysis::computeRounded(Value value) {
  Operation *op = value.getDefiningOp();
  Type element = getTensorType(value).getElementType();
  bool isByte = element.isInteger(8);
  if (!op)
    return isByte && readsBytes;
  auto isEach = [&](ValueRange values) {
    bool any = false;
    for (Value each : values) {
      bool own = isRounded(each);
      any |= own;
      if (!own && !isIntegerConstant(each))
        return false;
    }
    return any;
  };
  return TypeSwitch<Operation *, bool>(op)
      .Case([&](qg::UnaryOp unary) {
        switch (unary.getKind()) {
        case UnaryKind::round_even:
        case UnaryKind::floor:
        case UnaryKind::ceil:
        case UnaryKind::sign:
          return element.isF32();
        case UnaryKind::relu:
        case UnaryKind::neg:
          return isRounded(unary.getX());
        default:
          return false;
        }
      })
      .Case([&](qg::BinaryOp binary) {
        if (std::optional<Remainder> remainder = matchRemainder(value))
          return isRounded(remainder->x) &&
                 isDivisibleBy(remainder->modulus, 1);
        switch (binary.getKind()) {
        case BinaryKind::min:
        case BinaryKind::max:
          // An infinite bound is none.
          if (std::optional<double> bound = matchSplatNumber(binary.getRhs());
              bound && std::isinf(*bound))
            return isRounded(binary.getLhs());
          return isEach({binary.getLhs(), binary.getRhs()});
        case BinaryKind::add:
        case BinaryKind::sub:
        case BinaryKind::mul:
          // With a constant: a zero point that is computed is no encoding.
          return isEach({binary.getLhs(), binary.getRhs()}) &&
                 (isIntegerConstant(binary.getLhs()) ||
                  isIntegerConstant(binary.getRhs()));
        default:
          return false;
        }
      })
      .Case([&](qg::CastOp cast) {
        if (isRounded(cast.getX()))
          return true;
        return getTensorType(cast.getX()).getElementType().isF32() &&
               isa<IntegerType>(element) && !element.isInteger(1);
      })
      .Case([&](qg::SelectOp select) {
        return isEach({select.getOnTrue(), select.getOnFalse()});
      })
      .Case([&](qg::ConcatOp concat) { return isEach(concat.getInputs()); })
      .Case([&](qg::PadOp pad) {
        return pad.getValue() ? isEach({pad.getX(), pad.getValue()})
                              : isRounded(pad.getX());
      })
      .Default([&](Operation *other) {
        return keepsGrid(other) && isRounded(other->getOperand(0));
      });
}

bool GridAnalysis::isRounded(Value value) {
  auto it = rounded.find(value);
  if (it != rounded.end())
    return it->second;
  bool computed =
      !qg::getQuantizedType(value.getType()) && computeRounded(value);
  return rounded[value] = computed;
}

//===----------------------------------------------------------------------===//
// Grids
//===----------------------------------------------------------------------===//

static const IntegerFormat *findFormat(int64_t low, int64_t high) {
  const IntegerFormat *best = nullptr;
  for (const IntegerFormat &format : getIntegerFormats())
    if (!format.isTable && format.bits <= 16 && format.min() <= low &&
        format.max() >= high && (!best || format.bits < best->bits))
      best = &format;
  return best;
}

qg::QuantizedType ValueGrid::getType(MLIRContext *context) const {
  // Zero is among the numbers: paddings and masks are made of it.
  int64_t least = std::min<int64_t>(low, 0), most = std::max<int64_t>(high, 0);
  const IntegerFormat *own = findFormat(least + zeroPoint, most + zeroPoint);
  const IntegerFormat *centred = findFormat(least, most);
  if (!own && !centred)
    return {};
  bool keepsZero = own && (!centred || own->bits <= centred->bits);
  return qg::QuantizedType::getPerTensor(context,
                                         keepsZero ? own->name : centred->name,
                                         scale, keepsZero ? zeroPoint : 0);
}

/// Rounded integers as they are, with the zero point that is subtracted last.
std::optional<ValueGrid> GridAnalysis::getIntegerGrid(Value value) {
  if (!isRounded(value))
    return std::nullopt;
  auto [low, high] = getBounds(value).getEnds();
  if (!(std::fabs(low) <= 65536 && std::fabs(high) <= 65536))
    return std::nullopt;
  ValueGrid grid{1, int64_t(low), int64_t(high), 0};
  if (auto op = value.getDefiningOp<qg::BinaryOp>()) {
    std::optional<double> shift = matchSplatNumber(op.getRhs());
    if (shift && op.getKind() == BinaryKind::sub)
      grid.zeroPoint = int64_t(*shift);
    if (shift && op.getKind() == BinaryKind::add)
      grid.zeroPoint = -int64_t(*shift);
  }
  return grid;
}

/// The scale under which all m * scale are m / divisor; where there is none,
/// the inverse of the divisor: the last bit of some m differs.
static float findInverse(const ValueGrid &grid, float divisor) {
  auto isSame = [&](float scale) {
    for (int64_t m = grid.low; m <= grid.high; ++m)
      if (float(m) / divisor != float(m) * scale)
        return false;
    return true;
  };
  float inverse = 1 / divisor;
  for (float scale :
       {inverse, std::nextafter(inverse, 0.0f), std::nextafter(inverse, 1.0f)})
    if (std::isnormal(scale) && isSame(scale))
      return scale;
  return inverse;
}

/// A product with, or a quotient by, constants: one number, or powers of two
/// that differ by element.
std::optional<ValueGrid> GridAnalysis::getScaledGrid(qg::BinaryOp op) {
  bool divides = op.getKind() == BinaryKind::div;
  if (!divides && op.getKind() != BinaryKind::mul)
    return std::nullopt;
  Value integers = op.getLhs(), factor = op.getRhs();
  if (!divides && qg::matchConstant(integers))
    std::swap(integers, factor);
  std::optional<Tensor> factors = qg::matchConstant(factor);
  if (!factors || factors->dtype() != DType::f32 || factors->numElements() == 0)
    return std::nullopt;
  std::optional<ValueGrid> grid = getIntegerGrid(integers);
  if (std::optional<double> splat = matchSplatNumber(factor); grid && splat) {
    if (!(*splat > 0) || !std::isnormal(float(*splat)))
      return std::nullopt;
    grid->scale = divides ? findInverse(*grid, float(*splat)) : float(*splat);
    if (!std::isnormal(grid->scale))
      return std::nullopt;
    return grid;
  }
  // Steps of one element are whole numbers of the finest steps.
  if (!isRounded(integers))
    return std::nullopt;
  double finest = INFINITY;
  for (int64_t i = 0, e = factors->numElements(); i < e; ++i) {
    double step = factors->getFloat(i);
    if (!isPowerOfTwo(step))
      return std::nullopt;
    finest = std::min(finest, divides ? 1 / step : step);
  }
  auto [low, high] = getBounds(op.getResult()).getEnds();
  if (!std::isnormal(float(finest)) || !(std::fabs(low / finest) <= 65536) ||
      !(std::fabs(high / finest) <= 65536))
    return std::nullopt;
  return ValueGrid{float(finest), int64_t(low / finest), int64_t(high / finest),
                   0};
}

static std::optional<ValueGrid> getEncodedGrid(qg::DequantizeOp op) {
  qg::QuantizedType type = qg::getQuantizedType(op.getX().getType());
  if (!type || !type.isPerTensor() || type.getBits() > 16 ||
      !std::isnormal(type.getScale()))
    return std::nullopt;
  const IntegerFormat &format = type.getIntegerFormat();
  return ValueGrid{float(type.getScale()), format.min() - type.getZeroPoint(),
                   format.max() - type.getZeroPoint(), 0};
}

/// The number of all windows' positions if they all count as many, a power of
/// two: a quotient by it is exact.
static std::optional<int64_t> getExactCount(qg::PoolOp op) {
  bool hasPads = llvm::any_of(op.getPads(), [](int64_t pad) { return pad; });
  int64_t count = 1;
  for (int64_t extent : op.getKernel())
    count *= extent;
  if (op.getKind() == PoolKind::max || (hasPads && !op.getCountIncludePad()) ||
      count > kMostElements || !isPowerOfTwo(double(count)))
    return std::nullopt;
  return count;
}

/// The least integer of which the scale is a power of two.
static double getOddPart(float scale) {
  int exponent;
  double odd = std::ldexp(std::frexp(double(scale), &exponent), 24);
  while (std::fmod(odd, 2) == 0)
    odd /= 2;
  return odd;
}

/// Means whose sums f32 adds without rounding: the sums are the integers.
std::optional<ValueGrid> GridAnalysis::getMeanGrid(qg::PoolOp op) {
  std::optional<int64_t> count = getExactCount(op);
  if (!count)
    return std::nullopt;
  Value source = op.getX();
  while (source.getDefiningOp() && keepsGrid(source.getDefiningOp()))
    source = source.getDefiningOp()->getOperand(0);
  auto encoded = source.getDefiningOp<qg::DequantizeOp>();
  std::optional<ValueGrid> grid =
      encoded ? getEncodedGrid(encoded) : getGrid(op.getX());
  if (!grid || !grid->isExact)
    return std::nullopt;
  // Zero is what pads add.
  grid->low = std::min<int64_t>(grid->low, 0) * *count;
  grid->high = std::max<int64_t>(grid->high, 0) * *count;
  double most = double(std::max(-grid->low, grid->high));
  if (most > 65536 || most * getOddPart(grid->scale) > kMostExact ||
      !std::isnormal(grid->scale / float(*count)))
    return std::nullopt;
  grid->scale /= float(*count);
  grid->zeroPoint = 0;
  return grid;
}

/// One of two numbers of opposite sign, as a comparison says: the sign of
/// something.
static std::optional<ValueGrid> getSignGrid(qg::SelectOp op) {
  std::optional<double> a = matchSplatNumber(op.getOnTrue());
  std::optional<double> b = matchSplatNumber(op.getOnFalse());
  if (!a || !b || *a != -*b || !std::isnormal(float(*a)))
    return std::nullopt;
  return ValueGrid{float(std::fabs(*a)), -1, 1, 0};
}

/// Values of one grid, and constants that lie on it.
std::optional<ValueGrid> GridAnalysis::getMergedGrid(ArrayRef<Value> values) {
  std::optional<ValueGrid> merged;
  for (Value value : values)
    if (std::optional<ValueGrid> grid = getGrid(value)) {
      if (merged && (merged->scale != grid->scale))
        return std::nullopt;
      if (!merged)
        merged = grid;
      merged->low = std::min(merged->low, grid->low);
      merged->high = std::max(merged->high, grid->high);
      merged->isExact &= grid->isExact;
    }
  if (!merged)
    return std::nullopt;
  for (Value value : values) {
    if (getGrid(value))
      continue;
    std::optional<double> number = matchSplatNumber(value);
    if (!number)
      return std::nullopt;
    int64_t steps =
        std::llround(std::clamp(*number / merged->scale, -1e6, 1e6));
    if (double(float(steps) * merged->scale) != *number)
      return std::nullopt;
    merged->low = std::min(merged->low, steps);
    merged->high = std::max(merged->high, steps);
  }
  return merged;
}

std::optional<ValueGrid> GridAnalysis::computeGrid(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op || !isF32(value))
    return std::nullopt;
  if (std::optional<ValueGrid> grid = getIntegerGrid(value))
    return grid;
  if (auto binary = dyn_cast<qg::BinaryOp>(op)) {
    bool selects = binary.getKind() == BinaryKind::min ||
                   binary.getKind() == BinaryKind::max;
    if (!selects) {
      std::optional<ValueGrid> scaled = getScaledGrid(binary);
      return scaled ? scaled : getWrappedGrid(binary);
    }
    std::optional<ValueGrid> grid =
        getMergedGrid({binary.getLhs(), binary.getRhs()});
    if (!grid)
      return std::nullopt;
    // Where one side is constant, the other is cut off.
    auto [low, high] = getBounds(value).getEnds();
    grid->low = std::max(grid->low, int64_t(std::llround(low / grid->scale)));
    grid->high =
        std::min(grid->high, int64_t(std::llround(high / grid->scale)));
    return grid;
  }
  if (auto unary = dyn_cast<qg::UnaryOp>(op)) {
    std::optional<ValueGrid> grid = getGrid(unary.getX());
    if (unary.getKind() != UnaryKind::relu || !grid)
      return std::nullopt;
    grid->low = std::max<int64_t>(grid->low, 0);
    grid->high = std::max<int64_t>(grid->high, 0);
    return grid;
  }
  if (auto select = dyn_cast<qg::SelectOp>(op)) {
    std::optional<ValueGrid> sign = getSignGrid(select);
    return sign ? sign
                : getMergedGrid({select.getOnTrue(), select.getOnFalse()});
  }
  if (auto concat = dyn_cast<qg::ConcatOp>(op))
    return getMergedGrid(llvm::to_vector(concat.getInputs()));
  if (auto pool = dyn_cast<qg::PoolOp>(op);
      pool && pool.getKind() != PoolKind::max)
    return getMeanGrid(pool);
  if (auto pad = dyn_cast<qg::PadOp>(op); pad && pad.getValue())
    return getMergedGrid({pad.getX(), pad.getValue()});
  return keepsGrid(op) ? getGrid(op->getOperand(0)) : std::nullopt;
}

std::optional<ValueGrid> GridAnalysis::getGrid(Value value) {
  auto it = grids.find(value);
  if (it != grids.end())
    return it->second;
  std::optional<ValueGrid> computed = computeGrid(value);
  grids[value] = computed;
  return computed;
}
