//===- RunModule.cpp - Runs a module given as text ------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Parsing, running and reproducible random arrays.
//===----------------------------------------------------------------------===//
#include "RunModule.h"

#include "mlir/Parser/Parser.h"
#include "qopt/InitAll.h"
#include <cmath>
#include <random>

using namespace qopt;

mlir::MLIRContext &test::getContext() {
  static mlir::MLIRContext *context = [] {
    mlir::DialectRegistry registry;
    registerAllDialects(registry);
    return new mlir::MLIRContext(registry);
  }();
  return *context;
}

mlir::OwningOpRef<mlir::ModuleOp> test::parse(llvm::StringRef text) {
  auto module =
      mlir::parseSourceString<mlir::ModuleOp>(text, &test::getContext());
  EXPECT_TRUE(module) << text.str();
  return module;
}

static absl::StatusOr<llvm::SmallVector<Tensor>>
tryRun(llvm::StringRef text, llvm::ArrayRef<Tensor> inputs) {
  auto module = test::parse(text);
  if (!module)
    return absl::InternalError("does not parse");
  auto executor = makeInterpreterFactory()(*module);
  if (!executor.ok())
    return executor.status();
  return (*executor)->run(inputs);
}

llvm::SmallVector<Tensor> test::run(llvm::StringRef text,
                                    llvm::ArrayRef<Tensor> inputs) {
  auto results = tryRun(text, inputs);
  EXPECT_TRUE(results.ok()) << results.status().ToString();
  return results.ok() ? *results : llvm::SmallVector<Tensor>();
}

std::string test::runToError(llvm::StringRef text,
                             llvm::ArrayRef<Tensor> inputs) {
  auto results = tryRun(text, inputs);
  EXPECT_FALSE(results.ok());
  return std::string(results.status().message());
}

Tensor test::makeRandom(DType dtype, llvm::ArrayRef<int64_t> shape, double low,
                        double high, uint64_t seed) {
  std::mt19937_64 generator(seed);
  Tensor tensor(dtype, shape);
  for (int64_t i = 0, n = tensor.numElements(); i < n; ++i) {
    double unit = double(generator() >> 11) * 0x1p-53;
    double value = low + (high - low) * unit;
    tensor.setFloat(i, isFloat(dtype) ? value : std::nearbyint(value));
  }
  return tensor;
}
