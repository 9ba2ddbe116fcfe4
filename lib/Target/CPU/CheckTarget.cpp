//===- CheckTarget.cpp - Is there such a machine --------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Names are checked before a model is read, all of them, and answered with
// those that exist: LLVM itself warns about unknown features and goes on.
//===----------------------------------------------------------------------===//
#include "Program.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/TargetParser/Host.h"

using namespace llvm;
using namespace qopt;

/// Architectures whose code is run by the tests.
static constexpr StringLiteral kArchitectures =
    "x86_64, aarch64, arm, thumb, riscv32, riscv64";

static bool isTested(const Triple &triple) {
  switch (triple.getArch()) {
  case Triple::x86_64:
  case Triple::aarch64:
  case Triple::arm:
  case Triple::thumb:
  case Triple::riscv32:
  case Triple::riscv64:
    return true;
  default:
    return false;
  }
}

/// Triples of microcontrollers name a profile; other CPUs of Arm are none.
static bool isMicrocontroller(const Triple &triple) {
  return triple.isThumb() && (triple.getArchName().contains("v6m") ||
                              triple.getArchName().contains("m.") ||
                              triple.getArchName().ends_with("m"));
}

static std::vector<std::string> listCPUs(const Target &target,
                                         const Triple &triple,
                                         const MCSubtargetInfo &subtarget) {
  std::vector<std::string> names;
  bool isSmall = isMicrocontroller(triple);
  for (const SubtargetSubTypeKV &cpu :
       subtarget.getAllProcessorDescriptions()) {
    if (isSmall) {
      std::unique_ptr<MCSubtargetInfo> one(
          target.createMCSubtargetInfo(triple, cpu.Key, ""));
      if (!one || !one->checkFeatures("+mclass"))
        continue;
    }
    names.push_back(cpu.Key);
  }
  return names;
}

static std::vector<std::string> listFeatures(const MCSubtargetInfo &subtarget) {
  std::vector<std::string> names;
  for (const SubtargetFeatureKV &feature : subtarget.getAllProcessorFeatures())
    names.push_back(feature.Key);
  return names;
}

TargetProblems qopt::findTargetProblems(const CPUOptions &options) {
  initializeTargets();
  TargetProblems found;
  std::string name =
      options.triple.empty() ? sys::getDefaultTargetTriple() : options.triple;
  Triple triple(Triple::normalize(name));
  std::string error;
  const Target *target = TargetRegistry::lookupTarget(triple, error);
  if (!target || !isTested(triple)) {
    found.problems.push_back(absl::StrCat("expects a target triple of ",
                                          kArchitectures.str(), ", got '", name,
                                          "'"));
    return found;
  }
  if (!triple.isOSBinFormatELF())
    found.problems.push_back(
        absl::StrCat("expects a target with ELF objects, got '", name, "'"));
  std::unique_ptr<MCSubtargetInfo> subtarget(
      target->createMCSubtargetInfo(triple, "", ""));
  if (!subtarget)
    return found;
  bool isNative = options.cpu == "native";
  if (isNative &&
      Triple(sys::getDefaultTargetTriple()).getArch() != triple.getArch()) {
    found.problems.push_back(absl::StrCat(
        "expects a CPU for '", name,
        "': native means this machine, which is another architecture"));
  } else if (!isNative && !options.cpu.empty()) {
    std::vector<std::string> known = listCPUs(*target, triple, *subtarget);
    if (!is_contained(known, options.cpu)) {
      found.problems.push_back(absl::StrCat("expects a CPU that exists for '",
                                            name, "', got '", options.cpu,
                                            "'"));
      found.known.push_back(absl::StrCat("CPUs: ", absl::StrJoin(known, ", ")));
    }
  }
  std::vector<std::string> features = listFeatures(*subtarget);
  SmallVector<StringRef> parts;
  StringRef(options.features).split(parts, ',', -1, /*KeepEmpty=*/false);
  bool listsFeatures = false;
  for (StringRef part : parts) {
    StringRef feature = part.trim();
    bool isSigned = feature.consume_front("+") || feature.consume_front("-");
    if (isSigned && is_contained(features, feature))
      continue;
    listsFeatures = true;
    found.problems.push_back(absl::StrCat("expects +FEATURE or -FEATURE of '",
                                          name, "', got '", part.trim().str(),
                                          "'"));
  }
  if (listsFeatures)
    found.known.push_back(
        absl::StrCat("features: ", absl::StrJoin(features, ", ")));
  return found;
}
