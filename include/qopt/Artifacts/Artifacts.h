//===- Artifacts.h - Files of a compiled model ----------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Object, header, libraries and the bundle: made in memory first, written
// last, so that a failure leaves nothing half done.
//===----------------------------------------------------------------------===//
#ifndef QOPT_ARTIFACTS_ARTIFACTS_H
#define QOPT_ARTIFACTS_ARTIFACTS_H

#include "qopt/Data/Preprocess.h"
#include "qopt/Frontend/ONNX/Import.h"
#include "qopt/Pipelines/QuantizeModel.h"
#include "qopt/Target/CPU/Emit.h"
#include "llvm/Support/JSON.h"
#include <set>

namespace qopt {

struct ArtifactRequest {
  std::string stem;                   ///< or the folder of a folder kind
  std::string modelPath;              ///< hashed into the lock
  std::vector<std::string> dataPaths; ///< hashed into the lock
  std::set<std::string> emit;         ///< names of rows of EmitKinds.h
  std::string target;                 ///< --target as it was given
  /// Float heads in integers; the interface of `quantized` is integers.
  bool integerOnly = false;
  /// quantized: float ops behind the last integers are left to the caller.
  std::string outputs = "model";
  CPUOptions cpu;
  /// Of --emit=hls: see HLSFolder.h.
  struct HLS {
    std::string clock = "10ns";
    int64_t cycles = 0; ///< a frame may take; 0: as few as fit
    int64_t vectors = 20;
  } hls;
  /// `unfolded`: float ops between quantize and dequantize, for --emit=onnx.
  mlir::ModuleOp floatModule, unfolded, quantized;
  const Profile *profile = nullptr;
  const Preprocessing *preprocessing = nullptr;
  Recipe options;
  /// What else the lock tells of where the modules come from.
  struct Source {
    /// Of a model that is no file; else its hash is taken.
    std::string modelSha256;
    /// Of samples that are no files.
    std::string samplesSha256;
    ImportOptions import;
    /// SHA-256 of the float graph before it was transformed.
    std::string graphHash;
    bool isProfileGiven = false;
    std::vector<std::string> llvmArguments;
  } source;
  /// What must be made, or nothing is written: see compareLocks.
  const llvm::json::Object *lock = nullptr;
};

struct ArtifactSummary {
  std::vector<std::string> files;
  std::string target;
  bool runsHere = true; ///< code: on this machine
  uint64_t arenaBytes = 0, weightsBytes = 0;
  std::string text; ///< of a folder kind: what to tell the user
};

absl::StatusOr<ArtifactSummary> writeArtifacts(const ArtifactRequest &request);
/// The same of a quantized model, whose interface becomes integers where the
/// request says so.
absl::StatusOr<ArtifactSummary> writeArtifacts(ArtifactRequest request,
                                               const QuantizedModel &model);

/// A microcontroller: 32 bits and no system. Its code is integers only.
bool isBareMetal(const CPUOptions &cpu);

/// How accumulators are rounded where a recipe does not say.
llvm::StringRef getDefaultRequantize(const ArtifactRequest &request);

/// A graph of float ops between quantize and dequantize as ONNX.
absl::StatusOr<std::string> writeOnnx(mlir::ModuleOp unfolded);

/// An error of the CPU target with its code: what a user can change, or a
/// defect.
absl::Status withCompilerCode(const absl::Status &status);

/// The values of --emit; nothing means object.
absl::StatusOr<std::set<std::string>>
parseEmit(llvm::ArrayRef<std::string> values);
/// A C identifier for a file name.
std::string makeSymbol(llvm::StringRef name);

} // namespace qopt

#endif // QOPT_ARTIFACTS_ARTIFACTS_H
