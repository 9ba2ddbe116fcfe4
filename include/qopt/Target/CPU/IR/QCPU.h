//===- QCPU.h - Kernels of the CPU target as ops --------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The private dialect between kernel selection (tensors) and kernel lowering
// (memrefs).
//===----------------------------------------------------------------------===//
#ifndef QOPT_TARGET_CPU_IR_QCPU_H
#define QOPT_TARGET_CPU_IR_QCPU_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "qopt/Target/CPU/IR/QCPUDialect.h.inc"
#define GET_OP_CLASSES
#include "qopt/Target/CPU/IR/QCPUOps.h.inc"

namespace qopt::qcpu {

/// `values[order[0]]`, ...; as they are without an order.
llvm::SmallVector<int64_t>
inOrder(llvm::ArrayRef<int64_t> values,
        std::optional<llvm::ArrayRef<int64_t>> order);

/// Lets one-shot bufferization treat the kernels as destination-style ops.
void registerBufferizableOpInterfaces(mlir::DialectRegistry &registry);

} // namespace qopt::qcpu

#endif // QOPT_TARGET_CPU_IR_QCPU_H
