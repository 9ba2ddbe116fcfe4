//===- WriteModule.h - Bytecode as a stream -------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// For modules whose constants are too large to be held twice.
//===----------------------------------------------------------------------===//
#ifndef QOPT_SUPPORT_WRITEMODULE_H
#define QOPT_SUPPORT_WRITEMODULE_H

#include "qopt/Support/Module.h"

#include "llvm/Support/raw_ostream.h"

namespace qopt {

/// The bytes of serializeModule into a stream; constants are not copied.
absl::Status writeModule(mlir::ModuleOp module, llvm::raw_ostream &os);

} // namespace qopt

#endif // QOPT_SUPPORT_WRITEMODULE_H
