//===- Main.cpp - The table of verbs --------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What `qopt` can do, and the one place that turns an error into a message and
// an exit code.
//===----------------------------------------------------------------------===//
#include "qopt/Driver/Session.h"
#include "qopt/Driver/VerbFlags.h"

#include "llvm/Support/FormatVariadic.h"

using namespace qopt;
using namespace qopt::driver;

#define FLAGS(...)                                                             \
  [] {                                                                         \
    static const llvm::ArrayRef<Flag> groups[] = {__VA_ARGS__};                \
    return llvm::ArrayRef<llvm::ArrayRef<Flag>>(groups);                       \
  }()

llvm::ArrayRef<Verb> driver::getVerbs() {
  static const Verb kVerbs[] = {
      {"inspect", "what is in a model", "MODEL [options]", 1, 1,
       FLAGS(getJsonFlags(), getImportFlags()), runInspect},
      {"check", "can it be compiled; which layers stay float and why",
       "MODEL [options]", 1, 1, FLAGS(getCheckFlags(), getImportFlags()),
       runCheck},
      {"ops", "the ONNX operators that are supported", "[options]", 0, 0,
       FLAGS(getOpsFlags()), runOps},
      {"import", "ONNX to qopt IR", "MODEL [-o OUT.mlirbc] [options]", 1, 1,
       FLAGS(getImportVerbFlags(), getImportFlags()), runImport},
      {"calibrate", "run data and collect statistics",
       "MODEL --data PATH -o OUT.json [options]", 1, 1,
       FLAGS(getOutputFlags(), getCalibrateFlags(), getEngineFlags(),
             getDataFlags(), getImportFlags()),
       runCalibrate},
      {"quantize", "choose encodings and round",
       "MODEL -o OUT.mlirbc|OUT.onnx [options]", 1, 1,
       FLAGS(getOutputFlags(), getQuantizeFlags(), getCalibrateFlags(),
             getEngineFlags(), getDataFlags(), getImportFlags()),
       runQuantize},
      {"plan", "bit widths under budgets, by an exact program",
       "MODEL --data PATH --budget size=0.3x -o PLAN.json [options]", 1, 1,
       FLAGS(getOutputFlags(), getPlanFlags(), getCalibrateFlags(),
             getDataFlags(), getImportFlags()),
       runPlan},
      {"compile", "everything: import, calibrate, quantize, machine code",
       "MODEL -o STEM [options]", 1, 1,
       FLAGS(getOutputFlags(), getCompileFlags(), getQuantizeFlags(),
             getCalibrateFlags(), getDataFlags(), getImportFlags()),
       runCompile},
      {"run", "run a compiled STEM, or a model", "STEM|MODEL [options]", 1, 1,
       FLAGS(getRunFlags(), getEngineFlags(), getPreFlags(), getImportFlags()),
       runRun},
      {"eval", "a metric over labelled data",
       "STEM|MODEL --data PATH [options]", 1, 1,
       FLAGS(getEvalFlags(), getEngineFlags(), getDataFlags(),
             getImportFlags()),
       runEval},
      {"bench", "time it", "STEM|MODEL [options]", 1, 1,
       FLAGS(getBenchFlags(), getImportFlags()), runBench},
      {"compare", "which layer loses how much",
       "MODEL|STEM STEM|MODEL --data PATH [options]", 1, 2,
       FLAGS(getCompareFlags(), getEngineFlags(), getDataFlags(),
             getImportFlags()),
       runCompare},
      {"report", "one page: layers, decisions, reasons, plots",
       "STEM -o REPORT.html [--data PATH] [options]", 1, 1,
       FLAGS(getOutputFlags(), getReportFlags(), getDataFlags()), runReport},
      {"new", "scaffold: a pass, an ONNX op or a format, and its failing test",
       "pass STAGE NAME | op FAMILY NAME | format NAME", 1, 3,
       FLAGS(getNewFlags()), runNew},
      {"doctor", "versions, processor, tools, a self test", "[options]", 0, 0,
       FLAGS(getJsonFlags()), runDoctor},
      {"explain", "the meaning of an error code", "CODE", 1, 1, {},
       runExplain},
      {"version", "the version", "[options]", 0, 0, FLAGS(getJsonFlags()),
       runVersion},
      {"help", "this, or the flags of a verb", "[VERB]", 0, 1, {},
       runHelp},
  };
  return kVerbs;
}

static const Verb *findVerb(llvm::StringRef name) {
  for (const Verb &verb : getVerbs())
    if (name == verb.name)
      return &verb;
  return nullptr;
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

absl::StatusOr<ExitCode> driver::runHelp(const Arguments &arguments,
                                         Session &session) {
  if (!arguments.positional().empty()) {
    const Verb *verb = findVerb(arguments.positional().front());
    if (!verb)
      return reportUnknownVerb(arguments.positional().front());
    printHelp(session.out(), *verb);
    return ExitCode::Ok;
  }
  session.out() << "usage: qopt VERB ...\n\n";
  for (const Verb &verb : getVerbs())
    session.out() << llvm::formatv("  {0,-10} {1}\n", verb.name, verb.summary);
  session.out() << "\n'qopt help VERB' lists the flags of a verb\n";
  return ExitCode::Ok;
}

static absl::StatusOr<ExitCode> runVerb(llvm::ArrayRef<llvm::StringRef> words,
                                        Session &session) {
  llvm::StringRef name = words.empty() ? "help" : words.front();
  if (name == "--help" || name == "-h")
    name = "help";
  if (name == "--version")
    name = "version";
  const Verb *verb = findVerb(name);
  if (!verb)
    return reportUnknownVerb(name);
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
