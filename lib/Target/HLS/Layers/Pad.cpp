//===- Pad.cpp - One number around a tensor -------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Counters follow the coordinates of a token of the result, which comes from
// the input or is the border.
//===----------------------------------------------------------------------===//
#include "Box.h"
#include "Convert.h"
#include "Verify.h"
#include "qopt/Dialect/QG/IR/QG.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::hls;

/// Where the input lies in the result.
static Box getBox(PadOp op) {
  Box box;
  for (auto [extent, low, high] :
       llvm::zip(op.getShape(), op.getLow(), op.getHigh()))
    box.push_back({low + extent + high, low, extent});
  return box;
}

LogicalResult PadOp::verify() {
  size_t rank = getShape().size();
  if (rank == 0 || getLow().size() != rank || getHigh().size() != rank) // C1
    return emitOpError("expects an extent and two borders for each dimension");
  int64_t elements = 1, all = 1;
  for (auto [extent, low, high] : llvm::zip(getShape(), getLow(), getHigh())) {
    if (extent < 1 || low < 0 || high < 0) // C1
      return emitOpError()
             << "expects borders around at least one element, got " << extent
             << " between " << low << " and " << high;
    elements *= extent;
    all *= low + extent + high;
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
                             getBox(*this).back().getRun(), "lanes"))); // C3
}

static FailureOr<Value> convertPad(qg::PadOp op, Streams &streams) {
  if (op.getMode() != PadMode::constant)
    return refuse(op) << "pads of edges have no unit";
  Box axes;
  for (auto [extent, low, high] :
       llvm::zip(getShape(op.getX()), op.getLow(), op.getHigh())) {
    if (low < 0 || high < 0)
      return refuse(op) << "expects borders that are not cropped";
    axes.push_back({low + extent + high, low, extent});
  }
  axes = fuse(axes);
  std::optional<Tensor> value =
      op.getValue() ? qg::matchConstant(op.getValue()) : std::nullopt;
  if (op.getValue() && !value)
    return refuse(op) << "expects a constant to pad with";
  Value x = streams.take(op.getX());
  if (llvm::all_of(axes, [](const BoxAxis &axis) { return axis.isWhole(); }))
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
  for (const BoxAxis &axis : axes) {
    shape.push_back(axis.size);
    low.push_back(axis.offset);
    high.push_back(axis.extent - axis.end());
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
class PadUnit : public BoxUnit {
public:
  explicit PadUnit(PadOp op)
      : BoxUnit(op, getBox(op), op.getResult().getType()),
        value_(op.getValue()) {}

  Action action(int64_t iteration) const override {
    return {uint8_t(contains(iteration)), 1};
  }
  std::string describe() const override { return describeBox("in"); }

  void emit(Text &text, StringRef name) const override {
    openFunction(text, name, op_);
    std::string isInside = openLoops(text);
    text.line(getWordName(input()) + " word = 0;");
    text.line("if (" + isInside + ")");
    text.line("  word = in.read();");
    if (value_) {
      text.open("else");
      text.unrolled("i", lanes());
      emitSetLane(text, output(), "word", "i",
                  (getElementName(output()) + "(" + Twine(value_) + ")").str());
      text.close();
      text.close();
    }
    text.line("out.write(word);");
    closeLoops(text);
    text.close();
  }

private:
  int64_t value_;
};
} // namespace

UnitPtr PadOp::createUnit() { return makeUnit<PadUnit>(*this); }
