//===- Native.cpp - Machine code behind a path ----------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A manifest says which files are its code: an older library beside a newer
// bundle is not run by mistake.
//===----------------------------------------------------------------------===//
#include "qopt/Artifacts/Native.h"
#include "qopt/Artifacts/Bundle.h"
#include "qopt/Pipelines/Pipelines.h"
#include "qopt/Support/Files.h"

#include "llvm/Support/FileSystem.h"

using namespace qopt;

static bool listsCode(const Bundle &bundle, llvm::StringRef suffix) {
  const llvm::json::Array *code = bundle.manifest.getArray("code");
  return code && llvm::any_of(*code, [&](const llvm::json::Value &value) {
           return value.getAsString() == suffix;
         });
}

static absl::StatusOr<std::unique_ptr<JitProgram>>
openBundle(const Bundle &bundle) {
  std::string symbol = bundle.getString("symbol");
  std::string library = bundle.stem + ".so", object = bundle.stem + ".o";
  absl::StatusOr<std::unique_ptr<JitProgram>> program;
  if (listsCode(bundle, ".so") && llvm::sys::fs::exists(library))
    program = loadSharedLibrary(library, symbol);
  else if (listsCode(bundle, ".o") && llvm::sys::fs::exists(object)) {
    QOPT_ASSIGN(std::string bytes, readFile(object));
    program = loadObject(bytes, symbol);
  } else
    return Error(Code::BundleInvalid, "'" + bundle.stem +
                                          ".qopt' has neither " + bundle.stem +
                                          ".so nor " + bundle.stem + ".o")
        .help("compile with --emit=object or --emit=shared, or use "
              "--reference");
  if (!program.ok())
    return withCode(program.status(), Code::BundleInvalid);
  return program;
}

absl::StatusOr<std::unique_ptr<JitProgram>>
qopt::openNative(mlir::MLIRContext *context, llvm::StringRef path,
                 const ProgramOptions &options) {
  std::optional<std::string> stem = findBundle(path);
  if (stem && !options.wantsFloatTwin) {
    QOPT_ASSIGN(Bundle bundle, readBundle(*stem));
    return openBundle(bundle);
  }
  QOPT_ASSIGN(mlir::OwningOpRef<mlir::ModuleOp> module,
              openModule(context, path, options));
  QOPT_RETURN_IF_ERROR(lower(*module));
  CPUOptions cpu;
  absl::StatusOr<CompiledModel> compiled = compileForCPU(*module, cpu);
  if (!compiled.ok())
    return withCode(compiled.status(), Code::UnsupportedLowering);
  return loadObject(compiled->object, compiled->symbol);
}
