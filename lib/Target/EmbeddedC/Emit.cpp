//===- Emit.cpp - fxp to a folder of C ------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Steps, places, functions, then the files around them.
//===----------------------------------------------------------------------===//
#include "qopt/Target/EmbeddedC/Emit.h"
#include "Project.h"
#include "qopt/Target/Passes.h"

#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::embedded;

static bool isIdentifier(StringRef name) {
  return !name.empty() && !llvm::isDigit(name.front()) &&
         llvm::all_of(name,
                      [](char c) { return llvm::isAlnum(c) || c == '_'; });
}

static absl::Status holdSigned(ModuleOp module) {
  std::string error;
  ScopedDiagnosticHandler handler(module.getContext(),
                                  [&](Diagnostic &diagnostic) {
                                    if (!error.empty())
                                      error += '\n';
                                    error += diagnostic.str();
                                  });
  PassManager manager(module.getContext(), ModuleOp::getOperationName());
  manager.addNestedPass<func::FuncOp>(createHoldSigned());
  if (failed(manager.run(module)))
    return absl::UnimplementedError(error);
  return absl::OkStatus();
}

absl::StatusOr<EmbeddedCProject>
qopt::emitEmbeddedC(ModuleOp original, const EmbeddedCOptions &options) {
  if (!isIdentifier(options.symbol))
    return absl::InvalidArgumentError(
        "expects a C identifier as symbol, got '" + options.symbol + "'");
  OwningOpRef<ModuleOp> module = original.clone();
  module->getContext()->loadDialect<emitc::EmitCDialect>();
  auto main = module->lookupSymbol<func::FuncOp>("main");
  if (!main || main.isExternal() || !main.getBody().hasOneBlock())
    return absl::InvalidArgumentError(
        "expects a module with a function @main of one block");
  if (absl::Status status = holdSigned(*module); !status.ok())
    return status;
  broadcastOperands(main);
  cloneForRoundings(main);
  storeConstantResults(main);
  copyResults(main);
  auto list = findSteps(main);
  if (!list.ok())
    return list.status();
  placeBuffers(*list, main);
  std::vector<StepCode> codes;
  std::string reasons;
  for (auto [i, step] : llvm::enumerate(list->steps)) {
    auto code = emitStep(module->getContext(), step, i, options.symbol);
    if (code.ok()) {
      codes.push_back(std::move(*code));
      continue;
    }
    if (code.status().code() != absl::StatusCode::kUnimplemented)
      return code.status();
    reasons +=
        (reasons.empty() ? "" : "\n") + std::string(code.status().message());
  }
  if (!reasons.empty())
    return absl::UnimplementedError(reasons);
  return writeProject(main, *list, codes, options);
}
