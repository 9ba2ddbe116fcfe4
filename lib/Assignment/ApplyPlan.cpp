//===- ApplyPlan.cpp - A plan's decisions as attributes -------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The pass around applyPlan, for pipelines and tests.
//===----------------------------------------------------------------------===//
#include "qopt/Assignment/Plan.h"
#include "qopt/Support/Diagnostics.h"

#include "mlir/Pass/Pass.h"

namespace qopt {
#include "qopt/Assignment/ApplyPlan.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

namespace {
struct ApplyPlan : qopt::impl::ApplyPlanBase<ApplyPlan> {
  using ApplyPlanBase::ApplyPlanBase;
  void runOnOperation() override {
    absl::StatusOr<Plan> plan = Plan::read(file);
    absl::Status status =
        plan.ok() ? applyPlan(getOperation(), *plan) : plan.status();
    if (status.ok())
      return;
    InFlightDiagnostic error =
        getOperation().emitError(std::string(status.message()));
    for (const std::string &note : getNotes(status))
      error.attachNote() << note;
    signalPassFailure();
  }
};
} // namespace
