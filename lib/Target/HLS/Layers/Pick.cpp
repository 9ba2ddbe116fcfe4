//===- Pick.cpp - Runs of elements by their numbers -----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A gather by constant indices. One block is kept: writing needs the last of it
// as well as the first.
//===----------------------------------------------------------------------===//
#include "Fetch.h"
#include "Unit.h"
#include "Verify.h"
#include "qopt/Dialect/QG/IR/QG.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::hls;

LogicalResult PickOp::verify() {
  StreamType in = getInput().getType(), out = getResult().getType();
  int64_t run = getRun(), count = getCount();
  if (run < 1 || count < 1) // C1
    return emitOpError() << "expects a positive run and count, got " << run
                         << " and " << count;
  if (getPositions().empty()) // C2
    return emitOpError("expects at least one position");
  for (int64_t position : getPositions())
    if (position < 0 || position >= count) // C2
      return emitOpError() << "expects positions below " << count << ", got "
                           << position;
  if (in.getElement() != out.getElement()) // C3
    return emitOpError("expects equal elements on both sides");
  int64_t picked = int64_t(getPositions().size());
  return success(
      succeeded(checkReaders(*this)) &&
      succeeded(checkDivides(*this, run * count, in.getElements(),
                             "a block")) &&                           // C1
      succeeded(checkLanes(*this, out, in.getLanes(), "a result")) && // C3
      succeeded(checkElements(*this, out, in.getElements() / count * picked,
                              "a result")) &&                       // C3
      succeeded(checkDivides(*this, in.getLanes(), run, "lanes"))); // C4
}

static FailureOr<Value> convertGather(qg::GatherOp op, Streams &streams) {
  std::optional<Tensor> indices = qg::matchConstant(op.getIndices());
  if (!indices)
    return convertFetch(op, streams);
  if (op.getType().getNumElements() == 0)
    return refuse(op) << "expects a result that is not empty";
  ArrayRef<int64_t> shape = getShape(op.getX());
  int64_t extent = shape[op.getAxis()];
  SmallVector<int64_t> positions;
  for (int64_t i = 0; i < indices->numElements(); ++i) {
    int64_t index = indices->getInt(i);
    if (index < -extent || index >= extent)
      return refuse(op) << "index " << index << " is out of range";
    positions.push_back(index < 0 ? index + extent : index);
  }
  Value x = streams.take(op.getX());
  return PickOp::create(streams.builder(), op.getLoc(),
                        getStream(op.getType().getNumElements(),
                                  cast<StreamType>(x.getType()).getElement()),
                        x, getNumElements(shape.drop_front(op.getAxis() + 1)),
                        extent, positions)
      .getResult();
}

void PickOp::addConversions(Conversions &conversions) {
  conversions.addWithParameters(convertGather);
}

namespace {
class PickUnit : public Unit {
public:
  explicit PickUnit(PickOp op)
      : Unit(op), pick_(op), run_(op.getRun()), count_(op.getCount()),
        picked_(int64_t(op.getPositions().size())),
        blocks_(input().getElements() / (run_ * count_)),
        lanes_(input().getLanes()) {}

  void fold(int64_t cycles) override {
    int64_t elements = input().getElements() + output().getElements();
    lanes_ =
        pickDivisor(run_, [&](int64_t d) { return elements / d <= cycles; });
  }
  int64_t inputLanes(unsigned) const override { return lanes_; }
  int64_t outputLanes() const override { return lanes_; }
  int64_t cycles() const override {
    return blocks_ * (count_ + picked_) * tokens();
  }
  Action action(int64_t iteration) const override {
    bool arrives =
        iteration % ((count_ + picked_) * tokens()) < count_ * tokens();
    return {uint8_t(arrives), uint8_t(!arrives)};
  }
  Resources resources(const Part &) const override {
    Resources result{60, 0, 0};
    result += getMemory(count_ * tokens(), lanes_ * input().getBits());
    result += getMemory(picked_, getWidth().bits);
    return result;
  }
  std::string describe() const override {
    return (Twine(picked_) + " of " + Twine(count_) + " runs of " +
            Twine(run_) + " elements, " + Twine(lanes_) + " a cycle")
        .str();
  }

  void emitTables(Text &text, StringRef name) const override {
    PickOp op = pick_;
    emitTable(text, (name + "_positions").str(), getWidth(), {picked_},
              op.getPositions());
  }
  void emit(Text &text, StringRef name) const override {
    openFunction(text, name, op_);
    int64_t kept = count_ * tokens();
    text.line(getWordName(input()) + " kept[" + Twine(kept) + "];");
    text.pragma(Twine("BIND_STORAGE variable=kept type=ram_2p impl=") +
                pickMemory(kept));
    text.loop("block", blocks_);
    text.loop("i", kept);
    text.pragma("PIPELINE II=1 style=flp");
    text.line("kept[i] = in.read();");
    text.close();
    text.loop("p", picked_);
    text.loop("t", tokens());
    text.pragma("PIPELINE II=1 style=flp");
    text.line("out.write(kept[" + name + "_positions[p]" +
              (tokens() == 1 ? "" : " * " + Twine(tokens()) + " + t") + "]);");
    for (int i = 0; i < 4; ++i)
      text.close();
  }

private:
  /// Of a run.
  int64_t tokens() const { return run_ / lanes_; }
  Width getWidth() const {
    unsigned bits = getSignedBits(0, count_ - 1);
    return {std::max(bits - 1, 1u), false};
  }

  mutable PickOp pick_;
  int64_t run_, count_, picked_, blocks_, lanes_;
};
} // namespace

UnitPtr PickOp::createUnit() { return makeUnit<PickUnit>(*this); }
