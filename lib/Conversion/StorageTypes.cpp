//===- StorageTypes.cpp - Drive the lowerings to linalg -------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Encodings and signedness leave the types here; patterns read them from the
// ops that they replace.
//===----------------------------------------------------------------------===//
#include "qopt/Conversion/ToLinalg.h"
#include "qopt/Dialect/FXP/IR/FXP.h"
#include "qopt/Dialect/QG/IR/QG.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/Transforms/FuncConversions.h"
#include "mlir/Pass/Pass.h"

namespace qopt {
#include "qopt/Conversion/ConvertFXPToLinalg.h.inc"
#include "qopt/Conversion/ConvertQGToLinalg.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

StorageTypeConverter::StorageTypeConverter() {
  addConversion([](Type type) { return type; });
  addConversion([](RankedTensorType type) -> Type {
    return qg::getStorageTensorType(type);
  });
  auto materialize = [](OpBuilder &builder, Type type, ValueRange inputs,
                        Location loc) -> Value {
    return UnrealizedConversionCastOp::create(builder, loc, type, inputs)
        .getResult(0);
  };
  addSourceMaterialization(materialize);
  addTargetMaterialization(materialize);
}

LogicalResult qopt::convertToLinalg(ModuleOp module,
                                    const StorageTypeConverter &converter,
                                    RewritePatternSet patterns,
                                    ArrayRef<StringRef> illegal) {
  MLIRContext *context = module.getContext();
  ConversionTarget target(*context);
  target.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
  for (StringRef dialect : illegal)
    target.addIllegalDialect(dialect);
  target.addDynamicallyLegalOp<func::FuncOp>([&](func::FuncOp op) {
    return converter.isSignatureLegal(op.getFunctionType());
  });
  target.addDynamicallyLegalOp<func::ReturnOp, func::CallOp>(
      [&](Operation *op) { return converter.isLegal(op); });
  populateFunctionOpInterfaceTypeConversionPattern<func::FuncOp>(patterns,
                                                                 converter);
  populateReturnOpTypeConversionPattern(patterns, converter);
  populateCallOpTypeConversionPattern(patterns, converter);
  return applyPartialConversion(module, target, std::move(patterns));
}

namespace {
struct ConvertQGToLinalg
    : qopt::impl::ConvertQGToLinalgBase<ConvertQGToLinalg> {
  void runOnOperation() override {
    StorageTypeConverter converter;
    RewritePatternSet patterns(&getContext());
    populateQGToLinalgPatterns(converter, patterns);
    if (failed(convertToLinalg(getOperation(), converter, std::move(patterns),
                               {"qg"})))
      signalPassFailure();
  }
};

struct ConvertFXPToLinalg
    : qopt::impl::ConvertFXPToLinalgBase<ConvertFXPToLinalg> {
  void runOnOperation() override {
    StorageTypeConverter converter;
    RewritePatternSet patterns(&getContext());
    populateFXPToLinalgPatterns(converter, patterns);
    if (failed(convertToLinalg(getOperation(), converter, std::move(patterns),
                               {"fxp"})))
      signalPassFailure();
  }
};
} // namespace
