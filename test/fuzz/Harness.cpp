//===- Harness.cpp - What fuzz targets share ------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Bounds are here: an input that is merely large is no finding.
//===----------------------------------------------------------------------===//
#include "Harness.h"
#include "qopt/Data/DataSource.h"
#include "qopt/Dialect/QG/IR/QGControl.h"
#include "qopt/InitAll.h"
#include "qopt/Pipelines/Model.h"
#include "qopt/Pipelines/Pipelines.h"
#include "qopt/Pipelines/QuantizeModel.h"
#include "qopt/Support/Files.h"
#include "qopt/Target/CPU/Emit.h"

#include "mlir/IR/Verifier.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/xxhash.h"
#include <cstdlib>

using namespace qopt;

/// Inputs of one context: types, constants and resources of all of them stay.
static constexpr unsigned kInputsOfContext = 200;
/// Of a graph that is quantized: operations, and elements of all results and
/// steps of loops together. The interpreter multiplies two of these numbers.
static constexpr int64_t kMostOps = 300, kMostElements = 1 << 13;

mlir::MLIRContext &fuzz::getContext() {
  static mlir::DialectRegistry *registry = [] {
    auto *result = new mlir::DialectRegistry;
    registerAllDialects(*result);
    registerAllPasses();
    return result;
  }();
  static std::unique_ptr<mlir::MLIRContext> context;
  static unsigned used = 0;
  if (!context || ++used % kInputsOfContext == 0) {
    context = std::make_unique<mlir::MLIRContext>(
        *registry, mlir::MLIRContext::Threading::DISABLED);
    context->getDiagEngine().registerHandler(
        [](mlir::Diagnostic &) { return mlir::success(); });
  }
  return *context;
}

namespace {
struct Scratch {
  llvm::SmallString<128> folder;
  Scratch() {
    if (llvm::sys::fs::createUniqueDirectory("qopt-fuzz", folder))
      std::abort();
  }
  ~Scratch() { llvm::sys::fs::remove_directories(folder); }
};
} // namespace

std::string fuzz::writeScratch(llvm::StringRef name, llvm::StringRef bytes) {
  static Scratch scratch;
  std::string path = (scratch.folder + "/" + name).str();
  if (!writeFile(path, bytes).ok())
    std::abort();
  return path;
}

void fuzz::expectNoDefect(const absl::Status &status) {
  if (status.ok())
    return;
  bool isDefect =
      status.code() == absl::StatusCode::kInternal ||
      getCode(withCode(status, Code::UnsupportedLowering)) == Code::Internal;
  if (!isDefect)
    return;
  printError(llvm::errs(), status);
  llvm::errs().flush();
  std::abort();
}

unsigned fuzz::hashInput(llvm::StringRef bytes) {
  return unsigned(llvm::xxh3_64bits(bytes));
}

static bool isSmall(mlir::ModuleOp module) {
  int64_t ops = 0, elements = 0;
  module.walk([&](mlir::Operation *op) {
    ++ops;
    if (auto loop = llvm::dyn_cast<qg::LoopOp>(op))
      elements += std::clamp<int64_t>(loop.getCount(), 0, kMostElements + 1) *
                  kMostElements / 64;
    for (mlir::Value result : op->getResults())
      if (auto type = llvm::dyn_cast<mlir::RankedTensorType>(result.getType());
          type && type.hasStaticShape())
        elements += std::min<int64_t>(type.getNumElements(), kMostElements);
  });
  return ops <= kMostOps && elements <= kMostElements;
}

/// One sample of made-up values.
static absl::StatusOr<SampleSet> makeSamples(mlir::ModuleOp module) {
  QOPT_ASSIGN(ModelInterface interface, getInterface(module));
  llvm::SmallVector<Tensor> sample;
  for (const TensorSpec &spec : interface.inputs) {
    QOPT_ASSIGN(Tensor array, makeArray("random:normal", spec));
    sample.push_back(std::move(array));
  }
  SampleSet samples;
  samples.count = 1;
  samples.source = [sample](int64_t index)
      -> absl::StatusOr<std::optional<llvm::SmallVector<Tensor>>> {
    if (index > 0)
      return std::nullopt;
    return sample;
  };
  return samples;
}

static absl::Status quantizeAndLower(mlir::OwningOpRef<mlir::ModuleOp> module,
                                     llvm::StringRef scheme) {
  Recipe recipe = Recipe::ofScheme(scheme);
  QuantizeInputs inputs;
  inputs.engine = Engine::Reference;
  if (recipe.needsProfile()) {
    QOPT_ASSIGN(inputs.samples, makeSamples(*module));
  }
  QOPT_ASSIGN(QuantizedModel model,
              quantizeModel(std::move(module), recipe, inputs));
  QOPT_RETURN_IF_ERROR(lower(*model.quantized));
  if (mlir::failed(mlir::verify(*model.quantized)))
    return Error(Code::Internal, "lowering left a graph that does not verify");
  CPUOptions options;
  options.jobs = 1;
  return checkForCPU(*model.quantized, options);
}

void fuzz::runGraph(mlir::OwningOpRef<mlir::ModuleOp> module, unsigned choice) {
  if (auto interface = getInterface(*module); !interface.ok())
    return expectNoDefect(interface.status());
  if (absl::Status status = prepare(*module); !status.ok())
    return expectNoDefect(status);
  static constexpr const char *kSchemes[] = {"float", "w8a8-dyn", "w8a8",
                                             "w4a8-dyn"};
  // What comes before is where most findings are, and ten times as fast.
  if (choice % 4 == 0 && isSmall(*module))
    expectNoDefect(
        quantizeAndLower(std::move(module), kSchemes[choice / 4 % 4]));
}
