//===- Pool.cpp - Maxima and sums -----------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Windows arrive tap by tap for a group of channels; a global pool keeps a
// value per channel instead and needs no window.
//===----------------------------------------------------------------------===//
#include "Unit.h"

using namespace mlir;
using namespace qopt::hls;

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

std::unique_ptr<Unit> qopt::hls::createPoolUnit(PoolOp op) {
  return std::make_unique<PoolUnit>(op);
}
