//===- LowerToLLVM.cpp - Step functions to the LLVM dialect ---------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Every step function becomes `void (ptr..., i64 lo, i64 hi)`: all shapes are
// static, so memrefs need no descriptors at the boundary.
//===----------------------------------------------------------------------===//
#include "LowerToLLVM.h"
#include "qopt/Target/Passes.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace qopt;

void qopt::buildLowerToLLVM(OpPassManager &pm, unsigned indexBits) {
  // Views become arithmetic on strides before loops become branches.
  pm.addPass(createFlattenViews());
  pm.addPass(memref::createFoldMemRefAliasOpsPass());
  pm.addPass(createConvertVectorToSCFPass(
      VectorTransferToSCFOptions().enableFullUnroll()));
  pm.addPass(memref::createExpandStridedMetadataPass());
  pm.addPass(createLowerAffinePass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createSCFToControlFlowPass());
  if (indexBits == 64)
    pm.addPass(createConvertVectorToLLVMPass());
  else
    pm.addPass(createVectorsToLLVM({indexBits}));
  pm.addPass(createConvertMathToLLVMPass());
  FinalizeMemRefToLLVMConversionPassOptions memref;
  ConvertIndexToLLVMPassOptions index;
  ArithToLLVMConversionPassOptions arith;
  ConvertFuncToLLVMPassOptions function;
  ConvertControlFlowToLLVMPassOptions controlFlow;
  memref.indexBitwidth = index.indexBitwidth = arith.indexBitwidth =
      function.indexBitwidth = controlFlow.indexBitwidth = indexBits;
  function.useBarePtrCallConv = true;
  pm.addPass(createFinalizeMemRefToLLVMConversionPass(memref));
  pm.addPass(createConvertIndexToLLVMPass(index));
  pm.addPass(createUBToLLVMConversionPass());
  pm.addPass(createArithToLLVMConversionPass(arith));
  pm.addPass(createConvertFuncToLLVMPass(function));
  pm.addPass(createConvertControlFlowToLLVMPass(controlFlow));
  pm.addPass(createReconcileUnrealizedCastsPass());
}

LogicalResult qopt::lowerToLLVM(ModuleOp module, unsigned indexBits) {
  PassManager pm(module.getContext(), ModuleOp::getOperationName());
  pm.enableVerifier(false);
  // Modules inside are lowered side by side.
  bool hasParts = !module.getOps<ModuleOp>().empty();
  buildLowerToLLVM(hasParts ? pm.nest<ModuleOp>() : pm, indexBits);
  return pm.run(module);
}
