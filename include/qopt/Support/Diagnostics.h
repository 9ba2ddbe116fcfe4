//===- Diagnostics.h - Errors with a code, notes and a way out ------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What a user sees when something is wrong: `error[QOPTnnnn]: ...`, notes, a
// `help:` line, and one documented exit code. Errors travel as absl::Status
// with the code in a payload.
//===----------------------------------------------------------------------===//
#ifndef QOPT_SUPPORT_DIAGNOSTICS_H
#define QOPT_SUPPORT_DIAGNOSTICS_H

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/raw_ostream.h"
#include <string>

namespace qopt {

/// Exit codes of the command, as documented.
enum class ExitCode : int {
  Ok = 0,
  Differs = 1,
  Usage = 2,
  Unsupported = 3,
  BadModel = 4,
  Data = 5,
  Accuracy = 6,
  Infeasible = 7,
  Slow = 8,
  Mismatch = 9,
  Resource = 10,
  MissingTool = 11,
  Internal = 70,
  Interrupted = 130
};

/// Rows of Diagnostics.def.
enum class Code : int {
#define QOPT_DIAGNOSTIC(name, number, exit, meaning) name = number,
#include "qopt/Support/Diagnostics.def"
};

/// One row for `qopt explain` and the documentation.
struct DiagnosticRow {
  Code code;
  const char *name;
  ExitCode exit;
  const char *meaning;
};
llvm::ArrayRef<DiagnosticRow> getDiagnosticRows();

/// Builds an error: `return Error(Code::DataFile, "...").help("...");`
class Error {
public:
  Error(Code code, const llvm::Twine &message)
      : code_(code), message_(message.str()) {}
  Error &&note(const llvm::Twine &text) && {
    notes_.push_back(text.str());
    return std::move(*this);
  }
  Error &&help(const llvm::Twine &text) && {
    help_ = text.str();
    return std::move(*this);
  }
  operator absl::Status() const;
  template <typename T> operator absl::StatusOr<T>() const {
    return absl::Status(*this);
  }

private:
  Code code_;
  std::string message_;
  llvm::SmallVector<std::string> notes_;
  std::string help_;
};

/// The code of a status; statuses that did not come from Error are Internal.
Code getCode(const absl::Status &status);
ExitCode getExitCode(const absl::Status &status);
llvm::SmallVector<std::string> getNotes(const absl::Status &status);
std::string getHelp(const absl::Status &status);

/// Gives a status without a code this one; others keep theirs.
absl::Status withCode(absl::Status status, Code code);
/// The same error with words in front of its message (the place it is about).
absl::Status withPrefix(const absl::Status &status, const llvm::Twine &prefix);

/// Prints `error[QOPTnnnn]: message`, `note: ...`, `help: ...`.
void printError(llvm::raw_ostream &os, const absl::Status &status);

} // namespace qopt

#define QOPT_RETURN_IF_ERROR(expression)                                       \
  do {                                                                         \
    if (absl::Status status_ = (expression); !status_.ok())                    \
      return status_;                                                          \
  } while (false)

#define QOPT_CONCAT_INNER(a, b) a##b
#define QOPT_CONCAT(a, b) QOPT_CONCAT_INNER(a, b)
/// QOPT_ASSIGN(auto x, mayFail()): the value, or returns the error.
#define QOPT_ASSIGN(declaration, expression)                                   \
  QOPT_ASSIGN_IMPL(QOPT_CONCAT(status_or_, __LINE__), declaration, expression)
#define QOPT_ASSIGN_IMPL(name, declaration, expression)                        \
  auto name = (expression);                                                    \
  if (!name.ok())                                                              \
    return name.status();                                                      \
  declaration = std::move(*name)

#endif // QOPT_SUPPORT_DIAGNOSTICS_H
