//===- Compile.cpp - qopt compile -----------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// All steps in one call: files beside STEM and the bundle STEM.qopt.
//===----------------------------------------------------------------------===//
#include "qopt/Artifacts/EmitKinds.h"
#include "qopt/Artifacts/Lock.h"
#include "qopt/Artifacts/OutputFolder.h"
#include "qopt/Artifacts/Program.h"
#include "qopt/Driver/Calibration.h"
#include "qopt/Driver/VerbFlags.h"
#include "qopt/Pipelines/Pipelines.h"
#include "qopt/Support/Refusals.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"
#include <chrono>

using namespace qopt;
using namespace qopt::driver;

static llvm::ArrayRef<Flag> getCompileFlags() {
  static constexpr Flag kFlags[] = {
      {"emit", "LIST",
       "object (default), header, shared, static, exe (reads .npy), asm, "
       "onnx, llvm-ir, ir[:imported|quantized|lowered]; c or hls: a folder"},
      {"target", "NAME",
       "native (default), CPU[:+FEATURE,..] (a name that LLVM knows; it "
       "implies "
       "a triple, which is printed), or TRIPLE[:CPU[:+FEATURE,..]]; of "
       "--emit=hls an FPGA such as xc7z020"},
      {"mcpu", "NAME", "the CPU of a --target that names none"},
      {"integer-only", nullptr,
       "integers at the interface, softmax in integers (always so for "
       "--emit=c|hls and bare 32-bit targets)"},
      {"outputs", "KIND",
       "of integer-only code: model (default), or quantized: stop before "
       "floats"},
      {"clock", "TIME", "of --emit=hls: 10ns (default), 100MHz"},
      {"cycles", "N", "of --emit=hls: cycles a frame may take (as few as fit)"},
      {"vectors", "N", "of --emit=hls: frames of the test bench (20)"},
      {"symbol-prefix", "NAME", "prefix of the functions (default: the stem)"},
      {"opt-level", "N", "0 to 3 (default 3)", 'O'},
      {"lock", "FILE",
       "make the bytes of STEM.qopt/lock.json again; model and data are looked "
       "for beside it and here, by name and hash"},
  };
  return kFlags;
}

/// What suffixes are added to. `-o DIR/` puts the model's name in there, but
/// for kinds that are a folder.
static absl::StatusOr<std::string> getStem(const Arguments &arguments,
                                           const FolderKind *folder) {
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

/// Names that do not exist are refused before a model is read.
static absl::Status readTarget(const Arguments &arguments,
                               ArtifactRequest &request,
                               const FolderKind *folder) {
  if (folder) {
    std::string given;
    for (llvm::StringRef flag : {"target", "mcpu"})
      if (arguments.has(flag) && (flag == "mcpu" || !folder->takesTarget))
        given += (given.empty() ? "--" : " and --") + flag.str();
    if (given.empty())
      return absl::OkStatus();
    return Error(Code::BadFlagValue,
                 "--emit=" + llvm::Twine(folder->name) + ": expected no " +
                     given + ", the folder is the same for every CPU")
        .help("the compiler that builds the folder is told the CPU");
  }
  MachineName &machine = request.cpu;
  QOPT_ASSIGN(machine,
              parseMachineName(request.target, arguments.get("mcpu", "")));
  MachineProblems found = findMachineProblems(machine);
  if (found.problems.empty())
    return absl::OkStatus();
  Error error(Code::BadFlagValue, "--target: " + found.problems.front());
  for (const std::string &problem : llvm::drop_begin(found.problems))
    std::move(error).note(problem);
  for (const std::string &known : found.known)
    std::move(error).note(known);
  return std::move(error).help("--target=TRIPLE[:CPU[:+FEATURE,..]], or "
                               "--mcpu for the CPU");
}

static absl::StatusOr<ExitCode> compile(const Arguments &arguments,
                                        Session &session,
                                        const llvm::json::Object *lock) {
  auto start = std::chrono::steady_clock::now();
  ArtifactRequest request;
  request.lock = lock;
  request.modelPath = arguments.positional()[0];
  request.dataPaths = arguments.getAll("data");
  // What is misspelled is said at once, before a model is read.
  Refusals refusals;
  request.emit = {"object"};
  refusals.take(parseEmit(arguments.getList("emit")), request.emit);
  const FolderKind *folder = findFolderKind(*request.emit.begin());
  refusals.take(getStem(arguments, folder), request.stem);
  request.target = arguments.get("target", "native");
  refusals.add(readTarget(arguments, request, folder));
  request.integerOnly =
      !folder && (arguments.has("integer-only") || isBareMetal(request.cpu));
  refusals.take(arguments.getChoice("outputs", {"model", "quantized"}, "model"),
                request.outputs);
  refusals.add(getRecipeSettings(arguments).status());
  QOPT_RETURN_IF_ERROR(refusals.status());
  request.cpu.symbol = arguments.get(
      "symbol-prefix", makeSymbol(llvm::sys::path::filename(request.stem)));
  request.hls.clock = arguments.get("clock", request.hls.clock);
  QOPT_ASSIGN(request.hls.cycles, arguments.getInt("cycles", 0, 0));
  QOPT_ASSIGN(request.hls.vectors,
              arguments.getInt("vectors", request.hls.vectors, 1));
  if (folder) {
    QOPT_RETURN_IF_ERROR(checkOutputFolder(request.stem));
    if (folder->check)
      QOPT_RETURN_IF_ERROR(folder->check(request));
  }
  QOPT_ASSIGN(int64_t level, arguments.getInt("opt-level", 3, 0));
  request.cpu.optLevel = std::min<int64_t>(level, 3);
  QOPT_ASSIGN(FlaggedModel flagged,
              quantizeModel(arguments, session, getDefaultRequantize(request)));
  const Recipe &recipe = flagged.quantized.recipe;
  request.preprocessing = &flagged.preprocessing;
  request.source.import = flagged.import;
  request.source.graphHash = flagged.graphHash;
  request.source.isProfileGiven = arguments.has("profile");
  request.source.llvmArguments = arguments.getAll("llvm-arg");
  QOPT_ASSIGN(ArtifactSummary summary,
              writeArtifacts(request, flagged.quantized));
  double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
          .count();
  for (const std::string &file : summary.files)
    session.say("wrote " + file);
  if (folder) {
    if (!summary.text.empty())
      session.say(summary.text);
    session.say(llvm::formatv("{0}, requantization {1}, {2:f1} s",
                              recipe.scheme, recipe.requantize, seconds)
                    .str());
    return ExitCode::Ok;
  }
  session.say(llvm::formatv("{0} {1}: weights {2} bytes, arena {3} bytes, "
                            "{4:f1} s",
                            recipe.scheme, summary.target, summary.weightsBytes,
                            summary.arenaBytes, seconds)
                  .str());
  if (summary.runsHere)
    session.say("next: qopt bench " + request.stem + " --vs float");
  else
    session.say("the code is for another machine; here: qopt run " +
                request.stem + " --reference");
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
