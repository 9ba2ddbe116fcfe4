//===- ActivationKernel.h - Products of two activations -------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The kernels of constant weights behind a packing at run time.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_TARGET_CPU_KERNELS_ACTIVATIONKERNEL_H
#define QOPT_LIB_TARGET_CPU_KERNELS_ACTIVATIONKERNEL_H

#include "mlir/IR/Operation.h"
#include "qopt/Machine/KernelTarget.h"

namespace qopt::qcpu {

/// Replaces a matrix product, `fxp.matmul` or `qg.matmul` of f32, whose
/// right-hand factor is packed at run time, with what follows it; leaves
/// others, and those of too few rows to pay for packing, to linalg.
void selectActivations(mlir::Operation *op, const KernelTarget &target);

} // namespace qopt::qcpu

#endif // QOPT_LIB_TARGET_CPU_KERNELS_ACTIVATIONKERNEL_H
