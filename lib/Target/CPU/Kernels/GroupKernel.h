//===- GroupKernel.h - Products with scales per group ---------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Selection and lowering of qcpu.group_matmul.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_TARGET_CPU_KERNELS_GROUPKERNEL_H
#define QOPT_LIB_TARGET_CPU_KERNELS_GROUPKERNEL_H

#include "mlir/IR/Builders.h"
#include "qopt/Dialect/FXP/IR/FXP.h"
#include "qopt/Machine/KernelTarget.h"

namespace qopt::qcpu {

/// Replaces a product with constant weights, scales and biases by a kernel.
/// Others are left to linalg.
void selectGroupMatmul(fxp::GroupMatmulOp op, const KernelTarget &target);

llvm::LogicalResult lowerGroupMatmul(mlir::Operation *op,
                                     mlir::OpBuilder &builder,
                                     bool roundToInt);

} // namespace qopt::qcpu

#endif // QOPT_LIB_TARGET_CPU_KERNELS_GROUPKERNEL_H
