//===- PlanCandidates.h - Candidates of every layer -----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Between the two halves of planning: what exists and what it costs.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_PIPELINES_PLANCANDIDATES_H
#define QOPT_LIB_PIPELINES_PLANCANDIDATES_H

#include "qopt/Pipelines/Plan.h"
#include "qopt/Pipelines/PlanProbe.h"

namespace qopt {

/// Candidates with their numbers, the compiled network, and its exact outputs.
class PlanMeasurements {
public:
  PlanMeasurements(mlir::ModuleOp module, const Profile &profile,
                   const SampleSource &samples, const PlanRequest &request)
      : module(module), profile(profile), samples(samples), request(request) {}

  /// Candidates, then their sensitivities.
  absl::Status run();

  /// Divergence of a plan (one candidate per layer) on the samples that
  /// measure, or on those held back.
  absl::StatusOr<double> measure(llvm::ArrayRef<int> choice, bool heldBack);

  std::vector<LayerCandidates> layers;
  /// Stored bits of each layer with 8-bit weights: what budgets refer to.
  std::vector<int64_t> wideBits;
  /// Bits of the weights that stay float, and their number.
  int64_t floatBits = 0, floatWeights = 0;
  int64_t probeCount = 0, heldBackCount = 0;
  bool hasProbabilities = false;

private:
  absl::Status makeCandidates();
  absl::Status addFormat(const std::string &format, bool isCandidate);
  absl::Status openProbe();
  absl::Status measureErrors();
  absl::Status measureProbes();
  absl::StatusOr<double> measureRange(int64_t begin, int64_t end);
  absl::StatusOr<std::string> getKey();
  void readState(const std::string &key);
  absl::Status writeState(const std::string &key) const;
  void say(llvm::StringRef phase, int64_t done, int64_t total) {
    if (request.progress)
      request.progress(phase, done, total);
  }

  mlir::ModuleOp module;
  const Profile &profile;
  const SampleSource &samples;
  const PlanRequest &request;
  std::unique_ptr<PlanProbe> probe;
  std::vector<llvm::SmallVector<Tensor>> inputs, outputs;
};

} // namespace qopt

#endif // QOPT_LIB_PIPELINES_PLANCANDIDATES_H
