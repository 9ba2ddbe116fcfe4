//===- PlanModel.h - Settings, a model and data to a plan -----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What `qopt plan` and Python do: the fields of PlanSettings.def from flags or
// keywords, transforms, statistics, times, the plan.
//===----------------------------------------------------------------------===//
#ifndef QOPT_PLANNING_PLANMODEL_H
#define QOPT_PLANNING_PLANMODEL_H

#include "qopt/Pipelines/QuantizeModel.h"
#include "qopt/Planning/Plan.h"

namespace qopt {

/// A row of PlanSettings.def.
struct PlanField {
  enum class Type { Text, List, Map, Groups, Count, Number } type;
  const char *key;
  int64_t least;
  const char *value, *help;

  /// `help` with lists of names filled in.
  std::string describe() const;
};
llvm::ArrayRef<PlanField> getPlanFields();

/// What a plan is made with and for.
struct PlanSettings {
  PlanRequest request;
  std::string transforms = "none";
  /// measured, model, or a file, which is read; empty: no times.
  std::string cost;
  std::optional<CostFile> costs;
};
/// Settings as JSON: the keys of the fields, and those of recipes that are
/// about calibration and data. Everything that is wrong is listed.
absl::StatusOr<PlanSettings> parsePlanSettings(const llvm::json::Object &object,
                                               const SettingsOrigin &origin);

struct PlannedModel {
  Plan plan;
  /// Times that were measured for it.
  std::optional<CostFile> measured;
};
/// Transforms the float module as compiling will, and plans it. `inputs` has
/// samples; what stages say goes to its callbacks.
absl::StatusOr<PlannedModel> planModel(mlir::ModuleOp module,
                                       PlanSettings settings,
                                       const QuantizeInputs &inputs);

} // namespace qopt

#endif // QOPT_PLANNING_PLANMODEL_H
