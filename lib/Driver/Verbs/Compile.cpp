//===- Compile.cpp - qopt compile -----------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// All steps in one call: files beside STEM and the bundle STEM.qopt.
//===----------------------------------------------------------------------===//
#include "qopt/Driver/Calibration.h"
#include "qopt/Driver/VerbFlags.h"
#include "qopt/Pipelines/Artifacts.h"
#include "qopt/Pipelines/Program.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"
#include <chrono>

using namespace qopt;
using namespace qopt::driver;

llvm::ArrayRef<Flag> driver::getCompileFlags() {
  static constexpr Flag kFlags[] = {
      {"emit", "LIST",
       "object (default), header, shared, static, onnx, llvm-ir, "
       "ir[:imported|quantized|lowered]"},
      {"target", "NAME",
       "native (default), a CPU name, or TRIPLE[:CPU[:+FEATURE,..]]"},
      {"symbol-prefix", "NAME", "prefix of the functions (default: the stem)"},
      {"opt-level", "N", "0 to 3 (default 3)", 'O'},
  };
  return kFlags;
}

/// `native`, `znver4`, `x86-64-v3:+avxvnni`,
/// `aarch64-linux-gnu:cortex-a76:+dotprod`.
static CPUOptions parseTarget(llvm::StringRef text) {
  CPUOptions cpu;
  llvm::SmallVector<llvm::StringRef> parts;
  text.split(parts, ':');
  // Levels of x86-64 are the CPU names with dashes that need no triple.
  if (!parts[0].contains('-') || parts[0].starts_with("x86-64")) {
    cpu.cpu = parts[0].empty() ? "native" : parts[0].str();
    if (parts.size() > 1)
      cpu.features = parts[1].str();
    return cpu;
  }
  cpu.triple = parts[0].str();
  cpu.cpu = parts.size() > 1 ? parts[1].str() : "generic";
  if (parts.size() > 2)
    cpu.features = parts[2].str();
  return cpu;
}

absl::StatusOr<ExitCode> driver::runCompile(const Arguments &arguments,
                                            Session &session) {
  auto start = std::chrono::steady_clock::now();
  std::optional<std::string> stem = arguments.get("output");
  if (!stem || stem->empty() || llvm::StringRef(*stem).ends_with("/"))
    return Error(Code::MissingArgument, "expected -o STEM, the name that "
                                        ".o, .h, .so and .qopt are added to");
  ArtifactRequest request;
  request.stem = *stem;
  request.modelPath = arguments.positional()[0];
  request.dataPaths = arguments.getAll("data");
  request.cpu = parseTarget(arguments.get("target", "native"));
  request.cpu.symbol = arguments.get(
      "symbol-prefix", makeSymbol(llvm::sys::path::filename(*stem)));
  QOPT_ASSIGN(int64_t level, arguments.getInt("opt-level", 3, 0));
  request.cpu.optLevel = std::min<int64_t>(level, 3);
  QOPT_ASSIGN(request.emit, parseEmit(arguments.getList("emit")));
  QOPT_ASSIGN(QuantizedModel model, quantizeModel(arguments, session));
  request.floatModule = *model.floatModule;
  request.unfolded = *model.unfolded;
  request.quantized = *model.quantized;
  request.profile = model.profile ? &*model.profile : nullptr;
  request.preprocessing = &model.preprocessing;
  request.options = model.options;
  QOPT_ASSIGN(ArtifactSummary summary, writeArtifacts(request));
  double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
          .count();
  for (const std::string &file : summary.files)
    session.say("wrote " + file);
  session.say(llvm::formatv("{0} {1}: weights {2} bytes, arena {3} bytes, "
                            "{4:f1} s",
                            getName(model.options.scheme), summary.target,
                            summary.weightsBytes, summary.arenaBytes, seconds)
                  .str());
  session.say("next: qopt bench " + *stem + " --vs float");
  return ExitCode::Ok;
}
