//===- WeightCode.h - Weights in fewer than 8 bits ------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// How packed bytes lie in memory when they need fewer bits: a matter of this
// target alone, since decoding gives the same bytes. The narrowest code that
// holds all weights of a kernel is taken, whatever the model calls them.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_TARGET_CPU_KERNELS_WEIGHTCODE_H
#define QOPT_LIB_TARGET_CPU_KERNELS_WEIGHTCODE_H

#include "Emitter.h"
#include "qopt/Support/Tensor.h"

namespace qopt::qcpu {

/// A weight is `code + offset`, codes have `bits` bits; 8 bits are no code.
///
/// Codes come in steps of `count`, in planes of 4, 2 and 1 bits (the widths
/// that add up to `bits`, wide ones first, low bits first). A plane of `p` bits
/// is `count * p / 8` bytes; byte `i` holds the codes `i`, `i + count * p / 8`,
/// ..., the first in its low bits, so that a shift and a mask give neighbours.
struct WeightCode {
  int64_t bits = 8;
  int64_t offset = 0;

  bool isPacked() const { return bits < 8; }
  /// Bytes of a step.
  int64_t bytes(int64_t count) const { return count * bits / 8; }
};

/// The name of the attribute of a kernel op that holds bits and offset.
constexpr llvm::StringLiteral kWeightCodeAttr = "weight_code";

/// The narrowest code for bytes in steps of `count`.
WeightCode chooseWeightCode(const Tensor &bytes, int64_t count);
Tensor encodeWeights(const Tensor &bytes, int64_t count,
                     const WeightCode &code);

/// The weights of the step that starts at byte `index`, as one vector of
/// `count` elements of the integer type `element`.
mlir::Value decodeWeights(Emitter &emit, const FlatView &weights,
                          mlir::Value index, int64_t count,
                          const WeightCode &code, mlir::Type element);

} // namespace qopt::qcpu

#endif // QOPT_LIB_TARGET_CPU_KERNELS_WEIGHTCODE_H
