//===- LearnLevels.h - Tables from the weights of a layer -----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// One table for all channels and groups of a tensor; scales fit them to it.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_ASSIGNMENT_ROUNDING_LEARNLEVELS_H
#define QOPT_LIB_ASSIGNMENT_ROUNDING_LEARNLEVELS_H

#include "MatrixRounder.h"

namespace qopt {

/// A table for the matrices of one layer, in turns with their scales: errors
/// count by the diagonals of the moments. The grids' tables are where it
/// starts, and its error is not above theirs.
std::vector<int8_t> learnLevels(llvm::ArrayRef<RoundingProblem> problems);

} // namespace qopt

#endif // QOPT_LIB_ASSIGNMENT_ROUNDING_LEARNLEVELS_H
