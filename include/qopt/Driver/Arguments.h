//===- Arguments.h - Verbs, flags and their values ------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A verb is a table of flags and a function. The table is what parses, what
// prints the help and what suggests the right spelling.
//===----------------------------------------------------------------------===//
#ifndef QOPT_DRIVER_ARGUMENTS_H
#define QOPT_DRIVER_ARGUMENTS_H

#include "qopt/Support/Diagnostics.h"
#include "qopt/Support/Flag.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace qopt::driver {

class Session;
class Arguments;

struct Verb {
  const char *name;
  const char *summary;
  /// As in the help: "MODEL [options]".
  const char *usage;
  unsigned minPositional, maxPositional;
  /// Its own and the groups that it shares (VerbFlags.h), as the help lists.
  std::vector<llvm::ArrayRef<Flag>> flags;
  absl::StatusOr<ExitCode> (*run)(const Arguments &arguments, Session &session);
  /// Smaller ones come first in the help, equal ones by name.
  int place;
};

/// What was given on the command line.
class Arguments {
public:
  /// Parses the words after the verb. `--flag value`, `--flag=value`, `-f
  /// value`, and `--` before names that begin with a dash.
  static absl::StatusOr<Arguments> parse(const Verb &verb,
                                         llvm::ArrayRef<llvm::StringRef> words);

  llvm::ArrayRef<std::string> positional() const { return positional_; }
  bool has(llvm::StringRef flag) const;
  /// The last value given.
  std::optional<std::string> get(llvm::StringRef flag) const;
  std::string get(llvm::StringRef flag, llvm::StringRef otherwise) const;
  /// Values as if they had been given.
  void set(llvm::StringRef flag, std::vector<std::string> values);
  void setPositional(std::vector<std::string> names) {
    positional_ = std::move(names);
  }
  /// Every flag that was given.
  std::vector<std::string> getFlags() const;
  /// Every value given, in order.
  std::vector<std::string> getAll(llvm::StringRef flag) const;
  /// All values split at commas.
  std::vector<std::string> getList(llvm::StringRef flag) const;
  /// `NAME=VALUE` values.
  absl::StatusOr<std::vector<std::pair<std::string, std::string>>>
  getMap(llvm::StringRef flag) const;
  absl::StatusOr<int64_t> getInt(llvm::StringRef flag, int64_t otherwise,
                                 int64_t minimum) const;
  absl::StatusOr<double> getDouble(llvm::StringRef flag,
                                   double otherwise) const;
  /// One of `choices`.
  absl::StatusOr<std::string> getChoice(llvm::StringRef flag,
                                        llvm::ArrayRef<llvm::StringRef> choices,
                                        llvm::StringRef otherwise) const;

private:
  std::vector<std::string> positional_;
  std::map<std::string, std::vector<std::string>> values_;
};

void printHelp(llvm::raw_ostream &os, const Verb &verb);

/// Every verb in the order of the help: each file NAME.cpp of lib/Driver/Verbs
/// has one, which its function getNAMEVerb() gives.
llvm::ArrayRef<Verb> getVerbs();
/// The verb of that name, or an error that names a similar one.
absl::StatusOr<const Verb *> findVerb(llvm::StringRef name);

/// Flags that every verb has.
llvm::ArrayRef<Flag> getCommonFlags();

} // namespace qopt::driver

#endif // QOPT_DRIVER_ARGUMENTS_H
