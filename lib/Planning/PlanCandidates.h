//===- PlanCandidates.h - Candidates of every layer -----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Between the two halves of planning: what exists and what it costs.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_PIPELINES_PLANCANDIDATES_H
#define QOPT_LIB_PIPELINES_PLANCANDIDATES_H

#include "qopt/Planning/Plan.h"
#include "qopt/Planning/PlanProbe.h"
#include "qopt/Target/CPU/Storage.h"

#include <map>

namespace qopt {

/// Candidates with their numbers, the compiled network, and its exact outputs.
class PlanMeasurements {
public:
  PlanMeasurements(mlir::ModuleOp module, const Profile &profile,
                   const SampleSource &samples, const PlanRequest &request)
      : module(module), profile(profile), samples(samples), request(request) {}

  /// Candidates with their sizes alone, rounded in the cheapest way.
  absl::Status sketch();
  /// Candidates, then their sensitivities.
  absl::Status run();

  /// Divergence of a plan (one candidate per layer) on the samples that
  /// measure, or on those held back.
  absl::StatusOr<double> measure(llvm::ArrayRef<int> choice, bool heldBack);

  /// Name and op of a layer.
  using LayerKey = std::pair<std::string, std::string>;

  std::vector<LayerCandidates> layers;
  /// Stored bits of each layer with 8-bit weights: what budgets refer to.
  std::vector<int64_t> wideBits;
  /// Layers with weights that stay float, and their weights.
  std::vector<std::string> floatLayers;
  int64_t floatWeights = 0;
  /// Bytes of constants in the object with 8-bit weights, by layer.
  std::vector<double> wideBytes;
  int64_t probeCount = 0, heldBackCount = 0;

private:
  absl::Status makeCandidates();
  absl::Status addFormat(const std::string &format, const std::string &rounding,
                         bool isCandidate);
  absl::Status findLayers(mlir::ModuleOp unfolded);
  /// What the target holds of the model with these weights.
  absl::StatusOr<StoredBytes> measureStorage(mlir::ModuleOp unfolded) const;
  std::vector<double> divideBytes(const StoredBytes &stored) const;
  /// The model with `format` everywhere, rounded and corrected.
  absl::StatusOr<mlir::OwningOpRef<mlir::ModuleOp>>
  quantizeAs(const std::string &format, const std::string &rounding);
  absl::Status openProbe();
  absl::Status checkSamples();
  absl::Status measureErrors();
  absl::Status measureProbes();
  absl::StatusOr<double> measureRange(int64_t begin, int64_t end);

  // What is kept between runs (PlanState.cpp).
  absl::Status findCandidatesKey();
  std::string getCandidatesFile(llvm::StringRef format,
                                llvm::StringRef rounding) const;
  mlir::OwningOpRef<mlir::ModuleOp> readCandidates(llvm::StringRef format,
                                                   llvm::StringRef rounding);
  absl::Status writeCandidates(llvm::StringRef format, llvm::StringRef rounding,
                               mlir::ModuleOp unfolded) const;
  std::string getStateKey() const;
  void readState();
  absl::Status writeState() const;
  void say(llvm::StringRef phase, int64_t done, int64_t total) {
    if (request.progress)
      request.progress(phase, done, total);
  }

  mlir::ModuleOp module;
  const Profile &profile;
  const SampleSource &samples;
  const PlanRequest &request;
  bool isSketch = false;
  /// Identifies everything that candidates depend on.
  std::string candidatesKey;
  /// Weights of the float model that have no format of their own.
  std::map<LayerKey, Tensor> exact;
  std::unique_ptr<PlanProbe> probe;
  std::vector<llvm::SmallVector<Tensor>> inputs, outputs;
};

} // namespace qopt

#endif // QOPT_LIB_PIPELINES_PLANCANDIDATES_H
