//===- Import.cpp - qopt import -------------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// ONNX to a module file, as text or bytecode by its name.
//===----------------------------------------------------------------------===//
#include "qopt/Driver/Session.h"
#include "qopt/Driver/VerbFlags.h"
#include "qopt/Pipelines/Pipelines.h"
#include "qopt/Support/Files.h"

using namespace qopt;
using namespace qopt::driver;

static llvm::ArrayRef<Flag> getImportVerbFlags() {
  static constexpr Flag kFlags[] = {
      {"output", "FILE", ".mlirbc (bytecode) or .mlir (text); - is stdout",
       'o'},
      {"no-fold", nullptr, "stop before folding and layout changes"},
  };
  return kFlags;
}

static absl::StatusOr<ExitCode> runImport(const Arguments &arguments,
                                          Session &session) {
  QOPT_ASSIGN(ImportOptions options, getImportOptions(arguments));
  QOPT_ASSIGN(auto module,
              loadModel(session.context(), arguments.positional()[0], options));
  if (!arguments.has("no-fold"))
    QOPT_RETURN_IF_ERROR(prepare(*module));
  std::string output = arguments.get("output", "-");
  if (output == "-") {
    session.out() << printModule(*module);
    return ExitCode::Ok;
  }
  std::string bytes;
  if (llvm::StringRef(output).ends_with(".mlir"))
    bytes = printModule(*module);
  else if (llvm::StringRef(output).ends_with(".mlirbc")) {
    QOPT_ASSIGN(bytes, serializeModule(*module));
  } else
    return Error(Code::BadFlagValue,
                 "-o: expected a name that ends in .mlir or .mlirbc, got '" +
                     output + "'");
  QOPT_RETURN_IF_ERROR(writeFile(output, bytes));
  session.say("wrote " + output);
  return ExitCode::Ok;
}

namespace qopt::driver {
Verb getImportVerb() {
  return {"import",
          "ONNX to qopt IR",
          "MODEL [-o OUT.mlirbc] [options]",
          1,
          1,
          {getImportVerbFlags(), getImportFlags()},
          runImport,
          /*place=*/40};
}
} // namespace qopt::driver
