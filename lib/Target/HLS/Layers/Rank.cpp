//===- Rank.cpp - Where the first elements of a row lie -------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The best so far stand sorted in registers; an element that comes moves those
// behind it by one place.
//===----------------------------------------------------------------------===//
#include "Convert.h"
#include "Permute.h"
#include "Unit.h"
#include "Verify.h"
#include "qopt/Dialect/QG/IR/QG.h"

#include <numeric>

using namespace mlir;
using namespace qopt;
using namespace qopt::hls;

LogicalResult RankOp::verify() {
  StreamType in = getInput().getType(), out = getResult().getType();
  int64_t extent = getExtent(), count = getCount();
  if (getKind() != "max" && getKind() != "min") // C1
    return emitOpError() << "expects kind max or min, got " << getKind();
  if (count < 1 || count > extent) // C2
    return emitOpError() << "expects a count of 1 to " << extent << ", got "
                         << count;
  if (out.getHigh() < extent - 1) // C4
    return emitOpError() << "expects a result that holds " << extent - 1
                         << ", got " << out.getElement();
  return success(
      succeeded(checkReaders(*this)) &&
      succeeded(
          checkDivides(*this, extent, in.getElements(), "an extent")) && // C2
      succeeded(checkLanes(*this, in, 1, "an input")) &&                 // C3
      succeeded(checkLanes(*this, out, 1, "a result")) &&                // C3
      succeeded(checkElements(*this, out, in.getElements() / extent * count,
                              "a result"))); // C3
}

namespace {
/// What an op searches: `count` indices along `axis`.
struct Search {
  ReduceKind kind;
  int64_t axis, count;
  bool takesLast;
};
} // namespace

/// Rows lie behind one another: the dimension that is searched comes last, and
/// goes back where several are found.
static FailureOr<Value> makeRank(Operation *op, Streams &streams,
                                 const Search &search) {
  ArrayRef<int64_t> shape = getShape(op->getOperand(0));
  int64_t extent = shape[search.axis], rank = int64_t(shape.size());
  if (getNumElements(shape) == 0 || search.count == 0)
    return refuse(op) << "expects tensors that are not empty";
  OpBuilder &builder = streams.builder();
  SmallVector<int64_t> order(rank), back(rank), found(shape);
  std::iota(order.begin(), order.end(), 0);
  order.erase(order.begin() + search.axis);
  order.push_back(search.axis);
  for (auto [to, from] : llvm::enumerate(order))
    back[from] = int64_t(to);
  Value x = permute(builder, op->getLoc(), streams.take(op->getOperand(0)),
                    shape, order);
  int64_t rows = getNumElements(shape) / extent;
  Value indices = RankOp::create(
      builder, op->getLoc(),
      getStream(rows * search.count,
                getNarrowestType(op->getContext(), 0, extent - 1)),
      x, search.kind == ReduceKind::max ? "max" : "min", extent, search.count,
      search.takesLast);
  found.erase(found.begin() + search.axis);
  found.push_back(search.count);
  return permute(builder, op->getLoc(), indices, found, back);
}

static FailureOr<Value> convertArgReduce(qg::ArgReduceOp op, Streams &streams) {
  return makeRank(op, streams,
                  {op.getKind(), int64_t(op.getAxis()), 1, op.getSelectLast()});
}

static FailureOr<Value> convertTopK(qg::TopKOp op, Streams &streams) {
  int64_t axis = op.getAxis();
  return makeRank(op, streams,
                  {op.getKind(), axis, getShape(op.getResult())[axis],
                   /*takesLast=*/false});
}

void RankOp::addConversions(Conversions &conversions) {
  conversions.add(convertArgReduce);
  conversions.add(convertTopK);
}

namespace {
class RankUnit : public Unit {
public:
  explicit RankUnit(RankOp op)
      : Unit(op), rank_(op), extent_(op.getExtent()), count_(op.getCount()) {}

  void fold(int64_t) override {}
  int64_t inputLanes(unsigned) const override { return 1; }
  int64_t outputLanes() const override { return 1; }
  int64_t cycles() const override {
    return input().getElements() / extent_ * (extent_ + count_);
  }
  Action action(int64_t iteration) const override {
    bool arrives = iteration % (extent_ + count_) < extent_;
    return {uint8_t(arrives), uint8_t(!arrives)};
  }
  Resources resources(const Part &) const override {
    // A comparison, and a place of value and index, for each that is kept.
    int64_t bits = input().getBits() + output().getBits();
    return {60 + count_ * (input().getBits() + bits), 0, 0};
  }
  std::string describe() const override {
    RankOp op = rank_;
    return (Twine(count_) + (op.getKind() == "max" ? " largest" : " smallest") +
            " of " + Twine(extent_))
        .str();
  }

  void emit(Text &text, StringRef name) const override {
    openFunction(text, name, op_);
    text.line(getElementName(input()) + " kept[" + Twine(count_) + "] = {};");
    text.line(getElementName(output()) + " index[" + Twine(count_) + "] = {};");
    text.pragma("ARRAY_PARTITION variable=kept complete");
    text.pragma("ARRAY_PARTITION variable=index complete");
    text.loop("r", input().getElements() / extent_);
    text.loop("i", extent_);
    text.pragma("PIPELINE II=1 style=flp");
    emitArrival(text);
    text.close();
    text.loop("k", count_);
    text.pragma("PIPELINE II=1 style=flp");
    text.line(getWordName(output()) + " word = 0;");
    emitSetLane(text, output(), "word", "0", "index[k]");
    text.line("out.write(word);");
    for (int i = 0; i < 3; ++i)
      text.close();
  }

private:
  /// The element goes in front of the first that it beats; from the back, so
  /// that each place still holds what the next one takes.
  void emitArrival(Text &text) const {
    RankOp op = rank_;
    text.line("const " + getWordName(input()) + " word = in.read();");
    emitLane(text, input(), "x", "word", "0");
    std::string beats = op.getKind() == "max" ? "x > " : "x < ";
    if (op.getLast())
      beats.insert(3, "=");
    std::string at = getElementName(output()) + "(i)";
    if (count_ == 1) {
      text.open("if (i == 0 || " + beats + "kept[0])");
      text.line("kept[0] = x;");
      text.line("index[0] = " + at + ";");
      return text.close();
    }
    text.open("for (int k = " + Twine(count_ - 1) + "; k >= 0; --k)");
    text.pragma("UNROLL");
    text.line("// The first i places are taken.");
    text.line("const bool moves = k > 0 && (i < k || " + beats +
              "kept[k - 1]);");
    text.open("if (i <= k || " + beats + "kept[k])");
    text.line("kept[k] = moves ? kept[k - 1] : x;");
    text.line("index[k] = moves ? index[k - 1] : " + at + ";");
    text.close();
    text.close();
  }

  mutable RankOp rank_;
  int64_t extent_, count_;
};
} // namespace

UnitPtr RankOp::createUnit() { return makeUnit<RankUnit>(*this); }
