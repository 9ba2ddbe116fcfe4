//===- Lut.cpp - Tables of all stored integers ----------------------------===//
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

/// Bits of an index: of stored bytes, or of 16-bit integers.
static unsigned getIndexBits(ElementsAttr table) {
  return table.getNumElements() == 256 ? 8 : 16;
}

/// Those of an entry that is stored without its sign.
static int64_t getEntryMask(ElementsAttr table) {
  return table.getElementType().isInteger(8) ? 0xFF : 0xFFFF;
}

LogicalResult LutOp::verify() {
  auto table = cast<ShapedType>(getTable().getType());
  int64_t count = table.getNumElements();
  Type element = table.getElementType();
  if ((count != 256 && count != 65536) ||
      !(element.isSignlessInteger(8) || element.isSignlessInteger(16))) // C1
    return emitOpError() << "expects a table of 256 or 65536 i8 or i16, got "
                         << table;
  unsigned bits = getIndexBits(getTable());
  if (getInput().getType().getBits() > bits) // C2
    return emitOpError() << "expects an input of up to " << bits << " bits";
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
  int64_t index = op.getTable().getNumElements() - 1;
  for (int64_t value = type.getLow(); value <= type.getHigh(); ++value) {
    int64_t entry = table->getInt(value & index);
    if (isUnsigned)
      entry &= getEntryMask(op.getTable());
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
    Resources sum{40, 0, 0};
    for (int64_t lane = 0; lane < lanes_; ++lane)
      sum += count() == 256
                 ? Resources{getLutRam(256, output().getBits()), 0, 0}
                 : getMemory(count(), output().getBits());
    return sum;
  }
  std::string describe() const override {
    return ("table of " + Twine(count()) + ", " + Twine(lanes_) + " a cycle")
        .str();
  }
  void emitTables(Text &text, StringRef name) const override {
    std::vector<int64_t> values = getIntegers(LutOp(op_).getTable());
    // What the input cannot reach need not fit the result.
    StreamType in = input(), out = output();
    for (int64_t index = 0; index < count(); ++index) {
      int64_t value = index;
      if (in.isSigned() && value >= count() / 2)
        value -= count();
      if (value < in.getLow() || value > in.getHigh())
        values[index] = 0;
      else if (!out.isSigned())
        values[index] &= getEntryMask(op_.getTable());
    }
    emitTable(text, (name + "_table").str(), {out.getBits(), out.isSigned()},
              {count()}, values);
  }
  void emit(Text &text, StringRef name) const override {
    StreamType in = input(), out = output();
    openFunction(text, name, Unit::op_);
    if (count() > 256)
      text.pragma("BIND_STORAGE variable=" + name +
                  "_table type=rom_1p impl=" + pickMemory(count()));
    text.loop("t", in.getElements() / lanes_);
    text.pragma("PIPELINE II=1 style=flp");
    text.line("const " + getWordName(in) + " word = in.read();");
    text.line(getWordName(out) + " result = 0;");
    text.unrolled("i", lanes_);
    emitLane(text, in, "x", "word", "i");
    text.line("const ap_uint<" + Twine(getIndexBits(op_.getTable())) +
              "> index = int(x); // the stored " +
              (count() == 256 ? "byte" : "integer"));
    text.line("const " + getElementName(out) + " value = " + name +
              "_table[index];");
    emitSetLane(text, out, "result", "i", "value");
    text.close();
    text.line("out.write(result);");
    text.close();
    text.close();
  }

private:
  int64_t count() const { return op_.getTable().getNumElements(); }

  mutable LutOp op_;
};
} // namespace

UnitPtr LutOp::createUnit() { return makeUnit<LutUnit>(*this); }
