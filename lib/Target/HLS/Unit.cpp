//===- Unit.cpp - What units share ----------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Names of types, tables and lanes: the vocabulary of the generated C++.
//===----------------------------------------------------------------------===//
#include "Unit.h"
#include "qopt/Dialect/QG/IR/QG.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::hls;

StringRef Unit::kind() const { return op_->getName().stripDialect(); }

void Unit::apply() {
  for (Value result : op_->getResults()) {
    auto type = cast<StreamType>(result.getType());
    result.setType(type.withLanes(outputLanes()));
  }
}

void DeleteUnit::operator()(Unit *unit) const { delete unit; }

Units hls::createUnits(Block &block) {
  Units units;
  for (Operation &op : block)
    if (auto unit = dyn_cast<UnitOpInterface>(op))
      units.push_back(unit.createUnit());
  return units;
}

std::string hls::getElementName(StreamType type) {
  return (Twine(type.isSigned() ? "ap_int<" : "ap_uint<") +
          Twine(type.getBits()) + ">")
      .str();
}

std::string hls::getWordName(StreamType type) {
  return ("ap_uint<" + Twine(type.getWordBits()) + ">").str();
}


std::vector<int64_t> hls::getIntegers(ElementsAttr attr) {
  std::vector<int64_t> values;
  FailureOr<Tensor> tensor = qg::getTensor(attr, attr.getType());
  if (failed(tensor))
    return std::vector<int64_t>(attr.getNumElements(), 0);
  for (int64_t i = 0; i < tensor->numElements(); ++i)
    values.push_back(tensor->getInt(i));
  return values;
}

std::string hls::getSignature(StringRef name, Operation *op) {
  std::string text = ("void " + name + "(").str();
  std::string separator = "";
  auto add = [&](Value value, StringRef base, unsigned i, unsigned count) {
    text += separator + "hls::stream<" +
            getWordName(cast<StreamType>(value.getType())) + " > &" +
            base.str() + (count > 1 ? std::to_string(i) : "");
    separator = ",\n    ";
  };
  for (auto [i, operand] : llvm::enumerate(op->getOperands()))
    add(operand, "in", i, op->getNumOperands());
  for (auto [i, result] : llvm::enumerate(op->getResults()))
    add(result, "out", i, op->getNumResults());
  return text + ")";
}

void hls::openFunction(Text &text, StringRef name, Operation *op) {
  text.open(getSignature(name, op));
}

/// `8 * i + 7, 8 * i`: the bits of a lane.
static std::string getBits(StreamType type, StringRef index) {
  if (type.getLanes() == 1)
    return (Twine(type.getBits() - 1) + ", 0").str();
  std::string low = (Twine(type.getBits()) + " * " + index).str();
  return (Twine(low) + " + " + Twine(type.getBits() - 1) + ", " + low).str();
}

void hls::emitLane(Text &text, StreamType type, StringRef name, StringRef word,
                   StringRef index) {
  text.line("const " + getElementName(type) + " " + name + " = " + word +
            ".range(" + getBits(type, index) + ");");
}

void hls::emitSetLane(Text &text, StreamType type, StringRef word,
                      StringRef index, StringRef value) {
  text.line(word + ".range(" + getBits(type, index) + ") = " + value + ";");
}

void hls::emitTable(Text &text, StringRef name, Width width,
                    ArrayRef<int64_t> extents, ArrayRef<int64_t> values) {
  auto [bits, isSigned] = width;
  unsigned storage = bits <= 8 ? 8 : bits <= 16 ? 16 : bits <= 32 ? 32 : 64;
  text.line("#ifdef __SYNTHESIS__");
  text.line("typedef " + Twine(isSigned ? "ap_int<" : "ap_uint<") +
            Twine(bits) + "> " + name + "_t;");
  text.line("#else // the same values in a type that compiles faster");
  text.line("typedef " + Twine(isSigned ? "int" : "uint") + Twine(storage) +
            "_t " + name + "_t;");
  text.line("#endif");
  std::string declaration = ("static const " + name + "_t " + name).str();
  int64_t row = 1;
  for (int64_t extent : extents)
    declaration += "[" + std::to_string(extent) + "]";
  // A line is the longest run of inner dimensions that stays readable.
  unsigned inner = extents.size();
  while (inner > 1 && row * extents[inner - 1] <= 32)
    row *= extents[--inner];
  if (inner == extents.size())
    row = extents[--inner];
  text.line(declaration + " = {");
  // Braces of every dimension that begins or ends at an element.
  int64_t count = values.size();
  std::string line;
  for (int64_t i = 0; i < count; ++i) {
    int64_t block = 1;
    unsigned opened = 0;
    for (unsigned dim = extents.size(); dim-- > 1;) {
      block *= extents[dim];
      if (i % block == 0)
        ++opened;
    }
    line.append(opened, '{');
    line += std::to_string(values[i]);
    block = 1;
    unsigned closed = 0;
    for (unsigned dim = extents.size(); dim-- > 1;) {
      block *= extents[dim];
      if ((i + 1) % block == 0)
        ++closed;
    }
    line.append(closed, '}');
    line += i + 1 == count ? "" : ", ";
    if ((i + 1) % row == 0 || line.size() > 110 || i + 1 == count) {
      text.line("  " + StringRef(line).rtrim());
      line.clear();
    }
  }
  text.line("};");
  text.blank();
}
