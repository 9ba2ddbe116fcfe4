//===- Version.cpp - qopt version -----------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What the build knows.
//===----------------------------------------------------------------------===//
#include "qopt/Driver/Session.h"
#include "qopt/Driver/VerbFlags.h"
#include "qopt/Support/Version.h"

#include "llvm/Config/llvm-config.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

using namespace qopt;
using namespace qopt::driver;

static absl::StatusOr<ExitCode> runVersion(const Arguments &arguments,
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

namespace qopt::driver {
Verb getVersionVerb() {
  return {"version",        "the version", "[options]", 0, 0,
          {getJsonFlags()}, runVersion,
          /*place=*/170};
}
} // namespace qopt::driver
