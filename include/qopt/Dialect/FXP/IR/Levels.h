//===- Levels.h - Products whose weights are levels of a table ------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Below qg a weight is a signed byte, so that every consumer multiplies it
// without knowing formats. That its bytes come from a table stays on the
// product, for targets that hold codes instead.
//===----------------------------------------------------------------------===//
#ifndef QOPT_DIALECT_FXP_IR_LEVELS_H
#define QOPT_DIALECT_FXP_IR_LEVELS_H

#include "mlir/IR/Operation.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

namespace qopt::fxp {

/// On conv, matmul and group_matmul: each byte of the constant weight is one
/// of these signed bytes, or 0 (channels that were found dead).
inline constexpr llvm::StringLiteral kLevelsAttr = "fxp.levels";

/// Levels of the weight of a product; empty: any byte.
llvm::ArrayRef<int8_t> getLevels(mlir::Operation *product);
/// Nothing is set for empty levels.
void setLevels(mlir::Operation *product, llvm::ArrayRef<int8_t> levels);

/// On conv and matmul: the format of the weight has 5, 6 or 7 bits. Of fewer
/// the bytes themselves tell; of these they could by accident.
inline constexpr llvm::StringLiteral kWeightBitsAttr = "fxp.weight_bits";

/// 8 where nothing is said.
unsigned getWeightBits(mlir::Operation *product);
/// Nothing is set for other than 5 to 7 bits.
void setWeightBits(mlir::Operation *product, unsigned bits);

/// A table for `bytes`: 2^b of the bytes there are, in growing order (the last
/// one repeated), b at least 1. Empty if one is neither of `levels` nor 0, or
/// if b would be 8.
llvm::SmallVector<int8_t> makeTable(llvm::ArrayRef<int8_t> bytes,
                                    llvm::ArrayRef<int8_t> levels);
/// Index of a byte of the table.
int64_t getCode(llvm::ArrayRef<int8_t> table, int8_t byte);

} // namespace qopt::fxp

#endif // QOPT_DIALECT_FXP_IR_LEVELS_H
