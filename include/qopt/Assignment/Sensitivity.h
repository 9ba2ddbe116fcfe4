//===- Sensitivity.h - What a narrow weight costs -------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The loss of every candidate of every layer. Measuring all of them on the
// whole network is exact but slow and noisy; the expected error of a layer's
// own outputs is cheap but knows nothing of the layers behind. Two measured
// probes a layer give the second the scale of the first.
//===----------------------------------------------------------------------===//
#ifndef QOPT_ASSIGNMENT_SENSITIVITY_H
#define QOPT_ASSIGNMENT_SENSITIVITY_H

#include "qopt/Calibration/Profile.h"
#include "qopt/Support/Tensor.h"

namespace qopt {

enum class SensitivityKind {
  WeightError, ///< |W - Q(W)|^2 / |W|^2
  Proxy,       ///< output error, scaled by two measured divergences a layer
  KL           ///< every candidate's divergence measured
};
/// weight-error, proxy or kl.
std::optional<SensitivityKind> parseSensitivity(llvm::StringRef name);
llvm::StringRef getName(SensitivityKind kind);

/// One format of one layer's weight.
struct Candidate {
  std::string format;     ///< as `qg.weights` spells it
  std::string rounding;   ///< a row of Rounders.def
  unsigned width = 0;     ///< bits of an element
  int64_t storedBits = 0; ///< elements, scales, zero points and tables
  double objectBytes = 0; ///< constants of the object; not kept in files
  double weightError = 0; ///< |W - Q(W)|^2 / |W|^2
  /// trace(D H D^T) / trace(W H W^T), where it was measured
  double outputError = NAN;
  double divergence = NAN; ///< of the network's outputs, where it was measured
  double loss = 0;         ///< what the program minimizes
  /// The numbers that the format stands for; not kept in files.
  Tensor weight, bias;
};

struct LayerCandidates {
  std::string layer; ///< as the model calls it
  std::string op;
  int64_t weights = 0; ///< elements
  int64_t macs = 0;
  std::vector<Candidate> candidates; ///< by growing storedBits
};

/// Indices of the candidates that `kind` wants measured: none, the narrowest
/// and the one next to 4 bits, or all.
llvm::SmallVector<size_t> getProbes(const LayerCandidates &layer,
                                    SensitivityKind kind);

/// Sets the losses from what was measured; they do not grow with the bits.
void fillLosses(LayerCandidates &layer, SensitivityKind kind);

/// Non-increasing values next to `values` by least squares (pool adjacent
/// violators).
void makeNonIncreasing(llvm::MutableArrayRef<double> values);

/// How far `other` is from `exact`: the mean Kullback-Leibler divergence of
/// rows along the last dimension where those of `exact` are probabilities, else
/// the power of the difference over that of `exact`.
double getDivergence(const Tensor &exact, const Tensor &other);

struct OutputErrorOptions {
  int64_t samples = 32;
  /// Second moments held at once; more layers mean more runs.
  int64_t memoryLimit = int64_t(512) << 20;
  /// Runs instrument(observed), if calibration has left it; else it is made.
  std::shared_ptr<Executor> executor;
  std::function<void(int64_t done, int64_t total)> progress;
};

/// Sets `outputError` of all candidates from the second moments of the inputs
/// of the layers in `observed` (a module with observers); layers are found by
/// name and op. Where no input is observed it is set to `weightError`.
absl::Status measureOutputErrors(mlir::ModuleOp observed,
                                 std::vector<LayerCandidates> &layers,
                                 const SampleSource &source,
                                 const OutputErrorOptions &options,
                                 const ExecutorFactory &factory);

} // namespace qopt

#endif // QOPT_ASSIGNMENT_SENSITIVITY_H
