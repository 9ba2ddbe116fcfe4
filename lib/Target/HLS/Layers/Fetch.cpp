//===- Fetch.cpp - Elements by numbers that are computed ------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What a search has found is read from a copy of the row.
//===----------------------------------------------------------------------===//
#include "Fetch.h"
#include "Unit.h"
#include "Verify.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::hls;

LogicalResult FetchOp::verify() {
  StreamType in = getInput().getType(), indices = getIndices().getType(),
             out = getResult().getType();
  int64_t extent = getExtent(), count = getCount();
  if (extent < 1 || count < 1) // C1
    return emitOpError() << "expects a positive extent and count, got "
                         << extent << " and " << count;
  if (in.getElement() != out.getElement()) // C3
    return emitOpError("expects a result of the input's elements");
  if (indices.isSigned()) // C4
    return emitOpError() << "expects unsigned indices, got "
                         << indices.getElement();
  return success(
      succeeded(checkReaders(*this)) &&
      succeeded(
          checkDivides(*this, extent, in.getElements(), "an extent")) && // C1
      succeeded(checkElements(*this, indices, in.getElements() / extent * count,
                              "an input")) &&                 // C1
      succeeded(checkLanes(*this, in, 1, "an input")) &&      // C2
      succeeded(checkLanes(*this, indices, 1, "an input")) && // C2
      succeeded(checkLanes(*this, out, 1, "a result")) &&     // C2
      succeeded(checkElements(*this, out, indices.getElements(),
                              "a result"))); // C3
}

/// How many elements the rows have in which `indices` were found; 0: they come
/// from elsewhere.
static int64_t getSearchedExtent(Value indices) {
  while (auto reshape = indices.getDefiningOp<qg::ReshapeOp>())
    indices = reshape.getX();
  Operation *op = indices.getDefiningOp();
  if (auto reduce = dyn_cast_or_null<qg::ArgReduceOp>(op))
    return getShape(reduce.getX())[reduce.getAxis()];
  if (auto top = dyn_cast_or_null<qg::TopKOp>(op))
    return getShape(top.getX())[top.getAxis()];
  return 0;
}

FailureOr<Value> hls::convertFetch(qg::GatherOp op, Streams &streams) {
  int64_t extent = getShape(op.getX())[op.getAxis()];
  int64_t searched = getSearchedExtent(op.getIndices());
  if (searched == 0 || searched > extent ||
      getNumElements(getShape(op.getX())) != extent)
    return refuse(op) << "expects constant indices, or what a search has found "
                         "in one row";
  Value x = streams.take(op.getX());
  int64_t count = op.getType().getNumElements();
  return FetchOp::create(
             streams.builder(), op.getLoc(),
             getStream(count, cast<StreamType>(x.getType()).getElement()), x,
             streams.take(op.getIndices()), extent, count)
      .getResult();
}

namespace {
class FetchUnit : public Unit {
public:
  explicit FetchUnit(FetchOp op)
      : Unit(op), extent_(op.getExtent()), count_(op.getCount()) {}

  void fold(int64_t) override {}
  int64_t inputLanes(unsigned) const override { return 1; }
  int64_t outputLanes() const override { return 1; }
  int64_t cycles() const override {
    return input().getElements() / extent_ * (extent_ + count_);
  }
  Action action(int64_t iteration) const override {
    if (iteration % (extent_ + count_) < extent_)
      return {1, 0};
    return {2, 1};
  }
  Resources resources(const Part &) const override {
    Resources result{50, 0, 0};
    result += getMemory(extent_, input().getBits());
    return result;
  }
  std::string describe() const override {
    return (Twine(count_) + " of " + Twine(extent_) + " by their numbers")
        .str();
  }

  void emit(Text &text, StringRef name) const override {
    openFunction(text, name, op_);
    text.line(getWordName(input()) + " kept[" + Twine(extent_) + "];");
    text.pragma(Twine("BIND_STORAGE variable=kept type=ram_2p impl=") +
                pickMemory(extent_));
    text.loop("r", input().getElements() / extent_);
    text.loop("i", extent_);
    text.pragma("PIPELINE II=1 style=flp");
    text.line("kept[i] = in0.read();");
    text.close();
    text.loop("k", count_);
    text.pragma("PIPELINE II=1 style=flp");
    text.line("const " + getWordName(input(1)) + " word = in1.read();");
    emitLane(text, input(1), "index", "word", "0");
    text.line("out.write(kept[index]);");
    for (int i = 0; i < 3; ++i)
      text.close();
  }

private:
  int64_t extent_, count_;
};
} // namespace

UnitPtr FetchOp::createUnit() { return makeUnit<FetchUnit>(*this); }
