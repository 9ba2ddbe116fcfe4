//===- Module.h - Modules as text, and what their passes say --------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Where operations meet errors with a code.
//===----------------------------------------------------------------------===//
#ifndef QOPT_SUPPORT_MODULE_H
#define QOPT_SUPPORT_MODULE_H

#include "mlir/IR/BuiltinOps.h"
#include "qopt/Support/Diagnostics.h"

namespace qopt {

/// Text or bytecode of a module. Bytecode is the same for the same module.
std::string printModule(mlir::ModuleOp module);
absl::StatusOr<std::string> serializeModule(mlir::ModuleOp module);

/// Runs `body`, which may emit diagnostics; if it fails, the first error is
/// the message and the others are notes.
absl::Status runWithDiagnostics(mlir::MLIRContext *context, Code code,
                                llvm::function_ref<llvm::LogicalResult()> body);

} // namespace qopt

#endif // QOPT_SUPPORT_MODULE_H
