//===- EmitKinds.h - The table behind --emit ------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A kind of file is a row: its name, what it adds to STEM, and a function that
// makes its bytes. Nothing here writes, so that a failure leaves nothing.
//===----------------------------------------------------------------------===//
#ifndef QOPT_ARTIFACTS_EMITKINDS_H
#define QOPT_ARTIFACTS_EMITKINDS_H

#include "qopt/Artifacts/Artifacts.h"
#include <map>

namespace qopt {

/// What the makers of files beside STEM see.
struct EmitInput {
  const ArtifactRequest &request;
  mlir::ModuleOp lowered;
  const CompiledModel &compiled;
};

/// A file STEM + suffix, made from the compiled model.
struct FileKind {
  const char *name;
  const char *suffix;
  absl::StatusOr<std::string> (*make)(const EmitInput &input);
  /// Listed in the manifest: what `qopt run` and linkers can load.
  bool isCode = false;
  bool isExecutable = false;
};
llvm::ArrayRef<FileKind> getFileKinds();

/// A folder of sources instead of STEM, made from the quantized graph and not
/// from CPU code. The keys of the result are paths inside of it.
struct FolderKind {
  const char *name;
  /// The requantization mode of a model that names none.
  const char *requantize;
  absl::StatusOr<std::map<std::string, std::string>> (*make)(
      const ArtifactRequest &request);
  /// A file of the folder whose first paragraph is shown, or null.
  const char *summary = nullptr;
  /// Whether --target names something of it.
  bool takesTarget = false;
  /// What is wrong with the flags, all of it, before the model is read; or
  /// null.
  absl::Status (*check)(const ArtifactRequest &request) = nullptr;
};
llvm::ArrayRef<FolderKind> getFolderKinds();
/// The row of that name, or null.
const FolderKind *findFolderKind(llvm::StringRef name);

} // namespace qopt

#endif // QOPT_ARTIFACTS_EMITKINDS_H
