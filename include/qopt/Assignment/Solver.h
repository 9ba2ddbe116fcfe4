//===- Solver.h - The exact answer to a PlanProblem -----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A mixed-integer program, solved by HiGHS on one thread with a fixed seed, so
// that the same problem gives the same plan on every machine.
//===----------------------------------------------------------------------===//
#ifndef QOPT_ASSIGNMENT_SOLVER_H
#define QOPT_ASSIGNMENT_SOLVER_H

#include "absl/status/statusor.h"
#include "qopt/Assignment/Problem.h"

namespace qopt {

struct SolveOptions {
  /// Relative gap at which a plan counts as optimal.
  double gap = 0;
  int64_t nodeLimit = 200000;
  double timeLimitSeconds = INFINITY;
  int seed = 0;
  /// Options per node of plans that are known: the answer is never worse than
  /// one of them that keeps the budgets.
  std::vector<std::vector<int>> incumbents;
};

/// A budget beside what the plan uses of it.
struct BudgetReport {
  std::string name;
  double used = 0, limit = INFINITY;
  /// Loss that one unit more of the budget saves, by the relaxation.
  double shadowPrice = 0;
  bool isBinding() const { return shadowPrice > 0; }
};

/// What a budget must be at least.
struct SmallestBudget {
  std::string name;
  double limit = INFINITY;
  double alone = 0; ///< with no other budget
  /// With the other budgets as they are; NaN where those contradict.
  double withOthers = NAN;
};

struct SolveResult {
  enum class Status {
    Optimal,
    Limit,     ///< nodes or time ran out: the best plan found
    Infeasible ///< see `conflicts` and `smallest`
  };
  Status status = Status::Infeasible;
  PlanChoice choice;
  PlanTotals totals;
  double bound = 0; ///< no plan has a smaller loss
  double getGap() const {
    double loss = std::fabs(totals.loss);
    return loss > 0 ? std::max(0.0, totals.loss - bound) / loss : 0;
  }
  std::vector<BudgetReport> budgets;
  int64_t nodes = 0;
  /// Infeasible because of pins, ties, caps or formats: each by name.
  std::vector<std::string> conflicts;
  /// Infeasible because of budgets.
  std::vector<SmallestBudget> smallest;
};

absl::StatusOr<SolveResult> solve(const PlanProblem &problem,
                                  const SolveOptions &options = {});

/// The smallest use of resource `r` under everything else; nothing if there is
/// no plan at all.
absl::StatusOr<SolveResult> solveForLeast(const PlanProblem &problem, size_t r,
                                          const SolveOptions &options = {});

/// Plans that trade loss for resource `r`, from its least use to where more of
/// it saves nothing; the budget of `r` itself is left out, the others hold. No
/// plan of the result is dominated by another. At most `count`.
absl::StatusOr<std::vector<SolveResult>>
solveFront(const PlanProblem &problem, size_t r, int count,
           const SolveOptions &options = {});

} // namespace qopt

#endif // QOPT_ASSIGNMENT_SOLVER_H
