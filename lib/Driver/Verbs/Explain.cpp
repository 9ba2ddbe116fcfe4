//===- Explain.cpp - qopt explain -----------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What the table of diagnostics knows.
//===----------------------------------------------------------------------===//
#include "qopt/Driver/Session.h"

#include "llvm/Support/Format.h"

using namespace qopt;
using namespace qopt::driver;

static absl::StatusOr<ExitCode> runExplain(const Arguments &arguments,
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

namespace qopt::driver {
Verb getExplainVerb() {
  return {"explain",    "the meaning of an error code", "CODE", 1, 1, {},
          runExplain,
          /*place=*/160};
}
} // namespace qopt::driver
