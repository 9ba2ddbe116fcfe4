//===- Pipelines.h - The stages of the CPU target -------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Every stage is a registered pipeline: `qopt compile --emit=ir:STAGE` prints
// what `qopt-opt` makes with the pipelines up to it.
//===----------------------------------------------------------------------===//
#ifndef QOPT_TARGET_CPU_PIPELINES_H
#define QOPT_TARGET_CPU_PIPELINES_H

#include "mlir/Pass/PassManager.h"

#include <string>

namespace qopt {

/// What the passes of the CPU target know of the machine.
struct CPUPipelineOptions {
  std::string triple, features;
  /// Kernels of Target/CPU/Kernels; off: loops only (for tests).
  bool useKernels = true;

  bool isNarrow() const; ///< pointers of 32 bits
};

/// Lowered graph to kernels and the rest of it.
void buildCPUKernels(mlir::OpPassManager &pm,
                     const CPUPipelineOptions &options);
/// The rest to linalg on tensors, chains of scalar functions fused.
void buildCPULinalg(mlir::OpPassManager &pm);
/// Tensors to buffers.
void buildCPUBuffers(mlir::OpPassManager &pm);
/// Kernels to loops, buffers to offsets, steps to functions.
void buildCPUSteps(mlir::OpPassManager &pm, const CPUPipelineOptions &options);

/// All of these in their order.
void buildCPU(mlir::OpPassManager &pm, const CPUPipelineOptions &options);

/// Registers qopt-cpu-kernels, -linalg, -buffers, -steps, -llvm, and qopt-cpu:
/// all up to the step functions.
void registerCPUPipelines();

} // namespace qopt

#endif // QOPT_TARGET_CPU_PIPELINES_H
