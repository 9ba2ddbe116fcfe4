//===- Pipelines.cpp - The order of passes --------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Pipelines are text, so that `qopt-opt --pass-pipeline` repeats them.
//===----------------------------------------------------------------------===//
#include "qopt/Pipelines/Pipelines.h"
#include "qopt/Pipelines/Model.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"

using namespace qopt;

// Reasons for the order:
//  - composite ops first: what follows knows their parts;
//  - what is stored in integers, while the arithmetic that says so is there;
//  - constants next: shapes and weights computed in the graph become plain,
//    so that every later pattern sees them;
//  - then transposes: a normalization is next to its convolution only when the
//    layout change between them is gone, and a transposed weight is a constant;
//  - arithmetic before normalization: mul and add by constants become the one
//    form that folds into a linear op;
//  - bias last, because folding a normalization makes one;
//  - then constants once more, and what the others left without users.
static constexpr const char *kPrepare =
    "func.func(qg-decompose-composites,qg-recognize-grids,qg-fold-constants,"
    "canonicalize,cse,"
    "qg-propagate-transposes,canonicalize,cse,qg-fold-constants,"
    "qg-simplify-arithmetic,qg-fold-batch-norm,qg-fuse-bias,"
    "qg-fuse-matmul-transpose,qg-fold-constants,canonicalize,cse)";

absl::Status qopt::runPipeline(mlir::ModuleOp module,
                               llvm::StringRef pipeline) {
  mlir::PassManager manager(module.getContext(),
                            mlir::ModuleOp::getOperationName());
  std::string problem;
  llvm::raw_string_ostream os(problem);
  std::string text = ("builtin.module(" + pipeline + ")").str();
  if (mlir::failed(mlir::parsePassPipeline(pipeline, manager, os)))
    return Error(Code::Internal, "pipeline '" + text + "': " + problem);
  return runWithDiagnostics(module.getContext(), Code::UnsupportedLowering,
                            [&] { return manager.run(module); });
}

absl::Status qopt::prepare(mlir::ModuleOp module) {
  return runPipeline(module, kPrepare);
}

static void addPasses(mlir::OpPassManager &pm, llvm::StringRef text) {
  [[maybe_unused]] auto parsed = mlir::parsePassPipeline(text, pm);
  assert(mlir::succeeded(parsed) && "the text is of registered passes");
}

namespace {
struct AssignOptions : mlir::PassPipelineOptions<AssignOptions> {
  Option<std::string> preActivation{
      *this, "pre-activation",
      llvm::cl::desc("format between a layer and its activation"),
      llvm::cl::init("f32")};
  Option<std::string> weightFormat{*this, "weight-format",
                                   llvm::cl::desc("format of weights"),
                                   llvm::cl::init("si8")};
};
struct FoldOptions : mlir::PassPipelineOptions<FoldOptions> {
  Option<bool> verify{*this, "verify",
                      llvm::cl::desc("prove that accumulators are wide enough"),
                      llvm::cl::init(false)};
  Option<bool> wide{*this, "wide",
                    llvm::cl::desc("quantized ops on 9 to 16 bits as well"),
                    llvm::cl::init(false)};
};
} // namespace

void qopt::registerPipelines() {
  mlir::PassPipelineRegistration<AssignOptions>(
      "qopt-assign", "Formats of tensors, decided and applied",
      [](mlir::OpPassManager &pm, const AssignOptions &options) {
        addPasses(pm, "func.func(qg-assign-formats{pre-activation=" +
                          options.preActivation + " weight-format=" +
                          options.weightFormat + "},qg-apply-formats)");
      });
  mlir::PassPipelineRegistration<FoldOptions>(
      "qopt-fold", "Float ops between encodings to quantized ops",
      [](mlir::OpPassManager &pm, const FoldOptions &options) {
        std::string wide = options.wide ? "{wide=true}" : "";
        addPasses(pm, "func.func(qg-fold-qdq" + wide + ",canonicalize,cse" +
                          (options.verify ? ",qg-verify-assignment)" : ")"));
      });
  mlir::PassPipelineRegistration<>(
      "qopt-prepare", "Constants, layout, folded normalization of floats",
      [](mlir::OpPassManager &pm) { addPasses(pm, kPrepare); });
}
