//===- CompileParts.cpp - Step functions compiled side by side ------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Steps do not call each other, so groups of them are modules of their own.
// How many there are and what is in them depends on the model alone: objects
// are the same bytes for any number of threads.
//===----------------------------------------------------------------------===//
#include "LowerToLLVM.h"
#include "Program.h"

#include "absl/strings/str_cat.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Threading.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/Support/Parallel.h"
#include "llvm/Support/ThreadPool.h"

using namespace mlir;
using namespace qopt;

/// Operations that are worth a module, and most modules: enough to keep a dozen
/// threads busy.
static constexpr int64_t kLeastOps = 1500;
static constexpr size_t kMostParts = 24;
/// What a step costs whatever is in it, in operations: a few of them become
/// loops that LLVM vectorizes and unrolls.
static constexpr int64_t kStepOps = 200;

static SmallVector<ModuleOp> splitSteps(ModuleOp module) {
  SmallVector<std::pair<int64_t, func::FuncOp>> steps;
  int64_t total = 0;
  for (auto function : module.getOps<func::FuncOp>()) {
    int64_t ops = kStepOps;
    function.walk([&](Operation *) { ++ops; });
    steps.push_back({ops, function});
    total += ops;
  }
  size_t count = std::clamp<size_t>(total / kLeastOps, 1, kMostParts);
  llvm::stable_sort(
      steps, [](const auto &a, const auto &b) { return a.first > b.first; });
  OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
  SmallVector<ModuleOp> parts;
  SmallVector<int64_t> sizes(count, 0);
  for (size_t i = 0; i < count; ++i)
    parts.push_back(ModuleOp::create(builder, module.getLoc()));
  // Large steps first, each to the part that has least.
  for (auto [ops, function] : steps) {
    size_t least = llvm::min_element(sizes) - sizes.begin();
    sizes[least] += ops;
    function->moveBefore(parts[least].getBody(), parts[least].getBody()->end());
  }
  return parts;
}

static absl::StatusOr<std::string> compileModule(llvm::Module &module,
                                                 llvm::TargetMachine &machine,
                                                 const CPUOptions &options) {
  setTarget(module, machine);
  optimize(module, machine, options.optLevel);
  return emitPart(module, machine);
}

static absl::StatusOr<std::string> compileSteps(ModuleOp part,
                                                llvm::TargetMachine &machine,
                                                const CPUOptions &options) {
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> module =
      translateModuleToLLVMIR(part, context, "steps");
  if (!module)
    return absl::InternalError("translation to LLVM IR failed");
  for (llvm::Function &function : *module)
    if (!function.isDeclaration())
      function.setVisibility(llvm::GlobalValue::HiddenVisibility);
  return compileModule(*module, machine, options);
}

static absl::StatusOr<std::string> compileEntry(const StepProgram &program,
                                                llvm::TargetMachine &machine,
                                                const CPUOptions &options) {
  llvm::LLVMContext context;
  llvm::Module module(options.symbol, context);
  module.setTargetTriple(machine.getTargetTriple());
  module.setDataLayout(machine.createDataLayout());
  llvm::Type *ptr = llvm::PointerType::getUnqual(context);
  llvm::Type *i64 = llvm::Type::getInt64Ty(context);
  forEachCall(program.main, [&](const CallStep &step) {
    SmallVector<llvm::Type *> types;
    for (const BufferPlace &place : step.buffers)
      types.push_back(place.base == BufferPlace::Counter ? i64 : ptr);
    types.append({i64, i64});
    auto *type = llvm::FunctionType::get(llvm::Type::getVoidTy(context), types,
                                         /*isVarArg=*/false);
    auto *function = cast<llvm::Function>(
        module.getOrInsertFunction(step.function, type).getCallee());
    function->setVisibility(llvm::GlobalValue::HiddenVisibility);
  });
  emitEntryPoints(module, program, options.symbol);
  return compileModule(module, machine, options);
}

namespace {
/// A context with threads while it lives, if it had none.
class ThreadedContext {
public:
  ThreadedContext(MLIRContext *context, unsigned jobs)
      : context(context), pool(jobs ? llvm::hardware_concurrency(jobs)
                                    : llvm::parallel::strategy) {
    if (pool.getMaxConcurrency() == 1 || context->isMultithreadingEnabled())
      return;
    context->setThreadPool(pool);
    isOurs = true;
  }
  ~ThreadedContext() {
    if (isOurs)
      context->disableMultithreading();
  }

private:
  MLIRContext *context;
  llvm::DefaultThreadPool pool;
  bool isOurs = false;
};
} // namespace

absl::StatusOr<std::string> qopt::compileParts(ModuleOp module,
                                               const StepProgram &program,
                                               const CPUOptions &options) {
  SmallVector<ModuleOp> parts = splitSteps(module);
  ThreadedContext threads(module.getContext(), options.jobs);
  if (failed(lowerToLLVM(module, /*indexBits=*/64)))
    return absl::InternalError("lowering to LLVM failed");
  std::vector<absl::StatusOr<std::string>> results(parts.size() + 1);
  parallelFor(module.getContext(), 0, results.size(), [&](size_t i) {
    auto machine = createMachine(options);
    if (!machine.ok())
      results[i] = machine.status();
    else if (i == 0)
      results[i] = compileEntry(program, **machine, options);
    else
      results[i] = compileSteps(parts[i - 1], **machine, options);
  });
  std::vector<std::string> objects;
  for (absl::StatusOr<std::string> &result : results) {
    if (!result.ok())
      return result.status();
    objects.push_back(std::move(*result));
  }
  return mergeObjects(objects);
}
