//===- VectorsToLLVM.cpp - Vectors where an index has 32 bits -------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Upstream's pass has no option for the width of an index.
//===----------------------------------------------------------------------===//
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/LoweringOptions.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/Transforms/LoweringPatterns.h"
#include "mlir/Dialect/Vector/Transforms/VectorRewritePatterns.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace qopt {
#include "qopt/Target/VectorsToLLVM.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

namespace {
struct VectorsToLLVM : qopt::impl::VectorsToLLVMBase<VectorsToLLVM> {
  using VectorsToLLVMBase::VectorsToLLVMBase;

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
};
} // namespace
