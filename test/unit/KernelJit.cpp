//===- KernelJit.cpp - Kernels of one module, compiled and called ---------===//
// SPDX-License-Identifier: Apache-2.0
//
// Upstream passes around the two passes under test.
//===----------------------------------------------------------------------===//
#include "KernelJit.h"
#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/InitAll.h"
#include "qopt/Target/CPU/Kernels/Passes.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Bufferization/Transforms/FuncBufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/Linalg/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/Tensor/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/ExecutionEngine/OptUtils.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::test;

std::unique_ptr<MLIRContext> qopt::test::makeContext() {
  DialectRegistry registry;
  registerAllDialects(registry);
  arith::registerBufferizableOpInterfaceExternalModels(registry);
  linalg::registerBufferizableOpInterfaceExternalModels(registry);
  tensor::registerBufferizableOpInterfaceExternalModels(registry);
  bufferization::func_ext::registerBufferizableOpInterfaceExternalModels(
      registry);
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  auto context =
      std::make_unique<MLIRContext>(registry, MLIRContext::Threading::DISABLED);
  context->loadAllAvailableDialects();
  return context;
}

/// qg constants and reshapes have their own lowering in the target.
static Value createReshape(OpBuilder &b, Location loc, Value x,
                           RankedTensorType to) {
  auto from = cast<RankedTensorType>(x.getType());
  auto reassociation = getReassociationIndicesForReshape(from, to);
  if (!reassociation) {
    auto row =
        RankedTensorType::get({from.getNumElements()}, from.getElementType());
    return createReshape(b, loc, createReshape(b, loc, x, row), to);
  }
  if (from.getRank() < to.getRank())
    return tensor::ExpandShapeOp::create(b, loc, to, x, *reassociation);
  return tensor::CollapseShapeOp::create(b, loc, to, x, *reassociation);
}

static void lowerConstantsAndReshapes(ModuleOp module) {
  module.walk([](Operation *op) {
    OpBuilder b(op);
    if (auto constant = dyn_cast<qg::ConstantOp>(op)) {
      Value value =
          arith::ConstantOp::create(b, op->getLoc(), constant.getValue());
      op->getResult(0).replaceAllUsesWith(value);
      op->erase();
    } else if (auto reshape = dyn_cast<qg::ReshapeOp>(op)) {
      auto to = cast<RankedTensorType>(op->getResult(0).getType());
      op->getResult(0).replaceAllUsesWith(
          createReshape(b, op->getLoc(), reshape.getX(), to));
      op->erase();
    }
  });
}

/// Bufferization leaves allocations to their last use; here that is the end.
static void freeBuffers(ModuleOp module) {
  module.walk([](memref::AllocOp alloc) {
    OpBuilder b(alloc->getBlock()->getTerminator());
    memref::DeallocOp::create(b, alloc.getLoc(), alloc);
  });
}

static LogicalResult lowerToLLVM(ModuleOp module) {
  PassManager pm(module.getContext());
  pm.addPass(createConvertLinalgToLoopsPass());
  pm.addPass(memref::createExpandStridedMetadataPass());
  pm.addPass(createLowerAffinePass());
  pm.addPass(createSCFToControlFlowPass());
  pm.addPass(createConvertVectorToLLVMPass());
  pm.addPass(createArithToLLVMConversionPass());
  pm.addPass(createConvertMathToLLVMPass());
  pm.addPass(createFinalizeMemRefToLLVMConversionPass());
  pm.addPass(createConvertFuncToLLVMPass());
  pm.addPass(createConvertControlFlowToLLVMPass());
  pm.addPass(createUBToLLVMConversionPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
  return pm.run(module);
}

static LogicalResult lower(ModuleOp module) {
  PassManager pm(module.getContext());
  bufferization::OneShotBufferizePassOptions bufferize;
  bufferize.bufferizeFunctionBoundaries = true;
  bufferize.functionBoundaryTypeConversion =
      bufferization::LayoutMapOption::IdentityLayoutMap;
  pm.addPass(bufferization::createOneShotBufferizePass(bufferize));
  bufferization::BufferResultsToOutParamsPassOptions outParams;
  outParams.modifyPublicFunctions = true;
  outParams.hoistStaticAllocs = true;
  pm.addPass(bufferization::createBufferResultsToOutParamsPass(outParams));
  pm.addPass(qcpu::createLowerKernels());
  if (failed(pm.run(module)))
    return failure();
  freeBuffers(module);
  return lowerToLLVM(module);
}

std::unique_ptr<KernelJit> KernelJit::compile(ModuleOp module,
                                              const std::string &features) {
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  auto jit = std::make_unique<KernelJit>();
  module.walk([](func::FuncOp function) {
    function->setAttr("llvm.emit_c_interface",
                      UnitAttr::get(function.getContext()));
  });
  std::string triple = llvm::sys::getDefaultTargetTriple();
  PassManager select(module.getContext());
  qcpu::SelectKernelsOptions options;
  options.triple = triple;
  options.features = features;
  select.addPass(qcpu::createSelectKernels(options));
  if (failed(select.run(module)))
    return nullptr;
  module.walk([&](Operation *op) {
    if (!isa<qcpu::ConvOp, qcpu::DepthwiseOp, qcpu::GroupMatmulOp>(op))
      return;
    ++jit->numKernels;
    auto weight = cast<ShapedType>(op->getOperand(1).getType());
    jit->weightBytes +=
        weight.getNumElements() * weight.getElementTypeBitWidth() / 8;
  });
  lowerConstantsAndReshapes(module);
  if (failed(lower(module)))
    return nullptr;
  std::string error;
  llvm::Triple parsed(triple);
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(parsed, error);
  std::unique_ptr<llvm::TargetMachine> machine(target->createTargetMachine(
      parsed, "x86-64", features, {}, llvm::Reloc::PIC_, std::nullopt,
      llvm::CodeGenOptLevel::Default, /*JIT=*/true));
  ExecutionEngineOptions engineOptions;
  auto transformer =
      makeOptimizingTransformer(/*optLevel=*/1, /*sizeLevel=*/0, machine.get());
  engineOptions.transformer = transformer;
  engineOptions.jitCodeGenOptLevel = llvm::CodeGenOptLevel::Default;
  auto engine =
      ExecutionEngine::create(module, engineOptions, std::move(machine));
  if (!engine) {
    llvm::errs() << llvm::toString(engine.takeError()) << "\n";
    return nullptr;
  }
  jit->engine = std::move(*engine);
  return jit;
}

namespace {
/// A C memref descriptor of any rank.
struct Descriptor {
  explicit Descriptor(const char *data, ArrayRef<int64_t> shape)
      : words(3 + 2 * shape.size()) {
    words[0] = words[1] = reinterpret_cast<int64_t>(data);
    int64_t stride = 1;
    for (int64_t d = int64_t(shape.size()) - 1; d >= 0; --d) {
      words[3 + d] = shape[d];
      words[3 + shape.size() + d] = stride;
      stride *= shape[d];
    }
  }
  std::vector<int64_t> words;
};
} // namespace

void KernelJit::run(ArrayRef<Tensor> inputs, Tensor &result) {
  std::vector<Descriptor> descriptors;
  for (const Tensor &input : inputs)
    descriptors.emplace_back(input.data(), input.shape());
  descriptors.emplace_back(result.mutableData(), result.shape());
  std::vector<void *> pointers;
  for (Descriptor &descriptor : descriptors)
    pointers.push_back(descriptor.words.data());
  std::vector<void *> arguments;
  for (void *&pointer : pointers)
    arguments.push_back(&pointer);
  llvm::cantFail(engine->invokePacked("_mlir_ciface_main", arguments));
}
