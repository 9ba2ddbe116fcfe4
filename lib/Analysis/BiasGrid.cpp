//===- BiasGrid.cpp - How finely a bias lies among the sums of bytes ------===//
// SPDX-License-Identifier: Apache-2.0
//
// A step of the sums is the product of the scales.
//===----------------------------------------------------------------------===//
#include "qopt/Analysis/BiasGrid.h"
#include "qopt/Analysis/SumRange.h"
#include "qopt/Dialect/QG/IR/Encodings.h"
#include "qopt/Numerics/Affine.h"

#include <cmath>

using namespace mlir;
using namespace qopt;

static bool isStaticInteger(qg::QuantizedType type) {
  return type && !type.isDynamic_() && !type.getGroupSize() &&
         !type.isTable() && type.getBits() <= 8;
}

std::optional<BiasGrid> BiasGrid::match(LinearOpInterface op) {
  if (!op.getBias() || op.roundsInput())
    return std::nullopt;
  qg::QuantizedType x = qg::getQuantizedType(op.getInput().getType());
  auto weightType = dyn_cast<RankedTensorType>(op.getWeight().getType());
  qg::QuantizedType weight = qg::getQuantizedType(op.getWeight().getType());
  std::optional<Tensor> stored = qg::matchConstant(op.getWeight());
  std::optional<Tensor> bias = qg::matchConstant(op.getBias());
  if (!isStaticInteger(x) || !isStaticInteger(weight) || !x.isPerTensor() ||
      (weight.isPerAxis() && weight.getAxis() != op.getOutputAxis()) ||
      !stored || !bias || !getTensorType(op.getBias()).getElementType().isF32())
    return std::nullopt;
  std::optional<qg::Decoder> decoder = qg::Decoder::get(weightType);
  std::optional<Tensor> bytes =
      decoder ? decoder->bytes(*stored).bytes : std::nullopt;
  if (!bytes)
    return std::nullopt;
  BiasGrid grid{op, x, weight, *bytes, {}, {}};
  ArrayRef<float> scales = decoder->scales();
  for (int64_t o = 0; o < op.countOutputs(); ++o) {
    double step =
        double(x.getScale()) * double(scales[scales.size() == 1 ? 0 : o]);
    grid.steps.push_back(step);
    grid.quotients.push_back(bias->getFloat(o) / step);
  }
  return grid;
}

/// Whether a channel has died: its bias is no 32-bit number of such steps. The
/// conversion to integers gives it other ones.
static bool isDead(double quotient) { return !(std::fabs(quotient) < 0x1p30); }

bool BiasGrid::hasFewBits() const {
  return x.getBits() < 8 || weight.getBits() < 8;
}

double BiasGrid::getLoss(unsigned bits) const {
  qg::QuantizedType result = qg::getQuantizedType(op->getResult(0).getType());
  double loss = 0;
  for (auto [quotient, step] : llvm::zip(quotients, steps)) {
    double fine = std::ldexp(quotient, bits);
    double rounding = std::ldexp(std::fabs(fine - std::nearbyint(fine)),
                                 -static_cast<int>(bits));
    if (!isDead(quotient))
      loss = std::max(loss, result ? rounding * step / double(result.getScale())
                                   : rounding);
  }
  return loss;
}

bool BiasGrid::givesFewLevels() const {
  constexpr int64_t kMostLevels = 16;
  LinearOpInterface product = op;
  qg::QuantizedType result =
      qg::getQuantizedType(product->getResult(0).getType());
  return isStaticInteger(result) && result.isPerTensor() &&
         result.getIntegerFormat().max() - result.getIntegerFormat().min() <
             kMostLevels;
}

namespace {
/// Real biases of a channel, in steps of its sums, with which every sum gives
/// what the float formula gives.
struct Window {
  double low = -INFINITY, high = INFINITY;
};

/// A bias in steps of the sums, which are `factor` of what they were.
struct Line {
  double bias, factor;
  bool isExact;
};

/// The sums of a channel into bytes: `quantize(f32(sum) * step + bias)`.
struct ByteLevels {
  float step, bias, scale;
  numerics::StoredRange range;
  SumRange sums;

  int64_t getLevel(int64_t sum) const {
    EvalBuilder b;
    float real = numerics::emitDequantize(b, int32_t(sum), 0, step) + bias;
    return numerics::emitQuantize(b, real, scale, range);
  }
  /// Whether all sums give one level, with a bias of a step more or less too.
  bool isConstant() const {
    return getLevel(sums.low - 1) == getLevel(sums.high + 1);
  }
  std::optional<int64_t> findFirst(int64_t level) const;
  /// Where a level begins, in steps of the sums beside no bias.
  double getPlace(int64_t level) const {
    return (double(level - range.zeroPoint) - 0.5) * double(scale) /
           double(step);
  }
  /// Requantizations round at 2^-24 of 256 levels, or a little more.
  double getMargin() const { return 0x1p-14 * double(scale) / double(step); }
  std::optional<Window> findWindow() const;
  SmallVector<Window> findFactors(double bias) const;
  std::optional<Line> findLine(double wanted, unsigned bits) const;
};
} // namespace

/// The least sum that gives at least `level`, or the one behind all.
std::optional<int64_t> ByteLevels::findFirst(int64_t level) const {
  // Right but for the roundings of floats, which a few steps make up for.
  constexpr int kMostSteps = 16;
  double place =
      ((double(level - range.zeroPoint) - 0.5) * double(scale) - double(bias)) /
      double(step);
  double limited =
      std::clamp(std::ceil(place), double(sums.low), double(sums.high) + 1);
  int64_t first = static_cast<int64_t>(limited);
  for (int i = 0; i < kMostSteps; ++i) {
    if (first > sums.low && getLevel(first - 1) >= level)
      --first;
    else if (first <= sums.high && getLevel(first) < level)
      ++first;
    else
      return first;
  }
  return std::nullopt;
}

std::optional<Window> ByteLevels::findWindow() const {
  Window window;
  for (int64_t level = range.low + 1; level <= range.high; ++level) {
    std::optional<int64_t> first = findFirst(level);
    if (!first)
      return std::nullopt;
    // sum + bias >= place is what rounds to the level.
    double place = getPlace(level);
    if (*first <= sums.high)
      window.low = std::max(window.low, place - double(*first));
    if (*first > sums.low)
      window.high = std::min(window.high, place - double(*first - 1));
  }
  window.low += getMargin();
  window.high -= getMargin();
  return window.low < window.high ? std::optional(window) : std::nullopt;
}

/// Factors f of the step, by level, with which (sum + bias) f meets the place
/// of the level where the float formula does; none where a level is not known.
SmallVector<Window> ByteLevels::findFactors(double bias) const {
  // Half a unit of the 24 digits of a scale, for each of few levels.
  double margin = 0x1p-20 * double(scale) / double(step);
  SmallVector<Window> factors;
  for (int64_t level = range.low + 1; level <= range.high; ++level) {
    Window window{0.5, 2.0};
    // x f >= place, or with `isBelow` x f <= place.
    auto limit = [&](double x, double place, bool isBelow) {
      if (x == 0 && (isBelow ? place < 0 : place > 0))
        window.high = -INFINITY;
      else if (x != 0 && (x > 0) == isBelow)
        window.high = std::min(window.high, place / x);
      else if (x != 0)
        window.low = std::max(window.low, place / x);
    };
    std::optional<int64_t> first = findFirst(level);
    if (!first)
      return {};
    double place = getPlace(level), x = double(*first) + bias;
    if (*first <= sums.high)
      limit(x, place + margin, false);
    if (*first > sums.low)
      limit(x - 1, place - margin, true);
    factors.push_back(window);
  }
  return factors;
}

/// The most windows that have a point in common, and what they share.
static std::pair<size_t, Window> findCommon(ArrayRef<Window> windows) {
  std::pair<size_t, Window> best{0, {}};
  for (const Window &left : windows) {
    Window common{left.low, INFINITY};
    size_t count = 0;
    for (const Window &window : windows)
      if (window.low <= left.low && left.low < window.high) {
        common.high = std::min(common.high, window.high);
        ++count;
      }
    if (count > best.first)
      best = {count, common};
  }
  return best;
}

/// The line that meets most levels, all of them if some line does, with a bias
/// of whole 2^-bits. Biases a few steps away fail at the ends of the range.
std::optional<Line> ByteLevels::findLine(double wanted, unsigned bits) const {
  constexpr int64_t kMostSteps = 4;
  double middle = std::nearbyint(std::ldexp(wanted, bits));
  std::optional<Line> best;
  size_t most = 0;
  for (int64_t i = 0; i <= 2 * kMostSteps; ++i) {
    double whole = middle + double(i % 2 ? (i + 1) / 2 : -(i / 2));
    SmallVector<Window> factors =
        findFactors(std::ldexp(whole, -static_cast<int>(bits)));
    auto [count, common] = findCommon(factors);
    if (count <= most)
      continue;
    most = count;
    bool keeps = common.low < 1 && 1 < common.high;
    best = Line{whole, keeps ? 1 : (common.low + common.high) / 2,
                count == factors.size()};
  }
  return best;
}

/// A whole number of 2^-bits within the window, as near to `wanted` as any.
static std::optional<double> findWhole(const Window &window, double wanted,
                                       unsigned bits) {
  double low = std::ceil(std::ldexp(window.low, bits));
  double high = std::floor(std::ldexp(window.high, bits));
  if (low > high)
    return std::nullopt;
  return std::clamp(std::nearbyint(std::ldexp(wanted, bits)), low, high);
}

/// Of all channels; none where the result is no bytes of one encoding.
static SmallVector<ByteLevels> getByteLevels(const BiasGrid &grid) {
  LinearOpInterface op = grid.op;
  qg::QuantizedType result = qg::getQuantizedType(op->getResult(0).getType());
  if (!result || !result.isPerTensor() ||
      result.getIntegerFormat().storageBits() != 8)
    return {};
  const IntegerFormat &format = result.getIntegerFormat();
  numerics::StoredRange range{result.getZeroPoint(), format.min(),
                              format.max()};
  if (auto clamp = op->getAttrOfType<DenseI64ArrayAttr>("clamp")) {
    range.low = clamp[0];
    range.high = clamp[1];
  }
  SmallVector<ByteLevels> channels;
  SmallVector<SumRange> sums = getSumRanges(op, grid.bytes);
  for (auto [step, quotient, own] : llvm::zip(grid.steps, grid.quotients, sums))
    channels.push_back(
        {float(step), float(quotient * step), result.getScale(), range, own});
  return channels;
}

PlacedBiases BiasGrid::place(unsigned bits, bool fits) const {
  PlacedBiases placed;
  placed.factors.assign(quotients.size(), 1);
  for (double quotient : quotients)
    placed.whole.push_back(std::nearbyint(std::ldexp(quotient, bits)));
  SmallVector<ByteLevels> channels = getByteLevels(*this);
  placed.isExact = getLoss(bits) == 0;
  if (channels.empty() || placed.isExact)
    return placed;
  placed.isExact = true;
  for (size_t o = 0; o < quotients.size(); ++o) {
    const ByteLevels &levels = channels[o];
    if (placed.whole[o] == std::ldexp(quotients[o], bits) ||
        levels.isConstant())
      continue;
    // Sums of fewer bits than a float, so that they and biases are exact.
    constexpr double kMost = 1 << 22;
    double most = std::max(-double(levels.sums.low), double(levels.sums.high));
    bool isNarrow = most + std::fabs(quotients[o]) <
                    std::ldexp(kMost, -static_cast<int>(bits));
    std::optional<Window> window =
        isNarrow ? levels.findWindow() : std::optional<Window>();
    std::optional<double> whole =
        window ? findWhole(*window, quotients[o], bits) : std::nullopt;
    std::optional<Line> line;
    if (whole)
      line = Line{*whole, 1, /*isExact=*/true};
    else if (isNarrow && fits)
      line = levels.findLine(quotients[o], bits);
    placed.isExact &= line && line->isExact;
    if (!line)
      continue;
    placed.whole[o] = line->bias;
    placed.factors[o] = line->factor;
  }
  return placed;
}

unsigned BiasGrid::getRoom() const {
  if (weight.getBits() >= 8)
    return 0;
  LinearOpInterface product = op;
  int64_t channels = quotients.size(), inner = 1, low = 0, high = 0;
  for (int64_t extent : bytes.shape().drop_front(product.getOutputAxis() + 1))
    inner *= extent;
  // Biases beside which the sums are nothing do not need a finer grid; those
  // beyond 32 bits get steps of their own.
  SmallVector<ByteLevels> levels = getByteLevels(*this);
  SmallVector<double> reach;
  for (auto [o, quotient] : llvm::enumerate(quotients)) {
    bool isFree =
        isDead(quotient) || (!levels.empty() && levels[o].isConstant());
    reach.push_back(isFree ? 0 : std::fabs(quotient));
  }
  for (int64_t i = 0; i < bytes.numElements(); ++i) {
    int64_t value = bytes.getInt(i);
    low = std::min(low, value);
    high = std::max(high, value);
    // |x| <= 255, and its zero point once more, which a bias may hold.
    reach[i / inner % channels] += 510.0 * double(std::abs(value));
  }
  double most = 0;
  for (double bound : reach)
    most = std::max(most, bound);
  unsigned room = 0;
  for (unsigned bits = 1; bits <= 7; ++bits)
    if ((low << bits) >= INT8_MIN && (high << bits) <= INT8_MAX &&
        std::ldexp(most, bits) < 0x1p30)
      room = bits;
  return room;
}
