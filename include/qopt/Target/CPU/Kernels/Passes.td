//===- Passes.td - Passes of the CPU kernels ------------------------------===//
// SPDX-License-Identifier: Apache-2.0
#ifndef QOPT_TARGET_CPU_KERNELS_PASSES_TD
#define QOPT_TARGET_CPU_KERNELS_PASSES_TD

include "mlir/Pass/PassBase.td"

def SelectKernels : Pass<"qcpu-select-kernels", "::mlir::ModuleOp"> {
  let summary = "Replace products by packed kernels";
  let description = [{
    Turns `fxp.conv`, `fxp.matmul` (and `qg.conv`, `qg.matmul` in f32) whose
    weights are constant, together with the graph of elementwise ops that
    follows (also a residual that joins it), into `qcpu` kernels for the dot product of the target. Weights are
    packed and zero points folded at compile time. Products of two values that
    are known at run time are the same kernels behind a `qcpu.pack`, which, like
    the kernel, reads and writes through the transposes around it. What it does
    not take is left to linalg.

    {{example test/Target/CPU/kernel-select.mlir}}
  }];
  let options = [
    Option<"triple", "triple", "std::string", "\"x86_64-unknown-linux-gnu\"",
           "target triple">,
    Option<"features", "features", "std::string", "\"\"",
           "LLVM target features, as in +avx2,+fma">
  ];
  let dependentDialects = ["::qopt::qcpu::QCPUDialect",
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::math::MathDialect", "::mlir::tensor::TensorDialect"];
}

def LowerKernels : Pass<"qcpu-lower-kernels", "::mlir::ModuleOp"> {
  let summary = "Expand kernels on memrefs into loops, vectors and intrinsics";
  let description = [{
    Emits each kernel as one or two loops marked `qopt.parallel`, whose
    iterations are independent tasks, over register tiles.

    {{example test/Target/CPU/kernel-lower.mlir}}
  }];
  let options = [
    Option<"triple", "triple", "std::string", "\"x86_64-unknown-linux-gnu\"",
           "target triple">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect",
    "::mlir::LLVM::LLVMDialect", "::mlir::math::MathDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
    "::mlir::vector::VectorDialect"];
}

#endif // QOPT_TARGET_CPU_KERNELS_PASSES_TD
