//===- ModuleTarget.cpp - Fuzzing of .mlir and .mlirbc --------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Verifiers, and what follows a module that they take.
//===----------------------------------------------------------------------===//
#include "Harness.h"
#include "MutateText.h"
#include "qopt/Pipelines/Model.h"

using namespace qopt;

QOPT_FUZZ_MUTATES_TEXT()

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  llvm::StringRef bytes(reinterpret_cast<const char *>(data), size);
  bool isBytecode = bytes.starts_with("ML\xefR");
  std::string path =
      fuzz::writeScratch(isBytecode ? "module.mlirbc" : "module.mlir", bytes);
  auto module = loadModel(&fuzz::getContext(), path);
  if (!module.ok()) {
    fuzz::expectNoDefect(module.status());
    return 0;
  }
  fuzz::runGraph(std::move(*module), fuzz::hashInput(bytes));
  return 0;
}
