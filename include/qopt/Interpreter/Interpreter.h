//===- Interpreter.h - Runs a module by its reference semantics -----------===//
// SPDX-License-Identifier: Apache-2.0
//
// The executor that every other one is compared with: it calls
// ReferenceOpInterface and nothing else.
//===----------------------------------------------------------------------===//
#ifndef QOPT_INTERPRETER_INTERPRETER_H
#define QOPT_INTERPRETER_INTERPRETER_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "qopt/Execution/Executor.h"

namespace qopt {

/// Called after every op with its results, in the order of execution.
using OpCallback =
    std::function<void(mlir::Operation *, llvm::ArrayRef<Tensor>)>;

/// Runs `function` (straight-line, one block) on one array per argument. A
/// value is freed after its last use. An error of an op becomes the status,
/// with the op's user name.
absl::StatusOr<llvm::SmallVector<Tensor>>
interpret(mlir::func::FuncOp function, llvm::ArrayRef<Tensor> inputs,
          const OpCallback &callback = nullptr);

/// Checks one array per argument of `@main`: dtype and shape. An error names
/// the input (`qg.name`), what it expects and what it got.
absl::Status checkInputs(mlir::func::FuncOp function,
                         llvm::ArrayRef<Tensor> inputs);

/// An executor over a clone of the module.
absl::StatusOr<std::unique_ptr<Executor>>
createInterpreter(mlir::ModuleOp module, OpCallback callback = nullptr);

ExecutorFactory makeInterpreterFactory();

} // namespace qopt

#endif // QOPT_INTERPRETER_INTERPRETER_H
