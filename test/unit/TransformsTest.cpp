//===- TransformsTest.cpp - Graph cleaning keeps the function -------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Runs a network before and after each pass. Changing layouts changes no bit;
// folding into weights rounds anew, so 1e-5 of the largest result is allowed.
//===----------------------------------------------------------------------===//
#include "RunModule.h"
#include "mlir/Pass/PassManager.h"
#include "qopt/Transforms/Passes.h"
#include <cmath>

using namespace qopt;
using namespace qopt::test;

/// An NCHW network with a normalization, a gate, a residual connection,
/// upsampling, a concatenation and a classifier.
static std::string getNetwork() {
  auto constant = [](int count, double step) {
    std::string text = "dense<[";
    for (int i = 0; i < count; ++i)
      text += (i ? ", " : "") + std::to_string(std::sin(i * step) + 0.1);
    return text + "]> : tensor<" + std::to_string(count) + "xf32> -> tensor<" +
           std::to_string(count) + "xf32>";
  };
  return R"mlir(
func.func @main(%x: tensor<2x3x4x6xf32>) -> (tensor<2x5xf32>, tensor<2x4x4x6xf32>) {
  %w0 = qg.constant )mlir" +
         constant(108, 0.7) + R"mlir(
  %w = qg.reshape %w0 : tensor<108xf32> -> tensor<4x3x3x3xf32>
  %v0 = qg.constant )mlir" +
         constant(16, 1.3) + R"mlir(
  %v = qg.reshape %v0 : tensor<16xf32> -> tensor<4x1x1x4xf32>
  %f0 = qg.constant )mlir" +
         constant(960, 0.37) + R"mlir(
  %f = qg.reshape %f0 : tensor<960xf32> -> tensor<192x5xf32>
  %scale = qg.constant dense<[[[0.5]], [[1.5]], [[-2.0]], [[0.25]]]> : tensor<4x1x1xf32> -> tensor<4x1x1xf32>
  %shift = qg.constant dense<[[[0.1]], [[0.2]], [[0.3]], [[-0.4]]]> : tensor<4x1x1xf32> -> tensor<4x1x1xf32>
  %two = qg.constant dense<2.0> : tensor<f32> -> tensor<f32>
  %0 = qg.transpose %x perm [0, 2, 3, 1] : tensor<2x3x4x6xf32> -> tensor<2x4x6x3xf32>
  %1 = qg.conv %0, %w strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1 : (tensor<2x4x6x3xf32>, tensor<4x3x3x3xf32>) -> tensor<2x4x6x4xf32>
  %2 = qg.transpose %1 perm [0, 3, 1, 2] : tensor<2x4x6x4xf32> -> tensor<2x4x4x6xf32>
  %3 = qg.binary mul %2, %scale : (tensor<2x4x4x6xf32>, tensor<4x1x1xf32>) -> tensor<2x4x4x6xf32>
  %4 = qg.binary add %3, %shift : (tensor<2x4x4x6xf32>, tensor<4x1x1xf32>) -> tensor<2x4x4x6xf32>
  %5 = qg.unary relu %4 : tensor<2x4x4x6xf32> -> tensor<2x4x4x6xf32>
  %6 = qg.transpose %5 perm [0, 2, 3, 1] : tensor<2x4x4x6xf32> -> tensor<2x4x6x4xf32>
  %7 = qg.pool avg %6 kernel [4, 6] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] : tensor<2x4x6x4xf32> -> tensor<2x1x1x4xf32>
  %8 = qg.transpose %7 perm [0, 3, 1, 2] : tensor<2x1x1x4xf32> -> tensor<2x4x1x1xf32>
  %9 = qg.unary sigmoid %8 : tensor<2x4x1x1xf32> -> tensor<2x4x1x1xf32>
  %10 = qg.binary mul %5, %9 : (tensor<2x4x4x6xf32>, tensor<2x4x1x1xf32>) -> tensor<2x4x4x6xf32>
  %11 = qg.transpose %10 perm [0, 2, 3, 1] : tensor<2x4x4x6xf32> -> tensor<2x4x6x4xf32>
  %12 = qg.conv %11, %v strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<2x4x6x4xf32>, tensor<4x1x1x4xf32>) -> tensor<2x4x6x4xf32>
  %13 = qg.transpose %12 perm [0, 3, 1, 2] : tensor<2x4x6x4xf32> -> tensor<2x4x4x6xf32>
  %14 = qg.binary div %13, %two : (tensor<2x4x4x6xf32>, tensor<f32>) -> tensor<2x4x4x6xf32>
  %15 = qg.binary add %14, %5 : (tensor<2x4x4x6xf32>, tensor<2x4x4x6xf32>) -> tensor<2x4x4x6xf32>
  %16 = qg.slice %15 offsets [0, 1, 0, 3] strides [1, 1, 1, 1] : tensor<2x4x4x6xf32> -> tensor<2x2x4x3xf32>
  %17 = qg.reshape %16 : tensor<2x2x4x3xf32> -> tensor<2x2x4x1x3x1xf32>
  %18 = qg.broadcast %17 : tensor<2x2x4x1x3x1xf32> -> tensor<2x2x4x2x3x2xf32>
  %19 = qg.reshape %18 : tensor<2x2x4x2x3x2xf32> -> tensor<2x2x8x6xf32>
  %20 = qg.transpose %19 perm [0, 2, 3, 1] : tensor<2x2x8x6xf32> -> tensor<2x8x6x2xf32>
  %21 = qg.pool max %20 kernel [2, 1] strides [2, 1] pads [0, 0, 0, 0] dilations [1, 1] : tensor<2x8x6x2xf32> -> tensor<2x4x6x2xf32>
  %22 = qg.transpose %21 perm [0, 3, 1, 2] : tensor<2x4x6x2xf32> -> tensor<2x2x4x6xf32>
  %23 = qg.slice %15 offsets [0, 0, 0, 0] strides [1, 2, 1, 1] : tensor<2x4x4x6xf32> -> tensor<2x2x4x6xf32>
  %24 = qg.concat %22, %23 axis 1 : (tensor<2x2x4x6xf32>, tensor<2x2x4x6xf32>) -> tensor<2x4x4x6xf32>
  %25 = qg.pad reflect %24 low [0, 2, 0, 0] high [0, 2, 0, 0] : (tensor<2x4x4x6xf32>) -> tensor<2x8x4x6xf32>
  %26 = qg.reshape %25 : tensor<2x8x4x6xf32> -> tensor<2x192xf32>
  %27 = qg.matmul %26, %f : (tensor<2x192xf32>, tensor<192x5xf32>) -> tensor<2x5xf32>
  return %27, %15 : tensor<2x5xf32>, tensor<2x4x4x6xf32>
})mlir";
}

namespace {
struct Outcome {
  double error = 0; ///< relative to the largest result
  unsigned transposes = 0;
  unsigned binaries = 0;
};
} // namespace

static llvm::SmallVector<Tensor> runModule(mlir::ModuleOp module) {
  auto executor = makeInterpreterFactory()(module);
  EXPECT_TRUE(executor.ok()) << executor.status().ToString();
  auto results =
      (*executor)->run({makeRandom(DType::f32, {2, 3, 4, 6}, -1, 1, 7)});
  EXPECT_TRUE(results.ok()) << results.status().ToString();
  return *results;
}

static Outcome
runPasses(llvm::function_ref<void(mlir::OpPassManager &)> addPasses) {
  auto module = parse(getNetwork());
  llvm::SmallVector<Tensor> before = runModule(*module);
  mlir::PassManager manager(module->getContext());
  addPasses(manager.nest<mlir::func::FuncOp>());
  EXPECT_TRUE(mlir::succeeded(manager.run(*module)));
  llvm::SmallVector<Tensor> after = runModule(*module);
  Outcome outcome;
  for (size_t i = 0; i < before.size(); ++i) {
    double largest = 0, difference = 0;
    for (int64_t j = 0; j < before[i].numElements(); ++j) {
      double a = before[i].getFloat(j), b = after[i].getFloat(j);
      largest = std::max(largest, std::fabs(a));
      difference = std::max(difference, std::fabs(a - b));
    }
    outcome.error = std::max(outcome.error, difference / largest);
  }
  module->walk([&](qg::TransposeOp) { ++outcome.transposes; });
  module->walk([&](qg::BinaryOp) { ++outcome.binaries; });
  return outcome;
}

TEST(Transforms, FoldConstantsChangesNoBit) {
  EXPECT_EQ(runPasses([](mlir::OpPassManager &manager) {
              manager.addPass(createFoldConstants());
            }).error,
            0);
}

TEST(Transforms, PropagateTransposesKeepsTheFunction) {
  Outcome outcome = runPasses([](mlir::OpPassManager &manager) {
    manager.addPass(createFoldConstants());
    manager.addPass(createPropagateTransposes());
  });
  // The matmul adds in another order.
  EXPECT_LE(outcome.error, 1e-6);
  // The input and the output that the caller wants as NCHW.
  EXPECT_EQ(outcome.transposes, 2u);
}

TEST(Transforms, FoldBatchNormKeepsTheFunction) {
  Outcome outcome = runPasses([](mlir::OpPassManager &manager) {
    manager.addPass(createFoldConstants());
    manager.addPass(createPropagateTransposes());
    manager.addPass(createSimplifyArithmetic());
    manager.addPass(createFoldBatchNorm());
  });
  EXPECT_LE(outcome.error, 1e-5);
  // The gate and the residual connection.
  EXPECT_EQ(outcome.binaries, 2u);
}
