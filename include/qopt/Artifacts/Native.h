//===- Native.h - Machine code behind a path ------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The code that a STEM holds, or code made in memory from a model file.
//===----------------------------------------------------------------------===//
#ifndef QOPT_ARTIFACTS_NATIVE_H
#define QOPT_ARTIFACTS_NATIVE_H

#include "qopt/Artifacts/Program.h"
#include "qopt/Target/CPU/Emit.h"

namespace qopt {

/// STEM.so, else STEM.o of a bundle (whichever its manifest lists); a model
/// file and a float twin are compiled for this machine.
absl::StatusOr<std::unique_ptr<JitProgram>>
openNative(mlir::MLIRContext *context, llvm::StringRef path,
           const ProgramOptions &options);

} // namespace qopt

#endif // QOPT_ARTIFACTS_NATIVE_H
