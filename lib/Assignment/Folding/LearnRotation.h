//===- LearnRotation.h - An orthogonal matrix fitted to what is rounded ---===//
// SPDX-License-Identifier: Apache-2.0
//
// A random rotation makes the entries of every weight column look normal. A
// better one makes the largest entry of each, which sets the step, smaller.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_ASSIGNMENT_FOLDING_LEARNROTATION_H
#define QOPT_LIB_ASSIGNMENT_FOLDING_LEARNROTATION_H

#include "Vectors.h"
#include "qopt/Numerics/Hadamard.h"

namespace qopt {

/// A tensor before it is rotated, and the weights that read it, side by side.
struct RotatedTensor {
  Matrix x, w;
};

/// Moves `start` along orthogonal matrices to where the modelled rounding
/// noise of `tensors` is smallest; R R^T = I to 1e-12. The same result for any
/// number of threads. Returns `start` where one step costs more than
/// `maxProducts` multiplications.
RotationMatrix learnRotation(const RotationMatrix &start,
                             llvm::ArrayRef<RotatedTensor> tensors,
                             const RoundingError &error, int64_t steps,
                             int64_t maxProducts);

} // namespace qopt

#endif // QOPT_LIB_ASSIGNMENT_FOLDING_LEARNROTATION_H
