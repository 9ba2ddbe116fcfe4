//===- WeightCode.cpp - Weights in fewer than 8 bits ----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Planes are widened before they are cut: machines shift 16 and 32 bits, but
// not bytes.
//===----------------------------------------------------------------------===//
#include "WeightCode.h"
#include "TableLookup.h"
#include "qopt/Dialect/FXP/IR/Levels.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::qcpu;

/// In the order of TableLookup.
static constexpr llvm::StringLiteral kLookupNames[] = {"memory", "pshufb",
                                                       "tbl"};

/// Widths of the planes, from the low bits of a code up.
static SmallVector<int64_t> getPlanes(int64_t bits) {
  SmallVector<int64_t> planes;
  for (int64_t width : {4, 2, 1})
    if (bits & width)
      planes.push_back(width);
  return planes;
}

int64_t WeightCode::header() const {
  return isTable() && lookup == TableLookup::Memory
             ? llvm::alignTo(table.size(), 8)
             : 0;
}

int64_t WeightCode::range() const {
  return isTable() ? *llvm::max_element(table) - offset
                   : (int64_t(1) << bits) - 1;
}

WeightCode WeightCode::withoutOffset() const {
  assert(!header() && "a table in memory has its offset");
  WeightCode result = *this;
  for (int8_t &level : result.table)
    level = int8_t(level - offset);
  result.offset = 0;
  return result;
}

void qopt::qcpu::setWeightCode(Operation *op, const WeightCode &code) {
  if (!code.isPacked())
    return;
  Builder b(op->getContext());
  op->setAttr(kWeightCodeAttr,
              b.getDenseI64ArrayAttr({code.bits, code.offset}));
  if (!code.isTable())
    return;
  op->setAttr(kWeightTableAttr, b.getDenseI8ArrayAttr(code.table));
  op->setAttr(kWeightLookupAttr,
              b.getStringAttr(kLookupNames[size_t(code.lookup)]));
}

WeightCode qopt::qcpu::getWeightCode(Operation *op) {
  WeightCode code;
  auto attr = op->getAttrOfType<DenseI64ArrayAttr>(kWeightCodeAttr);
  if (!attr || attr.size() != 2)
    return code;
  code.bits = attr[0];
  code.offset = attr[1];
  auto table = op->getAttrOfType<DenseI8ArrayAttr>(kWeightTableAttr);
  auto lookup = op->getAttrOfType<StringAttr>(kWeightLookupAttr);
  if (!table || !lookup)
    return code;
  llvm::append_range(code.table, table.asArrayRef());
  for (auto [i, name] : llvm::enumerate(kLookupNames))
    if (lookup == name)
      code.lookup = TableLookup(i);
  return code;
}

WeightCode qopt::qcpu::chooseWeightCode(const Tensor &bytes, int64_t count,
                                        ArrayRef<int8_t> levels,
                                        TableLookup lookup) {
  // Planes of one bit need whole bytes; zeros fill what is not used.
  if (bytes.dtype() != DType::i8 || count % 8 != 0)
    return {};
  int64_t low = 0, high = 0;
  for (int8_t value : bytes.span<int8_t>()) {
    low = std::min<int64_t>(low, value);
    high = std::max<int64_t>(high, value);
  }
  WeightCode code;
  code.bits = std::max<int64_t>(1, llvm::Log2_64_Ceil(high - low + 1));
  code.offset = low;
  SmallVector<int8_t> table = fxp::makeTable(bytes.span<int8_t>(), levels);
  int64_t bits = llvm::Log2_64_Ceil(std::max<size_t>(table.size(), 1));
  if (!table.empty() && bits < code.bits)
    code = {bits, table.front(), std::move(table), lookup};
  return code.isPacked() ? code : WeightCode();
}

Tensor qopt::qcpu::encodeWeights(const Tensor &bytes, int64_t count,
                                 const WeightCode &code) {
  int64_t steps = bytes.numElements() / count;
  Tensor packed(DType::i8, {code.header() + steps * code.bytes(count)});
  MutableArrayRef<int8_t> out = packed.mutableSpan<int8_t>();
  ArrayRef<int8_t> in = bytes.span<int8_t>();
  if (code.header())
    llvm::copy(code.table, out.begin());
  size_t at = code.header();
  for (int64_t step = 0; step < steps; ++step) {
    int64_t below = 0;
    for (int64_t width : getPlanes(code.bits)) {
      int64_t length = count * width / 8;
      for (int64_t i = 0; i < count; ++i) {
        int8_t byte = in[step * count + i];
        int64_t value = code.isTable() ? fxp::getCode(code.table, byte)
                                       : byte - code.offset;
        int64_t part = value >> below & ((1 << width) - 1);
        out[at + i % length] |= int8_t(part << i / length * width);
      }
      at += length;
      below += width;
    }
  }
  return packed;
}

/// Codes of a step from their planes.
static Value decodePlanes(Emitter &emit, const WeightStep &step, int64_t bits,
                          Type element) {
  OpBuilder &b = emit.builder;
  Location loc = emit.loc;
  auto constant = [&](int64_t lanes, int64_t value) {
    return emit.splat(emit.vec(lanes, element),
                      b.getIntegerAttr(element, value));
  };
  Value result;
  int64_t below = 0, at = 0;
  for (int64_t width : getPlanes(bits)) {
    int64_t length = step.count * width / 8;
    Value plane = emit.load(step.weights, emit.add(step.index, at), length);
    if (!element.isInteger(8))
      plane = arith::ExtUIOp::create(b, loc, emit.vec(length, element), plane);
    SmallVector<Value> pieces;
    for (int64_t shift = 0; shift < 8; shift += width) {
      Value piece = plane;
      if (shift)
        piece = arith::ShRUIOp::create(b, loc, piece, constant(length, shift));
      if (shift + width < 8)
        piece = arith::AndIOp::create(b, loc, piece,
                                      constant(length, (1 << width) - 1));
      pieces.push_back(piece);
    }
    Value codes = emit.concat(pieces);
    if (below)
      codes = arith::ShLIOp::create(b, loc, codes, constant(step.count, below));
    result = result ? arith::OrIOp::create(b, loc, result, codes).getResult()
                    : codes;
    at += length;
    below += width;
  }
  return result;
}

Value qopt::qcpu::decodeWeights(Emitter &emit, const WeightStep &step,
                                const WeightCode &code, Type element) {
  OpBuilder &b = emit.builder;
  if (!code.isTable()) {
    Value codes = decodePlanes(emit, step, code.bits, element);
    if (code.offset == 0)
      return codes;
    Value offset = emit.splat(emit.vec(step.count, element),
                              b.getIntegerAttr(element, code.offset));
    return arith::AddIOp::create(b, emit.loc, codes, offset);
  }
  Value behind = emit.add(step.index, code.header());
  Value codes = decodePlanes(emit, {step.weights, behind, step.count},
                             code.bits, b.getI8Type());
  Value bytes = lookUp(emit, step.weights, codes, code);
  if (element.isInteger(8))
    return bytes;
  return arith::ExtSIOp::create(b, emit.loc, emit.vec(step.count, element),
                                bytes);
}
