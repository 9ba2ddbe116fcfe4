//===- WeightCode.cpp - Weights in fewer than 8 bits ----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Planes are widened before they are cut: machines shift 16 and 32 bits, but
// not bytes.
//===----------------------------------------------------------------------===//
#include "WeightCode.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::qcpu;

/// Widths of the planes, from the low bits of a code up.
static SmallVector<int64_t> getPlanes(int64_t bits) {
  SmallVector<int64_t> planes;
  for (int64_t width : {4, 2, 1})
    if (bits & width)
      planes.push_back(width);
  return planes;
}

WeightCode qopt::qcpu::chooseWeightCode(const Tensor &bytes, int64_t count) {
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
  return code.bits < 8 ? code : WeightCode();
}

Tensor qopt::qcpu::encodeWeights(const Tensor &bytes, int64_t count,
                                 const WeightCode &code) {
  int64_t steps = bytes.numElements() / count;
  Tensor packed(DType::i8, {steps * code.bytes(count)});
  MutableArrayRef<int8_t> out = packed.mutableSpan<int8_t>();
  ArrayRef<int8_t> in = bytes.span<int8_t>();
  size_t at = 0;
  for (int64_t step = 0; step < steps; ++step) {
    int64_t below = 0;
    for (int64_t width : getPlanes(code.bits)) {
      int64_t length = count * width / 8;
      for (int64_t i = 0; i < count; ++i) {
        int64_t value = in[step * count + i] - code.offset;
        int64_t part = value >> below & ((1 << width) - 1);
        out[at + i % length] |= int8_t(part << i / length * width);
      }
      at += length;
      below += width;
    }
  }
  return packed;
}

Value qopt::qcpu::decodeWeights(Emitter &emit, const FlatView &weights,
                                Value index, int64_t count,
                                const WeightCode &code, Type element) {
  OpBuilder &b = emit.builder;
  Location loc = emit.loc;
  auto constant = [&](int64_t lanes, int64_t value) {
    return emit.splat(emit.vec(lanes, element),
                      b.getIntegerAttr(element, value));
  };
  Value result;
  int64_t below = 0, at = 0;
  for (int64_t width : getPlanes(code.bits)) {
    int64_t length = count * width / 8;
    Value plane = emit.load(weights, emit.add(index, at), length);
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
      codes = arith::ShLIOp::create(b, loc, codes, constant(count, below));
    result = result ? arith::OrIOp::create(b, loc, result, codes).getResult()
                    : codes;
    at += length;
    below += width;
  }
  if (code.offset == 0)
    return result;
  return arith::AddIOp::create(b, loc, result, constant(count, code.offset));
}
