//===- StoredValue.h - Integers and how to read them ----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A row of what StoredOperandsInterface answers.
//===----------------------------------------------------------------------===//
#ifndef QOPT_DIALECT_FXP_IR_STOREDVALUE_H
#define QOPT_DIALECT_FXP_IR_STOREDVALUE_H

#include "mlir/IR/Value.h"
#include <optional>

namespace qopt {

/// An operand or result with stored integers, and the op's attributes that
/// belong to it. An empty name stands for an attribute that the op has not.
struct StoredValue {
  mlir::Value value;
  /// Unit attribute: the integers are unsigned. Signed without one.
  llvm::StringRef sign;
  /// Integer, or list of integers: the number that zero is stored as.
  llvm::StringRef zeroPoint;
  /// The entry of the list; none if all are this tensor's, one per channel.
  std::optional<unsigned> entry;
  /// List of two stored integers, inclusive, that the result is limited to.
  llvm::StringRef clamp;
};

} // namespace qopt

#endif // QOPT_DIALECT_FXP_IR_STOREDVALUE_H
