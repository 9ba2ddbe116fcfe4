//===- Pool.cpp - Maxima and sums -----------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Windows arrive tap by tap for a group of channels; a global pool keeps a
// value per channel instead and needs no window.
//===----------------------------------------------------------------------===//
#include "Convert.h"
#include "Unit.h"
#include "Verify.h"
#include "Window.h"
#include "qopt/Dialect/FXP/IR/FXP.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::hls;

LogicalResult PoolOp::verify() {
  StreamType in = getInput().getType(), out = getResult().getType();
  if (getKind() != "max" && getKind() != "sum") // C1
    return emitOpError() << "expects kind max or sum, got " << getKind();
  if (getKind() == "max" && in.getElement() != out.getElement()) // C1
    return emitOpError("expects a maximum of the input's element type");
  if (int64_t(getTaps()) < 1) // C2
    return emitOpError("expects at least one tap");
  if (getIsGlobal() &&
      failed(checkElements(*this, out, getChannels(), "a result"))) // C4
    return failure();
  return success(
      succeeded(checkReaders(*this)) &&
      succeeded(
          checkDivides(*this, in.getLanes(), getChannels(), "lanes")) && // C3
      succeeded(checkLanes(*this, out, in.getLanes(), "a result")) &&    // C3
      succeeded(checkElements(*this, in, out.getElements() * getTaps(),
                              "an input"))); // C2
}

namespace {
struct Pool {
  StringRef kind; ///< max or sum
  const Geometry &geometry;
  int64_t zeroPoint; ///< of a sum
};
} // namespace

/// A pool over the first operand of `op`, behind a window where it needs one.
static FailureOr<Value> makePool(Operation *op, Streams &streams,
                                 const Pool &pool) {
  auto [kind, geometry, zeroPoint] = pool;
  int64_t taps = geometry.kernel[0] * geometry.kernel[1];
  Value x = op->getOperand(0);
  StreamType type = streams.getType(x);
  bool isSum = kind == "sum";
  int64_t bias = isSum ? -taps * zeroPoint : 0;
  IntegerType element = type.getElement();
  if (isSum) {
    FailureOr<IntegerType> wide = getAccumulator(
        op, {taps * type.getLow() + bias, taps * type.getHigh() + bias});
    if (failed(wide))
      return failure();
    element = *wide;
  }
  bool isGlobal = geometry.isWhole();
  Value stream = streams.take(x);
  if (!isGlobal) {
    FailureOr<Value> window =
        makeWindow(op, streams, stream,
                   {geometry, isSum ? zeroPoint : type.getLow(),
                    /*channelsOuter=*/true});
    if (failed(window))
      return failure();
    stream = *window;
  }
  auto result = cast<RankedTensorType>(op->getResult(0).getType());
  return PoolOp::create(streams.builder(), op->getLoc(),
                        getStream(result.getNumElements(), element), stream,
                        kind, taps, geometry.image[2], bias, isGlobal)
      .getResult();
}

static FailureOr<Value> convertSum(fxp::SumOp op, Streams &streams) {
  // The sum over everything but the channels, as a pool.
  ArrayRef<int64_t> shape = getShape(op.getX());
  SmallVector<int64_t> outer;
  for (int64_t dim = 0; dim + 1 < int64_t(shape.size()); ++dim)
    if (shape[dim] != 1)
      outer.push_back(dim);
  bool sumsOuter = llvm::all_of(outer, [&](int64_t dim) {
    return llvm::is_contained(op.getAxes(), dim);
  });
  if (!sumsOuter || llvm::is_contained(op.getAxes(), int64_t(shape.size()) - 1))
    return refuse(op) << "expects a sum over all dimensions but the last";
  int64_t pixels = 1;
  for (int64_t dim : outer)
    pixels *= shape[dim];
  Geometry geometry;
  geometry.image = {1, pixels, shape.back()};
  geometry.kernel = {1, pixels};
  geometry.strides = {1, 1};
  geometry.dilations = {1, 1};
  geometry.pads = {0, 0, 0, 0};
  return makePool(op, streams, {"sum", geometry, int64_t(op.getXZp())});
}

template <typename OpT> static FailureOr<Geometry> getPoolGeometry(OpT op) {
  return getGeometry(
      op, {op.getKernel(), op.getStrides(), op.getPads(), op.getDilations()});
}

static FailureOr<Value> convertMaxPool(fxp::MaxPoolOp op, Streams &streams) {
  FailureOr<Geometry> geometry = getPoolGeometry(op);
  if (failed(geometry))
    return failure();
  return makePool(op, streams, {"max", *geometry, /*zeroPoint=*/0});
}

static FailureOr<Value> convertSumPool(fxp::SumPoolOp op, Streams &streams) {
  FailureOr<Geometry> geometry = getPoolGeometry(op);
  if (failed(geometry))
    return failure();
  return makePool(op, streams, {"sum", *geometry, int64_t(op.getXZp())});
}

void PoolOp::addConversions(Conversions &conversions) {
  conversions.add(convertMaxPool);
  conversions.add(convertSumPool);
  conversions.add(convertSum);
}

namespace {
class PoolUnit : public Unit {
public:
  explicit PoolUnit(PoolOp op)
      : Unit(op), pool_(op), taps_(op.getTaps()), channels_(op.getChannels()),
        positions_(op.getResult().getType().getElements() / channels_),
        lanes_(op.getInput().getType().getLanes()), isGlobal_(op.getIsGlobal()),
        isMax_(op.getKind() == "max") {}

  void fold(int64_t cycles) override {
    int64_t steps = isGlobal_ ? taps_ + 1 : positions_ * taps_;
    lanes_ = pickDivisor(channels_, [&](int64_t d) {
      return steps * (channels_ / d) <= cycles;
    });
  }
  int64_t inputLanes(unsigned) const override { return lanes_; }
  int64_t outputLanes() const override { return lanes_; }
  int64_t cycles() const override {
    int64_t groups = channels_ / lanes_;
    return isGlobal_ ? (taps_ + 1) * groups : positions_ * taps_ * groups;
  }
  Action action(int64_t iteration) const override {
    if (isGlobal_) {
      bool reads = iteration < taps_ * (channels_ / lanes_);
      return {uint8_t(reads), uint8_t(!reads)};
    }
    return {1, uint8_t(iteration % taps_ == taps_ - 1)};
  }
  Resources resources(const Part &) const override {
    int64_t bits = output().getBits();
    int64_t kept = isGlobal_ ? getLutRam(channels_ / lanes_, bits) : bits;
    return {100 + lanes_ * (bits + kept), 0, 0};
  }
  std::string describe() const override {
    return ((isMax_ ? "maximum" : "sum") + Twine(" of ") + Twine(taps_) +
            (isGlobal_ ? " pixels" : " taps") + ", " + Twine(channels_) +
            " channels, " + Twine(lanes_) + " a cycle")
        .str();
  }

  void emit(Text &text, StringRef name) const override {
    openFunction(text, name, op_);
    isGlobal_ ? emitGlobal(text) : emitWindows(text);
    text.close();
  }

private:
  void emitStep(Text &text, StringRef first) const {
    StreamType in = input(), out = output();
    emitLane(text, in, "x", "word", "p");
    std::string value = getElementName(out);
    text.line(value + " value = kept[" + (isGlobal_ ? "c][" : "") + "p];");
    text.line("if (" + first + ")");
    text.line("  value = " +
              Twine(isMax_ ? out.getLow() : int64_t(PoolOp(pool_).getBias())) +
              ";");
    text.line(isMax_ ? "if (value < x)" : "value += x;");
    if (isMax_)
      text.line("  value = x;");
    text.line(Twine("kept[") + (isGlobal_ ? "c][" : "") + "p] = value;");
  }

  void emitWindows(Text &text) const {
    StreamType in = input(), out = output();
    text.line(getElementName(out) + " kept[" + Twine(lanes_) + "];");
    text.pragma("ARRAY_PARTITION variable=kept complete");
    text.loop("t", positions_ * (channels_ / lanes_));
    text.loop("k", taps_);
    text.pragma("PIPELINE II=1 style=flp");
    text.line("const " + getWordName(in) + " word = in.read();");
    text.line(getWordName(out) + " result = 0;");
    text.unrolled("p", lanes_);
    emitStep(text, "k == 0");
    emitSetLane(text, out, "result", "p", "value");
    text.close();
    text.line("if (k == " + Twine(taps_ - 1) + ")");
    text.line("  out.write(result);");
    text.close();
    text.close();
  }

  void emitGlobal(Text &text) const {
    StreamType in = input(), out = output();
    int64_t groups = channels_ / lanes_;
    text.line(getElementName(out) + " kept[" + Twine(groups) + "][" +
              Twine(lanes_) + "];");
    text.pragma("ARRAY_PARTITION variable=kept complete dim=2");
    text.loop("t", taps_);
    text.loop("c", groups);
    text.pragma("PIPELINE II=1 style=flp");
    text.line("const " + getWordName(in) + " word = in.read();");
    text.unrolled("p", lanes_);
    emitStep(text, "t == 0");
    text.close();
    text.close();
    text.close();
    text.loop("c", groups);
    text.pragma("PIPELINE II=1 style=flp");
    text.line(getWordName(out) + " result = 0;");
    text.unrolled("p", lanes_);
    emitSetLane(text, out, "result", "p", "kept[c][p]");
    text.close();
    text.line("out.write(result);");
    text.close();
  }

  mutable PoolOp pool_;
  int64_t taps_, channels_, positions_, lanes_;
  bool isGlobal_, isMax_;
};
} // namespace

UnitPtr PoolOp::createUnit() { return makeUnit<PoolUnit>(*this); }
