//===- ResultLengths.h - Results of which data decide an extent -----------===//
// SPDX-License-Identifier: Apache-2.0
//
// The result attribute `qg.length = [dimension, index of the length]` of @main
// (docs/rationale/states-and-lengths.md). Every reader of an interface asks
// here, since anybody can write a module.
//===----------------------------------------------------------------------===//
#ifndef QOPT_DIALECT_QG_IR_RESULTLENGTHS_H
#define QOPT_DIALECT_QG_IR_RESULTLENGTHS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/Error.h"

namespace qopt::qg {

constexpr llvm::StringLiteral kLengthAttr = "qg.length";

/// Of a result's dimension so many positions count as another result says.
struct ResultLength {
  size_t result;
  size_t axis;
  size_t length; ///< index of a later result, an i64 scalar
};

/// All of a function, in order of results; empty where none has the attribute.
/// Lengths are the last of its results. An error names the offender.
llvm::Expected<llvm::SmallVector<ResultLength>>
getResultLengths(mlir::func::FuncOp main);

/// How many of `count` results, the first ones, are no lengths of others.
size_t countOwnResults(llvm::ArrayRef<ResultLength> lengths, size_t count);

} // namespace qopt::qg

#endif // QOPT_DIALECT_QG_IR_RESULTLENGTHS_H
