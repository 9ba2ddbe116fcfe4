//===- Program.h - Something that can be run ------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A compiled STEM, a model file compiled in memory, or either under the
// interpreter: `run`, `eval`, `bench` and `compare` see no difference.
//===----------------------------------------------------------------------===//
#ifndef QOPT_ARTIFACTS_PROGRAM_H
#define QOPT_ARTIFACTS_PROGRAM_H

#include "qopt/Pipelines/Executors.h"
#include "qopt/Pipelines/Model.h"

namespace qopt {

struct ProgramOptions {
  Engine engine = Engine::Compiled;
  ImportOptions import;
  /// Of a bundle: the float model it was made from.
  bool wantsFloatTwin = false;
};

struct Program {
  ModelInterface interface;
  /// The bundle's record; empty for a model file.
  Preprocessing preprocessing;
  std::unique_ptr<Executor> executor;
};

absl::StatusOr<Program> openProgram(mlir::MLIRContext *context,
                                    llvm::StringRef path,
                                    const ProgramOptions &options);

/// The module behind a path: of a bundle its quantized or float IR, of a model
/// file the imported and prepared graph.
absl::StatusOr<mlir::OwningOpRef<mlir::ModuleOp>>
openModule(mlir::MLIRContext *context, llvm::StringRef path,
           const ProgramOptions &options);

/// The preprocessing recorded for a path.
absl::StatusOr<Preprocessing> getRecordedPreprocessing(llvm::StringRef path);

} // namespace qopt

#endif // QOPT_ARTIFACTS_PROGRAM_H
