//===- SolveWithHighs.h - One program, solved once ------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What Solver.cpp asks questions of.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_ASSIGNMENT_SOLVEWITHHIGHS_H
#define QOPT_LIB_ASSIGNMENT_SOLVEWITHHIGHS_H

#include "qopt/Assignment/Solver.h"

namespace qopt {

/// The plan of least loss; of least use of resource `leastResource` where that
/// is not negative, whose own budget is then left out. Of an infeasible program
/// only contradictions without budgets are named.
absl::StatusOr<SolveResult> solveWithHighs(const PlanProblem &problem,
                                           int leastResource,
                                           const SolveOptions &options);

} // namespace qopt

#endif // QOPT_LIB_ASSIGNMENT_SOLVEWITHHIGHS_H
