//===- Repeat.cpp - Blocks of elements several times ----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A broadcast: what is read once is kept and written again.
//===----------------------------------------------------------------------===//
#include "Repeat.h"
#include "Convert.h"
#include "Source.h"
#include "Unit.h"
#include "Verify.h"
#include "qopt/Dialect/QG/IR/QG.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::hls;

LogicalResult RepeatOp::verify() {
  StreamType in = getInput().getType(), out = getResult().getType();
  int64_t block = getBlock(), count = getCount();
  if (block < 1 || count < 1) // C1
    return emitOpError() << "expects a positive block and count, got " << block
                         << " and " << count;
  if (in.getElement() != out.getElement()) // C2
    return emitOpError("expects equal elements on both sides");
  return success(
      succeeded(checkReaders(*this)) &&
      succeeded(
          checkDivides(*this, block, in.getElements(), "a block")) && // C1
      succeeded(checkLanes(*this, out, in.getLanes(), "a result")) && // C2
      succeeded(checkElements(*this, out, count * in.getElements(),
                              "a result")) &&                         // C2
      succeeded(checkDivides(*this, in.getLanes(), block, "lanes"))); // C3
}

Value hls::broadcast(OpBuilder &builder, Location loc, Value stream,
                     ArrayRef<int64_t> from, ArrayRef<int64_t> result) {
  SmallVector<int64_t> shape(from);
  shape.insert(shape.begin(), result.size() - shape.size(), 1);
  int64_t block = 1, count = 1;
  auto repeat = [&] {
    auto type = cast<StreamType>(stream.getType());
    if (count == 1)
      return;
    if (Value again = repeatSource(builder, stream, block, count))
      stream = again;
    else
      stream = RepeatOp::create(
          builder, loc,
          getStream(type.getElements() * count, type.getElement()), stream,
          block, count);
    block *= count;
    count = 1;
  };
  for (auto [before, after] : llvm::reverse(llvm::zip_equal(shape, result))) {
    if (before == after && after != 1) {
      repeat();
      block *= after;
      continue;
    }
    count *= after;
  }
  repeat();
  return stream;
}

static FailureOr<Value> convertBroadcast(qg::BroadcastOp op, Streams &streams) {
  ArrayRef<int64_t> result = getShape(op.getResult());
  if (llvm::is_contained(result, 0))
    return refuse(op) << "expects a result that is not empty";
  return broadcast(streams.builder(), op.getLoc(), streams.take(op.getX()),
                   getShape(op.getX()), result);
}

void RepeatOp::addConversions(Conversions &conversions) {
  conversions.add(convertBroadcast);
}

namespace {
class RepeatUnit : public Unit {
public:
  explicit RepeatUnit(RepeatOp op)
      : Unit(op), block_(op.getBlock()), count_(op.getCount()),
        lanes_(input().getLanes()) {}

  void fold(int64_t cycles) override {
    int64_t elements = output().getElements();
    lanes_ =
        pickDivisor(block_, [&](int64_t d) { return elements / d <= cycles; });
  }
  int64_t inputLanes(unsigned) const override { return lanes_; }
  int64_t outputLanes() const override { return lanes_; }
  int64_t cycles() const override { return output().getElements() / lanes_; }
  Action action(int64_t iteration) const override {
    return {uint8_t(iteration / tokens() % count_ == 0), 1};
  }
  Resources resources(const Part &) const override {
    Resources result{40, 0, 0};
    result += getMemory(tokens(), lanes_ * input().getBits());
    return result;
  }
  std::string describe() const override {
    return (Twine(count_) + " times " + Twine(block_) + " elements, " +
            Twine(lanes_) + " a cycle")
        .str();
  }

  void emit(Text &text, StringRef name) const override {
    openFunction(text, name, op_);
    text.line(getWordName(input()) + " kept[" + Twine(tokens()) + "];");
    if (tokens() <= kMostRegisters) {
      text.pragma("ARRAY_PARTITION variable=kept complete");
    } else {
      text.pragma(Twine("BIND_STORAGE variable=kept type=ram_2p impl=") +
                  pickMemory(tokens()));
      text.pragma(
          "DEPENDENCE variable=kept type=inter direction=RAW distance=" +
          Twine(tokens()) + " dependent=true");
    }
    text.loop("b", input().getElements() / block_);
    text.loop("r", count_);
    text.loop("i", tokens());
    text.pragma("PIPELINE II=1 style=flp");
    text.line(getWordName(input()) + " word;");
    text.open("if (r == 0)");
    text.line("word = in.read();");
    text.line("kept[i] = word;");
    text.close(" else {");
    text.line("  word = kept[i];");
    text.line("}");
    text.line("out.write(word);");
    for (int i = 0; i < 4; ++i)
      text.close();
  }

private:
  /// Tokens that lie in registers rather than in a memory.
  static constexpr int64_t kMostRegisters = 4;
  int64_t tokens() const { return block_ / lanes_; }

  int64_t block_, count_, lanes_;
};
} // namespace

UnitPtr RepeatOp::createUnit() { return makeUnit<RepeatUnit>(*this); }
