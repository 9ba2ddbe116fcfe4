//===- Project.h - The files of a folder of C -----------------------------===//
// SPDX-License-Identifier: Apache-2.0
#ifndef QOPT_LIB_TARGET_EMBEDDEDC_PROJECT_H
#define QOPT_LIB_TARGET_EMBEDDEDC_PROJECT_H

#include "EmitSteps.h"

#include "mlir/Dialect/EmitC/IR/EmitC.h"

namespace qopt::embedded {

absl::StatusOr<EmbeddedCProject> writeProject(mlir::func::FuncOp main,
                                              const StepList &list,
                                              llvm::ArrayRef<StepCode> codes,
                                              const EmbeddedCOptions &options);

/// Sources of the runtime with @SYMBOL@ and @UPPER@ replaced.
std::string fillTemplate(llvm::StringRef text, llvm::StringRef symbol);

} // namespace qopt::embedded

#endif // QOPT_LIB_TARGET_EMBEDDEDC_PROJECT_H
