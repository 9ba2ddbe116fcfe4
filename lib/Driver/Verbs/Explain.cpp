//===- Explain.cpp - qopt explain, qopt version ---------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What the table of diagnostics and the build know.
//===----------------------------------------------------------------------===//
#include "qopt/Driver/Session.h"

#include "llvm/Config/llvm-config.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

using namespace qopt;
using namespace qopt::driver;

static constexpr const char *kVersion = "0.1.0";

absl::StatusOr<ExitCode> driver::runExplain(const Arguments &arguments,
                                            Session &session) {
  llvm::StringRef text = arguments.positional()[0];
  llvm::StringRef digits = text;
  digits.consume_front("QOPT");
  int number;
  if (!digits.getAsInteger(10, number))
    for (const DiagnosticRow &row : getDiagnosticRows()) {
      if (int(row.code) != number)
        continue;
      session.out() << llvm::format("QOPT%04d (%s): %s; exit code %d\n", number,
                                    row.name, row.meaning, int(row.exit));
      return ExitCode::Ok;
    }
  return Error(Code::BadFlagValue, "'" + text + "' is no code of qopt")
      .help("codes look like QOPT0501");
}

absl::StatusOr<ExitCode> driver::runVersion(const Arguments &arguments,
                                            Session &session) {
  if (arguments.has("json")) {
    session.out() << llvm::formatv(
        "{0:2}\n", llvm::json::Value(llvm::json::Object{
                       {"qopt", kVersion}, {"llvm", LLVM_VERSION_STRING}}));
    return ExitCode::Ok;
  }
  session.out() << "qopt " << kVersion << " (LLVM " << LLVM_VERSION_STRING
                << ")\n";
  return ExitCode::Ok;
}
