//===- StoredConstants.h - Constants that stay where they lie -------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Between attributes and arrays in files, without a copy.
//===----------------------------------------------------------------------===//
#ifndef QOPT_DIALECT_QG_IR_STOREDCONSTANTS_H
#define QOPT_DIALECT_QG_IR_STOREDCONSTANTS_H

#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Support/FileMemory.h"

namespace qopt::qg {

/// getTensor of what may lie in a file: it stays there.
mlir::FailureOr<StoredArray> getStoredArray(mlir::ElementsAttr attr,
                                            mlir::Type type);

/// The attribute of getElementsAttr(array.load(), ...), on the same file.
mlir::ElementsAttr getElementsAttr(const StoredArray &array,
                                   mlir::RankedTensorType type,
                                   llvm::StringRef hint = "c");

} // namespace qopt::qg

#endif // QOPT_DIALECT_QG_IR_STOREDCONSTANTS_H
