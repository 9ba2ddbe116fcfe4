//===- Executor.h - Give it arrays, get arrays back -----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The one interface through which calibration, transforms, sensitivity and the
// driver run a module. The interpreter and the JIT implement it; Pipelines
// decides who gets which.
//===----------------------------------------------------------------------===//
#ifndef QOPT_EXECUTION_EXECUTOR_H
#define QOPT_EXECUTION_EXECUTOR_H

#include "absl/status/statusor.h"
#include "mlir/IR/BuiltinOps.h"
#include "qopt/Support/Tensor.h"
#include <functional>
#include <memory>

namespace qopt {

/// A module made ready to run. Thread-compatible: one call at a time.
class Executor {
public:
  virtual ~Executor() = default;

  /// Runs `@main`: one array per function argument, in order; results in
  /// order. Quantized arguments and results are their stored integers. Errors:
  /// InvalidArgument for wrong dtypes or shapes (named), Internal otherwise.
  virtual absl::StatusOr<llvm::SmallVector<Tensor>>
  run(llvm::ArrayRef<Tensor> inputs) = 0;
};

/// Makes executors; the module is copied or compiled, not kept.
using ExecutorFactory = std::function<absl::StatusOr<std::unique_ptr<Executor>>(
    mlir::ModuleOp module)>;

} // namespace qopt

#endif // QOPT_EXECUTION_EXECUTOR_H
