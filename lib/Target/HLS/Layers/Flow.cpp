//===- Flow.cpp - Forks, joins and conversions of width -------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Units that move tokens and compute nothing.
//===----------------------------------------------------------------------===//
#include "Unit.h"

#include <numeric>

using namespace mlir;
using namespace qopt::hls;

namespace {
class ForkUnit : public Unit {
public:
  explicit ForkUnit(ForkOp op)
      : Unit(op), lanes_(op.getInput().getType().getLanes()) {}

  void fold(int64_t) override {}
  void setLanes(int64_t lanes) override { lanes_ = lanes; }
  int64_t inputLanes(unsigned) const override { return lanes_; }
  int64_t outputLanes() const override { return lanes_; }
  int64_t cycles() const override { return input().getElements() / lanes_; }
  Action action(int64_t) const override {
    return {1, uint8_t((1u << op_->getNumResults()) - 1)};
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
        return {uint8_t(1u << i), 1};
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
      text.line("  out.write(in" + (isOnly ? Twine("") : Twine(i)) +
                ".read());");
    }
    for (int i = 0; i < 3; ++i)
      text.close();
  }

private:
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

std::unique_ptr<Unit> qopt::hls::createForkUnit(ForkOp op) {
  return std::make_unique<ForkUnit>(op);
}
std::unique_ptr<Unit> qopt::hls::createJoinUnit(JoinOp op) {
  return std::make_unique<JoinUnit>(op);
}
std::unique_ptr<Unit> qopt::hls::createWidthUnit(WidthOp op) {
  return std::make_unique<WidthUnit>(op);
}
