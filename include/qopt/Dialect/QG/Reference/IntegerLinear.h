//===- IntegerLinear.h - What a quantized linear op computes --------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The integer form of conv, conv_transpose and matmul on encodings: bias and
// scales as integers and f32. The reference semantics compute with it and
// convert-qg-to-fxp writes the same numbers into the IR.
//===----------------------------------------------------------------------===//
#ifndef QOPT_DIALECT_QG_REFERENCE_INTEGERLINEAR_H
#define QOPT_DIALECT_QG_REFERENCE_INTEGERLINEAR_H

#include "qopt/Dialect/QG/IR/QG.h"

namespace qopt::qg {

/// `acc[o] = bias[o] + sum (x - xZeroPoint) * w` in wrapping i32, where `w` are
/// the integers of the weight's Decoder. A quantized result is
/// `sat(rne(f32(acc) * scales[o]) + zero point)`, a float one
/// `f32(acc) * scales[o]`, an i32 one `acc`.
struct IntegerLinear {
  int64_t xZeroPoint = 0;
  /// One entry, or one per output channel.
  llvm::SmallVector<float> scales;
  /// One entry per output channel.
  llvm::SmallVector<int32_t> bias;
};

/// Types of a linear op. `weightAxis` is the weight's output channel
/// dimension, the only one that may have scales of its own.
struct LinearTypes {
  mlir::RankedTensorType x, weight, bias /*may be null*/, result;
  int64_t weightAxis;
};

/// The integer form, or nullopt if the op has none: x is encoded per tensor
/// and the weight per tensor or along `weightAxis`, both in at most 8 bits;
/// the result is f32, i32 or encoded per tensor; the bias is absent, f32 or
/// si32. `bias` holds its values (null if absent). A float bias b becomes rne(b
/// / (sx * sw)); an si32 bias of scale f32(sx * sw) is taken as stored, another
/// one is rescaled.
std::optional<IntegerLinear> getIntegerLinear(const LinearTypes &types,
                                              const Tensor *bias);

} // namespace qopt::qg

#endif // QOPT_DIALECT_QG_REFERENCE_INTEGERLINEAR_H
