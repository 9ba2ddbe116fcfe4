//===- FoldRow.h - A row of a tensor to one element -----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Reductions go over 16 logical lanes, then by a fixed tree, on every machine;
// where order does not matter, several chunks are folded side by side.
//===----------------------------------------------------------------------===//
#ifndef QOPT_CONVERSION_FOLDROW_H
#define QOPT_CONVERSION_FOLDROW_H

#include "qopt/Conversion/LinalgBuilder.h"

namespace qopt {

/// Whether the order of elements can change the result, as it does that of a
/// sum of floats.
enum class FoldOrder { Fixed, Any };

/// Row `row` of the 2-d tensor `rows`, folded by `combine(acc, x)` in the type
/// of `identity`, to which narrower floats are widened. `combine` gets scalars
/// and vectors; lanes start from the identity even where a row is shorter.
mlir::Value foldRow(LinalgBuilder builder, mlir::Value rows, mlir::Value row,
                    mlir::TypedAttr identity, ScalarBody combine,
                    FoldOrder order = FoldOrder::Fixed);

} // namespace qopt

#endif // QOPT_CONVERSION_FOLDROW_H
