//===- Arithmetic.cpp - Sums and products of two streams ------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Both operands arrive together.
//===----------------------------------------------------------------------===//
#include "Convert.h"
#include "Map.h"
#include "Repeat.h"
#include "Verify.h"
#include "qopt/Dialect/FXP/IR/FXP.h"
#include "qopt/Numerics/FixedPoint.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::hls;

template <typename Op> static LogicalResult checkPair(Op op) {
  StreamType lhs = op.getLhs().getType(), rhs = op.getRhs().getType();
  if (op.getZps().size() != 2)
    return op.emitOpError("expects two zero points");
  if (lhs.getLanes() != rhs.getLanes() || lhs.getTokens() != rhs.getTokens())
    return op.emitOpError("expects operands of equal tokens and lanes");
  return checkMap(op, lhs, op.getResult().getType());
}

LogicalResult AddOp::verify() {
  if (getMultipliers().size() != 2) // C1
    return emitOpError("expects two multipliers");
  if (getShift() > 62) // C2
    return emitOpError() << "expects a shift of 0 to 62, got " << getShift();
  return success(
      succeeded(checkPair(*this)) && // C1, C3
      succeeded(checkClamp(*this, getClamp(), getResult().getType()))); // C4
}

LogicalResult MulOp::verify() {
  return checkPair(*this); // C1, C2
}

/// Both operands, each as large as the result.
template <typename Op>
static std::pair<Value, Value> takePair(Op op, Streams &streams) {
  auto take = [&](Value operand) {
    return broadcast(streams.builder(), op.getLoc(), streams.take(operand),
                     getShape(operand), getShape(op.getResult()));
  };
  Value lhs = take(op.getLhs());
  return {lhs, take(op.getRhs())};
}

static FailureOr<Value> convertAdd(fxp::AddOp op, Streams &streams) {
  std::optional<RequantizeMode> mode =
      parseRequantizeMode(op.getMode().getKind(), op.getMode().getBits());
  if (!mode || mode->kind == RequantizeMode::F32)
    return refuse(op) << "expects --requant=fixed:BITS or pow2, got f32";
  auto [left, right] =
      getCommonFixedScales(op.getScales()[0], op.getScales()[1], *mode);
  auto [lhs, rhs] = takePair(op, streams);
  IntegerType element =
      getNarrowestType(op->getContext(), op.getClamp()[0], op.getClamp()[1]);
  return AddOp::create(
             streams.builder(), op.getLoc(),
             getStream(cast<StreamType>(lhs.getType()).getElements(), element),
             lhs, rhs, ArrayRef<int64_t>{left.multiplier, right.multiplier},
             left.shift, op.getZps(), op.getZp(), op.getClamp())
      .getResult();
}

static FailureOr<Value> convertMul(fxp::MulOp op, Streams &streams) {
  auto [lhs, rhs] = takePair(op, streams);
  int64_t least = INT64_MAX, most = INT64_MIN;
  for (int64_t a : {cast<StreamType>(lhs.getType()).getLow(),
                    cast<StreamType>(lhs.getType()).getHigh()})
    for (int64_t b : {cast<StreamType>(rhs.getType()).getLow(),
                      cast<StreamType>(rhs.getType()).getHigh()}) {
      int64_t product = (a - op.getZps()[0]) * (b - op.getZps()[1]);
      least = std::min(least, product);
      most = std::max(most, product);
    }
  return MulOp::create(
             streams.builder(), op.getLoc(),
             getStream(cast<StreamType>(lhs.getType()).getElements(),
                       getNarrowestType(op->getContext(), least, most)),
             lhs, rhs, op.getZps())
      .getResult();
}

void AddOp::addConversions(Conversions &conversions) {
  conversions.add(convertAdd);
}

void MulOp::addConversions(Conversions &conversions) {
  conversions.add(convertMul);
}

namespace {
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
  /// An element of an operand without its zero point.
  TextBuilder::V getOperand(TextBuilder &b, unsigned i,
                            int64_t zeroPoint) const {
    StreamType type = input(i);
    return b.subI(b.variable(i ? "b" : "a", type.getLow(), type.getHigh()),
                  b.constant(zeroPoint));
  }
  void emitEnd(Text &text) const {
    emitSetLane(text, output(), "result", "i", "value");
    text.close();
    text.line("out.write(result);");
    text.close();
    text.close();
  }
};

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
    openFunction(text, name, Unit::op_);
    emitRead(text);
    TextBuilder b(TextBuilder::ApInt);
    auto scale = [&](unsigned i) {
      return b.mulI(getOperand(b, i, op.getZps()[i]),
                    b.constant(op.getMultipliers()[i]));
    };
    TextBuilder::V product = b.addI(scale(0), scale(1));
    emitShiftIntoRange(
        text, b, b.name(product, "product"), b.constant(op.getShift()),
        {int64_t(op.getZp()), op.getClamp()[0], op.getClamp()[1]});
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
    TextBuilder b(TextBuilder::ApInt);
    text.lines(b.define(b.mulI(getOperand(b, 0, op.getZps()[0]),
                               getOperand(b, 1, op.getZps()[1])),
                        "value"));
    emitEnd(text);
  }

private:
  mutable MulOp op_;
};
} // namespace

UnitPtr AddOp::createUnit() { return makeUnit<AddUnit>(*this); }
UnitPtr MulOp::createUnit() { return makeUnit<MulUnit>(*this); }
