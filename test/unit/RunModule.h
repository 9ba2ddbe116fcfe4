//===- RunModule.h - Runs a module given as text --------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What tests of reference semantics start from.
//===----------------------------------------------------------------------===//
#ifndef QOPT_TEST_UNIT_RUNMODULE_H
#define QOPT_TEST_UNIT_RUNMODULE_H

#include "qopt/Interpreter/Interpreter.h"
#include <gtest/gtest.h>

namespace qopt::test {

/// A context with all dialects, made once.
mlir::MLIRContext &getContext();

/// Parses a module; the test fails if it does not parse or verify.
mlir::OwningOpRef<mlir::ModuleOp> parse(llvm::StringRef text);

/// Runs `func.func @main` of a module; the test fails if it does not run.
llvm::SmallVector<Tensor> run(llvm::StringRef text,
                              llvm::ArrayRef<Tensor> inputs);

/// The message of a run that fails.
std::string runToError(llvm::StringRef text, llvm::ArrayRef<Tensor> inputs);

/// Numbers from a fixed generator, in [low, high] (integers rounded).
Tensor makeRandom(DType dtype, llvm::ArrayRef<int64_t> shape, double low,
                  double high, uint64_t seed);

template <typename T>
Tensor makeTensor(DType dtype, llvm::ArrayRef<int64_t> shape,
                  std::initializer_list<T> values) {
  return Tensor::from<T>(dtype, shape,
                         llvm::ArrayRef<T>(values.begin(), values.size()));
}

} // namespace qopt::test

#endif // QOPT_TEST_UNIT_RUNMODULE_H
