//===- LowerToLLVM.cpp - Step functions to the LLVM dialect ---------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Every step function becomes `void (ptr..., i64 lo, i64 hi)`: all shapes are
// static, so memrefs need no descriptors at the boundary.
//===----------------------------------------------------------------------===//
#include "LowerToLLVM.h"

#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/LoweringOptions.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/Vector/Transforms/LoweringPatterns.h"
#include "mlir/Dialect/Vector/Transforms/VectorRewritePatterns.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace {
/// convert-vector-to-llvm for any width of an index: the pass has no option for
/// it, and takes 64 bits.
struct ConvertVectors : PassWrapper<ConvertVectors, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ConvertVectors)
  explicit ConvertVectors(unsigned indexBits) : indexBits(indexBits) {}

  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<LLVM::LLVMDialect>();
  }

  void runOnOperation() override {
    MLIRContext *context = &getContext();
    RewritePatternSet simplify(context);
    vector::populateVectorToVectorCanonicalizationPatterns(simplify);
    vector::populateVectorBitCastLoweringPatterns(simplify);
    vector::populateVectorBroadcastLoweringPatterns(simplify);
    vector::populateVectorShapeCastLoweringPatterns(simplify);
    vector::populateVectorInsertExtractStridedSliceTransforms(simplify);
    vector::populateVectorTransferLoweringPatterns(simplify);
    if (failed(applyPatternsGreedily(getOperation(), std::move(simplify))))
      return signalPassFailure();
    LowerToLLVMOptions options(context);
    options.overrideIndexBitwidth(indexBits);
    LLVMTypeConverter converter(context, options);
    RewritePatternSet patterns(context);
    populateVectorToLLVMConversionPatterns(converter, patterns,
                                           /*reassociateFPReductions=*/false,
                                           /*force32BitVectorIndices=*/true);
    LLVMConversionTarget target(*context);
    target.addLegalDialect<arith::ArithDialect, memref::MemRefDialect>();
    if (failed(applyPartialConversion(getOperation(), target,
                                      std::move(patterns))))
      signalPassFailure();
  }

  unsigned indexBits;
};
} // namespace

static void addPasses(OpPassManager &pm, unsigned indexBits) {
  // Views become arithmetic on strides before loops become branches.
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
    pm.addPass(std::make_unique<ConvertVectors>(indexBits));
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
  addPasses(hasParts ? pm.nest<ModuleOp>() : pm, indexBits);
  return pm.run(module);
}
