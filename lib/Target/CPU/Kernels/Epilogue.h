//===- Epilogue.h - The elementwise ops that follow a product -------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Collects the ops between an accumulator and the next tensor that something
// else reads, and writes their scalar form into the region of a kernel.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_TARGET_CPU_KERNELS_EPILOGUE_H
#define QOPT_LIB_TARGET_CPU_KERNELS_EPILOGUE_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "qopt/Support/Tensor.h"
#include "llvm/ADT/DenseMap.h"
#include <optional>
#include <variant>

namespace qopt::qcpu {

/// An extra operand of a kernel: one constant per channel, or a tensor of the
/// result's shape, of its last dimension, of the others, or of one element.
using EpilogueOperand = std::variant<Tensor, mlir::Value>;

struct Epilogue {
  /// The fused ops, each behind what it reads; the last one's result is the
  /// only one that other ops read. Empty if the accumulator itself is stored.
  llvm::SmallVector<mlir::Operation *> ops;
  llvm::SmallVector<EpilogueOperand> operands;
  /// Which operand holds a value from outside, and the scales of an op.
  llvm::DenseMap<mlir::Value, unsigned> values;
  llvm::DenseMap<mlir::Operation *, unsigned> scales;
  /// Requantizations whose shifts all leave the upper word of a product:
  /// multipliers, and shifts of that word, are i32.
  llvm::DenseSet<mlir::Operation *> inWords;
};

/// What the target has for the arithmetic of an epilogue.
struct EpilogueStyle {
  bool hasFMA = false;     ///< multiplies and adds at once
  bool hasVectors = false; ///< lanes of 32 bits; asked of `inWords` only
};

/// What a kernel can take along.
struct EpilogueLimits {
  bool prefersWords = false;  ///< registers hold 32 bits
  bool hasBroadcasts = false; ///< repeats operands along pixels and channels
};

/// The one value of an f32 constant.
std::optional<float> matchSplat(mlir::Value value);

/// Moves scalar functions in front of the reshapes and transposes between them
/// and a product.
void raisePointwise(mlir::ModuleOp module);

/// What can be fused behind `product`.
Epilogue collectEpilogue(mlir::Operation *product, EpilogueLimits limits = {});

/// [N, H, W, C] with extents of 1 for an operand of a kernel whose result has
/// that `shape`; nothing if it is not repeated as a whole.
std::optional<llvm::SmallVector<int64_t>>
getOperandShape(mlir::Value operand, llvm::ArrayRef<int64_t> shape);

/// Fills `body` (arguments: accumulator, then one element per operand) and
/// ends it with qcpu.yield.
void buildEpilogue(const Epilogue &epilogue, mlir::Block &body,
                   mlir::Operation *product, EpilogueStyle style = {});

} // namespace qopt::qcpu

#endif // QOPT_LIB_TARGET_CPU_KERNELS_EPILOGUE_H
