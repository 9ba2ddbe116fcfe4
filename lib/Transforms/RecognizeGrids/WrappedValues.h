//===- WrappedValues.h - Fixed point that wraps around --------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Overflow by x - floor(x / n) * n bounds what has no bounds before.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_TRANSFORMS_RECOGNIZEGRIDS_WRAPPEDVALUES_H
#define QOPT_LIB_TRANSFORMS_RECOGNIZEGRIDS_WRAPPEDVALUES_H

#include "ValueGrid.h"

namespace qopt {

bool isPowerOfTwo(double value);

/// The remainder of `x` by positive numbers in f64, one or one an element.
struct Remainder {
  mlir::Value x;
  Tensor modulus;
};

/// `mod`, or x - floor(x / n) * n, which is exact for powers of two alone.
std::optional<Remainder> matchRemainder(mlir::Value value);

/// Of this number alone.
bool isDivisibleBy(const Tensor &numbers, double step);

} // namespace qopt

#endif // QOPT_LIB_TRANSFORMS_RECOGNIZEGRIDS_WRAPPEDVALUES_H
