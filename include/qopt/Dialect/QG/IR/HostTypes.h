//===- HostTypes.h - Element types that a caller sees ---------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The integer form is signless and keeps encodings as attributes; arrays of
// the caller have a sign. Every reader of an interface asks here.
//===----------------------------------------------------------------------===//
#ifndef QOPT_DIALECT_QG_IR_HOSTTYPES_H
#define QOPT_DIALECT_QG_IR_HOSTTYPES_H

#include "qopt/Dialect/QG/IR/QG.h"

namespace qopt::qg {

/// What an argument or result of @main with these attributes stands for:
/// `qg.encoding` where its integers are as wide as the signless ones of the
/// tensor, else null. `attributes` may be null.
QuantizedType getHostEncoding(mlir::RankedTensorType tensor,
                              mlir::DictionaryAttr attributes);

/// The element type of its array; nullopt where no array has it.
std::optional<DType> getHostType(mlir::RankedTensorType tensor,
                                 mlir::DictionaryAttr attributes);

} // namespace qopt::qg

#endif // QOPT_DIALECT_QG_IR_HOSTTYPES_H
