//===- RoundTables.h - Embedding tables in few bits -----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A table of which rows are picked is no weight of a product: it is stored in
// integers with a scale for each row, and decoded where a row is read.
//===----------------------------------------------------------------------===//
#ifndef QOPT_ASSIGNMENT_ROUNDTABLES_H
#define QOPT_ASSIGNMENT_ROUNDTABLES_H

#include "mlir/IR/BuiltinOps.h"
#include <string>

namespace qopt {

/// Whether an op picks rows of a large f32 constant.
bool readsTable(mlir::Operation *op);

/// Why an op reads a table of floats after `roundTables`; empty for one that
/// reads none. `roundsTables`: it was called.
std::string getReasonAgainstTable(mlir::Operation *op, bool roundsTables);

/// What became of the tables of a model.
struct RoundedTables {
  int64_t count = 0;
  int64_t bytesBefore = 0, bytesAfter = 0;
};

/// Rounds every table to 8 bits, or to 4 where the `qg.weights` of its reader
/// says so; f32 there keeps it. Tables that are not finite stay as they are.
RoundedTables roundTables(mlir::ModuleOp module);

} // namespace qopt

#endif // QOPT_ASSIGNMENT_ROUNDTABLES_H
