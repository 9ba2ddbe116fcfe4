//===- SmallModel.cpp - A model for plans and recipes ---------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Small enough that thousands of recipes a minute are carried out on it.
//===----------------------------------------------------------------------===//
#include "SmallModel.h"
#include "qopt/Pipelines/Pipelines.h"
#include "qopt/Pipelines/QuantizeModel.h"

#include "mlir/Parser/Parser.h"
#include <cstdlib>

using namespace qopt;

static constexpr const char *kModel = R"mlir(
func.func @main(%x: tensor<2x4xf32> {qg.name = "x"})
    -> (tensor<2x3xf32> {qg.name = "y"}) {
  %w0 = qg.constant dense<[[0.5, -1.0, 0.25, 2.0], [1.0, 0.125, -0.5, 0.75],
    [0.0, 1.5, -2.0, 1.0], [0.3, -0.7, 0.9, 0.1]]> : tensor<4x4xf32>
    -> tensor<4x4xf32>
  %w1 = qg.constant dense<[[1.0, -1.0, 0.5], [0.25, 0.75, -0.5],
    [0.5, 0.5, 2.0], [-1.0, 0.1, 0.2]]> : tensor<4x3xf32>
    -> tensor<4x3xf32>
  %0 = qg.matmul %x, %w0 : (tensor<2x4xf32>, tensor<4x4xf32>)
    -> tensor<2x4xf32> loc("first")
  %1 = qg.unary relu %0 : tensor<2x4xf32> -> tensor<2x4xf32> loc("act")
  %2 = qg.matmul %1, %w1 : (tensor<2x4xf32>, tensor<4x3xf32>)
    -> tensor<2x3xf32> loc("second")
  return %2 : tensor<2x3xf32>
}
)mlir";

void fuzz::runRecipe(const Recipe &recipe) {
  mlir::MLIRContext &context = getContext();
  auto module = mlir::parseSourceString<mlir::ModuleOp>(kModel, &context);
  if (!module || !prepare(*module).ok())
    std::abort();
  QuantizeInputs inputs;
  inputs.engine = Engine::Reference;
  inputs.samples.count = 2;
  inputs.samples.source = [](int64_t index)
      -> absl::StatusOr<std::optional<llvm::SmallVector<Tensor>>> {
    if (index >= 2)
      return std::nullopt;
    return llvm::SmallVector<Tensor>{Tensor::from<float>(
        DType::f32, {2, 4}, {1, -2, 3, 0.5f, float(index), 1, -1, 2})};
  };
  expectNoDefect(quantizeModel(std::move(module), recipe, inputs).status());
}
