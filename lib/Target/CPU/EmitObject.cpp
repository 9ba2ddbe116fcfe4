//===- EmitObject.cpp - Optimized machine code ----------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// LLVM's pipeline without fast-math and without contraction, for any triple,
// and the proof that the object needs nothing but memcpy and its like.
//===----------------------------------------------------------------------===//
#include "Program.h"
#include "qopt/Target/CPU/ResolveTarget.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "llvm/Analysis/LoopInfo.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/PassInstrumentation.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Object/ObjectFile.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/SmallVectorMemoryBuffer.h"
#include "llvm/TargetParser/Host.h"

using namespace llvm;
using namespace qopt;

/// CPU and features of this machine.
static std::pair<std::string, std::string> getHost() {
  std::string features;
  for (auto &feature : sys::getHostCPUFeatures())
    absl::StrAppend(&features, features.empty() ? "" : ",",
                    feature.second ? "+" : "-", feature.first().str());
  return {sys::getHostCPUName().str(), features};
}

absl::StatusOr<std::unique_ptr<TargetMachine>>
qopt::createMachine(const CPUOptions &options) {
  initializeTargets();
  MachineProblems problems = findMachineProblems(options);
  if (!problems.problems.empty())
    return absl::InvalidArgumentError(absl::StrJoin(problems.problems, "; "));
  std::string name =
      options.triple.empty() ? sys::getDefaultTargetTriple() : options.triple;
  Triple triple(Triple::normalize(name));
  std::string error;
  const Target *target = TargetRegistry::lookupTarget(triple, error);
  std::string cpu = options.cpu, features;
  if (cpu == "native")
    std::tie(cpu, features) = getHost();
  if (!options.features.empty())
    absl::StrAppend(&features, features.empty() ? "" : ",", options.features);
  TargetOptions targetOptions;
  targetOptions.AllowFPOpFusion = FPOpFusion::Strict;
  // Plain memcpy, not its __aeabi relatives: what the interface promises.
  targetOptions.EABIVersion = EABI::GNU;
  std::unique_ptr<TargetMachine> machine(target->createTargetMachine(
      triple, cpu, features, targetOptions, Reloc::PIC_, std::nullopt,
      options.optLevel >= 2 ? CodeGenOptLevel::Default
                            : CodeGenOptLevel::Less));
  if (!machine)
    return absl::InvalidArgumentError(absl::StrCat(
        "expects a target with a code generator, got '", name, "'"));
  return machine;
}

absl::StatusOr<CPUOptions> qopt::resolveTarget(const CPUOptions &options) {
  auto machine = createMachine(options);
  if (!machine.ok())
    return machine.status();
  CPUOptions resolved = options;
  resolved.triple = (*machine)->getTargetTriple().str();
  resolved.cpu = (*machine)->getTargetCPU().str();
  resolved.features = (*machine)->getTargetFeatureString().str();
  return resolved;
}

/// The function that a pass is about to run on, if it is one's.
static const Function *getFunction(const Any &unit) {
  if (const auto *function = any_cast<const Function *>(&unit))
    return *function;
  if (const auto *loop = any_cast<const Loop *>(&unit))
    return (*loop)->getHeader()->getParent();
  return nullptr;
}

/// Kernels are written as vectors and tiles: what searches for those finds
/// nothing there, or undoes them, and takes most of the time of O3.
static bool suitsKernel(StringRef pass) {
  return is_contained({"LoopSimplifyPass", "LCSSAPass", "SROAPass",
                       "EarlyCSEPass", "InstCombinePass", "SimplifyCFGPass",
                       "LoopRotatePass", "LICMPass", "IndVarSimplifyPass",
                       "LoopDeletionPass", "ADCEPass", "VectorCombinePass",
                       "InferAlignmentPass"},
                      pass);
}

void qopt::optimize(Module &module, TargetMachine &machine, unsigned level) {
  PipelineTuningOptions tuning;
  tuning.LoopVectorization = level >= 2;
  // Straight-line code of kernels is vectors already, that of other steps is a
  // loop's body.
  tuning.SLPVectorization = false;
  tuning.LoopInterleaving = level >= 2;
  tuning.MergeFunctions = false;
  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager components;
  ModuleAnalysisManager modules;
  PassInstrumentationCallbacks callbacks;
  callbacks.registerShouldRunOptionalPassCallback([](StringRef pass, Any unit) {
    const Function *function = getFunction(unit);
    return !function || !function->hasFnAttribute(kKernelAttr) ||
           suitsKernel(pass);
  });
  PassBuilder builder(&machine, tuning, std::nullopt, &callbacks);
  // The code is free-standing: no call may be recognized as, or turned into, a
  // library function other than the three that LLVM always assumes.
  TargetLibraryInfoImpl library(machine.getTargetTriple());
  library.disableAllFunctions();
  library.setAvailable(LibFunc_memcpy);
  library.setAvailable(LibFunc_memset);
  library.setAvailable(LibFunc_memmove);
  functions.registerPass([&] { return TargetLibraryAnalysis(library); });
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  OptimizationLevel optimization = level == 0   ? OptimizationLevel::O0
                                   : level == 1 ? OptimizationLevel::O1
                                   : level == 2 ? OptimizationLevel::O2
                                                : OptimizationLevel::O3;
  ModulePassManager passes =
      level == 0 ? builder.buildO0DefaultPipeline(optimization)
                 : builder.buildPerModuleDefaultPipeline(optimization);
  passes.run(module, modules);
}

absl::StatusOr<std::vector<std::string>> qopt::findUndefined(StringRef bytes) {
  std::vector<std::string> found;
  Expected<std::unique_ptr<object::ObjectFile>> file =
      object::ObjectFile::createObjectFile(MemoryBufferRef(bytes, "model"));
  if (!file)
    return absl::InternalError(toString(file.takeError()));
  for (const object::SymbolRef &symbol : (*file)->symbols()) {
    Expected<uint32_t> flags = symbol.getFlags();
    Expected<StringRef> name = symbol.getName();
    if (!flags || !name) {
      consumeError(flags.takeError());
      consumeError(name.takeError());
      continue;
    }
    if (!(*flags & object::SymbolRef::SF_Undefined) || name->empty() ||
        *name == "_GLOBAL_OFFSET_TABLE_")
      continue;
    if (*name != "memcpy" && *name != "memset" && *name != "memmove")
      found.push_back(name->str());
  }
  return found;
}

absl::Status qopt::checkSymbols(StringRef object) {
  auto missing = findUndefined(object);
  if (!missing.ok())
    return missing.status();
  if (missing->empty())
    return absl::OkStatus();
  return absl::UnimplementedError(absl::StrCat(
      "expects an object that needs nothing but memcpy, memmove and memset, "
      "but the CPU needs routines for ",
      absl::StrJoin(*missing, ", "),
      "; choose a CPU with the missing instructions"));
}

static absl::StatusOr<std::string>
emitMachineCode(Module &module, TargetMachine &machine, CodeGenFileType type) {
  SmallVector<char, 0> bytes;
  raw_svector_ostream stream(bytes);
  legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, stream, nullptr, type))
    return absl::InvalidArgumentError(absl::StrCat(
        "the target emits no ",
        type == CodeGenFileType::ObjectFile ? "object files" : "assembly"));
  passes.run(module);
  return std::string(bytes.begin(), bytes.end());
}

absl::StatusOr<std::string> qopt::emitPart(Module &module,
                                           TargetMachine &machine) {
  return emitMachineCode(module, machine, CodeGenFileType::ObjectFile);
}

absl::StatusOr<std::string> qopt::emitAssembly(Module &module,
                                               TargetMachine &machine) {
  return emitMachineCode(module, machine, CodeGenFileType::AssemblyFile);
}
