//===- Pipelines.cpp - The stages of the CPU target -----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Products first, while they are ops; then everything else is a loop nest on
// tensors, which is where chains can be fused; buffers once, for all.
//===----------------------------------------------------------------------===//
#include "qopt/Target/CPU/Pipelines.h"
#include "LowerToLLVM.h"
#include "qopt/Conversion/Passes.h"
#include "qopt/Target/CPU/Kernels/Passes.h"
#include "qopt/Target/Passes.h"

#include "mlir/Transforms/Passes.h"
#include "llvm/TargetParser/Triple.h"

using namespace mlir;
using namespace qopt;

bool CPUPipelineOptions::isNarrow() const {
  return llvm::Triple(triple).isArch32Bit();
}

void qopt::buildCPUKernels(OpPassManager &pm,
                           const CPUPipelineOptions &options) {
  // Dual multiplications and MVE want both factors signed.
  if (options.isNarrow())
    pm.addNestedPass<func::FuncOp>(createHoldSigned());
  if (options.useKernels)
    pm.addPass(qcpu::createSelectKernels({options.triple, options.features}));
}

void qopt::buildCPULinalg(OpPassManager &pm) {
  pm.addPass(createConvertToLinalg());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createFuseElementwise());
}

void qopt::buildCPUBuffers(OpPassManager &pm) {
  pm.addPass(createBufferizeMain());
  pm.addPass(createVerifyResults());
}

void qopt::buildCPUSteps(OpPassManager &pm, const CPUPipelineOptions &options) {
  // No canonicalization here: a loop of one iteration is a step as well.
  pm.addPass(qcpu::createLowerKernels({options.triple}));
  pm.addPass(createPlanMemory());
  pm.addPass(createOutlineSteps());
}

static void buildCPULLVM(OpPassManager &pm, const CPUPipelineOptions &options) {
  pm.addPass(createDropMain());
  buildLowerToLLVM(pm, options.isNarrow() ? 32 : 64);
}

void qopt::buildCPU(OpPassManager &pm, const CPUPipelineOptions &options) {
  buildCPUKernels(pm, options);
  buildCPULinalg(pm);
  buildCPUBuffers(pm);
  buildCPUSteps(pm, options);
}

namespace {
struct TextOptions : PassPipelineOptions<TextOptions> {
  Option<std::string> triple{*this, "triple", llvm::cl::desc("target triple"),
                             llvm::cl::init("x86_64-unknown-linux-gnu")};
  Option<std::string> features{
      *this, "features", llvm::cl::desc("LLVM target features, as in +avx2"),
      llvm::cl::init("")};

  CPUPipelineOptions get() const { return {triple, features}; }
};
} // namespace

template <void (*build)(OpPassManager &, const CPUPipelineOptions &)>
static void registerStage(StringRef name, StringRef text) {
  PassPipelineRegistration<TextOptions>(
      name, text, [](OpPassManager &pm, const TextOptions &options) {
        build(pm, options.get());
      });
}

void qopt::registerCPUPipelines() {
  registerStage<buildCPUKernels>("qopt-cpu-kernels",
                                 "Products with constants to kernels");
  PassPipelineRegistration<>("qopt-cpu-linalg",
                             "Everything else to linalg on tensors",
                             buildCPULinalg);
  PassPipelineRegistration<>("qopt-cpu-buffers", "Tensors to buffers",
                             buildCPUBuffers);
  registerStage<buildCPUSteps>("qopt-cpu-steps",
                               "Buffers to step functions and offsets");
  registerStage<buildCPULLVM>("qopt-cpu-llvm",
                              "Step functions to the LLVM dialect");
  registerStage<buildCPU>("qopt-cpu", "Lowered graph to step functions");
}
