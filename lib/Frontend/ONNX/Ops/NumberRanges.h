//===- NumberRanges.h - Between which numbers elements lie ----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Extents that are computed at run time need a bound; it follows from what they
// are computed of.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_FRONTEND_ONNX_OPS_NUMBERRANGES_H
#define QOPT_LIB_FRONTEND_ONNX_OPS_NUMBERRANGES_H

#include "qopt/Frontend/ONNX/GraphBuilder.h"

#include <limits>

namespace qopt::frontend {

/// Numbers from `low` to `high`. A float is NaN only where one is infinite.
struct NumberRange {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();

  bool isBounded() const;
  bool contains(double number) const { return low <= number && number <= high; }
};

/// Where an element lies, or where all of them do.
NumberRange rangeOf(GraphBuilder &b, Value value,
                    std::optional<int64_t> element = std::nullopt);

/// The same without the bounds of lengths, which may be what somebody said.
NumberRange rangeOfOps(GraphBuilder &b, Value value);

} // namespace qopt::frontend

#endif // QOPT_LIB_FRONTEND_ONNX_OPS_NUMBERRANGES_H
