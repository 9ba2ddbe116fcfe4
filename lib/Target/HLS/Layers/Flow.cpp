//===- Flow.cpp - Forks, joins and conversions of width -------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Units that move tokens and compute nothing.
//===----------------------------------------------------------------------===//
#include "Convert.h"
#include "Unit.h"
#include "Verify.h"
#include "qopt/Dialect/FXP/IR/FXP.h"

#include <numeric>

using namespace mlir;
using namespace qopt;
using namespace qopt::hls;

LogicalResult ForkOp::verify() {
  for (Value copy : getCopies())
    if (copy.getType() != getInput().getType()) // C1
      return emitOpError("expects results of the input's type");
  if (getCopies().size() < 2 || getCopies().size() > kMostStreams) // C2
    return emitOpError() << "expects 2 to " << kMostStreams << " results";
  return checkReaders(*this);
}

LogicalResult JoinOp::verify() {
  StreamType out = getResult().getType();
  if (getInputs().size() != getChannels().size() || getInputs().empty()) // C1
    return emitOpError("expects a number of channels per operand");
  int64_t pixels = 0, total = 0;
  for (auto [value, channels] : llvm::zip(getInputs(), getChannels())) {
    auto type = cast<StreamType>(value.getType());
    if (channels < 1 ||
        failed(checkDivides(*this, type.getLanes(), channels, "lanes"))) // C1
      return failure();
    if (type.getLanes() != out.getLanes() || type.getLow() < out.getLow() ||
        type.getHigh() > out.getHigh()) // C2
      return emitOpError("expects operands of the result's lanes, whose "
                         "elements it holds");
    if (pixels && pixels != type.getElements() / channels) // C3
      return emitOpError("expects operands of equal pixels");
    pixels = type.getElements() / channels;
    total += channels;
  }
  return success(
      succeeded(checkReaders(*this)) &&
      succeeded(checkElements(*this, out, pixels * total, "a result"))); // C3
}

LogicalResult WidthOp::verify() {
  StreamType in = getInput().getType(), out = getResult().getType();
  if (in.getElement() != out.getElement()) // C1
    return emitOpError("expects equal elements on both sides");
  if (in.getLanes() % out.getLanes() && out.getLanes() % in.getLanes()) // C2
    return emitOpError() << "expects lanes of which one divides the other, got "
                         << in.getLanes() << " and " << out.getLanes();
  return success(
      succeeded(checkReaders(*this)) &&
      succeeded(checkElements(*this, out, in.getElements(), "a result"))); // C1
}

LogicalResult FifoOp::verify() {
  if (int64_t(getDepth()) < 2) // C1
    return emitOpError() << "expects a depth of at least 2, got "
                         << int64_t(getDepth());
  return checkReaders(*this);
}

/// A join of all inputs, in several steps where they are too many for one.
static Value join(qg::ConcatOp op, Streams &streams, IntegerType element,
                  MutableArrayRef<Value> inputs,
                  MutableArrayRef<int64_t> channels) {
  int64_t pixels =
      op.getResult().getType().getNumElements() /
      std::accumulate(channels.begin(), channels.end(), int64_t(0));
  while (true) {
    size_t count = std::min(inputs.size(), kMostStreams);
    ArrayRef<int64_t> first = channels.take_front(count);
    int64_t joined = std::accumulate(first.begin(), first.end(), int64_t(0));
    Value result = JoinOp::create(streams.builder(), op.getLoc(),
                                  getStream(pixels * joined, element),
                                  ValueRange(inputs.take_front(count)), first);
    inputs = inputs.drop_front(count - 1);
    channels = channels.drop_front(count - 1);
    if (inputs.size() == 1)
      return result;
    inputs.front() = result;
    channels.front() = joined;
  }
}

static FailureOr<Value> convertConcat(qg::ConcatOp op, Streams &streams) {
  SmallVector<Value> inputs;
  SmallVector<int64_t> channels;
  int64_t least = 0, most = 0;
  for (Value input : op.getInputs()) {
    StreamType type = streams.getType(input);
    least = std::min(least, type.getLow());
    most = std::max(most, type.getHigh());
  }
  IntegerType element = getNarrowestType(op->getContext(), least, most);
  for (Value input : op.getInputs()) {
    inputs.push_back(streams.take(input));
    // An outer dimension joins blocks as the last one joins pixels.
    channels.push_back(
        getNumElements(getShape(input).drop_front(op.getAxis())));
  }
  return join(op, streams, element, inputs, channels);
}

void JoinOp::addConversions(Conversions &conversions) {
  conversions.add(convertConcat);
}

namespace {
class ForkUnit : public Unit {
public:
  explicit ForkUnit(ForkOp op)
      : Unit(op), lanes_(op.getInput().getType().getLanes()) {}

  void fold(int64_t) override {}
  Lanes getLanes() const override { return Lanes::OfWriter; }
  void setLanes(int64_t lanes) override { lanes_ = lanes; }
  int64_t inputLanes(unsigned) const override { return lanes_; }
  int64_t outputLanes() const override { return lanes_; }
  int64_t cycles() const override { return input().getElements() / lanes_; }
  Action action(int64_t) const override {
    return {1, ~0u >> (kMostStreams - op_->getNumResults())};
  }
  Resources resources(const Part &) const override { return {20, 0, 0}; }
  std::string describe() const override {
    return (Twine(op_->getNumResults()) + " copies").str();
  }
  void emit(Text &text, StringRef name) const override {
    openFunction(text, name, op_);
    text.loop("t", cycles());
    text.pragma("PIPELINE II=1 style=flp");
    text.line("const " + getWordName(input()) + " word = in.read();");
    for (unsigned i = 0; i < op_->getNumResults(); ++i)
      text.line("out" + Twine(i) + ".write(word);");
    text.close();
    text.close();
  }

private:
  int64_t lanes_;
};

class JoinUnit : public Unit {
public:
  explicit JoinUnit(JoinOp op)
      : Unit(op), join_(op), lanes_(op.getResult().getType().getLanes()) {}

  void fold(int64_t cycles) override {
    int64_t common = 0;
    for (int64_t channels : join_.getChannels())
      common = std::gcd(common, channels);
    int64_t elements = output().getElements();
    lanes_ =
        pickDivisor(common, [&](int64_t d) { return elements / d <= cycles; });
  }
  int64_t inputLanes(unsigned) const override { return lanes_; }
  int64_t outputLanes() const override { return lanes_; }
  int64_t cycles() const override { return output().getElements() / lanes_; }
  Action action(int64_t iteration) const override {
    int64_t total = 0;
    for (int64_t channels : JoinOp(join_).getChannels())
      total += channels / lanes_;
    int64_t token = iteration % total;
    for (auto [i, channels] : llvm::enumerate(JoinOp(join_).getChannels())) {
      if (token < channels / lanes_)
        return {1u << i, 1};
      token -= channels / lanes_;
    }
    return {};
  }
  Resources resources(const Part &) const override {
    return {30 + output().getBits() * lanes_, 0, 0};
  }
  std::string describe() const override {
    return (Twine(op_->getNumOperands()) + " streams side by side").str();
  }
  void emit(Text &text, StringRef name) const override {
    openFunction(text, name, op_);
    JoinOp op = join_;
    int64_t pixels = input(0).getElements() / op.getChannels()[0];
    text.loop("t", pixels);
    int64_t total = 0;
    for (int64_t channels : op.getChannels())
      total += channels / lanes_;
    text.loop("c", total);
    text.pragma("PIPELINE II=1 style=flp");
    int64_t end = 0;
    bool isOnly = op_->getNumOperands() == 1;
    for (auto [i, channels] : llvm::enumerate(op.getChannels())) {
      end += channels / lanes_;
      bool isLast = i + 1 == op.getChannels().size();
      if (!isOnly)
        text.line((i ? "else " : "") +
                  (isLast ? Twine("") : "if (c < " + Twine(end) + ")"));
      emitCopy(text, i, ("in" + (isOnly ? Twine("") : Twine(i))).str());
    }
    for (int i = 0; i < 3; ++i)
      text.close();
  }

private:
  /// A token of operand `i`, whose elements may be narrower.
  void emitCopy(Text &text, unsigned i, StringRef stream) const {
    StreamType in = input(i), out = output();
    if (in.getElement() == out.getElement())
      return text.line("  out.write(" + stream + ".read());");
    text.open("");
    text.line("const " + getWordName(in) + " word = " + stream + ".read();");
    text.line(getWordName(out) + " result = 0;");
    text.unrolled("i", lanes_);
    emitLane(text, in, "x", "word", "i");
    text.line("const " + getElementName(out) + " value = x;");
    emitSetLane(text, out, "result", "i", "value");
    text.close();
    text.line("out.write(result);");
    text.close();
  }

  mutable JoinOp join_;
  int64_t lanes_;
};

class WidthUnit : public Unit {
public:
  explicit WidthUnit(WidthOp op) : Unit(op) {}

  void fold(int64_t) override {}
  void apply() override {}
  int64_t inputLanes(unsigned) const override { return input().getLanes(); }
  int64_t outputLanes() const override { return output().getLanes(); }
  int64_t cycles() const override {
    return std::max(input().getTokens(), output().getTokens());
  }
  Action action(int64_t iteration) const override {
    int64_t wide = output().getLanes(), narrow = input().getLanes();
    if (wide >= narrow)
      return {1, uint8_t(iteration % (wide / narrow) == wide / narrow - 1)};
    return {uint8_t(iteration % (narrow / wide) == 0), 1};
  }
  Resources resources(const Part &) const override {
    return {20 + std::max(input().getWordBits(), output().getWordBits()), 0, 0};
  }
  std::string describe() const override {
    return (Twine(input().getLanes()) +
            (input().getLanes() == 1 ? " lane to " : " lanes to ") +
            Twine(output().getLanes()))
        .str();
  }
  void emit(Text &text, StringRef name) const override {
    openFunction(text, name, op_);
    bool grows = output().getLanes() >= input().getLanes();
    StreamType wide = grows ? output() : input();
    StreamType narrow = grows ? input() : output();
    int64_t ratio = wide.getLanes() / narrow.getLanes();
    text.line(getWordName(wide) + " word = 0;");
    text.loop("t", wide.getTokens());
    text.loop("k", ratio);
    text.pragma("PIPELINE II=1 style=flp");
    if (grows)
      text.line("const " + getWordName(narrow) + " part = in.read();");
    else {
      text.line("if (k == 0)");
      text.line("  word = in.read();");
      text.line(getWordName(narrow) + " part = 0;");
    }
    // Lane by lane: a word may be wider than 64 bits.
    text.unrolled("i", narrow.getLanes());
    std::string lane =
        narrow.getLanes() == 1
            ? "k"
            : ("(k * " + Twine(narrow.getLanes()) + " + i)").str();
    if (grows) {
      emitLane(text, narrow, "element", "part", "i");
      emitSetLane(text, wide, "word", lane, "element");
    } else {
      emitLane(text, wide, "element", "word", lane);
      emitSetLane(text, narrow, "part", "i", "element");
    }
    text.close();
    if (grows) {
      text.line("if (k == " + Twine(ratio - 1) + ")");
      text.line("  out.write(word);");
    } else {
      text.line("out.write(part);");
    }
    for (int i = 0; i < 3; ++i)
      text.close();
  }
};
} // namespace

UnitPtr ForkOp::createUnit() { return makeUnit<ForkUnit>(*this); }
UnitPtr JoinOp::createUnit() { return makeUnit<JoinUnit>(*this); }
UnitPtr WidthOp::createUnit() { return makeUnit<WidthUnit>(*this); }
