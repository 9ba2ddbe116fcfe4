//===- Softmax.cpp - A classifier's head in integers ----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Three passes over a short vector: the largest, the sum, the quotients. It is
// never the slowest unit of a network, so that one lane is enough.
//===----------------------------------------------------------------------===//
#include "qopt/Numerics/Softmax.h"
#include "Convert.h"
#include "Unit.h"
#include "Verify.h"
#include "qopt/Dialect/FXP/IR/FXP.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::hls;

LogicalResult SoftmaxOp::verify() {
  auto table = cast<ShapedType>(getTable().getType());
  if (table.getNumElements() != 256 ||
      !table.getElementType().isInteger(32)) // C1
    return emitOpError() << "expects a table of 256 i32, got " << table;
  StreamType in = getInput().getType(), out = getResult().getType();
  if (in.getBits() > 8) // C2
    return emitOpError("expects an input of up to 8 bits");
  return success(succeeded(checkMap(*this, in, out)) &&             // C4
                 succeeded(checkLanes(*this, in, 1, "an input")) && // C2
                 succeeded(checkDivides(*this, getChannels(), in.getElements(),
                                        "channels")) &&          // C3
                 succeeded(checkClamp(*this, getClamp(), out))); // C5
}

static FailureOr<Value> convertSoftmax(fxp::SoftmaxOp op, Streams &streams) {
  Value x = streams.take(op.getX());
  StreamType type = cast<StreamType>(x.getType());
  if (type.getBits() > 8)
    return refuse(op) << "expects an input of up to 8 bits, got "
                      << type.getBits();
  IntegerType element =
      getNarrowestType(op->getContext(), op.getClamp()[0], op.getClamp()[1]);
  return SoftmaxOp::create(streams.builder(), op.getLoc(),
                           getStream(type.getElements(), element), x,
                           getShape(op.getX()).back(), op.getTable(),
                           op.getZp(), op.getClamp())
      .getResult();
}

void SoftmaxOp::addConversions(Conversions &conversions) {
  conversions.add(convertSoftmax);
}

namespace {
class SoftmaxUnit : public Unit {
public:
  explicit SoftmaxUnit(SoftmaxOp op)
      : Unit(op), softmax_(op), channels_(op.getChannels()),
        table_(getIntegers(op.getTable())) {}

  void fold(int64_t) override {}
  int64_t inputLanes(unsigned) const override { return 1; }
  int64_t outputLanes() const override { return 1; }
  int64_t cycles() const override { return 3 * input().getElements(); }
  Action action(int64_t iteration) const override {
    int64_t pass = iteration / channels_ % 3;
    return {uint8_t(pass == 0), uint8_t(pass == 2)};
  }
  Resources resources(const Part &) const override {
    // A divider of 33 bits, one row of logic for every bit of the quotient.
    return {33 * 33 + getLutRam(256, getTableBits()) +
                getLutRam(channels_, input().getBits()),
            0, 0};
  }
  std::string describe() const override {
    return ("softmax of " + Twine(channels_) + " in steps of 1/256").str();
  }

  void emitTables(Text &text, StringRef name) const override {
    text.line("// exp(-d * scale)");
    emitTable(text, (name + "_table").str(), {getTableBits(), false}, {256},
              table_);
  }

  void emit(Text &text, StringRef name) const override {
    StreamType in = input(), out = output();
    SoftmaxOp op = softmax_;
    std::string element = getElementName(in);
    openFunction(text, name, op_);
    text.line(element + " kept[" + Twine(channels_) + "];");
    text.loop("v", in.getElements() / channels_);
    text.line(element + " largest = " + Twine(in.getLow()) + ";");
    text.loop("c", channels_);
    text.pragma("PIPELINE II=1 style=flp");
    text.line("const " + getWordName(in) + " word = in.read();");
    emitLane(text, in, "x", "word", "0");
    text.line("kept[c] = x;");
    text.line("if (x > largest)");
    text.line("  largest = x;");
    text.close();
    text.line("ap_uint<32> sum = 0;");
    text.loop("c", channels_);
    text.pragma("PIPELINE II=1 style=flp");
    text.line("const ap_uint<8> distance = largest - kept[c];");
    text.line("sum += " + name + "_table[distance];");
    text.close();
    text.loop("c", channels_);
    text.pragma("PIPELINE II=1 style=flp");
    text.line("const ap_uint<8> distance = largest - kept[c];");
    text.line("const ap_uint<32> entry = " + name + "_table[distance];");
    text.line("// In steps of 1/256, half up.");
    TextBuilder b(TextBuilder::ApInt);
    int64_t most = *std::max_element(table_.begin(), table_.end());
    // The largest of a row adds the first entry.
    TextBuilder::V sum = b.variable("sum", table_[0], UINT32_MAX);
    text.lines(
        b.define(numerics::emitSoftmax(
                     b, b.variable("entry", 0, most), sum,
                     {int64_t(op.getZp()), op.getClamp()[0], op.getClamp()[1]}),
                 "value"));
    text.line(getWordName(out) + " result = 0;");
    emitSetLane(text, out, "result", "0", "value");
    text.line("out.write(result);");
    for (int i = 0; i < 3; ++i)
      text.close();
  }

private:
  unsigned getTableBits() const {
    return getSignedBits(0, *std::max_element(table_.begin(), table_.end())) -
           1;
  }

  mutable SoftmaxOp softmax_;
  int64_t channels_;
  std::vector<int64_t> table_;
};
} // namespace

UnitPtr SoftmaxOp::createUnit() { return makeUnit<SoftmaxUnit>(*this); }
