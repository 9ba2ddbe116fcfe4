//===- Epilogue.h - The elementwise ops that follow a product -------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Collects the single-use chain behind an accumulator and writes its scalar
// form into the region of a kernel.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_TARGET_CPU_KERNELS_EPILOGUE_H
#define QOPT_LIB_TARGET_CPU_KERNELS_EPILOGUE_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/Operation.h"
#include "qopt/Support/Tensor.h"
#include <variant>

namespace qopt::qcpu {

/// An extra operand of a kernel: one value per channel, or a tensor of the
/// result's shape.
using EpilogueOperand = std::variant<Tensor, mlir::Value>;

struct Epilogue {
  /// The fused ops in order; empty if the accumulator itself is stored.
  llvm::SmallVector<mlir::Operation *> chain;
  llvm::SmallVector<EpilogueOperand> operands;
};

/// What can be fused behind `product`.
Epilogue collectEpilogue(mlir::Operation *product);

/// Fills `body` (arguments: accumulator, then one element per operand) and
/// ends it with qcpu.yield.
void buildEpilogue(const Epilogue &epilogue, mlir::Block &body,
                   mlir::Operation *product);

} // namespace qopt::qcpu

#endif // QOPT_LIB_TARGET_CPU_KERNELS_EPILOGUE_H
