//===- RoundWeights.h - Weights below 8 bits, rounded on data -------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Rounding to the nearest level minimizes the error of weights; what counts is
// the error of outputs, which depends on the inputs. Their second moments come
// from one float run for all layers.
//===----------------------------------------------------------------------===//
#ifndef QOPT_ASSIGNMENT_ROUNDWEIGHTS_H
#define QOPT_ASSIGNMENT_ROUNDWEIGHTS_H

#include "qopt/Assignment/Rounder.h"
#include "qopt/Calibration/Profile.h"

namespace qopt {

/// Of what rounding and bias correction make of the same model and data: raise
/// it when they change, so that what was kept is made anew.
inline constexpr int kRoundingVersion = 1;

struct RoundWeightsOptions {
  /// A row of Rounders.def, by name; layers with `qg.rounding` name their own.
  std::string rounding = getRounders().front().name.str();
  int64_t samples = 128;
  /// Second moments held at once, in bytes; more layers mean more runs. Factors
  /// take a quarter of it more.
  int64_t memoryLimit = int64_t(512) << 20;
  /// Called after every sample and every layer with the number done; from
  /// several threads, one at a time.
  std::function<void(llvm::StringRef phase, int64_t done, int64_t total)>
      progress;
  /// Runs instrument(reference), if calibration has left it; else it is made.
  std::shared_ptr<Executor> executor;
};

/// What rounding did to one layer.
struct RoundedLayer {
  std::string name, format;
  unsigned position = 0;  ///< among the linear ops of the function
  int64_t weights = 0;    ///< elements
  int64_t storedBits = 0; ///< elements, scales, zero points and tables
  /// Ratio of the output to its error by weights, in dB: of the result, and of
  /// the nearest levels under clipped ranges and under whole ones.
  double sqnr = 0, nearestSqnr = 0, plainSqnr = 0;
  /// Doublings of the damping; -1 where the moment never factored.
  int dampings = 0;
  /// Why the layer keeps its nearest levels under plain scales; else empty.
  std::string reason;
};

struct RoundWeightsReport {
  std::vector<RoundedLayer> layers;
  /// Elements of constant weights of linear ops that stay float.
  int64_t floatWeights = 0;

  /// Bits a weight of `layers` on average, all parameters counted; what stays
  /// float is no part of it.
  double getAverageBits() const;
  int64_t getNumWeights() const; ///< of `layers`
  /// Mean over the rounded layers of `sqnr` or one of its companions; nullopt
  /// without any.
  std::optional<double>
  getMeanSqnr(double RoundedLayer::*which = &RoundedLayer::sqnr) const;
};

/// Writes `qg.weights` on the linear ops of `module` (with its observers), so
/// that weights have `averageBits` on average: starting from the 4 bits that
/// `trial` reports, the layer whose share in the sum of relative output errors
/// falls most for a bit more gets it. Widths are 4 to 8 bits; `trial` reports
/// all layers, rounded to 4. Layers that carry `qg.weights` keep it.
void widenLayers(mlir::ModuleOp module, const RoundWeightsReport &trial,
                 double averageBits);

/// Rounds the weights of modules after qg-apply-formats that have fewer than 8
/// bits again, against the module before it. Formats, groups and tables stay,
/// scales and zero points are chosen anew.
class WeightRounder {
public:
  /// `reference` has its observers; it must outlive the result.
  static absl::StatusOr<WeightRounder> create(mlir::ModuleOp reference,
                                              SampleSource source,
                                              RoundWeightsOptions options,
                                              const ExecutorFactory &factory);
  WeightRounder(WeightRounder &&);
  WeightRounder &operator=(WeightRounder &&);
  ~WeightRounder();

  /// `quantized` has the linear ops of the reference in the same order. What
  /// an earlier call found out is used again: moments as far as memory goes,
  /// and weights whose formats are the same.
  absl::StatusOr<RoundWeightsReport> round(mlir::ModuleOp quantized);

private:
  struct State;
  explicit WeightRounder(std::unique_ptr<State> state);
  std::unique_ptr<State> state;
};

} // namespace qopt

#endif // QOPT_ASSIGNMENT_ROUNDWEIGHTS_H
