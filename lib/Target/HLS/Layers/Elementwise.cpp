//===- Elementwise.cpp - Requantization, thresholds, sums, tables ---------===//
// SPDX-License-Identifier: Apache-2.0
//
// One token in, one token out. Every intermediate is as wide as its range
// demands, so that neither the vendor's types nor the stand-in wrap.
//===----------------------------------------------------------------------===//
#include "Unit.h"

using namespace mlir;
using namespace qopt::hls;

namespace {
/// A closed interval of integers.
struct Interval {
  int64_t low, high;

  Interval operator-(int64_t value) const {
    return {low - value, high - value};
  }
  Interval operator*(int64_t factor) const {
    return {std::min(low * factor, high * factor),
            std::max(low * factor, high * factor)};
  }
  Interval operator+(Interval other) const {
    return {low + other.low, high + other.high};
  }
  unsigned bits() const { return getSignedBits(low, high); }
};

Interval getRange(StreamType type) { return {type.getLow(), type.getHigh()}; }

/// A unit that maps tokens to tokens: its folding is its lanes.
class MapUnit : public Unit {
public:
  MapUnit(Operation *op, int64_t channels) : Unit(op), channels_(channels) {
    lanes_ = input().getLanes();
  }
  void fold(int64_t cycles) override {
    int64_t elements = input().getElements();
    lanes_ = pickDivisor(channels_,
                         [&](int64_t d) { return elements / d <= cycles; });
  }
  int64_t inputLanes(unsigned) const override { return lanes_; }
  int64_t outputLanes() const override { return lanes_; }
  int64_t cycles() const override { return input().getElements() / lanes_; }
  Action action(int64_t) const override {
    return {uint8_t(op_->getNumOperands() == 2 ? 3 : 1), 1};
  }

protected:
  /// Elements that may share a token.
  int64_t channels_;
  int64_t lanes_;
};

/// rounded = product / 2^shift, half to even. `bits` holds product and half.
void emitShift(Text &text, unsigned bits, StringRef shift, bool mayBeZero) {
  std::string type = ("ap_int<" + Twine(bits) + ">").str();
  text.line("// One rounding, half to even.");
  if (mayBeZero) {
    text.line(type + " rounded = product;");
    text.open("if (" + shift + " != 0)");
  }
  text.line("const " + type + " half = " + type + "(1) << (" + shift +
            " - 1);");
  text.line("const " + type + " odd = " + type + "(product >> " + shift +
            ") & 1;");
  if (mayBeZero) {
    text.line("rounded = " + type + "(product + half - 1 + odd) >> " + shift +
              ";");
    text.close();
  } else {
    text.line("const " + type + " rounded = " + type +
              "(product + half - 1 + odd) >> " + shift + ";");
  }
}

/// value = min(max(rounded + zp, low), high)
void emitSaturate(Text &text, unsigned bits, int64_t zp,
                  ArrayRef<int64_t> clamp) {
  std::string type = ("ap_int<" + Twine(bits + 1) + ">").str();
  if (zp == 0)
    text.line(type + " value = rounded;");
  else
    text.line(type + " value = rounded " + (zp < 0 ? "- " : "+ ") +
              Twine(std::abs(zp)) + ";");
  text.line("if (value < " + Twine(clamp[0]) + ")");
  text.line("  value = " + Twine(clamp[0]) + ";");
  text.line("if (value > " + Twine(clamp[1]) + ")");
  text.line("  value = " + Twine(clamp[1]) + ";");
}

/// `x - zp` without a double sign.
std::string subtract(StringRef name, int64_t zp) {
  if (zp == 0)
    return name.str();
  return ("(" + name + (zp < 0 ? " + " : " - ") + Twine(std::abs(zp)) + ")")
      .str();
}

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
    unsigned bits = productBits();
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
    std::string index = isCounted ? "[c][i]" : "[0][i]";
    std::string multiplier = isPerChannel()
                                 ? (name + "_multipliers" + index).str()
                                 : std::to_string(multipliers_[0]);
    std::string shift = isPerChannel() ? (name + "_shifts" + index).str()
                                       : std::to_string(shifts_[0]);
    if (isPerChannel()) {
      text.line("const int shift = " + shift + ";");
      shift = "shift";
    }
    text.line("const ap_int<" + Twine(bits) + "> product = " +
              subtract("x", op().getXZp()) + " * " + multiplier + ";");
    text.pragma("BIND_OP variable=product op=mul impl=dsp");
    emitShift(text, bits, shift, least_ == 0);
    emitSaturate(text, bits, op().getZp(), op().getClamp());
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
  unsigned productBits() const {
    Interval product = (getRange(input()) - int64_t(op().getXZp())) * most_;
    int64_t widest = *std::max_element(shifts_.begin(), shifts_.end());
    return std::min<unsigned>(
        64, std::max<unsigned>(product.bits(), widest + 1) + 1);
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

/// Lanes of a map with two operands: any that divide the frame and the
/// channels that the producers know.
class PairUnit : public MapUnit {
public:
  using MapUnit::MapUnit;

protected:
  void emitRead(Text &text) const {
    text.loop("t", input().getElements() / lanes_);
    text.pragma("PIPELINE II=1 style=flp");
    text.line("const " + getWordName(input(0)) + " left = in0.read();");
    text.line("const " + getWordName(input(1)) + " right = in1.read();");
    text.line(getWordName(output()) + " result = 0;");
    text.unrolled("i", lanes_);
    emitLane(text, input(0), "a", "left", "i");
    emitLane(text, input(1), "b", "right", "i");
  }
  void emitEnd(Text &text) const {
    emitSetLane(text, output(), "result", "i", "value");
    text.close();
    text.line("out.write(result);");
    text.close();
    text.close();
  }
};

/// Last dimension as far as it is known: the power of two or divisor that all
/// frames share is found by the elements themselves.
int64_t getFrame(Operation *op) {
  return cast<StreamType>(op->getOperand(0).getType()).getElements();
}

class AddUnit : public PairUnit {
public:
  explicit AddUnit(AddOp op) : PairUnit(op, getFrame(op)), op_(op) {}

  Resources resources(const Part &part) const override {
    Resources one{int64_t(3 * bits()), 0, 0};
    for (unsigned i : {0, 1})
      one += getMultiplier(
          (getRange(input(i)) - AddOp(op_).getZps()[i]).bits(),
          getSignedBits(0, std::abs(AddOp(op_).getMultipliers()[i])), part);
    Resources result{60, 0, 0};
    for (int64_t i = 0; i < lanes_; ++i)
      result += one;
    return result;
  }
  std::string describe() const override {
    return ("sum of two scaled streams, " + Twine(lanes_) + " a cycle").str();
  }
  void emit(Text &text, StringRef name) const override {
    AddOp op = op_;
    std::string type = ("ap_int<" + Twine(bits()) + ">").str();
    openFunction(text, name, Unit::op_);
    emitRead(text);
    text.line("const " + type + " product = " + subtract("a", op.getZps()[0]) +
              " * " + Twine(op.getMultipliers()[0]) + " + " +
              subtract("b", op.getZps()[1]) + " * " +
              Twine(op.getMultipliers()[1]) + ";");
    emitShift(text, bits(), std::to_string(op.getShift()), op.getShift() == 0);
    emitSaturate(text, bits(), op.getZp(), op.getClamp());
    emitEnd(text);
  }

private:
  unsigned bits() const {
    AddOp op = op_;
    Interval sum =
        (getRange(input(0)) - op.getZps()[0]) * op.getMultipliers()[0] +
        (getRange(input(1)) - op.getZps()[1]) * op.getMultipliers()[1];
    return std::min<unsigned>(
        64, std::max<unsigned>(sum.bits(), op.getShift() + 1) + 1);
  }
  mutable AddOp op_;
};

class MulUnit : public PairUnit {
public:
  explicit MulUnit(MulOp op) : PairUnit(op, getFrame(op)), op_(op) {}

  Resources resources(const Part &part) const override {
    Resources result{60, 0, 0};
    for (int64_t i = 0; i < lanes_; ++i)
      result +=
          getMultiplier(input(0).getBits() + 1, input(1).getBits() + 1, part);
    return result;
  }
  std::string describe() const override {
    return ("product of two streams, " + Twine(lanes_) + " a cycle").str();
  }
  void emit(Text &text, StringRef name) const override {
    MulOp op = op_;
    openFunction(text, name, Unit::op_);
    emitRead(text);
    std::string type = getElementName(output());
    text.line("const " + type + " value = " + subtract("a", op.getZps()[0]) +
              " * " + subtract("b", op.getZps()[1]) + ";");
    emitEnd(text);
  }

private:
  mutable MulOp op_;
};

class LutUnit : public MapUnit {
public:
  explicit LutUnit(LutOp op) : MapUnit(op, getFrame(op)), op_(op) {}

  Resources resources(const Part &) const override {
    return {40 + lanes_ * getLutRam(256, output().getBits()), 0, 0};
  }
  std::string describe() const override {
    return ("table of 256, " + Twine(lanes_) + " a cycle").str();
  }
  void emitTables(Text &text, StringRef name) const override {
    std::vector<int64_t> values = getIntegers(LutOp(op_).getTable());
    // What the input cannot reach need not fit the result.
    StreamType in = input(), out = output();
    for (int64_t index = 0; index < 256; ++index) {
      int64_t value = index;
      if (in.isSigned() && value >= 128)
        value -= 256;
      if (value < in.getLow() || value > in.getHigh())
        values[index] = 0;
      else if (!out.isSigned())
        values[index] &= 0xFF;
    }
    emitTable(text, (name + "_table").str(), {out.getBits(), out.isSigned()},
              {256}, values);
  }
  void emit(Text &text, StringRef name) const override {
    StreamType in = input(), out = output();
    openFunction(text, name, Unit::op_);
    text.loop("t", in.getElements() / lanes_);
    text.pragma("PIPELINE II=1 style=flp");
    text.line("const " + getWordName(in) + " word = in.read();");
    text.line(getWordName(out) + " result = 0;");
    text.unrolled("i", lanes_);
    emitLane(text, in, "x", "word", "i");
    text.line("const ap_uint<8> index = int(x); // the stored byte");
    text.line("const " + getElementName(out) + " value = " + name +
              "_table[index];");
    emitSetLane(text, out, "result", "i", "value");
    text.close();
    text.line("out.write(result);");
    text.close();
    text.close();
  }

private:
  mutable LutOp op_;
};
} // namespace

std::unique_ptr<Unit> qopt::hls::createRequantizeUnit(RequantizeOp op) {
  return std::make_unique<RequantizeUnit>(op);
}
std::unique_ptr<Unit> qopt::hls::createThresholdUnit(ThresholdOp op) {
  return std::make_unique<ThresholdUnit>(op);
}
std::unique_ptr<Unit> qopt::hls::createAddUnit(AddOp op) {
  return std::make_unique<AddUnit>(op);
}
std::unique_ptr<Unit> qopt::hls::createMulUnit(MulOp op) {
  return std::make_unique<MulUnit>(op);
}
std::unique_ptr<Unit> qopt::hls::createLutUnit(LutOp op) {
  return std::make_unique<LutUnit>(op);
}
