//===- PackedElements.cpp - Elements of at most 8 bits --------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A stream of bits, lowest first, for all widths alike.
//===----------------------------------------------------------------------===//
#include "qopt/Frontend/ONNX/Proto/PackedElements.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/Support/MathExtras.h"

using namespace qopt;
using namespace qopt::frontend;

int64_t frontend::countPackedBytes(int64_t count, unsigned bits) {
  // count <= kMaxElements = 2^33 and bits <= 8: no overflow.
  return llvm::divideCeil(count * bits, 8);
}

llvm::SmallVector<float, 0>
frontend::decodeAllCodes(const llvm::fltSemantics &semantics, unsigned bits) {
  llvm::SmallVector<float, 0> values;
  for (uint64_t code = 0; code < (uint64_t(1) << bits); ++code) {
    llvm::APFloat value(semantics, llvm::APInt(bits, code));
    // The smallest is 2^-127 (E8M0), the longest mantissa 4 bits: all are f32.
    bool losesInfo;
    value.convert(llvm::APFloat::IEEEsingle(),
                  llvm::APFloat::rmNearestTiesToEven, &losesInfo);
    assert(!losesInfo && "every small float is an f32");
    values.push_back(value.convertToFloat());
  }
  return values;
}

/// Element `index` of a stream, as an unsigned number.
static unsigned getCode(llvm::StringRef stream, int64_t index, unsigned bits) {
  uint64_t position = uint64_t(index) * bits;
  uint64_t byte = position / 8, shift = position % 8;
  unsigned window = uint8_t(stream[byte]);
  // Six bits may lie in two bytes.
  if (shift + bits > 8)
    window |= unsigned(uint8_t(stream[byte + 1])) << 8;
  return (window >> shift) & ((1u << bits) - 1);
}

void frontend::unpackElements(llvm::StringRef stream, const ElementKind &kind,
                              Tensor &tensor) {
  int64_t count = tensor.numElements();
  if (kind.semantics) {
    llvm::SmallVector<float, 0> values =
        decodeAllCodes(*kind.semantics, kind.bits);
    llvm::MutableArrayRef<float> out = tensor.mutableSpan<float>();
    for (int64_t i = 0; i < count; ++i)
      out[i] = values[getCode(stream, i, kind.bits)];
    return;
  }
  bool isSigned = kind.dtype == DType::i8;
  char *out = tensor.mutableData();
  for (int64_t i = 0; i < count; ++i) {
    unsigned code = getCode(stream, i, kind.bits);
    out[i] = isSigned ? char(llvm::SignExtend32(code, kind.bits)) : char(code);
  }
}
