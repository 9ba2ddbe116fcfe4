//===- Solver.cpp - What is asked about a PlanProblem ---------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The best plan, the least use of a budget, and the plans between them; every
// question is one or more programs.
//===----------------------------------------------------------------------===//
#include "qopt/Assignment/Solver.h"
#include "SolveWithHighs.h"
#include "qopt/Support/Diagnostics.h"

using namespace qopt;

/// What the budgets would have to be.
static absl::Status explain(const PlanProblem &problem,
                            const SolveOptions &options, SolveResult &result) {
  PlanProblem free = problem;
  for (PlanResource &resource : free.resources)
    resource.limit = INFINITY;
  for (size_t r = 0; r < problem.resources.size(); ++r) {
    if (!std::isfinite(problem.resources[r].limit))
      continue;
    QOPT_ASSIGN(SolveResult alone, solveForLeast(free, r, options));
    if (alone.status == SolveResult::Status::Infeasible) {
      result.conflicts.push_back("formats, memory or code size leave no plan, "
                                 "whatever the budgets are");
      return absl::OkStatus();
    }
    SmallestBudget row{problem.resources[r].name, problem.resources[r].limit,
                       alone.totals.used[r], NAN};
    QOPT_ASSIGN(SolveResult others, solveForLeast(problem, r, options));
    if (others.status != SolveResult::Status::Infeasible)
      row.withOthers = others.totals.used[r];
    result.smallest.push_back(row);
  }
  if (result.smallest.empty())
    result.conflicts.push_back("formats, memory or code size leave no plan");
  return absl::OkStatus();
}

absl::StatusOr<SolveResult> qopt::solve(const PlanProblem &problem,
                                        const SolveOptions &options) {
  QOPT_ASSIGN(SolveResult result, solveWithHighs(problem, -1, options));
  if (result.status == SolveResult::Status::Infeasible &&
      result.conflicts.empty())
    QOPT_RETURN_IF_ERROR(explain(problem, options, result));
  return result;
}

absl::StatusOr<SolveResult> qopt::solveForLeast(const PlanProblem &problem,
                                                size_t r,
                                                const SolveOptions &options) {
  return solveWithHighs(problem, int(r), options);
}

absl::StatusOr<std::vector<SolveResult>>
qopt::solveFront(const PlanProblem &problem, size_t r, int count,
                 const SolveOptions &options) {
  std::vector<SolveResult> front;
  PlanProblem work = problem;
  work.resources[r].limit = INFINITY;
  QOPT_ASSIGN(SolveResult least, solveForLeast(work, r, options));
  QOPT_ASSIGN(SolveResult best, solve(work, options));
  if (best.status == SolveResult::Status::Infeasible ||
      least.status == SolveResult::Status::Infeasible)
    return front;
  double low = least.totals.used[r], high = best.totals.used[r];
  for (int i = 0; i < count; ++i) {
    double share = count > 1 ? double(i) / (count - 1) : 1;
    work.resources[r].limit = low + share * (high - low);
    QOPT_ASSIGN(SolveResult result, solve(work, options));
    if (result.status == SolveResult::Status::Infeasible)
      continue;
    // With more allowed, an equal loss for less is no progress.
    if (!front.empty() && !(result.totals.loss < front.back().totals.loss))
      continue;
    if (!front.empty() && result.totals.used[r] <= front.back().totals.used[r])
      front.pop_back();
    front.push_back(std::move(result));
  }
  return front;
}
