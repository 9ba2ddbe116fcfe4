//===- Json.h - JSON that comes from a file -------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Of two members of one name LLVM's parser keeps the last without a word, and
// it descends as deep as a file says. Every reader of JSON starts here.
//===----------------------------------------------------------------------===//
#ifndef QOPT_SUPPORT_JSON_H
#define QOPT_SUPPORT_JSON_H

#include "absl/status/statusor.h"
#include "llvm/Support/JSON.h"

namespace qopt {

/// The value of `text`. An error, without a code, for what is no JSON, for two
/// members of one name in an object and for nesting that nothing here has.
absl::StatusOr<llvm::json::Value> parseJson(llvm::StringRef text);

/// The same of an object; the error names `file` and has no code.
absl::StatusOr<llvm::json::Object> parseJsonObject(llvm::StringRef text,
                                                   llvm::StringRef file);

} // namespace qopt

#endif // QOPT_SUPPORT_JSON_H
