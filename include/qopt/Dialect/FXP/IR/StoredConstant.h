//===- StoredConstant.h - Constant operands as integers -------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What the numbers of a constant operand stand for under the sign and zero
// point of its op: what every target multiplies.
//===----------------------------------------------------------------------===//
#ifndef QOPT_DIALECT_FXP_IR_STOREDCONSTANT_H
#define QOPT_DIALECT_FXP_IR_STOREDCONSTANT_H

#include "qopt/Dialect/QG/IR/Encodings.h"

namespace qopt::fxp {

/// A constant operand: its numbers with their sign, and what they stand for.
struct StoredConstant {
  Tensor stored;
  qg::Decoder decoder;

  /// nullopt if `operand`, of an op with a StoredOperandsInterface that has a
  /// row for it, is no constant.
  static std::optional<StoredConstant> match(mlir::Operation *op,
                                             mlir::Value operand);
  std::vector<int32_t> integers() const { return decoder.integers(stored); }
  /// nullopt if one of the integers is no signed byte.
  std::optional<Tensor> bytes() const { return decoder.bytes(stored).bytes; }
};

} // namespace qopt::fxp

#endif // QOPT_DIALECT_FXP_IR_STOREDCONSTANT_H
