//===- LowerToIntegers.cpp - The way from encodings to integers -----------===//
// SPDX-License-Identifier: Apache-2.0
//
// Interface first: what the caller keeps is no part of the lowered graph.
//===----------------------------------------------------------------------===//
#include "qopt/Target/Integer/LowerToIntegers.h"
#include "qopt/Conversion/Passes.h"
#include "qopt/Conversion/QGToFXP.h"
#include "qopt/Dialect/QG/IR/QGComposite.h"
#include "qopt/Dialect/QG/IR/QGControl.h"
#include "qopt/Support/Module.h"
#include "qopt/Transforms/Passes.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace qopt;

bool qopt::hasEncodings(ModuleOp module) {
  return module
      .walk([](Operation *op) {
        auto isEncoded = [](Type type) {
          auto tensor = dyn_cast<RankedTensorType>(type);
          return tensor && qg::getQuantizedType(tensor.getElementType());
        };
        return llvm::any_of(op->getResultTypes(), isEncoded) ||
                       llvm::any_of(op->getOperandTypes(), isEncoded)
                   ? WalkResult::interrupt()
                   : WalkResult::advance();
      })
      .wasInterrupted();
}

static bool hasComposites(ModuleOp module) {
  return module
      .walk([](CompositeOpInterface) { return WalkResult::interrupt(); })
      .wasInterrupted();
}

void qopt::setRequantizeMode(ModuleOp module, StringRef mode) {
  if (mode == "f32")
    module->removeAttr(kRequantizeMode);
  else
    module->setAttr(kRequantizeMode,
                    StringAttr::get(module.getContext(), mode));
}

/// Graphs that no preparation has seen may still be composed.
static void buildParts(OpPassManager &pm) {
  pm.addNestedPass<func::FuncOp>(createDecomposeComposites());
}

static void buildLower(OpPassManager &pm, StringRef requantize,
                       bool integerOnly) {
  buildParts(pm);
  ConvertStepsToThresholdsOptions steps;
  steps.requantizeMode = requantize.str();
  steps.integerOnly = integerOnly;
  pm.addPass(createConvertStepsToThresholds(steps));
  // No floats are there to add a bias to: steps have theirs, the others are
  // rounded, as finely as bytes allow.
  if (integerOnly) {
    pm.addNestedPass<func::FuncOp>(createFuseBias());
    pm.addNestedPass<func::FuncOp>(createRefineBiases());
  }
  ConvertQGToFXPOptions options;
  options.requantizeMode = requantize.str();
  options.integerOnly = integerOnly;
  pm.addPass(createConvertQGToFXP(options));
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

/// Loops that are recurrent layers have an integer form where nothing stays
/// float; the encodings of their results then meet those of their readers.
static void buildRecurrent(OpPassManager &pm, StringRef requantize) {
  ConvertLoopsToRecurrentOptions options;
  options.requantizeMode = requantize.str();
  pm.addPass(createConvertLoopsToRecurrent(options));
  pm.addNestedPass<func::FuncOp>(createFoldQDQ());
  pm.addNestedPass<func::FuncOp>(createCanonicalizerPass());
}

static bool hasLoops(ModuleOp module) {
  return module
      .walk([](qg::LoopOp) { return WalkResult::interrupt(); })
      .wasInterrupted();
}

static void buildInterface(OpPassManager &pm, bool dropsHead,
                           bool keepsInputs) {
  QuantizeInterfaceOptions options;
  options.dropHead = dropsHead;
  options.integerHeads = !dropsHead;
  options.keepInputs = keepsInputs;
  pm.addNestedPass<func::FuncOp>(createQuantizeInterface(options));
}

static absl::Status run(ModuleOp module,
                        llvm::function_ref<void(OpPassManager &)> build) {
  PassManager manager(module.getContext(), ModuleOp::getOperationName());
  build(manager);
  return runWithDiagnostics(module.getContext(), Code::UnsupportedLowering,
                            [&] { return manager.run(module); });
}

/// A graph that is run as it came: nobody has said yet what reads its groups.
static bool dequantizesGroups(ModuleOp module) {
  return module
      .walk([](qg::DequantizeOp op) {
        qg::QuantizedType type = qg::getQuantizedType(op.getX().getType());
        return type.getGroupSize() ? WalkResult::interrupt()
                                   : WalkResult::advance();
      })
      .wasInterrupted();
}

absl::Status qopt::lower(ModuleOp module, StringRef requantize,
                         bool integerOnly) {
  if (!hasEncodings(module))
    return hasComposites(module) ? run(module, buildParts) : absl::OkStatus();
  if (dequantizesGroups(module))
    QOPT_RETURN_IF_ERROR(run(module, [](OpPassManager &pm) {
      pm.addNestedPass<func::FuncOp>(createUseStoredWeights());
    }));
  return run(module, [&](OpPassManager &pm) {
    buildLower(pm, requantize, integerOnly);
  });
}

absl::Status qopt::setIntegerInterface(ModuleOp module,
                                       const IntegerInterface &interface) {
  return run(module, [&](OpPassManager &pm) {
    if (hasLoops(module))
      buildRecurrent(pm, interface.requantize);
    buildInterface(pm, interface.dropsHead, interface.keepsInputs);
  });
}

absl::Status qopt::lowerToIntegers(ModuleOp module,
                                   const IntegerInterface &interface) {
  QOPT_RETURN_IF_ERROR(setIntegerInterface(module, interface));
  return lower(module, interface.requantize, /*integerOnly=*/true);
}

namespace {
struct LowerOptions : PassPipelineOptions<LowerOptions> {
  Option<std::string> requantize{
      *this, "requantize-mode",
      llvm::cl::desc("rounding of accumulators where the graph stores none"),
      llvm::cl::init("f32")};
  Option<bool> integerOnly{*this, "integer-only",
                           llvm::cl::desc("float heads in integers"),
                           llvm::cl::init(false)};
};
struct LowerToIntegersOptions : PassPipelineOptions<LowerToIntegersOptions> {
  Option<std::string> requantize{
      *this, "requantize-mode",
      llvm::cl::desc("rounding of accumulators where the graph stores none"),
      llvm::cl::init("fixed:31")};
  Option<bool> dropsHead{*this, "drop-head",
                         llvm::cl::desc("leave float heads to the caller"),
                         llvm::cl::init(false)};
  Option<bool> keepsInputs{*this, "keep-inputs",
                           llvm::cl::desc("leave inputs as the model has them"),
                           llvm::cl::init(false)};
};
} // namespace

void qopt::registerIntegerPipelines() {
  PassPipelineRegistration<LowerOptions>(
      "qopt-lower", "Quantized graph to exact integer ops",
      [](OpPassManager &pm, const LowerOptions &options) {
        buildLower(pm, options.requantize, options.integerOnly);
      });
  PassPipelineRegistration<LowerToIntegersOptions>(
      "qopt-lower-to-integers",
      "Quantized graph to exact integer ops between integers",
      [](OpPassManager &pm, const LowerToIntegersOptions &options) {
        ConvertLoopsToRecurrentOptions recurrent;
        recurrent.requantizeMode = options.requantize;
        pm.addPass(createConvertLoopsToRecurrent(recurrent));
        buildInterface(pm, options.dropsHead, options.keepsInputs);
        buildLower(pm, options.requantize, /*integerOnly=*/true);
      });
}
