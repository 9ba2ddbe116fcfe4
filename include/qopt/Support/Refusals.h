//===- Refusals.h - All that is wrong at once -----------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A user who misspelled two settings is told so in one run.
//===----------------------------------------------------------------------===//
#ifndef QOPT_SUPPORT_REFUSALS_H
#define QOPT_SUPPORT_REFUSALS_H

#include "qopt/Support/Diagnostics.h"
#include "llvm/ADT/StringExtras.h"

namespace qopt {

/// Collects errors; the first one is the error, the others are its notes.
class Refusals {
public:
  void add(absl::Status status) {
    if (!status.ok())
      found.push_back(std::move(status));
  }
  /// The value where there is one.
  template <typename T> void take(absl::StatusOr<T> value, T &into) {
    add(value.status());
    if (value.ok())
      into = std::move(*value);
  }
  absl::Status status() const {
    if (found.size() < 2)
      return found.empty() ? absl::OkStatus() : found.front();
    const absl::Status &first = found.front();
    Error error(getCode(first), std::string(first.message()));
    for (const std::string &note : getNotes(first))
      std::move(error).note(note);
    for (const absl::Status &other : llvm::ArrayRef(found).drop_front()) {
      std::string lines(other.message());
      for (llvm::StringRef line : llvm::split(lines, '\n'))
        std::move(error).note(line);
      for (const std::string &note : getNotes(other))
        std::move(error).note(note);
    }
    if (std::string help = getHelp(first); !help.empty())
      std::move(error).help(help);
    return error;
  }

private:
  llvm::SmallVector<absl::Status> found;
};

} // namespace qopt

#endif // QOPT_SUPPORT_REFUSALS_H
