//===- SumRange.h - Sums that products of bytes can have ------------------===//
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//
#ifndef QOPT_ANALYSIS_SUMRANGE_H
#define QOPT_ANALYSIS_SUMRANGE_H

#include "qopt/Dialect/QG/IR/QG.h"

namespace qopt {

/// Bounds of integers, inclusive.
struct SumRange {
  int64_t low, high;
};

/// Of the sums of each result channel, without bias: products of what the
/// stored input stands for and the signed bytes `weight`. Positions that are
/// skipped add zero.
llvm::SmallVector<SumRange> getSumRanges(LinearOpInterface product,
                                         const Tensor &weight);

} // namespace qopt

#endif // QOPT_ANALYSIS_SUMRANGE_H
