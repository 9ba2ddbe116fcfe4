//===- HLSFolder.h - --emit=hls -------------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A project for an FPGA from a quantized graph.
//===----------------------------------------------------------------------===//
#ifndef QOPT_ARTIFACTS_HLSFOLDER_H
#define QOPT_ARTIFACTS_HLSFOLDER_H

#include "qopt/Artifacts/Artifacts.h"
#include <map>

namespace qopt {

/// The part, the clock and the name of the top, all that is wrong at once.
absl::Status checkHLSFlags(const ArtifactRequest &request);

/// Files of the project. Its test vectors are the first samples of --data, or
/// random integers, computed by the interpreter.
absl::StatusOr<std::map<std::string, std::string>>
makeHLSFolder(const ArtifactRequest &request);

/// "10ns" or "100MHz" to nanoseconds.
absl::StatusOr<double> parseClock(llvm::StringRef text);

} // namespace qopt

#endif // QOPT_ARTIFACTS_HLSFOLDER_H
