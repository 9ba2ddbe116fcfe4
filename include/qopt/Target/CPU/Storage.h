//===- Storage.h - Bytes of constants that an object holds ----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What a budget of bytes counts is asked here: packing, padding, tables and
// alignment are the target's affair.
//===----------------------------------------------------------------------===//
#ifndef QOPT_TARGET_CPU_STORAGE_H
#define QOPT_TARGET_CPU_STORAGE_H

#include "qopt/Target/CPU/Emit.h"

#include <map>

namespace qopt {

struct StoredBytes {
  uint64_t total = 0; ///< as ModelInfo::weightsBytes of the object
  /// Constants that a layer reads first, with their alignment, by its name:
  /// another format of one layer changes its row alone.
  std::map<std::string, uint64_t> layers;
};

/// Selects kernels and packs weights as compileForCPU does, without making
/// code. The module is not changed; errors are those of compileForCPU.
absl::StatusOr<StoredBytes> measureStorage(mlir::ModuleOp module,
                                           const CPUOptions &options);

} // namespace qopt

#endif // QOPT_TARGET_CPU_STORAGE_H
