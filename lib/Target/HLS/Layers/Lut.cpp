//===- Lut.cpp - Tables of 256 bytes --------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// One copy per lane.
//===----------------------------------------------------------------------===//
#include "Convert.h"
#include "Map.h"
#include "Verify.h"
#include "qopt/Dialect/FXP/IR/FXP.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::hls;

LogicalResult LutOp::verify() {
  auto table = cast<ShapedType>(getTable().getType());
  if (table.getNumElements() != 256 ||
      !table.getElementType().isSignlessInteger(8)) // C1
    return emitOpError() << "expects a table of 256 i8, got " << table;
  if (getInput().getType().getBits() > 8) // C2
    return emitOpError("expects an input of up to 8 bits");
  return checkMap(*this, getInput().getType(), getResult().getType()); // C3
}

static FailureOr<Value> convertLut(fxp::LutOp op, Streams &streams) {
  FailureOr<Tensor> table =
      qg::getTensor(op.getTable(), op.getTable().getType());
  if (failed(table))
    return refuse(op) << "expects a table whose bytes are present";
  bool isUnsigned = isReadUnsigned(op.getResult());
  Value x = streams.take(op.getX());
  StreamType type = cast<StreamType>(x.getType());
  // Only the entries that an input can reach.
  int64_t least = INT64_MAX, most = INT64_MIN;
  for (int64_t value = type.getLow(); value <= type.getHigh(); ++value) {
    int64_t entry = table->getInt(value & 0xFF);
    if (isUnsigned)
      entry &= 0xFF;
    least = std::min(least, entry);
    most = std::max(most, entry);
  }
  return LutOp::create(
             streams.builder(), op.getLoc(),
             getStream(type.getElements(),
                       getNarrowestType(op->getContext(), least, most)),
             x, op.getTable())
      .getResult();
}

void LutOp::addConversions(Conversions &conversions) {
  conversions.add(convertLut);
}

namespace {
class LutUnit : public MapUnit {
public:
  explicit LutUnit(LutOp op) : MapUnit(op, getFrame(op)), op_(op) {}

  Resources resources(const Part &) const override {
    return {40 + lanes_ * getLutRam(256, output().getBits()), 0, 0};
  }
  std::string describe() const override {
    return ("table of 256, " + Twine(lanes_) + " a cycle").str();
  }
  void emitTables(Text &text, StringRef name) const override {
    std::vector<int64_t> values = getIntegers(LutOp(op_).getTable());
    // What the input cannot reach need not fit the result.
    StreamType in = input(), out = output();
    for (int64_t index = 0; index < 256; ++index) {
      int64_t value = index;
      if (in.isSigned() && value >= 128)
        value -= 256;
      if (value < in.getLow() || value > in.getHigh())
        values[index] = 0;
      else if (!out.isSigned())
        values[index] &= 0xFF;
    }
    emitTable(text, (name + "_table").str(), {out.getBits(), out.isSigned()},
              {256}, values);
  }
  void emit(Text &text, StringRef name) const override {
    StreamType in = input(), out = output();
    openFunction(text, name, Unit::op_);
    text.loop("t", in.getElements() / lanes_);
    text.pragma("PIPELINE II=1 style=flp");
    text.line("const " + getWordName(in) + " word = in.read();");
    text.line(getWordName(out) + " result = 0;");
    text.unrolled("i", lanes_);
    emitLane(text, in, "x", "word", "i");
    text.line("const ap_uint<8> index = int(x); // the stored byte");
    text.line("const " + getElementName(out) + " value = " + name +
              "_table[index];");
    emitSetLane(text, out, "result", "i", "value");
    text.close();
    text.line("out.write(result);");
    text.close();
    text.close();
  }

private:
  mutable LutOp op_;
};
} // namespace

UnitPtr LutOp::createUnit() { return makeUnit<LutUnit>(*this); }
