//===- Pad.cpp - One number around a tensor -------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Counters follow the coordinates of a token of the result, which comes from
// the input or is the border.
//===----------------------------------------------------------------------===//
#include "Convert.h"
#include "Unit.h"
#include "Verify.h"
#include "qopt/Dialect/QG/IR/QG.h"

#include <numeric>

using namespace mlir;
using namespace qopt;
using namespace qopt::hls;

namespace {
/// One dimension of the result.
struct Axis {
  int64_t extent, low, high;

  int64_t all() const { return low + extent + high; }
  bool isWhole() const { return low == 0 && high == 0; }
  bool isInside(int64_t i) const { return i >= low && i < low + extent; }
};
} // namespace

static SmallVector<Axis> getAxes(PadOp op) {
  SmallVector<Axis> axes;
  for (auto [extent, low, high] :
       llvm::zip(op.getShape(), op.getLow(), op.getHigh()))
    axes.push_back({extent, low, high});
  return axes;
}

/// Elements that stay together.
static int64_t getRun(const Axis &axis) {
  return std::gcd(axis.extent, std::gcd(axis.low, axis.high));
}

LogicalResult PadOp::verify() {
  size_t rank = getShape().size();
  if (rank == 0 || getLow().size() != rank || getHigh().size() != rank) // C1
    return emitOpError("expects an extent and two borders for each dimension");
  int64_t elements = 1, all = 1;
  for (const Axis &axis : getAxes(*this)) {
    if (axis.extent < 1 || axis.low < 0 || axis.high < 0) // C1
      return emitOpError()
             << "expects borders around at least one element, got "
             << axis.extent << " between " << axis.low << " and " << axis.high;
    elements *= axis.extent;
    all *= axis.all();
  }
  StreamType in = getInput().getType(), out = getResult().getType();
  if (in.getElement() != out.getElement()) // C2
    return emitOpError("expects equal elements on both sides");
  if (int64_t(getValue()) < in.getLow() ||
      int64_t(getValue()) > in.getHigh()) // C4
    return emitOpError() << "expects a value that " << in.getElement()
                         << " holds, got " << int64_t(getValue());
  return success(
      succeeded(checkReaders(*this)) &&
      succeeded(checkElements(*this, in, elements, "an input")) &&    // C2
      succeeded(checkLanes(*this, out, in.getLanes(), "a result")) && // C2
      succeeded(checkElements(*this, out, all, "a result")) &&        // C2
      succeeded(checkDivides(*this, in.getLanes(),
                             getRun(getAxes(*this).back()), "lanes"))); // C3
}

/// Dimensions without borders are one with the dimension outside of them.
static SmallVector<Axis> fuse(ArrayRef<Axis> axes) {
  SmallVector<Axis> fused;
  for (const Axis &axis : axes) {
    if (axis.all() == 1)
      continue;
    if (!axis.isWhole() || fused.empty()) {
      fused.push_back(axis);
      continue;
    }
    Axis &outer = fused.back();
    outer.extent *= axis.extent;
    outer.low *= axis.extent;
    outer.high *= axis.extent;
  }
  return fused;
}

static FailureOr<Value> convertPad(qg::PadOp op, Streams &streams) {
  if (op.getMode() != PadMode::constant)
    return refuse(op) << "pads of edges have no unit";
  SmallVector<Axis> axes;
  for (auto [extent, low, high] :
       llvm::zip(getShape(op.getX()), op.getLow(), op.getHigh())) {
    if (low < 0 || high < 0)
      return refuse(op) << "expects borders that are not cropped";
    axes.push_back({extent, low, high});
  }
  axes = fuse(axes);
  std::optional<Tensor> value =
      op.getValue() ? qg::matchConstant(op.getValue()) : std::nullopt;
  if (op.getValue() && !value)
    return refuse(op) << "expects a constant to pad with";
  Value x = streams.take(op.getX());
  if (llvm::all_of(axes, [](const Axis &axis) { return axis.isWhole(); }))
    return x;
  auto type = cast<StreamType>(x.getType());
  // A constant is a byte, whose sign is the stream's.
  int64_t number = value ? value->getInt(0) : 0;
  if (number < type.getLow() && type.getLow() == 0)
    number += 256;
  if (number < type.getLow() || number > type.getHigh())
    return refuse(op) << "expects a border inside of " << type.getLow()
                      << " to " << type.getHigh() << ", got " << number;
  SmallVector<int64_t> shape, low, high;
  for (const Axis &axis : axes) {
    shape.push_back(axis.extent);
    low.push_back(axis.low);
    high.push_back(axis.high);
  }
  return PadOp::create(streams.builder(), op.getLoc(),
                       getStream(op.getResult().getType().getNumElements(),
                                 type.getElement()),
                       x, shape, low, high, number)
      .getResult();
}

void PadOp::addConversions(Conversions &conversions) {
  conversions.addWithParameters(convertPad);
}

namespace {
class PadUnit : public Unit {
public:
  explicit PadUnit(PadOp op)
      : Unit(op), pad_(op), axes_(getAxes(op)), lanes_(input().getLanes()) {}

  void fold(int64_t cycles) override {
    int64_t elements = output().getElements();
    lanes_ = pickDivisor(getRun(axes_.back()),
                         [&](int64_t d) { return elements / d <= cycles; });
  }
  int64_t inputLanes(unsigned) const override { return lanes_; }
  int64_t outputLanes() const override { return lanes_; }
  int64_t cycles() const override { return output().getElements() / lanes_; }
  Action action(int64_t iteration) const override {
    SmallVector<Axis> axes = inTokens();
    bool isInside = true;
    for (const Axis &axis : llvm::reverse(axes)) {
      isInside &= axis.isInside(iteration % axis.all());
      iteration /= axis.all();
    }
    return {uint8_t(isInside), 1};
  }
  Resources resources(const Part &) const override {
    // A counter and two comparisons for each dimension.
    int64_t bits = 0;
    for (const Axis &axis : axes_)
      bits += getSignedBits(0, axis.all());
    return {20 + 3 * bits, 0, 0};
  }
  std::string describe() const override {
    std::string text;
    llvm::raw_string_ostream os(text);
    llvm::interleave(
        axes_, os, [&](const Axis &axis) { os << axis.extent; }, "x");
    os << " in ";
    llvm::interleave(
        axes_, os, [&](const Axis &axis) { os << axis.all(); }, "x");
    os << ", " << lanes_ << " a cycle";
    return text;
  }

  void emit(Text &text, StringRef name) const override {
    openFunction(text, name, op_);
    std::string isInside;
    auto demand = [&](const Twine &condition) {
      isInside += (isInside.empty() ? "" : " && ") + condition.str();
    };
    SmallVector<Axis> axes = inTokens();
    for (auto [dim, axis] : llvm::enumerate(axes)) {
      std::string i = ("i" + Twine(dim)).str();
      text.loop(i, axis.all());
      if (axis.low)
        demand(i + " >= " + Twine(axis.low));
      if (axis.high)
        demand(i + " < " + Twine(axis.low + axis.extent));
    }
    text.pragma("PIPELINE II=1 style=flp");
    text.line(getWordName(input()) + " word = 0;");
    text.line("if (" + isInside + ")");
    text.line("  word = in.read();");
    if (int64_t value = PadOp(pad_).getValue()) {
      text.open("else");
      text.unrolled("i", lanes_);
      emitSetLane(text, output(), "word", "i",
                  (getElementName(output()) + "(" + Twine(value) + ")").str());
      text.close();
      text.close();
    }
    text.line("out.write(word);");
    for (size_t i = 0; i < axes.size() + 1; ++i)
      text.close();
  }

private:
  /// The last dimension counted in tokens.
  SmallVector<Axis> inTokens() const {
    SmallVector<Axis> axes = axes_;
    axes.back().extent /= lanes_;
    axes.back().low /= lanes_;
    axes.back().high /= lanes_;
    return axes;
  }

  mutable PadOp pad_;
  SmallVector<Axis> axes_;
  int64_t lanes_;
};
} // namespace

UnitPtr PadOp::createUnit() { return makeUnit<PadUnit>(*this); }
