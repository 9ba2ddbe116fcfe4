//===- LowerToLLVM.h - Step functions to the LLVM dialect -----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The last MLIR stage of the CPU target.
//===----------------------------------------------------------------------===//
#ifndef QOPT_TARGET_CPU_LOWERTOLLVM_H
#define QOPT_TARGET_CPU_LOWERTOLLVM_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"

namespace qopt {

/// Step functions (and nothing else) to the LLVM dialect with bare pointers;
/// indices have `indexBits`, those of the target's pointers.
mlir::LogicalResult lowerToLLVM(mlir::ModuleOp module, unsigned indexBits);
/// Its passes.
void buildLowerToLLVM(mlir::OpPassManager &pm, unsigned indexBits);

} // namespace qopt

#endif // QOPT_TARGET_CPU_LOWERTOLLVM_H
