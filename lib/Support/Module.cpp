//===- Module.cpp - Modules as text, and what their passes say ------------===//
// SPDX-License-Identifier: Apache-2.0
//
// One place turns diagnostics of readers and passes into errors with a code.
//===----------------------------------------------------------------------===//
#include "qopt/Support/WriteModule.h"

#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/IR/Diagnostics.h"

using namespace qopt;

// More offenders than anybody reads; the count is still said.
static constexpr size_t kMaxNotes = 50;

absl::Status
qopt::runWithDiagnostics(mlir::MLIRContext *context, Code code,
                         llvm::function_ref<llvm::LogicalResult()> body) {
  std::vector<std::string> errors;
  mlir::ScopedDiagnosticHandler handler(
      context, [&](mlir::Diagnostic &diagnostic) {
        // Warnings are for whoever talks to the user.
        if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Warning)
          return mlir::failure();
        if (diagnostic.getSeverity() != mlir::DiagnosticSeverity::Error)
          return mlir::success();
        std::string text;
        llvm::raw_string_ostream os(text);
        mlir::Location location = diagnostic.getLocation();
        if (auto name = location->findInstanceOf<mlir::NameLoc>())
          os << "node '" << name.getName().getValue() << "': ";
        else if (auto file = location->findInstanceOf<mlir::FileLineColLoc>())
          os << file.getFilename().getValue() << ":" << file.getLine() << ":"
             << file.getColumn() << ": ";
        os << diagnostic.str();
        errors.push_back(text);
        for (mlir::Diagnostic &note : diagnostic.getNotes())
          if (!llvm::StringRef(note.str()).starts_with("see current operation"))
            errors.push_back(note.str());
        return mlir::success();
      });
  if (mlir::succeeded(body()))
    return absl::OkStatus();
  if (errors.empty())
    return Error(Code::Internal, "a step failed without saying why");
  Error error(code, errors.front());
  for (size_t i = 1; i < errors.size() && i <= kMaxNotes; ++i)
    (void)std::move(error).note(errors[i]);
  if (errors.size() > kMaxNotes + 1)
    (void)std::move(error).note(llvm::Twine(errors.size() - 1 - kMaxNotes) +
                                " more");
  return error;
}

std::string qopt::printModule(mlir::ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream os(text);
  mlir::OpPrintingFlags flags;
  flags.enableDebugInfo(/*enable=*/true, /*prettyForm=*/false);
  module->print(os, flags);
  os << "\n";
  return text;
}

absl::StatusOr<std::string> qopt::serializeModule(mlir::ModuleOp module) {
  std::string bytes;
  llvm::raw_string_ostream os(bytes);
  QOPT_RETURN_IF_ERROR(writeModule(module, os));
  return bytes;
}

absl::Status qopt::writeModule(mlir::ModuleOp module, llvm::raw_ostream &os) {
  mlir::BytecodeWriterConfig config("qopt");
  if (mlir::failed(mlir::writeBytecodeToFile(module, os, config)))
    return Error(Code::Internal, "the module cannot be written as bytecode");
  return absl::OkStatus();
}
