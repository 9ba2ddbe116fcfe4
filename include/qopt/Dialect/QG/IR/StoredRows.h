//===- StoredRows.h - Rows of a stored table ------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Tables of embeddings are read row by row: what is not picked is not decoded,
// and integers of few bits share bytes.
//===----------------------------------------------------------------------===//
#ifndef QOPT_DIALECT_QG_IR_STOREDROWS_H
#define QOPT_DIALECT_QG_IR_STOREDROWS_H

#include "qopt/Dialect/QG/IR/ShapedBuilder.h"

namespace qopt::qg {

/// Integers [V, D] of 2, 4 or 8 bits; those of less than 8 are at least `low`.
struct StoredRows {
  Tensor integers;
  unsigned bits = 8;
  int64_t low = 0;
};

/// Integers of the picked rows less `zero` as f32, [indices..., D].
mlir::Value gatherRows(ShapedBuilder &b, const StoredRows &rows,
                       mlir::Value indices, int64_t zero = 0);

/// The real numbers of rows of a constant of type `type`, as a gather of the
/// first dimension picks them; null where parameters are shared by parts of
/// several rows, or are those of a table.
mlir::Value gatherDecoded(ShapedBuilder &b, const Tensor &stored,
                          mlir::RankedTensorType type, mlir::Value indices);

} // namespace qopt::qg

#endif // QOPT_DIALECT_QG_IR_STOREDROWS_H
