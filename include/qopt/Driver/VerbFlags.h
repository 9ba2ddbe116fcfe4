//===- VerbFlags.h - Flags of the verbs -----------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// One list per verb, declared beside the code that reads it.
//===----------------------------------------------------------------------===//
#ifndef QOPT_DRIVER_VERBFLAGS_H
#define QOPT_DRIVER_VERBFLAGS_H

#include "qopt/Driver/Arguments.h"

namespace qopt::driver {

llvm::ArrayRef<Flag> getBenchFlags();
llvm::ArrayRef<Flag> getCalibrateFlags();
llvm::ArrayRef<Flag> getCheckFlags();
llvm::ArrayRef<Flag> getCompareFlags();
llvm::ArrayRef<Flag> getCompileFlags();
llvm::ArrayRef<Flag> getEngineFlags();
llvm::ArrayRef<Flag> getEvalFlags();
llvm::ArrayRef<Flag> getImportVerbFlags();
llvm::ArrayRef<Flag> getJsonFlags();
llvm::ArrayRef<Flag> getNewFlags();
llvm::ArrayRef<Flag> getOpsFlags();
llvm::ArrayRef<Flag> getOutputFlags();
llvm::ArrayRef<Flag> getPlanFlags();
llvm::ArrayRef<Flag> getPreFlags();
llvm::ArrayRef<Flag> getQuantizeFlags();
llvm::ArrayRef<Flag> getReportFlags();
llvm::ArrayRef<Flag> getRunFlags();

} // namespace qopt::driver

#endif // QOPT_DRIVER_VERBFLAGS_H
