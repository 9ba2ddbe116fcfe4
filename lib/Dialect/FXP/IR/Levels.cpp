//===- Levels.cpp - Products whose weights are levels of a table ----------===//
// SPDX-License-Identifier: Apache-2.0
//
// An attribute that passes may drop: bytes alone say all that is computed.
//===----------------------------------------------------------------------===//
#include "qopt/Dialect/FXP/IR/Levels.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <bitset>

using namespace mlir;
using namespace qopt;

ArrayRef<int8_t> fxp::getLevels(Operation *product) {
  auto levels = product->getAttrOfType<DenseI8ArrayAttr>(kLevelsAttr);
  return levels ? levels.asArrayRef() : ArrayRef<int8_t>();
}

void fxp::setLevels(Operation *product, ArrayRef<int8_t> levels) {
  if (!levels.empty())
    product->setAttr(kLevelsAttr,
                     DenseI8ArrayAttr::get(product->getContext(), levels));
}

unsigned fxp::getWeightBits(Operation *product) {
  auto bits = product->getAttrOfType<IntegerAttr>(kWeightBitsAttr);
  return bits ? unsigned(bits.getInt()) : 8;
}

void fxp::setWeightBits(Operation *product, unsigned bits) {
  if (bits >= 5 && bits <= 7)
    product->setAttr(
        kWeightBitsAttr,
        IntegerAttr::get(IntegerType::get(product->getContext(), 64), bits));
}

SmallVector<int8_t> fxp::makeTable(ArrayRef<int8_t> bytes,
                                   ArrayRef<int8_t> levels) {
  std::bitset<256> used, known;
  for (int8_t byte : bytes)
    used.set(byte + 128);
  for (int8_t level : levels)
    known.set(level + 128);
  known.set(128);
  SmallVector<int8_t> table;
  if (levels.empty() || used.none() || (used & ~known).any())
    return table;
  for (int64_t value = 0; value < 256; ++value)
    if (used[value])
      table.push_back(int8_t(value - 128));
  unsigned bits = std::max(1u, llvm::Log2_64_Ceil(table.size()));
  if (bits == 8)
    return {};
  table.resize(size_t(1) << bits, table.back());
  return table;
}

int64_t fxp::getCode(ArrayRef<int8_t> table, int8_t byte) {
  return llvm::lower_bound(table, byte) - table.begin();
}
