//===- Plan.h - From a model and budgets to a plan ------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Makes candidates by the same rounding that compilation uses, measures them
// on the compiled network, solves, measures the answer, and corrects.
//===----------------------------------------------------------------------===//
#ifndef QOPT_PLANNING_PLAN_H
#define QOPT_PLANNING_PLAN_H

#include "qopt/Assignment/Plan.h"
#include "qopt/Pipelines/Quantize.h"
#include "qopt/Target/CPU/Emit.h"

namespace qopt {

/// `size=0.3x`: of the artifact with 8-bit weights; `size=40kB`,
/// `avg-bits=3.5`, `stored-bits=4.6`, `latency=0.8x`, `latency=300us`.
struct BudgetSpec {
  std::string name;
  double value = 0;
  bool isRelative = false;
};
absl::StatusOr<std::vector<BudgetSpec>>
parseBudgets(llvm::ArrayRef<std::string> texts);

/// Measured times: microseconds per layer and format (`qopt.cost/1`).
struct CostFile {
  std::string target;
  double fixed = 0; ///< of what no plan changes
  std::map<std::string, std::map<std::string, double>> layers;

  std::string toJson() const;
  static absl::StatusOr<CostFile> read(llvm::StringRef path);
};

struct PlanRequest {
  std::vector<std::string> formats;
  /// Rows of Rounders.def to choose from.
  std::vector<std::string> roundings = {getRounders().front().name.str()};
  SensitivityKind sensitivity = SensitivityKind::Proxy;
  std::vector<BudgetSpec> budgets;
  int pareto = 0;
  int rounds = 4;
  /// Layer (a name or a glob) and format, as given.
  std::vector<std::pair<std::string, std::string>> pins;
  /// Layers that take one format.
  std::vector<std::vector<std::string>> ties;
  double worst = INFINITY; ///< cap on the loss of a layer
  /// Half of them measure candidates, the others accept plans.
  int64_t samples = 32;
  /// Measured divergences are kept here and read again, rounded weights in the
  /// folder; empty: neither.
  std::string stateFile, candidatesFolder;
  SolveOptions solve;
  QuantizeOptions quantize;
  /// Whose object `size` counts.
  CPUOptions target;
  /// Times; null: `size` and bits only.
  const CostFile *costs = nullptr;
  std::function<void(llvm::StringRef phase, int64_t done, int64_t total)>
      progress;
};

/// Formats that plans choose from by default.
std::vector<std::string> getDefaultPlanFormats();

/// A prepared float module is not changed. BudgetInfeasible names the smallest
/// budgets; LimitReached comes with a plan: `isOptimal` is false instead.
absl::StatusOr<Plan> makePlan(mlir::ModuleOp module, const Profile &profile,
                              const SampleSource &samples,
                              const PlanRequest &request);

/// Times every layer in every format on this machine.
absl::StatusOr<CostFile> measureCosts(mlir::ModuleOp module,
                                      const Profile &profile,
                                      const SampleSource &samples,
                                      const PlanRequest &request);

/// Times by a simple model: good for relative budgets, not for microseconds.
CostFile modelCosts(mlir::ModuleOp module, llvm::ArrayRef<std::string> formats);

/// Bits of all weights of linear ops in a quantized module, with scales, zero
/// points and tables; and their number.
struct WeightCount {
  int64_t weights = 0, storedBits = 0, elementBits = 0;
};
WeightCount countWeights(mlir::ModuleOp quantized);

} // namespace qopt

#endif // QOPT_PLANNING_PLAN_H
