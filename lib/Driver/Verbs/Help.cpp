//===- Help.cpp - qopt help -----------------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The verbs, or the flags of one.
//===----------------------------------------------------------------------===//
#include "qopt/Driver/Session.h"
#include "qopt/Pipelines/Recipe.h"

#include "llvm/Support/FormatVariadic.h"

using namespace qopt;
using namespace qopt::driver;

static absl::StatusOr<ExitCode> runHelp(const Arguments &arguments,
                                        Session &session) {
  if (!arguments.positional().empty()) {
    if (arguments.positional().front() == "recipe") {
      printRecipeHelp(session.out());
      return ExitCode::Ok;
    }
    QOPT_ASSIGN(const Verb *verb, findVerb(arguments.positional().front()));
    printHelp(session.out(), *verb);
    return ExitCode::Ok;
  }
  session.out() << "usage: qopt VERB ...\n\n";
  for (const Verb &verb : getVerbs())
    session.out() << llvm::formatv("  {0,-10} {1}\n", verb.name, verb.summary);
  session.out() << "\n'qopt help VERB' lists the flags of a verb, 'qopt help "
                   "recipe' the settings of quantization\n";
  return ExitCode::Ok;
}

namespace qopt::driver {
Verb getHelpVerb() {
  return {"help",
          "this, the flags of a verb, or what a recipe holds",
          "[VERB|recipe]",
          0,
          1,
          {},
          runHelp,
          /*place=*/180};
}
} // namespace qopt::driver
