//===- Passes.h - Passes of the CPU kernels -------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Selection before, lowering after bufferization.
//===----------------------------------------------------------------------===//
#ifndef QOPT_TARGET_CPU_KERNELS_PASSES_H
#define QOPT_TARGET_CPU_KERNELS_PASSES_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include "qopt/Target/CPU/IR/QCPU.h"

namespace qopt::qcpu {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "qopt/Target/CPU/Kernels/Passes.h.inc"
} // namespace qopt::qcpu

#endif // QOPT_TARGET_CPU_KERNELS_PASSES_H
