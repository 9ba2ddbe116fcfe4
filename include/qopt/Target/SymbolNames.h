//===- SymbolNames.h - Names that no function can have --------------------===//
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//
#ifndef QOPT_TARGET_SYMBOLNAMES_H
#define QOPT_TARGET_SYMBOLNAMES_H

#include "llvm/ADT/StringRef.h"

namespace qopt {

/// Whether `name` is a word of C or C++ (C++20, section 5.11, tables 5 and 6),
/// or a name that emitted sources or their headers have: no function, and no
/// file of a project, is called so.
bool isReservedSymbol(llvm::StringRef name);

} // namespace qopt

#endif // QOPT_TARGET_SYMBOLNAMES_H
