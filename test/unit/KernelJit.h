//===- KernelJit.h - Kernels of one module, compiled and called -----------===//
// SPDX-License-Identifier: Apache-2.0
//
// The shortest path from a module of fxp or float ops with constant weights to
// machine code, so that kernels are tested without the rest of the target.
//===----------------------------------------------------------------------===//
#ifndef QOPT_TEST_UNIT_KERNELJIT_H
#define QOPT_TEST_UNIT_KERNELJIT_H

#include "mlir/ExecutionEngine/ExecutionEngine.h"
#include "mlir/IR/BuiltinOps.h"
#include "qopt/Support/Tensor.h"
#include <memory>
#include <string>

namespace qopt::test {

/// A context with every dialect and interface the path needs.
std::unique_ptr<mlir::MLIRContext> makeContext();

/// The module after kernel selection for `features` and bufferization and
/// lowering to LLVM; null (with diagnostics) on failure. Consumes the module.
class KernelJit {
public:
  static std::unique_ptr<KernelJit> compile(mlir::ModuleOp module,
                                            const std::string &features);
  /// Calls @main(inputs..., result).
  void run(llvm::ArrayRef<Tensor> inputs, Tensor &result);
  /// Kernel ops that selection made.
  int64_t numKernels = 0;
  /// Bytes of their packed weights.
  int64_t weightBytes = 0;

private:
  std::unique_ptr<mlir::ExecutionEngine> engine;
};

} // namespace qopt::test

#endif // QOPT_TEST_UNIT_KERNELJIT_H
