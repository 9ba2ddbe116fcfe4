//===- EmbeddedFolder.h - --emit=c ----------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A quantized graph as a folder of C: the row of EmitKinds.cpp.
//===----------------------------------------------------------------------===//
#ifndef QOPT_ARTIFACTS_EMBEDDEDFOLDER_H
#define QOPT_ARTIFACTS_EMBEDDEDFOLDER_H

#include "qopt/Artifacts/Artifacts.h"
#include <map>

namespace qopt {

absl::StatusOr<std::map<std::string, std::string>>
makeEmbeddedFolder(const ArtifactRequest &request);

} // namespace qopt

#endif // QOPT_ARTIFACTS_EMBEDDEDFOLDER_H
