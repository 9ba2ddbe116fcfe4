//===- IntegerCore.h - The integers between floats ------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A lowered module is cut where floats become integers and back: the host
// quantizes and dequantizes, the device sees integers only.
//===----------------------------------------------------------------------===//
#ifndef QOPT_CONVERSION_INTEGERCORE_H
#define QOPT_CONVERSION_INTEGERCORE_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"

#include <string>
#include <vector>

namespace qopt {

/// An array that crosses the border of the device.
struct DevicePort {
  std::string name; ///< of the model's input or output it belongs to
  std::vector<int64_t> shape;
  bool isUnsigned = false;
  bool isFloat = false;       ///< a constant that is floats
  unsigned storageBits = 8;   ///< of an element of the array: 8, 16, 32, 64
  int64_t low = 0, high = -1; ///< what may stand there; none: all of the type
  /// Real value = (integer - zeroPoint) * scale: none (nothing is known), one,
  /// or one an element of dimension `axis`.
  std::vector<float> scales;
  std::vector<int64_t> zeroPoints;
  int64_t axis = 0;
  /// Not every integer of the type stands for something.
  bool hasRange() const { return low <= high; }
};

struct IntegerCore {
  /// `@main` from the model's inputs to the device's: quantization and layout.
  mlir::OwningOpRef<mlir::ModuleOp> host;
  /// `@main` from the device's outputs, and the model's inputs behind them, to
  /// the model's outputs.
  mlir::OwningOpRef<mlir::ModuleOp> behind;
  /// `@main` on integers alone.
  mlir::OwningOpRef<mlir::ModuleOp> core;
  std::vector<DevicePort> inputs, outputs;
  /// Float ops behind the device that were left out.
  std::vector<std::string> head;
  /// Results of the model that the host has without the device: constants, its
  /// inputs as they are, and what it computes of them alone.
  std::vector<std::string> hostResults;
};

/// Whether a target has some form of an integer op; null: it says so itself.
using HasFormFn = llvm::function_ref<bool(mlir::Operation *op)>;

/// Cuts `@main`. A float op that is neither before nor behind all integer ops
/// is an error, and so are a float op behind them unless `dropsHead` and an
/// integer op without a form; every one is reported. So is a core without
/// results.
mlir::FailureOr<IntegerCore> cutIntegerCore(mlir::ModuleOp lowered,
                                            bool dropsHead,
                                            HasFormFn hasForm = nullptr);

/// The narrowest `si` or `ui` type that holds every integer of [low, high].
mlir::IntegerType getNarrowestType(mlir::MLIRContext *context, int64_t low,
                                   int64_t high);

/// Argument and result attribute of the core: the integer type that holds
/// every value (`si8`, `ui4`, ...).
inline constexpr const char *kElementAttr = "hls.element";

} // namespace qopt

#endif // QOPT_CONVERSION_INTEGERCORE_H
