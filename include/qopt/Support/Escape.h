//===- Escape.h - Bytes as text -------------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Names in files are bytes; JSON, Python and terminals want UTF-8. A byte that
// is none is shown as \xHH, in a form that gives the bytes back.
//===----------------------------------------------------------------------===//
#ifndef QOPT_SUPPORT_ESCAPE_H
#define QOPT_SUPPORT_ESCAPE_H

#include "llvm/ADT/StringRef.h"
#include <string>

namespace qopt {

/// Bytes that are not UTF-8 as \xHH, upper case; a backslash that would read as
/// the begin of such a form as \x5C. Other text stays as it is.
std::string escapeBytes(llvm::StringRef bytes);

/// The same for a text that may hold such forms already, as people copy them
/// from messages: only bytes that are not UTF-8 change.
std::string toUtf8(llvm::StringRef bytes);

/// The bytes of a text of escapeBytes().
std::string unescapeBytes(llvm::StringRef text);

} // namespace qopt

#endif // QOPT_SUPPORT_ESCAPE_H
