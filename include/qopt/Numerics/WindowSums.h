//===- WindowSums.h - In which order a window is added --------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Part of what an average pool is, for interpreter and compiler alike.
//===----------------------------------------------------------------------===//
#ifndef QOPT_NUMERICS_WINDOWSUMS_H
#define QOPT_NUMERICS_WINDOWSUMS_H

#include "llvm/ADT/ArrayRef.h"

namespace qopt::numerics {

/// Positions of a window from which on each of its rows is added by itself, then
/// the rows. One sum of n equal values is off by up to n/2 units in its last
/// place (a page's background under a global average: 1e-4 at 120x120); rows and
/// rows of rows by the sum of their extents. Windows of layers inside of networks
/// stay below.
constexpr int64_t kLeastSummedByRows = 1024;

/// Whether a window of floats is added row by row, a row being its last
/// dimension.
inline bool isSummedByRows(llvm::ArrayRef<int64_t> kernel) {
  int64_t positions = 1;
  for (int64_t extent : kernel)
    positions *= extent;
  return kernel.size() > 1 && positions >= kLeastSummedByRows;
}

} // namespace qopt::numerics

#endif // QOPT_NUMERICS_WINDOWSUMS_H
