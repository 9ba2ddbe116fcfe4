//===- Compile.cpp - qg and fxp to an object file -------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The order of passes of the CPU target, and the errors of its door.
//===----------------------------------------------------------------------===//
#include "LowerToLLVM.h"
#include "Program.h"
#include "qopt/Dialect/FXP/IR/FXP.h"
#include "qopt/Machine/KernelTarget.h"
#include "qopt/Target/CPU/Pipelines.h"
#include "qopt/Target/CPU/Storage.h"

#include "absl/strings/str_cat.h"
#include "mlir/Dialect/Arith/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Linalg/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/SCF/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Tensor/IR/TensorTilingInterfaceImpl.h"
#include "mlir/Dialect/Tensor/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Vector/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/MC/MCSubtargetInfo.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/Transforms/SubsetInsertionOpInterfaceImpl.h"

using namespace mlir;
using namespace qopt;

void qopt::registerCPUTarget(DialectRegistry &registry) {
  arith::registerBufferizableOpInterfaceExternalModels(registry);
  linalg::registerBufferizableOpInterfaceExternalModels(registry);
  scf::registerBufferizableOpInterfaceExternalModels(registry);
  tensor::registerBufferizableOpInterfaceExternalModels(registry);
  tensor::registerSubsetOpInterfaceExternalModels(registry);
  vector::registerBufferizableOpInterfaceExternalModels(registry);
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
}

static bool isIdentifier(StringRef name) {
  return !name.empty() && !llvm::isDigit(name.front()) &&
         llvm::all_of(name,
                      [](char c) { return llvm::isAlnum(c) || c == '_'; });
}

namespace {
/// The first error that a pass reports, for the status.
struct ErrorCollector {
  std::string text;
  ScopedDiagnosticHandler handler;
  explicit ErrorCollector(MLIRContext *context)
      : handler(context, [this](Diagnostic &diagnostic) {
          if (diagnostic.getSeverity() != DiagnosticSeverity::Error)
            return failure();
          if (text.empty())
            text = diagnostic.str();
          return success();
        }) {}
};

/// Step functions in MLIR and what calls them.
struct Lowered {
  OwningOpRef<ModuleOp> module;
  StepProgram program;
  std::unique_ptr<llvm::TargetMachine> machine;
};

/// The whole model as one module, for those who read it.
struct Built {
  std::unique_ptr<llvm::LLVMContext> context;
  std::unique_ptr<llvm::Module> module;
  std::unique_ptr<llvm::TargetMachine> machine;
};
} // namespace

/// All features that the CPU and the options turn on: what kernels choose by.
static std::string getFeatures(const llvm::TargetMachine &machine) {
  std::string features;
  for (const llvm::SubtargetFeatureKV &feature :
       machine.getMCSubtargetInfo()->getEnabledProcessorFeatures())
    absl::StrAppend(&features, features.empty() ? "+" : ",+", feature.Key);
  return features;
}

static CPUPipelineOptions describe(const llvm::TargetMachine &machine) {
  return {machine.getTargetTriple().str(), getFeatures(machine)};
}

absl::StatusOr<CPUPipelineOptions>
qopt::getPipelineOptions(const CPUOptions &options) {
  auto machine = createMachine(options);
  if (!machine.ok())
    return machine.status();
  return describe(**machine);
}

static absl::Status lowerToSteps(ModuleOp module, const CPUOptions &options,
                                 const llvm::TargetMachine &machine) {
  ErrorCollector errors(module.getContext());
  PassManager pm(module.getContext(), ModuleOp::getOperationName());
  CPUPipelineOptions pipeline = describe(machine);
  pipeline.useKernels = options.useKernels;
  buildCPU(pm, pipeline);
  if (failed(pm.run(module)))
    return absl::UnimplementedError(
        errors.text.empty() ? "a pass of the CPU target failed" : errors.text);
  return absl::OkStatus();
}

static absl::StatusOr<Lowered> lower(ModuleOp original,
                                     const CPUOptions &options) {
  if (!isIdentifier(options.symbol))
    return absl::InvalidArgumentError(absl::StrCat(
        "expects a C identifier as symbol, got '", options.symbol, "'"));
  Lowered lowered;
  auto machine = createMachine(options);
  if (!machine.ok())
    return machine.status();
  lowered.machine = std::move(*machine);
  std::string triple = lowered.machine->getTargetTriple().str();
  auto info = describeInterface(original, options.returnsLengths);
  if (!info.ok())
    return info.status();
  info->target =
      absl::StrCat(triple, " ", lowered.machine->getTargetCPU().str());
  info->machine = recordMachine(*lowered.machine->getMCSubtargetInfo());
  info->hasExactFloat =
      getKernelTarget(triple, getFeatures(*lowered.machine)).real.name == "fma";

  MLIRContext *context = original.getContext();
  DialectRegistry registry;
  registerCPUTarget(registry);
  context->appendDialectRegistry(registry);
  context->loadDialect<math::MathDialect>();
  lowered.module = original.clone();
  if (absl::Status status =
          lowerToSteps(*lowered.module, options, *lowered.machine);
      !status.ok())
    return status;
  auto program = takeProgram(*lowered.module, std::move(*info));
  if (!program.ok())
    return program.status();
  lowered.program = std::move(*program);
  lowered.program.embedsWeights =
      options.weights == WeightsPlace::Object ||
      (options.weights == WeightsPlace::Auto &&
       lowered.program.weights->size() <= kMostEmbeddedBytes);
  return lowered;
}

absl::Status qopt::checkForCPU(ModuleOp module, const CPUOptions &options) {
  return lower(module, options).status();
}

absl::StatusOr<StoredBytes> qopt::measureStorage(ModuleOp module,
                                                 const CPUOptions &options) {
  auto lowered = lower(module, options);
  if (!lowered.ok())
    return lowered.status();
  const StepProgram &program = lowered->program;
  StoredBytes stored;
  stored.total = program.weights->size();
  for (auto [layer, bytes] :
       llvm::zip_equal(program.info.layers, program.layerBytes))
    stored.layers[layer] += bytes;
  return stored;
}

void qopt::setTarget(llvm::Module &module, llvm::TargetMachine &machine) {
  module.setTargetTriple(machine.getTargetTriple());
  module.setDataLayout(machine.createDataLayout());
  for (llvm::Function &function : module) {
    if (function.isDeclaration())
      continue;
    // Inlined steps are one large function, and compiled once per use.
    if (!function.hasExternalLinkage() || function.hasHiddenVisibility())
      function.addFnAttr(llvm::Attribute::NoInline);
    function.addFnAttr("target-cpu", machine.getTargetCPU());
    function.addFnAttr("target-features", machine.getTargetFeatureString());
    function.addFnAttr(llvm::Attribute::NoUnwind);
  }
}

/// One LLVM module of everything. The program of `lowered` stays.
static absl::StatusOr<Built> buildModule(absl::StatusOr<Lowered> &lowered,
                                         ModuleOp original,
                                         const CPUOptions &options) {
  if (!lowered.ok())
    return lowered.status();
  ErrorCollector errors(original.getContext());
  if (failed(lowerToLLVM(*lowered->module,
                         lowered->machine->getPointerSizeInBits(0))))
    return absl::InternalError(
        absl::StrCat("lowering to LLVM failed: ", errors.text));
  Built built;
  built.context = std::make_unique<llvm::LLVMContext>();
  built.module =
      translateModuleToLLVMIR(*lowered->module, *built.context, options.symbol);
  if (!built.module)
    return absl::InternalError(
        absl::StrCat("translation to LLVM IR failed: ", errors.text));
  for (llvm::Function &function : *built.module)
    if (!function.isDeclaration())
      function.setLinkage(llvm::GlobalValue::InternalLinkage);
  built.machine = std::move(lowered->machine);
  setTarget(*built.module, *built.machine);
  emitEntryPoints(*built.module, lowered->program, options.symbol);
  setTarget(*built.module, *built.machine);
  optimize(*built.module, *built.machine, options.optLevel);
  if (built.machine->getPointerSizeInBits(0) == 32)
    if (absl::Status status = addSoftArithmetic(*built.module, *built.machine);
        !status.ok())
      return status;
  return built;
}

static absl::StatusOr<Built> build(ModuleOp original,
                                   const CPUOptions &options) {
  auto lowered = lower(original, options);
  return buildModule(lowered, original, options);
}

/// Small models for small machines: in one piece.
static absl::StatusOr<std::string>
compileWhole(absl::StatusOr<Lowered> &lowered, ModuleOp original,
             const CPUOptions &options) {
  auto built = buildModule(lowered, original, options);
  if (!built.ok())
    return built.status();
  return emitPart(*built->module, *built->machine);
}

/// Code reaches its weights by addresses of 32 bits, with a sign.
static absl::Status checkEmbedded(const StepProgram &program) {
  constexpr uint64_t kMost = uint64_t(1) << 31;
  if (!program.embedsWeights || program.weights->size() < kMost)
    return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("expects less than 2 GiB of weights in an object, got ",
                   program.weights->size(), " bytes; put them into a file"));
}

absl::StatusOr<CompiledModel> qopt::compileForCPU(ModuleOp module,
                                                  const CPUOptions &options) {
  auto lowered = lower(module, options);
  if (!lowered.ok())
    return lowered.status();
  if (absl::Status status = checkEmbedded(lowered->program); !status.ok())
    return status;
  bool isSmall = lowered->machine->getPointerSizeInBits(0) != 64;
  auto object = isSmall
                    ? compileWhole(lowered, module, options)
                    : compileParts(*lowered->module, lowered->program, options);
  if (!object.ok())
    return object.status();
  if (absl::Status status = checkSymbols(*object); !status.ok())
    return status;
  CompiledModel model;
  model.object = std::move(*object);
  model.symbol = options.symbol;
  if (!lowered->program.embedsWeights) {
    model.weights = lowered->program.weights;
    lowered->program.info.weightsId = model.weights->getId();
  }
  model.header = emitHeader(lowered->program.info, options.symbol);
  model.info = std::move(lowered->program.info);
  return model;
}

absl::StatusOr<std::string> qopt::emitLLVMIR(ModuleOp module,
                                             const CPUOptions &options) {
  auto built = build(module, options);
  if (!built.ok())
    return built.status();
  std::string text;
  llvm::raw_string_ostream stream(text);
  built->module->print(stream, nullptr);
  return text;
}

absl::StatusOr<std::string> qopt::emitAssembly(ModuleOp module,
                                               const CPUOptions &options) {
  auto built = build(module, options);
  if (!built.ok())
    return built.status();
  return emitAssembly(*built->module, *built->machine);
}
