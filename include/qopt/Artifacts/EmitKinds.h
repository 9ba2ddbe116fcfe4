//===- EmitKinds.h - The values of --emit ---------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Kinds of files and stages of every target, and what can be printed of the
// model itself: one list for the parser, its errors and the help.
//===----------------------------------------------------------------------===//
#ifndef QOPT_ARTIFACTS_EMITKINDS_H
#define QOPT_ARTIFACTS_EMITKINDS_H

#include "qopt/Artifacts/Artifacts.h"

namespace qopt {

/// A file STEM + suffix, made of the model on its way to any target.
struct ModelKind {
  const char *name;
  const char *suffix;
  absl::StatusOr<std::string> (*make)(const ArtifactRequest &request);
};
llvm::ArrayRef<ModelKind> getModelKinds();

/// Every value of --emit in the order of the help.
std::vector<std::string> listEmitNames();

/// The kind of a target that is a folder of its own, if `emit` names one.
const EmitKind *findFolderKind(const TargetRow &row,
                               const std::set<std::string> &emit);

/// The suffix of --emit=ir:STAGE.
std::string getStageSuffix(const TargetStage &stage);

} // namespace qopt

#endif // QOPT_ARTIFACTS_EMITKINDS_H
