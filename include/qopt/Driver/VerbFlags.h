//===- VerbFlags.h - Flags that verbs share -------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The groups that several verbs have, defined beside the code that reads them;
// what only one verb has is in its file.
//===----------------------------------------------------------------------===//
#ifndef QOPT_DRIVER_VERBFLAGS_H
#define QOPT_DRIVER_VERBFLAGS_H

#include "qopt/Driver/Arguments.h"

namespace qopt::driver {

llvm::ArrayRef<Flag> getCalibrateFlags();
llvm::ArrayRef<Flag> getEngineFlags();
llvm::ArrayRef<Flag> getJsonFlags();
llvm::ArrayRef<Flag> getOutputFlags();
llvm::ArrayRef<Flag> getPreFlags();
llvm::ArrayRef<Flag> getQuantizeFlags();

} // namespace qopt::driver

#endif // QOPT_DRIVER_VERBFLAGS_H
