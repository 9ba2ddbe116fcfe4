//===- EmitKinds.cpp - The table behind --emit ----------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// One row per kind of result. A new one is a row here and nothing elsewhere.
//===----------------------------------------------------------------------===//
#include "qopt/Artifacts/EmitKinds.h"
#include "qopt/Artifacts/EmbeddedFolder.h"
#include "qopt/Artifacts/HLSFolder.h"
#include "qopt/Pipelines/Model.h"

#include "llvm/Object/ArchiveWriter.h"

using namespace qopt;

/// Compiler errors: what a user can change, or a defect.
static absl::StatusOr<std::string>
fromCompiler(absl::StatusOr<std::string> result) {
  if (!result.ok())
    return withCompilerCode(result.status());
  return result;
}

static absl::StatusOr<std::string> makeObject(const EmitInput &input) {
  return input.compiled.object;
}

static absl::StatusOr<std::string> makeHeader(const EmitInput &input) {
  return input.compiled.header;
}

static absl::StatusOr<std::string> makeShared(const EmitInput &input) {
  return fromCompiler(linkSharedLibrary(input.compiled));
}

static absl::StatusOr<std::string> makeStatic(const EmitInput &input) {
  const CompiledModel &compiled = input.compiled;
  std::string name = compiled.symbol + ".o";
  llvm::NewArchiveMember member(llvm::MemoryBufferRef(compiled.object, name));
  auto archive = llvm::writeArchiveToBuffer(
      member, llvm::SymtabWritingMode::NormalSymtab,
      llvm::object::Archive::K_GNU, /*Deterministic=*/true, /*Thin=*/false);
  if (!archive)
    return Error(Code::Internal, llvm::toString(archive.takeError()));
  return (*archive)->getBuffer().str();
}

static absl::StatusOr<std::string> makeExecutable(const EmitInput &input) {
  return fromCompiler(linkExecutable(input.compiled));
}

static absl::StatusOr<std::string> makeAssembly(const EmitInput &input) {
  return fromCompiler(emitAssembly(input.lowered, input.request.cpu));
}

static absl::StatusOr<std::string> makeLLVMIR(const EmitInput &input) {
  return fromCompiler(emitLLVMIR(input.lowered, input.request.cpu));
}

static absl::StatusOr<std::string> makeOnnx(const EmitInput &input) {
  return writeOnnx(input.request.unfolded);
}

static absl::StatusOr<std::string> printImported(const EmitInput &input) {
  return printModule(input.request.floatModule);
}

static absl::StatusOr<std::string> printQuantized(const EmitInput &input) {
  return printModule(input.request.quantized);
}

static absl::StatusOr<std::string> printLowered(const EmitInput &input) {
  return printModule(input.lowered);
}

llvm::ArrayRef<FileKind> qopt::getFileKinds() {
  static constexpr FileKind kKinds[] = {
      {"object", ".o", makeObject, /*isCode=*/true},
      {"header", ".h", makeHeader},
      {"shared", ".so", makeShared, /*isCode=*/true},
      {"static", ".a", makeStatic, /*isCode=*/true},
      {"exe", "", makeExecutable, /*isCode=*/false, /*isExecutable=*/true},
      {"asm", ".s", makeAssembly},
      {"llvm-ir", ".ll", makeLLVMIR},
      {"onnx", ".onnx", makeOnnx},
      {"ir:imported", ".imported.mlir", printImported},
      {"ir:quantized", ".quantized.mlir", printQuantized},
      {"ir:lowered", ".lowered.mlir", printLowered},
  };
  return kKinds;
}

llvm::ArrayRef<FolderKind> qopt::getFolderKinds() {
  static constexpr FolderKind kKinds[] = {
      {"c", "fixed:31", makeEmbeddedFolder},
      {"hls", "fixed:17", makeHLSFolder, "report.txt",
       /*takesTarget=*/true, checkHLSFlags},
  };
  return kKinds;
}

const FolderKind *qopt::findFolderKind(llvm::StringRef name) {
  for (const FolderKind &kind : getFolderKinds())
    if (name == kind.name)
      return &kind;
  return nullptr;
}
