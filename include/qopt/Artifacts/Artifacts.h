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
#include "qopt/Pipelines/ModelReference.h"
#include "qopt/Pipelines/QuantizeModel.h"
#include "qopt/Target/Target.h"
#include "llvm/Support/JSON.h"
#include <set>

namespace qopt {

/// Of weights that a bundle holds a second time.
constexpr uint64_t kMostCopiedBytes = uint64_t(256) << 20;

struct ArtifactRequest {
  std::string stem;                   ///< or the folder of a folder kind
  std::string modelPath;              ///< hashed into the lock
  std::vector<std::string> dataPaths; ///< hashed into the lock
  std::set<std::string> emit;         ///< values of --emit
  /// What the kinds are for, with its flags read.
  const TargetRow *row = nullptr;
  std::shared_ptr<const Target> target;
  std::string symbol; ///< prefix of functions, name of a top
  /// quantized: float ops behind the last integers are left to the caller.
  std::string outputs = "model";
  /// Whether the bundle holds the weights of the model's file, or says where
  /// that is: `auto` refers where they are more than kMostCopiedBytes.
  std::string bundleWeights = "auto";
  /// `unfolded`: float ops between quantize and dequantize, for --emit=onnx.
  mlir::ModuleOp floatModule, unfolded, quantized;
  /// Graphs of QuantizedModel::stages.
  std::map<std::string, std::string> stages;
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
    /// Its large constants: what importing the model again gives.
    ConstantNames constants;
    bool isProfileGiven = false;
    std::vector<std::string> llvmArguments;
  } source;
  /// What must be made, or nothing is written: see compareLocks.
  const llvm::json::Object *lock = nullptr;
};

struct ArtifactSummary {
  std::vector<std::string> files;
  /// Pipelines of the stages that were printed and of those before them, in
  /// order, as `qopt-opt` takes them.
  std::vector<std::pair<std::string, std::string>> stages;
  Emission emission; ///< what the target says of it; its files are written
};

/// Files of a quantized model, whose interface becomes integers where the
/// target wants them.
absl::StatusOr<ArtifactSummary> writeArtifacts(ArtifactRequest request,
                                               const QuantizedModel &model);

/// A graph of float ops between quantize and dequantize as ONNX.
absl::StatusOr<std::string> writeOnnx(mlir::ModuleOp unfolded);

/// The values of --emit; nothing means object.
absl::StatusOr<std::set<std::string>>
parseEmit(llvm::ArrayRef<std::string> values);
/// The target that makes these kinds. An error for those of two targets, and
/// for a folder among others.
absl::StatusOr<const TargetRow *> findTarget(const std::set<std::string> &emit);
/// Reads the flags of the row of `request`, whose symbol and outputs are set. A
/// flag that names a machine and is none of the row's is refused.
absl::Status readTarget(ArtifactRequest &request, FlagValues flags);
/// Stages of the quantization that `emit` prints: what QuantizeInputs::keep
/// wants to know.
std::set<std::string> getQuantizeStages(const std::set<std::string> &emit);
/// A C identifier for a file name.
std::string makeSymbol(llvm::StringRef name);

} // namespace qopt

#endif // QOPT_ARTIFACTS_ARTIFACTS_H
