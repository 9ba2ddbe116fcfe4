//===- LowerToIntegers.h - The way from encodings to integers -------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Every target computes the same integers, so there is one way down to them.
// The pipelines qopt-lower and qopt-lower-to-integers are the same as text.
//===----------------------------------------------------------------------===//
#ifndef QOPT_TARGET_INTEGER_LOWERTOINTEGERS_H
#define QOPT_TARGET_INTEGER_LOWERTOINTEGERS_H

#include "absl/status/status.h"
#include "mlir/IR/BuiltinOps.h"

namespace qopt {

/// True if a value of the graph is quantized.
bool hasEncodings(mlir::ModuleOp module);

/// Stores with a graph how its accumulators are rounded: f32, fixed:BITS or
/// pow2. Without it a graph is rounded by f32.
void setRequantizeMode(mlir::ModuleOp module, llvm::StringRef mode);

/// Quantized graph to exact integer ops, in place; of a float graph, composite
/// ops become their parts. The mode that is stored with the graph comes before
/// `requantize`. `integerOnly`: float heads in their integer form.
absl::Status lower(mlir::ModuleOp module, llvm::StringRef requantize = "f32",
                   bool integerOnly = false);

/// What becomes of the interface of a target without floats.
struct IntegerInterface {
  /// Rounding of accumulators where the graph stores none.
  std::string requantize = "fixed:31";
  /// Float ops behind the last integers are left to the caller; otherwise they
  /// take their integer form.
  bool dropsHead = false;
  /// Inputs stay as the model has them: a cut behind them says what the caller
  /// quantizes.
  bool keepsInputs = false;
};

/// Gives a quantized graph integers at its interface, in place.
absl::Status setIntegerInterface(mlir::ModuleOp module,
                                 const IntegerInterface &interface);

/// Both: quantized graph to what a target without floats computes, in place.
absl::Status lowerToIntegers(mlir::ModuleOp module,
                             const IntegerInterface &interface);

/// Registers the pipelines qopt-lower and qopt-lower-to-integers.
void registerIntegerPipelines();

} // namespace qopt

#endif // QOPT_TARGET_INTEGER_LOWERTOINTEGERS_H
