//===- Requantize.cpp - Accumulators into stored integers -----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// By a multiplier and one rounding, or by comparisons where results are few.
//===----------------------------------------------------------------------===//
#include "Convert.h"
#include "Map.h"
#include "Verify.h"
#include "qopt/Dialect/FXP/IR/FXP.h"
#include "qopt/Numerics/Affine.h"
#include "qopt/Numerics/EvalBuilder.h"
#include "qopt/Numerics/FixedPoint.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::hls;

/// Results of up to this many levels are found by comparisons.
static constexpr int64_t kMostThresholds = 15;

static LogicalResult checkChannels(Operation *op, StreamType in,
                                   int64_t channels, int64_t parameters) {
  if (failed(checkDivides(op, in.getLanes(), channels, "lanes")) ||
      failed(checkDivides(op, channels, in.getElements(), "channels")))
    return failure();
  if (parameters == 1 || parameters == channels)
    return success();
  return op->emitOpError() << "expects parameters for 1 or " << channels
                           << " channels, got " << parameters;
}

LogicalResult RequantizeOp::verify() {
  StreamType in = getInput().getType(), out = getResult().getType();
  int64_t count = cast<ShapedType>(getMultipliers().getType()).getNumElements();
  if (cast<ShapedType>(getShifts().getType()).getNumElements() != count) // C1
    return emitOpError("expects as many shifts as multipliers");
  return success(
      succeeded(checkMap(*this, in, out)) &&                       // C3
      succeeded(checkChannels(*this, in, getChannels(), count)) && // C1, C2
      succeeded(checkClamp(*this, getClamp(), out)));              // C4
}

LogicalResult ThresholdOp::verify() {
  StreamType in = getInput().getType(), out = getResult().getType();
  auto type = cast<ShapedType>(getThresholds().getType());
  if (type.getRank() != 2 || !type.getElementType().isInteger(32)) // C1
    return emitOpError() << "expects thresholds [channels, levels] of i32, got "
                         << type;
  int64_t clamp[] = {int64_t(getLow()), int64_t(getLow()) + type.getDimSize(1)};
  return success(succeeded(checkMap(*this, in, out)) && // C3
                 succeeded(checkChannels(*this, in, getChannels(),
                                         type.getDimSize(0))) && // C1, C2
                 succeeded(checkClamp(*this, clamp, out)));      // C4
}

namespace {
/// A requantization of inputs in [low, high].
struct Requantizer {
  static FailureOr<Requantizer> get(fxp::RequantizeOp op);

  std::vector<float> scales;
  std::vector<FixedScale> fixed; ///< empty in mode f32
  int64_t xZeroPoint = 0, zeroPoint = 0, low = 0, high = 0;

  int64_t apply(int64_t x, size_t channel) const;
  /// Rows of thresholds: level `i` is the least input whose result is at least
  /// `low + 1 + i`, or `inputHigh + 1`.
  std::vector<int64_t> getThresholds(int64_t inputLow, int64_t inputHigh) const;
};
} // namespace

FailureOr<Requantizer> Requantizer::get(fxp::RequantizeOp op) {
  FailureOr<Tensor> scales =
      qg::getTensor(op.getScales(), op.getScales().getType());
  if (failed(scales))
    return op.emitError("expects scales whose bytes are present");
  Requantizer result;
  std::optional<RequantizeMode> mode =
      parseRequantizeMode(op.getMode().getKind(), op.getMode().getBits());
  if (!mode)
    return failure();
  for (int64_t i = 0; i < scales->numElements(); ++i) {
    result.scales.push_back(float(scales->getFloat(i)));
    if (mode->kind != RequantizeMode::F32)
      result.fixed.push_back(getFixedScale(result.scales.back(), *mode));
  }
  result.xZeroPoint = op.getXZp();
  result.zeroPoint = op.getZp();
  result.low = op.getClamp()[0];
  result.high = op.getClamp()[1];
  return result;
}

int64_t Requantizer::apply(int64_t x, size_t channel) const {
  numerics::StoredRange range{zeroPoint, low, high};
  EvalBuilder b;
  if (fixed.empty())
    return numerics::emitRequantize(b, int32_t(x), xZeroPoint, scales[channel],
                                    range);
  return numerics::emitRequantizeFixed(
      b, int32_t(x), xZeroPoint,
      numerics::FixedFactor{fixed[channel].multiplier,
                            int64_t(fixed[channel].shift)},
      range);
}

std::vector<int64_t> Requantizer::getThresholds(int64_t inputLow,
                                                int64_t inputHigh) const {
  std::vector<int64_t> thresholds;
  for (size_t channel = 0; channel < scales.size(); ++channel)
    for (int64_t level = low + 1; level <= high; ++level) {
      // The least x in [inputLow, inputHigh + 1] that reaches the level.
      int64_t least = inputLow, most = inputHigh + 1;
      while (least < most) {
        int64_t middle = least + (most - least) / 2;
        if (apply(middle, channel) >= level)
          most = middle;
        else
          least = middle + 1;
      }
      thresholds.push_back(least);
    }
  return thresholds;
}

static FailureOr<Value> convertRequantize(fxp::RequantizeOp op,
                                          Streams &streams) {
  FailureOr<Requantizer> requantizer = Requantizer::get(op);
  if (failed(requantizer))
    return failure();
  ArrayRef<int64_t> shape = getShape(op.getX());
  int64_t channels = shape.empty() ? 1 : shape.back();
  int64_t count = requantizer->scales.size();
  int64_t levels = requantizer->high - requantizer->low;
  bool isMonotonic =
      llvm::all_of(requantizer->scales, [](float scale) { return scale >= 0; });
  bool isFixed = !requantizer->fixed.empty();
  if (!isMonotonic)
    return refuse(op) << "expects scales that are not negative";
  if (!isFixed && levels > kMostThresholds)
    return refuse(op) << "expects --requant=fixed:BITS or pow2, got f32 for a "
                         "result of "
                      << levels + 1 << " levels";
  IntegerType element =
      getNarrowestType(op->getContext(), requantizer->low, requantizer->high);
  Value x = streams.take(op.getX());
  StreamType type = cast<StreamType>(x.getType());
  StreamType result = getStream(type.getElements(), element);
  Value stream;
  bool isWide = type.getLow() < INT32_MIN || type.getHigh() > INT32_MAX;
  if (levels >= 1 && levels <= kMostThresholds && !isWide) {
    std::vector<int64_t> thresholds =
        requantizer->getThresholds(type.getLow(), type.getHigh());
    stream =
        ThresholdOp::create(streams.builder(), op.getLoc(), result, x, channels,
                            makeIntegers(op->getContext(), thresholds,
                                         {count, levels}, 32, "thresholds"),
                            requantizer->low);
  } else {
    // The unit's product, and its rounding, have to fit 64 bits.
    int64_t most = std::max(std::abs(type.getLow() - requantizer->xZeroPoint),
                            std::abs(type.getHigh() - requantizer->xZeroPoint));
    for (const FixedScale &scale : requantizer->fixed)
      if (llvm::Log2_64_Ceil(most + 1) +
              llvm::Log2_64_Ceil(scale.multiplier + 1) >
          62)
        return refuse(op) << "its products have more than 62 bits; use fewer "
                             "in --requant=fixed:BITS";
    std::vector<int64_t> multipliers, shifts;
    for (const FixedScale &scale : requantizer->fixed) {
      multipliers.push_back(scale.multiplier);
      shifts.push_back(scale.shift);
    }
    stream = RequantizeOp::create(
        streams.builder(), op.getLoc(), result, x, channels,
        makeIntegers(op->getContext(), multipliers, {count}, 32, "multipliers"),
        makeIntegers(op->getContext(), shifts, {count}, 8, "shifts"),
        requantizer->xZeroPoint, requantizer->zeroPoint,
        ArrayRef<int64_t>{requantizer->low, requantizer->high});
  }
  return stream;
}

void RequantizeOp::addConversions(Conversions &conversions) {
  conversions.add(convertRequantize);
}

namespace {
class RequantizeUnit : public MapUnit {
public:
  explicit RequantizeUnit(RequantizeOp op)
      : MapUnit(op, op.getChannels()), op_(op),
        multipliers_(getIntegers(op.getMultipliers())),
        shifts_(getIntegers(op.getShifts())) {
    most_ = *std::max_element(multipliers_.begin(), multipliers_.end());
    least_ = *std::min_element(shifts_.begin(), shifts_.end());
  }

  Resources resources(const Part &part) const override {
    Resources one =
        getMultiplier((getRange(input()) - int64_t(op().getXZp())).bits(),
                      getSignedBits(0, most_), part);
    // A shifter where channels differ, an adder, two comparisons.
    unsigned bits = productBits();
    bool isUniform = llvm::all_equal(shifts_);
    one.lut += (isUniform ? 1 : 3) * bits + 3 * output().getBits();
    Resources result{60, 0, 0};
    for (int64_t i = 0; i < lanes_; ++i)
      result += one;
    if (isPerChannel())
      result.lut +=
          getLutRam(channels_ / lanes_, lanes_ * (getSignedBits(0, most_) + 6));
    return result;
  }

  std::string describe() const override {
    return (Twine("to ") + Twine(output().getBits()) + " bits, " +
            (isPerChannel() ? "a scale per channel, " : "") + Twine(lanes_) +
            " a cycle")
        .str();
  }

  void emitTables(Text &text, StringRef name) const override {
    if (!isPerChannel())
      return;
    int64_t folds = channels_ / lanes_;
    emitTable(text, (name + "_multipliers").str(),
              {getSignedBits(0, most_) - 1, false}, {folds, lanes_},
              multipliers_);
    emitTable(text, (name + "_shifts").str(), {6, false}, {folds, lanes_},
              shifts_);
  }

  void emit(Text &text, StringRef name) const override {
    StreamType in = input(), out = output();
    int64_t folds = channels_ / lanes_;
    openFunction(text, name, Unit::op_);
    if (isPerChannel())
      for (StringRef table : {"_multipliers", "_shifts"})
        text.pragma("ARRAY_RESHAPE variable=" + name + table +
                    " complete dim=2");
    bool isCounted = isPerChannel() && folds > 1;
    text.loop("t", isCounted ? in.getTokens() / folds : in.getTokens());
    if (isCounted)
      text.loop("c", folds);
    text.pragma("PIPELINE II=1 style=flp");
    text.line("const " + getWordName(in) + " word = in.read();");
    text.line(getWordName(out) + " result = 0;");
    text.unrolled("i", lanes_);
    emitLane(text, in, "x", "word", "i");
    TextBuilder b(TextBuilder::ApInt);
    TextBuilder::V multiplier = b.constant(most_), shift = b.constant(least_);
    if (isPerChannel()) {
      std::string index = isCounted ? "[c][i]" : "[0][i]";
      text.line("const int shift = " + name + "_shifts" + index + ";");
      multiplier = b.variable((name + "_multipliers" + index).str(), 0, most_);
      shift = b.variable("shift", least_, widest());
    }
    TextBuilder::V x = b.variable("x", in.getLow(), in.getHigh());
    TextBuilder::V product =
        b.mulI(b.subI(x, b.constant(op().getXZp())), multiplier);
    text.lines(b.define(product, "product"));
    text.pragma("BIND_OP variable=product op=mul impl=dsp");
    emitShiftIntoRange(
        text, b, b.variable("product", product->low, product->high), shift,
        {int64_t(op().getZp()), op().getClamp()[0], op().getClamp()[1]});
    emitSetLane(text, out, "result", "i", "value");
    text.close();
    text.line("out.write(result);");
    text.close();
    if (isCounted)
      text.close();
    text.close();
  }

private:
  RequantizeOp op() const { return op_; }
  bool isPerChannel() const { return multipliers_.size() > 1; }
  int64_t widest() const {
    return *std::max_element(shifts_.begin(), shifts_.end());
  }
  unsigned productBits() const {
    Interval product = (getRange(input()) - int64_t(op().getXZp())) * most_;
    return std::min<unsigned>(
        64, std::max<unsigned>(product.bits(), widest() + 1) + 1);
  }

  mutable RequantizeOp op_;
  std::vector<int64_t> multipliers_, shifts_;
  int64_t most_, least_;
};

class ThresholdUnit : public MapUnit {
public:
  explicit ThresholdUnit(ThresholdOp op)
      : MapUnit(op, op.getChannels()), op_(op),
        values_(getIntegers(op.getThresholds())) {
    auto type = cast<ShapedType>(op.getThresholds().getType());
    rows_ = type.getDimSize(0);
    levels_ = type.getDimSize(1);
  }
  Resources resources(const Part &) const override {
    Resources result{60 + lanes_ * levels_ * int64_t(input().getBits()), 0, 0};
    if (rows_ > 1)
      result.lut +=
          getLutRam(channels_ / lanes_, lanes_ * levels_ * input().getBits());
    return result;
  }
  std::string describe() const override {
    return (Twine(levels_) + " thresholds, " + Twine(lanes_) + " a cycle")
        .str();
  }
  void emitTables(Text &text, StringRef name) const override {
    bool isPerChannel = rows_ > 1;
    emitTable(text, (name + "_thresholds").str(), {32, true},
              {isPerChannel ? channels_ / lanes_ : 1, isPerChannel ? lanes_ : 1,
               levels_},
              values_);
  }
  void emit(Text &text, StringRef name) const override {
    StreamType in = input(), out = output();
    int64_t folds = rows_ > 1 ? channels_ / lanes_ : 1;
    std::string table = (name + "_thresholds").str();
    openFunction(text, name, Unit::op_);
    text.pragma("ARRAY_RESHAPE variable=" + table + " complete dim=3");
    text.pragma("ARRAY_RESHAPE variable=" + table + " complete dim=2");
    text.loop("t", in.getTokens() / folds);
    text.loop("c", folds);
    text.pragma("PIPELINE II=1 style=flp");
    text.line("const " + getWordName(in) + " word = in.read();");
    text.line(getWordName(out) + " result = 0;");
    text.unrolled("i", lanes_);
    emitLane(text, in, "x", "word", "i");
    text.line(getElementName(out) +
              " value = " + Twine(int64_t(ThresholdOp(op_).getLow())) + ";");
    text.unrolled("k", levels_);
    text.line("if (x >= " + table + "[c][" + (rows_ > 1 ? "i" : "0") + "][k])");
    text.line("  value += 1;");
    text.close();
    emitSetLane(text, out, "result", "i", "value");
    text.close();
    text.line("out.write(result);");
    for (int i = 0; i < 3; ++i)
      text.close();
  }

private:
  mutable ThresholdOp op_;
  std::vector<int64_t> values_;
  int64_t rows_, levels_;
};
} // namespace

UnitPtr RequantizeOp::createUnit() { return makeUnit<RequantizeUnit>(*this); }
UnitPtr ThresholdOp::createUnit() { return makeUnit<ThresholdUnit>(*this); }
