//===- Compile.cpp - qopt compile -----------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// All steps in one call: files beside STEM and the bundle STEM.qopt.
//===----------------------------------------------------------------------===//
#include "qopt/Artifacts/Bundle.h"
#include "qopt/Artifacts/EmitKinds.h"
#include "qopt/Artifacts/Lock.h"
#include "qopt/Artifacts/OutputFolder.h"
#include "qopt/Driver/Calibration.h"
#include "qopt/Driver/VerbFlags.h"
#include "qopt/Support/Refusals.h"
#include "qopt/Target/SymbolNames.h"
#include "qopt/Target/Target.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"
#include <chrono>

using namespace qopt;
using namespace qopt::driver;

/// Every value of --emit, from the tables of the kinds.
static std::string describeEmit() {
  std::string text = llvm::join(listEmitNames(), ", ");
  llvm::SmallVector<std::string> folders;
  for (const TargetRow *row : getTargets())
    for (const EmitKind &kind : row->kinds)
      if (!kind.suffix)
        folders.push_back(kind.name);
  std::string last = folders.pop_back_val();
  return text + "; default object, ir is ir:lowered, " +
         llvm::join(folders, ", ") + " and " + last + " are folders";
}

/// The flags of all targets, one that several have once with all their texts.
static llvm::ArrayRef<Flag> getTargetFlags() {
  static std::map<std::string, std::string> helps;
  static const std::vector<Flag> flags = [] {
    std::vector<Flag> all;
    for (const TargetRow *row : getTargets())
      for (const Flag &flag : row->flags) {
        std::string &help = helps[flag.name];
        if (help.empty())
          all.push_back(flag);
        help += (help.empty() ? "" : "; ") + std::string(flag.help);
      }
    for (Flag &flag : all)
      flag.help = helps[flag.name].c_str();
    return all;
  }();
  return flags;
}

static llvm::ArrayRef<Flag> getCompileFlags() {
  static const std::string emit = describeEmit();
  static const std::vector<Flag> flags = [] {
    std::vector<Flag> own = {
        {"emit", "LIST", emit.c_str()},
        {"outputs", "KIND",
         "of integer-only code: model (default), or quantized: stop before "
         "floats"},
        {"bundle-weights", "HOW",
         "auto (default), copy, or refer: whether STEM.qopt holds the weights "
         "of a .onnx file or says where it is; auto refers above 256 MB"},
        {"symbol-prefix", "NAME",
         "prefix of the functions (default: the stem)"},
        {"lock", "FILE",
         "make the bytes of STEM.qopt/lock.json again; model and data are "
         "looked for beside it and here, by name and hash"},
    };
    llvm::append_range(own, getTargetFlags());
    return own;
  }();
  return flags;
}

/// What suffixes are added to. `-o DIR/` puts the model's name in there, but
/// for kinds that are a folder.
static absl::StatusOr<std::string> getStem(const Arguments &arguments,
                                           const EmitKind *folder) {
  std::string output = arguments.get("output", "");
  llvm::StringRef path = output;
  if (path.rtrim('/').empty())
    return Error(Code::MissingArgument,
                 folder ? "expected -o DIR/, the folder to write"
                        : "expected -o STEM, the name that .o, .h, .so and "
                          ".qopt are added to");
  if (folder || !path.ends_with("/"))
    return path.rtrim('/').str();
  llvm::SmallString<128> stem(path);
  llvm::sys::path::append(
      stem, llvm::sys::path::stem(
                llvm::StringRef(arguments.positional()[0]).rtrim('/')));
  return stem.str().str();
}

/// What was written, and what to do with it.
static void saySummary(Session &session, const ArtifactRequest &request,
                       const Recipe &recipe, const ArtifactSummary &summary,
                       double seconds) {
  for (const std::string &file : summary.files)
    session.say("wrote " + file);
  if (session.isVerbose())
    for (const auto &[stage, pipeline] : summary.stages)
      session.say("ir:" + stage +
                  ": qopt-opt --pass-pipeline='builtin.module(" + pipeline +
                  ")'");
  const Emission &emission = summary.emission;
  if (!request.row->hasBundle) {
    if (!emission.text.empty())
      session.say(emission.text);
    session.say(llvm::formatv("{0}, requantization {1}, {2:f1} s",
                              recipe.scheme, recipe.requantize, seconds)
                    .str());
    return;
  }
  session.say(llvm::formatv("{0} {1}: weights {2} bytes, arena {3} bytes, "
                            "{4:f1} s",
                            recipe.scheme, emission.target,
                            emission.weightsBytes, emission.arenaBytes, seconds)
                  .str());
  if (absl::StatusOr<ModelInterface> interface =
          getInterface(*emission.lowered);
      interface.ok())
    for (const std::string &line : describeLengths(*interface))
      session.say(line);
  if (emission.runsHere)
    session.say("next: qopt bench " + request.stem + " --vs float");
  else
    session.say("the code is for another machine; here: qopt run " +
                request.stem + " --reference");
}

/// What the flags say of files and targets: what is misspelled is said at once,
/// before a model is read.
static absl::Status readRequest(const Arguments &arguments,
                                ArtifactRequest &request) {
  request.modelPath = arguments.positional()[0];
  request.dataPaths = arguments.getAll("data");
  request.emit = {"object"};
  request.row = getTargets().front();
  Refusals refusals;
  if (arguments.has("emit") && arguments.getList("emit").empty())
    refusals.add(Error(Code::BadFlagValue, "--emit: expected kinds of files"));
  refusals.take(parseEmit(arguments.getList("emit")), request.emit);
  refusals.take(findTarget(request.emit), request.row);
  const EmitKind *folder = findFolderKind(*request.row, request.emit);
  refusals.take(getStem(arguments, folder), request.stem);
  std::string symbol = makeSymbol(llvm::sys::path::filename(request.stem));
  // Files and functions of a folder are called so.
  if (folder && isReservedSymbol(symbol))
    symbol = "m_" + symbol;
  request.symbol = arguments.get("symbol-prefix", symbol);
  absl::StatusOr<std::string> outputs =
      arguments.getChoice("outputs", {"model", "quantized"}, "model");
  if (outputs.ok())
    request.outputs = *outputs;
  refusals.take(
      arguments.getChoice("bundle-weights", {"auto", "copy", "refer"}, "auto"),
      request.bundleWeights);
  FlagValues flags;
  for (const Flag &flag : getTargetFlags())
    if (arguments.has(flag.name))
      flags[flag.name] = arguments.get(flag.name, "");
  refusals.add(readTarget(request, flags));
  refusals.add(outputs.status());
  refusals.add(getRecipeSettings(arguments).status());
  QOPT_RETURN_IF_ERROR(refusals.status());
  if (folder)
    return checkOutputFolder(request.stem);
  return request.row->hasBundle ? checkBundlePlace(request.stem)
                                : absl::OkStatus();
}

static absl::StatusOr<ExitCode> compile(const Arguments &arguments,
                                        Session &session,
                                        const llvm::json::Object *lock) {
  auto start = std::chrono::steady_clock::now();
  ArtifactRequest request;
  request.lock = lock;
  QOPT_RETURN_IF_ERROR(readRequest(arguments, request));
  QOPT_ASSIGN(FlaggedModel flagged,
              quantizeModel(arguments, session, request.target->getRequantize(),
                            getQuantizeStages(request.emit)));
  request.preprocessing = &flagged.preprocessing;
  request.source.import = flagged.import;
  request.source.graphHash = flagged.graphHash;
  request.source.constants = std::move(flagged.constants);
  request.source.isProfileGiven = arguments.has("profile");
  request.source.llvmArguments = arguments.getAll("llvm-arg");
  QOPT_ASSIGN(ArtifactSummary summary,
              writeArtifacts(request, flagged.quantized));
  double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
          .count();
  saySummary(session, request, flagged.quantized.recipe, summary, seconds);
  return ExitCode::Ok;
}

static absl::StatusOr<ExitCode> runCompile(const Arguments &arguments,
                                           Session &session) {
  if (std::optional<std::string> path = arguments.get("lock")) {
    QOPT_ASSIGN(llvm::json::Object lock, readLock(*path));
    QOPT_ASSIGN(Arguments locked, getLockedArguments(arguments, session, lock));
    return compile(locked, session, &lock);
  }
  if (arguments.positional().empty())
    return Error(Code::MissingArgument,
                 "expected: qopt compile MODEL -o STEM, or --lock FILE")
        .help("'qopt help compile' explains them");
  return compile(arguments, session, nullptr);
}

namespace qopt::driver {
Verb getCompileVerb() {
  return {"compile",
          "everything: import, calibrate, quantize, machine code",
          "MODEL -o STEM [options] | [MODEL] --lock FILE -o STEM",
          0,
          1,
          {getOutputFlags(), getCompileFlags(), getQuantizeFlags(),
           getCalibrateFlags(), getDataFlags(), getImportFlags()},
          runCompile,
          /*place=*/80};
}
} // namespace qopt::driver
