//===- Source.cpp - Stored tables as streams ------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A unit without an input: it starts with the frame and waits for its reader.
//===----------------------------------------------------------------------===//
#include "Source.h"
#include "Convert.h"
#include "Unit.h"
#include "Verify.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::hls;

LogicalResult SourceOp::verify() {
  auto type = cast<ShapedType>(getValues().getType());
  if (!type.getElementType().isSignlessInteger() ||
      type.getElementTypeBitWidth() > 32 || type.getNumElements() == 0) // C1
    return emitOpError() << "expects integers of up to 32 bits, got " << type;
  StreamType out = getResult().getType();
  // A byte is what the stream's sign makes of it.
  int64_t mask = (int64_t(1) << type.getElementTypeBitWidth()) - 1;
  for (int64_t value : getIntegers(getValues()))
    if (int64_t read = out.isSigned() ? value : value & mask;
        read < out.getLow() || read > out.getHigh()) // C1
      return emitOpError() << "expects values that " << out.getElement()
                           << " holds, got " << read;
  if (int64_t(getCount()) < 1) // C2
    return emitOpError() << "expects a positive count, got "
                         << int64_t(getCount());
  return success(
      succeeded(checkReaders(*this)) &&
      succeeded(checkElements(*this, out,
                              type.getNumElements() * int64_t(getCount()),
                              "a result")) && // C2
      succeeded(checkDivides(*this, out.getLanes(), type.getNumElements(),
                             "lanes"))); // C3
}

Value hls::repeatSource(OpBuilder &builder, Value stream, int64_t block,
                        int64_t count) {
  auto source = stream.getDefiningOp<SourceOp>();
  if (!source || source.getValues().getNumElements() != block)
    return {};
  StreamType type = source.getResult().getType();
  auto repeated =
      SourceOp::create(builder, source.getLoc(),
                       getStream(type.getElements() * count, type.getElement()),
                       source.getValues(), source.getCount() * count);
  source.erase();
  return repeated;
}

namespace {
class SourceUnit : public Unit {
public:
  explicit SourceUnit(SourceOp op)
      : Unit(op), source_(op), values_(getIntegers(op.getValues())),
        lanes_(output().getLanes()) {
    if (!output().isSigned())
      for (int64_t &value : values_)
        value &= (int64_t(1) << output().getBits()) - 1;
  }

  void fold(int64_t cycles) override {
    int64_t elements = output().getElements();
    lanes_ = pickDivisor(int64_t(values_.size()),
                         [&](int64_t d) { return elements / d <= cycles; });
  }
  Lanes getLanes() const override { return Lanes::OfReader; }
  /// A reader whose lanes do not divide the table gets them through a
  /// conversion of width.
  void setLanes(int64_t lanes) override {
    if (int64_t(values_.size()) % lanes == 0)
      lanes_ = lanes;
  }
  int64_t inputLanes(unsigned) const override { return 1; }
  int64_t outputLanes() const override { return lanes_; }
  int64_t cycles() const override { return output().getElements() / lanes_; }
  Action action(int64_t) const override { return {0, 1}; }
  Resources resources(const Part &) const override {
    Resources result{20, 0, 0};
    result += getMemory(tokens(), lanes_ * output().getBits());
    return result;
  }
  std::string describe() const override {
    return (Twine(values_.size()) + " stored integers, " +
            Twine(int64_t(SourceOp(source_).getCount())) + " times, " +
            Twine(lanes_) + " a cycle")
        .str();
  }

  void emitTables(Text &text, StringRef name) const override {
    emitTable(text, (name + "_values").str(),
              {output().getBits(), output().isSigned()}, {tokens(), lanes_},
              values_);
  }
  void emit(Text &text, StringRef name) const override {
    openFunction(text, name, op_);
    text.pragma("ARRAY_PARTITION variable=" + name + "_values complete dim=2");
    text.loop("r", int64_t(SourceOp(source_).getCount()));
    text.loop("t", tokens());
    text.pragma("PIPELINE II=1 style=flp");
    text.line(getWordName(output()) + " word = 0;");
    text.unrolled("i", lanes_);
    text.line("const " + getElementName(output()) + " value = " + name +
              "_values[t][i];");
    emitSetLane(text, output(), "word", "i", "value");
    text.close();
    text.line("out.write(word);");
    for (int i = 0; i < 3; ++i)
      text.close();
  }

private:
  /// Of the table.
  int64_t tokens() const { return int64_t(values_.size()) / lanes_; }

  mutable SourceOp source_;
  std::vector<int64_t> values_;
  int64_t lanes_;
};
} // namespace

UnitPtr SourceOp::createUnit() { return makeUnit<SourceUnit>(*this); }
