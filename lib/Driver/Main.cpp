//===- Main.cpp - The table of verbs --------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What `qopt` can do, and the one place that turns an error into a message and
// an exit code.
//===----------------------------------------------------------------------===//
#include "qopt/Driver/Session.h"

#include "llvm/ADT/STLExtras.h"
#include <utility>

using namespace qopt;
using namespace qopt::driver;

// The list of the files in Verbs/, written by CMake.
namespace qopt::driver {
#define QOPT_VERB(name) Verb get##name##Verb();
#include "qopt/Driver/Verbs.inc"
#undef QOPT_VERB
} // namespace qopt::driver

llvm::ArrayRef<Verb> driver::getVerbs() {
  static const std::vector<Verb> kVerbs = [] {
    std::vector<Verb> verbs = {
#define QOPT_VERB(name) get##name##Verb(),
#include "qopt/Driver/Verbs.inc"
#undef QOPT_VERB
    };
    llvm::sort(verbs, [](const Verb &a, const Verb &b) {
      return std::pair(a.place, llvm::StringRef(a.name)) <
             std::pair(b.place, llvm::StringRef(b.name));
    });
    return verbs;
  }();
  return kVerbs;
}

static absl::Status reportUnknownVerb(llvm::StringRef name) {
  llvm::StringRef best;
  unsigned distance = 3;
  for (const Verb &verb : getVerbs()) {
    unsigned d = name.edit_distance(verb.name, true, distance);
    if (d < distance) {
      distance = d;
      best = verb.name;
    }
  }
  Error error(Code::UnknownVerb, "'" + name + "' is no verb of qopt");
  return best.empty()
             ? std::move(error).help("'qopt help' lists them")
             : std::move(error).help("did you mean 'qopt " + best + "'?");
}

absl::StatusOr<const Verb *> driver::findVerb(llvm::StringRef name) {
  for (const Verb &verb : getVerbs())
    if (name == verb.name)
      return &verb;
  return reportUnknownVerb(name);
}

static absl::StatusOr<ExitCode> runVerb(llvm::ArrayRef<llvm::StringRef> words,
                                        Session &session) {
  llvm::StringRef name = words.empty() ? "help" : words.front();
  if (name == "--help" || name == "-h")
    name = "help";
  if (name == "--version")
    name = "version";
  QOPT_ASSIGN(const Verb *verb, findVerb(name));
  QOPT_ASSIGN(
      Arguments arguments,
      Arguments::parse(*verb, words.empty() ? words : words.drop_front()));
  if (arguments.has("help")) {
    printHelp(session.out(), *verb);
    return ExitCode::Ok;
  }
  QOPT_RETURN_IF_ERROR(session.configure(arguments));
  return verb->run(arguments, session);
}

int driver::runMain(llvm::ArrayRef<llvm::StringRef> words) {
  Session session;
  absl::StatusOr<ExitCode> result = runVerb(words, session);
  session.out().flush();
  if (result.ok())
    return int(*result);
  printError(session.err(), result.status());
  return int(getExitCode(result.status()));
}
