//===- WeightCode.h - Weights in fewer than 8 bits ------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// How packed bytes lie in memory when they need fewer bits: a matter of this
// target alone, since decoding gives the same bytes. The narrowest code that
// holds all weights of a kernel is taken, whatever the model calls them; codes
// of a table only where the product says that its weights come from one.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_TARGET_CPU_KERNELS_WEIGHTCODE_H
#define QOPT_LIB_TARGET_CPU_KERNELS_WEIGHTCODE_H

#include "Emitter.h"
#include "qopt/Machine/KernelTarget.h"
#include "qopt/Support/Tensor.h"

namespace qopt::qcpu {

/// A weight is `code + offset`, or `table[code]`; codes have `bits` bits, 8
/// bits are no code.
///
/// Codes come in steps of `count`, in planes of 4, 2 and 1 bits (the widths
/// that add up to `bits`, wide ones first, low bits first). A plane of `p` bits
/// is `count * p / 8` bytes; byte `i` holds the codes `i`, `i + count * p / 8`,
/// ..., the first in its low bits, so that a shift and a mask give neighbours.
struct WeightCode {
  int64_t bits = 8;
  int64_t offset = 0;                   ///< of a table: its lowest level
  llvm::SmallVector<int8_t> table = {}; ///< 2^bits levels, or empty
  TableLookup lookup = TableLookup::Memory;

  bool isPacked() const { return bits < 8; }
  bool isTable() const { return !table.empty(); }
  /// Bytes of a step.
  int64_t bytes(int64_t count) const { return count * bits / 8; }
  /// Bytes in front of the first step: the table, where it is read from there.
  int64_t header() const;
  /// The largest weight minus the smallest that the code can hold.
  int64_t range() const;
  /// The same with weights minus `offset`, which are unsigned.
  WeightCode withoutOffset() const;
};

/// Attributes of a kernel op: bits and offset; the table; how it is read.
constexpr llvm::StringLiteral kWeightCodeAttr = "weight_code";
constexpr llvm::StringLiteral kWeightTableAttr = "weight_table";
constexpr llvm::StringLiteral kWeightLookupAttr = "weight_lookup";

/// Nothing is set for bytes.
void setWeightCode(mlir::Operation *op, const WeightCode &code);
WeightCode getWeightCode(mlir::Operation *op);

/// The narrowest code for bytes in steps of `count`; through a table only if
/// they are all `levels` or 0.
WeightCode chooseWeightCode(const Tensor &bytes, int64_t count,
                            llvm::ArrayRef<int8_t> levels, TableLookup lookup);
Tensor encodeWeights(const Tensor &bytes, int64_t count,
                     const WeightCode &code);

/// Weights of a step: `count` elements from byte `index` behind the header on.
struct WeightStep {
  const FlatView &weights;
  mlir::Value index;
  int64_t count;
};
/// The weights of a step as one vector of the integer type `element`.
mlir::Value decodeWeights(Emitter &emit, const WeightStep &step,
                          const WeightCode &code, mlir::Type element);

} // namespace qopt::qcpu

#endif // QOPT_LIB_TARGET_CPU_KERNELS_WEIGHTCODE_H
