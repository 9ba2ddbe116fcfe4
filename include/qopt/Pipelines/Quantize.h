//===- Quantize.h - From a float graph to a quantized one -----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The steps between data and integers, for the verbs and for Python.
//===----------------------------------------------------------------------===//
#ifndef QOPT_PIPELINES_QUANTIZE_H
#define QOPT_PIPELINES_QUANTIZE_H

#include "mlir/IR/OwningOpRef.h"
#include "qopt/Assignment/RoundWeights.h"
#include "qopt/Calibration/Profile.h"
#include "qopt/Data/DataSource.h"
#include "qopt/Pipelines/Executors.h"
#include "qopt/Pipelines/Recipe.h"
#include <map>
#include <set>

namespace qopt {

/// What a stage of quantization did, in words.
struct StageResult {
  llvm::StringRef stage;
  std::vector<std::string> lines;
  double seconds = 0;
};

struct QuantizeOptions {
  Recipe recipe;
  /// Names of kept stages (see getKeptStages) whose graph is wanted.
  std::set<std::string> keep;
  /// Leaves scales by channel of activations in `unfolded`, so that its weights
  /// can be compared with those of the float model.
  bool keepChannelScales = false;
  /// The target rounds sums as integers: ops on 9 to 16 bits become quantized.
  bool foldsWide = false;
  /// Called while weights are rounded; see RoundWeightsOptions.
  std::function<void(llvm::StringRef phase, int64_t done, int64_t total)>
      progress;
  /// Called after every stage.
  std::function<void(const StageResult &)> onStage;
  /// What runs the model for bias correction.
  Engine engine = Engine::Compiled;
  /// What `calibrate` left, to be used again for that; null: made anew.
  std::shared_ptr<Executor> calibrated;
};

struct CalibrateOptions {
  Engine engine = Engine::Compiled;
  /// Ranges per sample, which the moving average needs.
  bool perSample = false;
  bool perChannel = false;
  std::string resumeFile;
  /// Called after every sample with the number done.
  std::function<void(int64_t done)> progress;
  /// Gets what ran the samples, for QuantizeOptions::calibrated.
  std::shared_ptr<Executor> *executor = nullptr;
};

/// The samples of a data source, which must outlive the result.
SampleSource makeSampleSource(DataSource &data);

/// Statistics of a prepared float module over all samples.
absl::StatusOr<Profile> calibrate(mlir::ModuleOp module,
                                  const SampleSource &samples,
                                  const CalibrateOptions &options);

/// What comes of quantization beside the module.
struct QuantizeResult {
  /// The graph after stages of QuantizeOptions::keep, as text.
  std::map<std::string, std::string> stages;
  /// The graph of float ops between quantize and dequantize: the form that
  /// standard ONNX has.
  mlir::OwningOpRef<mlir::ModuleOp> unfolded;
  /// What rounding did to each layer; and the same of 4 bits everywhere, where
  /// widths are free.
  RoundWeightsReport rounded, uniform;
};

/// Stages on the way to static encodings whose graph can be kept, in order.
llvm::ArrayRef<const char *> getKeptStages();

/// Quantizes a prepared module in place, in the stages that the recipe wants;
/// `profile` may be null unless it needs one. Rounding on data and correction
/// of biases happen only if there are samples (an empty function means none).
absl::StatusOr<QuantizeResult> quantize(mlir::ModuleOp module,
                                        const Profile *profile,
                                        const SampleSource &samples,
                                        const QuantizeOptions &options);

} // namespace qopt

#endif // QOPT_PIPELINES_QUANTIZE_H
