//===- Executors.cpp - Who runs a module ----------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Both engines run the integer form, so that they differ in nothing but speed.
//===----------------------------------------------------------------------===//
#include "qopt/Pipelines/Executors.h"
#include "qopt/Interpreter/Interpreter.h"
#include "qopt/Pipelines/Pipelines.h"
#include "qopt/Target/CPU/Emit.h"

using namespace qopt;

ExecutorFactory qopt::getExecutorFactory(Engine engine, unsigned optLevel) {
  return
      [engine, optLevel](
          mlir::ModuleOp module) -> absl::StatusOr<std::unique_ptr<Executor>> {
        mlir::OwningOpRef<mlir::ModuleOp> lowered(module.clone());
        if (absl::Status status = lower(*lowered); !status.ok())
          return status;
        if (engine == Engine::Reference)
          return makeInterpreterFactory()(*lowered);
        CPUOptions options;
        options.optLevel = optLevel;
        return makeJitFactory(options)(*lowered);
      };
}
