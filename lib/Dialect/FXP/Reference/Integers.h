//===- Integers.h - Signless tensors as integers --------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Signedness is an attribute in fxp: operands are widened to i32 as it says.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_DIALECT_FXP_REFERENCE_INTEGERS_H
#define QOPT_LIB_DIALECT_FXP_REFERENCE_INTEGERS_H

#include "qopt/Dialect/FXP/IR/FXP.h"
#include <vector>

namespace qopt::fxp::reference {

/// Stored integers of 8, 16 or 32 bits, read as `isUnsigned` says (a host
/// array may have either dtype), minus a zero point.
std::vector<int32_t> load(const Tensor &tensor, bool isUnsigned,
                          int64_t zeroPoint = 0);

/// Those of 64 bits, or of fewer as i64.
std::vector<int64_t> loadWide(const Tensor &tensor, bool isUnsigned,
                              int64_t zeroPoint = 0);

/// The low bits of integers as a tensor of a signless type.
Tensor store(llvm::ArrayRef<int32_t> values, mlir::RankedTensorType type);

/// One or more f32 numbers of an attribute; fails with an error on `op` if its
/// bytes are missing.
mlir::FailureOr<std::vector<float>> loadScales(mlir::Operation *op,
                                               mlir::ElementsAttr attr);

/// Values in the order of `result` under NumPy broadcasting.
std::vector<int32_t> broadcast(std::vector<int32_t> values,
                               llvm::ArrayRef<int64_t> shape,
                               llvm::ArrayRef<int64_t> result);

/// Whether sums have 64 bits.
inline bool isWide(mlir::Value sums) {
  return getTensorType(sums).getElementType().isInteger(64);
}

} // namespace qopt::fxp::reference

#endif // QOPT_LIB_DIALECT_FXP_REFERENCE_INTEGERS_H
