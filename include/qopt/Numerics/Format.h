//===- Format.h - What a number format is ---------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Rows of Formats.def and the affine quantizer (methods: round half to even,
// saturate).
//===----------------------------------------------------------------------===//
#ifndef QOPT_NUMERICS_FORMAT_H
#define QOPT_NUMERICS_FORMAT_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>

namespace qopt {

/// A uniform integer format: stored values are all integers of `bits` bits.
/// Or a table format: stored values are codes, which a table of signed bytes
/// turns into integers.
struct IntegerFormat {
  const char *name;
  unsigned bits;
  bool isSigned;
  bool isTable = false;

  int64_t min() const { return isSigned ? -(int64_t(1) << (bits - 1)) : 0; }
  int64_t max() const {
    return (int64_t(1) << (isSigned ? bits - 1 : bits)) - 1;
  }
  /// Bits of an element in memory: 8, 16 or 32.
  unsigned storageBits() const { return bits <= 8 ? 8 : bits <= 16 ? 16 : 32; }
};

/// All rows of Formats.def, in order.
llvm::ArrayRef<IntegerFormat> getIntegerFormats();
/// Row of that name, or null.
const IntegerFormat *lookupIntegerFormat(llvm::StringRef name);

/// How an op treats the encodings of its tensors (FormatRuleOpInterface).
enum class FormatRule {
  Constant,    ///< produces a constant
  PassThrough, ///< moves elements: result encoding = encoding of operand 0
  SameFormat,  ///< all operands and the result should share one encoding
  Pointwise,   ///< scalar function: a table if it has one quantized input
  Linear,      ///< convolution or matmul: integer kernel with accumulator
  Pool,        ///< max keeps the encoding, avg and resize accumulate
  Reduce,      ///< sum accumulates, others keep the encoding
  Boundary,    ///< quantize, dequantize, requantize
  Float        ///< stays float
};

} // namespace qopt

#endif // QOPT_NUMERICS_FORMAT_H
