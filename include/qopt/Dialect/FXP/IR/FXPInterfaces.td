//===- FXPInterfaces.td - What backends ask fxp ops -----------------------===//
// SPDX-License-Identifier: Apache-2.0
#ifndef QOPT_FXP_INTERFACES_TD
#define QOPT_FXP_INTERFACES_TD

include "mlir/IR/OpBase.td"

def StoredOperandsInterface : OpInterface<"StoredOperandsInterface"> {
  let cppNamespace = "::qopt";
  let description = [{
    Which operands and results hold stored integers, and which attributes say
    how to read them: what a target asks that holds integers in another form.
    Left out are values that an op only hands on and those that a table maps.
  }];
  let methods = [
    InterfaceMethod<"Operands first, then results.",
      "::llvm::SmallVector<::qopt::StoredValue>", "getStoredValues">
  ];
  let extraClassDeclaration = [{
    /// The row of an operand or a result; none for a value without one.
    std::optional<::qopt::StoredValue> findStored(::mlir::Value value);
    /// Whether its integers are unsigned.
    bool isUnsigned(const ::qopt::StoredValue &stored);
    /// What is subtracted from the integers of an operand; 0 without a zero
    /// point. Of a list with an entry for each channel, the first.
    int64_t getZeroPoint(const ::qopt::StoredValue &stored);
  }];
}

/// A row of getStoredValues(): `of` is the ODS name of an operand or result,
/// the rest names attributes (see qopt::StoredValue).
class FXP_Stored<string of, string sign, string zeroPoint = "",
                 string entry = "std::nullopt", string clamp = ""> {
  string row = "{get" # of # "(), \"" # sign # "\", \"" # zeroPoint # "\", "
               # entry # ", \"" # clamp # "\"}";
}

#endif // QOPT_FXP_INTERFACES_TD
