//===- Program.cpp - Something that can be run ----------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Chooses between the code of a bundle and making it.
//===----------------------------------------------------------------------===//
#include "qopt/Artifacts/Program.h"
#include "qopt/Artifacts/Bundle.h"
#include "qopt/Artifacts/Native.h"
#include "qopt/Pipelines/Pipelines.h"

#include "llvm/Support/FileSystem.h"

using namespace qopt;

absl::StatusOr<Preprocessing>
qopt::getRecordedPreprocessing(llvm::StringRef path) {
  std::optional<std::string> stem = findBundle(path);
  if (!stem)
    return Preprocessing();
  QOPT_ASSIGN(Bundle bundle, readBundle(*stem));
  return bundle.preprocessing;
}

absl::StatusOr<mlir::OwningOpRef<mlir::ModuleOp>>
qopt::openModule(mlir::MLIRContext *context, llvm::StringRef path,
                 const ProgramOptions &options) {
  if (std::optional<std::string> stem = findBundle(path)) {
    QOPT_ASSIGN(Bundle bundle, readBundle(*stem));
    const char *file =
        options.wantsFloatTwin ? "model.mlirbc" : "quantized.mlirbc";
    return loadModel(context, bundle.getPath(file));
  }
  QOPT_ASSIGN(mlir::OwningOpRef<mlir::ModuleOp> module,
              loadModel(context, path, options.import));
  if (path.ends_with(".onnx") || path.ends_with(".onnxtxt"))
    QOPT_RETURN_IF_ERROR(prepare(*module));
  return module;
}

/// A bundle whose weights lie in a file: its module, which may be as large, is
/// not read where the manifest has the interface. False for others.
static absl::StatusOr<bool> openLargeProgram(mlir::MLIRContext *context,
                                             llvm::StringRef path,
                                             const ProgramOptions &options,
                                             Program &program) {
  std::optional<std::string> stem = findBundle(path);
  if (!stem)
    return false;
  QOPT_ASSIGN(Bundle bundle, readBundle(*stem));
  if (!bundle.manifest.getObject("weights"))
    return false;
  QOPT_ASSIGN(program.interface.inputs, bundle.getSpecs("inputs"));
  QOPT_ASSIGN(program.interface.outputs, bundle.getSpecs("outputs"));
  QOPT_ASSIGN(std::unique_ptr<JitProgram> native,
              openNative(context, path, options));
  program.executor = makeExecutor(std::move(native));
  return true;
}

absl::StatusOr<Program> qopt::openProgram(mlir::MLIRContext *context,
                                          llvm::StringRef path,
                                          const ProgramOptions &options) {
  Program program;
  QOPT_ASSIGN(program.preprocessing, getRecordedPreprocessing(path));
  if (options.engine == Engine::Compiled && !options.wantsFloatTwin) {
    QOPT_ASSIGN(bool isOpen, openLargeProgram(context, path, options, program));
    if (isOpen)
      return program;
  }
  QOPT_ASSIGN(mlir::OwningOpRef<mlir::ModuleOp> module,
              openModule(context, path, options));
  QOPT_ASSIGN(program.interface, getInterface(*module));
  bool hasCode = findBundle(path) && !options.wantsFloatTwin;
  if (options.engine == Engine::Compiled && hasCode) {
    QOPT_ASSIGN(std::unique_ptr<JitProgram> native,
                openNative(context, path, options));
    program.executor = makeExecutor(std::move(native));
    return program;
  }
  QOPT_ASSIGN(program.executor, getExecutorFactory(options.engine)(*module));
  return program;
}
