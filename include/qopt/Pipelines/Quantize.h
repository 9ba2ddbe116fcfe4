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

namespace qopt {

struct Plan;

enum class Scheme {
  Float, ///< nothing is quantized
  W8A8,  ///< per-channel s8 weights, per-tensor u8 activations
  W4A8,  ///< the same with 4-bit weights, rounded on data
  W4A4,  ///< 4-bit weights, and 4 bits between layers; 8 at the interface
  W8A8Dynamic, ///< 8-bit matrices, rows of activations rounded at run time
  W4A8Dynamic, ///< the same with 4-bit matrices in groups of 32
  QDQ    ///< what the model itself says
};
absl::StatusOr<Scheme> parseScheme(llvm::StringRef name);
llvm::StringRef getName(Scheme scheme);

struct QuantizeOptions {
  Scheme scheme = Scheme::W8A8;
  /// How ranges are read off the profile: see RangeMethod::parse.
  std::string method = "mse";
  bool biasCorrection = true;
  /// Leaves scales by channel of activations in `unfolded`, so that its weights
  /// can be compared with those of the float model.
  bool keepChannelScales = false;
  /// Format of all weights (WeightFormat); empty: the scheme's.
  std::string weights;
  /// How weights below 8 bits are rounded: gptq or nearest.
  std::string rounding = "gptq";
  /// Gets what rounding did to each layer.
  RoundWeightsReport *rounded = nullptr;
  /// Gets the same of 4 bits everywhere, where widths are free.
  RoundWeightsReport *uniform = nullptr;
  /// Called while weights are rounded; see RoundWeightsOptions.
  std::function<void(llvm::StringRef phase, int64_t done, int64_t total)>
      progress;
  /// Formats by layer; layers that it does not name have the scheme's.
  std::shared_ptr<const Plan> plan;
  /// f32, fixed:BITS or pow2.
  std::string requantize = "f32";
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

/// Whether a scheme needs statistics of activations.
bool needsProfile(Scheme scheme);
/// Bits of tensors between layers.
unsigned getActivationBits(Scheme scheme);
/// Whether activations are rounded at run time, by rows.
bool isDynamic(Scheme scheme);

/// Quantizes a prepared module in place; `profile` may be null unless the
/// scheme needs one. Biases are corrected only if there are samples (an empty
/// function means none). `unfolded`, if given, gets the graph of float ops
/// between quantize and dequantize: the form that standard ONNX has.
absl::Status quantize(mlir::ModuleOp module, const Profile *profile,
                      const SampleSource &samples,
                      const QuantizeOptions &options,
                      mlir::OwningOpRef<mlir::ModuleOp> *unfolded = nullptr);

} // namespace qopt

#endif // QOPT_PIPELINES_QUANTIZE_H
