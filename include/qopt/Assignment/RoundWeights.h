//===- RoundWeights.h - Weights below 8 bits, rounded on data -------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Rounding to the nearest level minimizes the error of weights; what counts is
// the error of outputs, which depends on the inputs. Their second moments come
// from one float run for all layers.
//===----------------------------------------------------------------------===//
#ifndef QOPT_ASSIGNMENT_ROUNDWEIGHTS_H
#define QOPT_ASSIGNMENT_ROUNDWEIGHTS_H

#include "qopt/Calibration/Profile.h"

namespace qopt {

struct RoundWeightsOptions {
  /// nearest: scales of least expected output error, elements to the nearest
  /// level. gptq: elements one after another, each taking up the errors before.
  bool gptq = true;
  int64_t samples = 128;
  /// Second moments held at once; more layers mean more runs.
  int64_t memoryLimit = int64_t(512) << 20;
  /// Runs instrument(reference), if calibration has left it; else it is made.
  std::shared_ptr<Executor> executor;
};

/// What rounding did to one layer.
struct RoundedLayer {
  std::string name, format;
  unsigned position = 0;  ///< among the linear ops of the function
  int64_t weights = 0;    ///< elements
  int64_t storedBits = 0; ///< elements, scales, zero points and tables
  /// Ratio of the output to its error by weights, in dB, for the result and
  /// for the nearest levels under the best scales.
  double sqnr = 0, nearestSqnr = 0;
  /// Doublings of the damping; -1 where the moment never factored.
  int dampings = 0;
  /// Why the layer keeps its nearest levels under plain scales; else empty.
  std::string reason;
};

struct RoundWeightsReport {
  std::vector<RoundedLayer> layers;

  /// Bits a weight on average, all parameters counted.
  double getAverageBits() const;
};

/// Writes `qg.weights` on the linear ops of `module` (with its observers), so
/// that weights have `averageBits` on average: starting from the 4 bits that
/// `trial` reports, the layer whose share in the sum of relative output errors
/// falls most for a bit more gets it. Widths are 4 to 8 bits; `trial` reports
/// all layers, rounded to 4.
void widenLayers(mlir::ModuleOp module, const RoundWeightsReport &trial,
                 double averageBits);

/// Rounds the weights of `quantized` (the module after qg-apply-formats) that
/// have fewer than 8 bits again, against `reference` (before it, with its
/// observers): both have the same linear ops in the same order. Formats,
/// groups and tables stay, scales and zero points are chosen anew.
absl::StatusOr<RoundWeightsReport>
roundWeights(mlir::ModuleOp reference, mlir::ModuleOp quantized,
             const SampleSource &source, const RoundWeightsOptions &options,
             const ExecutorFactory &factory);

} // namespace qopt

#endif // QOPT_ASSIGNMENT_ROUNDWEIGHTS_H
