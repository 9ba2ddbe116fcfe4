//===- Plan.h - Chosen formats and why, and their file --------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What `qopt plan` writes and `--plan` reads: a decision per layer, the
// candidates it was chosen from, the budgets, the proof, and the front.
//===----------------------------------------------------------------------===//
#ifndef QOPT_ASSIGNMENT_PLAN_H
#define QOPT_ASSIGNMENT_PLAN_H

#include "mlir/IR/BuiltinOps.h"
#include "qopt/Assignment/Sensitivity.h"
#include "qopt/Assignment/Solver.h"
#include "llvm/Support/JSON.h"

namespace qopt {

struct PlanDecision {
  std::string layer, op;
  std::string format;   ///< as `qg.weights` spells it: si4, si4:g64, nf4
  std::string rounding; ///< a row of Rounders.def
  int64_t weights = 0, storedBits = 0;
  double loss = 0;
  std::string reason;
};

/// A plan of the front, or a uniform one.
struct PlanPoint {
  std::string name;
  std::vector<std::string> formats; ///< per decision
  double predicted = 0;             ///< sum of losses
  double measured = NAN;            ///< divergence on the samples held back
  std::vector<double> used;         ///< per budget row
};

struct Plan {
  static constexpr int schemaVersion = 1;
  /// SHA-256 of the float graph that the plan is for.
  std::string model;
  std::string sensitivity, metric;
  /// --transforms of the graph that was planned; compiling repeats them.
  std::string transforms = "none";
  int64_t samples = 0, heldBack = 0;
  std::vector<PlanDecision> decisions;
  /// Layers that no plan changes: their weights stay float.
  std::vector<std::string> floatLayers;
  int64_t floatWeights = 0;
  bool isOptimal = true; ///< else a limit struck: the best plan found
  double predicted = 0, bound = 0, gap = 0, measured = NAN;
  std::vector<BudgetReport> budgets;
  std::vector<PlanPoint> front, uniform;
  /// What the re-measure loop did, in words.
  std::vector<std::string> rounds;
  std::vector<LayerCandidates> layers;

  std::string toJson() const;
  /// PlanInvalid for anything that is no `qopt.plan/1`; a newer schema is
  /// named.
  static absl::StatusOr<Plan> fromJson(llvm::StringRef text,
                                       llvm::StringRef file);
  static absl::StatusOr<Plan> read(llvm::StringRef path);
};

/// Formats as `qg.weights` spells them; every one that does not exist is
/// listed, behind the name of what holds them.
absl::Status checkFormats(llvm::ArrayRef<std::string> formats,
                          llvm::StringRef name = "--formats");
/// Bits of a weight under a format that exists, without its scales.
int64_t getFormatBits(llvm::StringRef format);

/// Candidates as JSON, for plans and for the state of sensitivities.
llvm::json::Value toJson(const LayerCandidates &layer);
std::optional<LayerCandidates> parseCandidates(const llvm::json::Value &value);

/// Writes `qg.weights` and `qg.rounding` on the ops that the plan names. Every
/// layer that the module lacks, that has no constant weight, or that is named
/// twice, and every unknown format is listed.
absl::Status applyPlan(mlir::ModuleOp module, const Plan &plan);

} // namespace qopt

#endif // QOPT_ASSIGNMENT_PLAN_H
