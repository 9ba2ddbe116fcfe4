//===- TableLookup.h - Codes to bytes through a table ---------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A table of up to 128 bytes in registers where a machine shuffles bytes, in
// memory elsewhere.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_TARGET_CPU_KERNELS_TABLELOOKUP_H
#define QOPT_LIB_TARGET_CPU_KERNELS_TABLELOOKUP_H

#include "WeightCode.h"

namespace qopt::qcpu {

/// `code.table[codes]` for a vector of bytes; `weights` has the table in front.
mlir::Value lookUp(Emitter &emit, const FlatView &weights, mlir::Value codes,
                   const WeightCode &code);

} // namespace qopt::qcpu

#endif // QOPT_LIB_TARGET_CPU_KERNELS_TABLELOOKUP_H
