//===- DecodeKernel.h - Floats times weights in codes ---------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Selection and lowering of qcpu.decode_matmul.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_TARGET_CPU_KERNELS_DECODEKERNEL_H
#define QOPT_LIB_TARGET_CPU_KERNELS_DECODEKERNEL_H

#include "mlir/IR/Builders.h"
#include "qopt/Dialect/FXP/IR/FXP.h"
#include "qopt/Machine/KernelTarget.h"

namespace qopt::qcpu {

/// Replaces a product with constant weights, scales and biases by a kernel.
/// Where none has room for its blocks, the weights become floats; weights that
/// are computed are left to linalg.
void selectDecodeMatmul(fxp::DecodeMatmulOp op, const KernelTarget &target);

/// `isX86`: 16 lanes are those of AVX-512.
llvm::LogicalResult lowerDecodeMatmul(mlir::Operation *op,
                                      mlir::OpBuilder &builder, bool isX86);

} // namespace qopt::qcpu

#endif // QOPT_LIB_TARGET_CPU_KERNELS_DECODEKERNEL_H
