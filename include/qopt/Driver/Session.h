//===- Session.h - What every verb shares ---------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Streams, the MLIR context, progress, and the flags that several verbs have.
//===----------------------------------------------------------------------===//
#ifndef QOPT_DRIVER_SESSION_H
#define QOPT_DRIVER_SESSION_H

#include "qopt/Data/DataSource.h"
#include "qopt/Driver/Arguments.h"
#include "qopt/Pipelines/Model.h"
#include "qopt/Support/Progress.h"
#include <memory>

namespace qopt::driver {

class Session {
public:
  Session();
  ~Session();
  /// Reads the flags that every verb has.
  absl::Status configure(const Arguments &arguments);
  /// Words of LLVM's own command line.
  absl::Status setLLVMArguments(llvm::ArrayRef<std::string> values);

  llvm::raw_ostream &out();
  llvm::raw_ostream &err();
  /// Made on first use, with every dialect registered.
  mlir::MLIRContext *context();
  Progress startProgress(llvm::StringRef phase, int64_t total);
  bool isQuiet() const { return isQuiet_; }
  bool isVerbose() const { return isVerbose_; }
  /// A line of the summary on stderr, unless --quiet.
  void say(const llvm::Twine &text);

private:
  std::unique_ptr<mlir::MLIRContext> context_;
  ProgressMode progressMode_ = ProgressMode::Auto;
  bool isQuiet_ = false, isVerbose_ = false;
};

/// --dim, --shape, --const.
llvm::ArrayRef<Flag> getImportFlags();
absl::StatusOr<ImportOptions> getImportOptions(const Arguments &arguments);

/// --data, --samples, --skip, --pre.
llvm::ArrayRef<Flag> getDataFlags();
/// The declarations of --pre; `recorded` if there are none, nothing for
/// `--pre none`.
absl::StatusOr<Preprocessing> getPreprocessing(const Arguments &arguments,
                                               const Preprocessing &recorded);
absl::StatusOr<std::unique_ptr<DataSource>>
openData(const Arguments &arguments, const std::vector<TensorSpec> &inputs,
         const Preprocessing &preprocessing);

/// Runs one `qopt` command line; what main() calls.
int runMain(llvm::ArrayRef<llvm::StringRef> words);

} // namespace qopt::driver

#endif // QOPT_DRIVER_SESSION_H
