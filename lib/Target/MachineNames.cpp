//===- MachineNames.cpp - What --target may say of a CPU ------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Names are checked before a model is read, all of them, and answered with
// those that exist: LLVM itself warns about unknown features and goes on.
//===----------------------------------------------------------------------===//
#include "qopt/Target/MachineNames.h"
#include "qopt/Support/Diagnostics.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

#include <map>
#include <mutex>
#include <set>

using namespace llvm;
using namespace qopt;

void qopt::initializeTargets() {
  static std::once_flag once;
  std::call_once(once, [] {
#ifdef QOPT_LLVM_TARGETS
  // Those of a release, named by CMake.
#define QOPT_LLVM_TARGET(name)                                                 \
  LLVMInitialize##name##TargetInfo();                                          \
  LLVMInitialize##name##Target();                                              \
  LLVMInitialize##name##TargetMC();                                            \
  LLVMInitialize##name##AsmPrinter();                                          \
  LLVMInitialize##name##AsmParser();
    QOPT_LLVM_TARGETS
#undef QOPT_LLVM_TARGET
#else
    InitializeAllTargetInfos();
    InitializeAllTargets();
    InitializeAllTargetMCs();
    InitializeAllAsmPrinters();
    InitializeAllAsmParsers();
#endif
  });
}

/// Architectures whose code is run by the tests, and the triple that a bare CPU
/// name implies: of Arm's 32 bits and microcontrollers the part behind the
/// architecture's version.
static constexpr struct {
  Triple::ArchType arch;
  StringLiteral implied;
} kArchitectures[] = {
    {Triple::x86_64, "x86_64-pc-linux-gnu"},
    {Triple::aarch64, "aarch64-linux-gnu"},
    {Triple::arm, "-linux-gnueabihf"},
    {Triple::thumb, "-none-eabi"},
    {Triple::riscv32, "riscv32-none-elf"},
    {Triple::riscv64, "riscv64-linux-gnu"},
};

static bool isTested(Triple::ArchType arch) {
  return any_of(kArchitectures, [&](auto &row) { return row.arch == arch; });
}

static std::string listArchitectures() {
  std::string names;
  for (auto &row : kArchitectures)
    absl::StrAppend(&names, names.empty() ? "" : ", ",
                    Triple::getArchTypeName(row.arch).str());
  return names;
}

/// Triples of microcontrollers name a profile; other CPUs of Arm are none.
static bool isMicrocontroller(const Triple &triple) {
  return triple.isThumb() && (triple.getArchName().contains("v6m") ||
                              triple.getArchName().contains("m.") ||
                              triple.getArchName().ends_with("m"));
}

/// Whether a CPU of a target's table is one of the triple's: tables hold all
/// widths and profiles of a family.
static bool suits(const Target &target, const Triple &triple, StringRef cpu) {
  std::unique_ptr<MCSubtargetInfo> one(
      target.createMCSubtargetInfo(triple, cpu, ""));
  if (!one)
    return false;
  switch (triple.getArch()) {
  case Triple::x86_64:
    return one->checkFeatures("+64bit");
  case Triple::x86:
    return !one->checkFeatures("+64bit");
  case Triple::riscv32:
    return !one->checkFeatures("+64bit");
  case Triple::riscv64:
    return !one->checkFeatures("+32bit");
  default:
    return !isMicrocontroller(triple) || one->checkFeatures("+mclass");
  }
}

static std::vector<std::string> listCPUs(const Target &target,
                                         const Triple &triple,
                                         const MCSubtargetInfo &subtarget) {
  std::vector<std::string> names;
  for (const SubtargetSubTypeKV &cpu : subtarget.getAllProcessorDescriptions())
    if (suits(target, triple, cpu.Key))
      names.push_back(cpu.Key);
  return names;
}

static std::vector<std::string> listFeatures(const MCSubtargetInfo &subtarget) {
  std::vector<std::string> names;
  for (const SubtargetFeatureKV &feature : subtarget.getAllProcessorFeatures())
    names.push_back(feature.Key);
  return names;
}

MachineProblems qopt::findMachineProblems(const MachineName &machine) {
  initializeTargets();
  MachineProblems found;
  std::string name =
      machine.triple.empty() ? sys::getDefaultTargetTriple() : machine.triple;
  Triple triple(Triple::normalize(name));
  std::string error;
  const Target *target = TargetRegistry::lookupTarget(triple, error);
  if (!target || !isTested(triple.getArch())) {
    found.problems.push_back(absl::StrCat("expects a target triple of ",
                                          listArchitectures(), ", got '", name,
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
  bool isNative = machine.cpu == "native";
  if (isNative &&
      Triple(sys::getDefaultTargetTriple()).getArch() != triple.getArch()) {
    found.problems.push_back(absl::StrCat(
        "expects a CPU for '", name,
        "': native means this machine, which is another architecture"));
  } else if (!isNative && !machine.cpu.empty()) {
    if (!subtarget->isCPUStringValid(machine.cpu) ||
        !suits(*target, triple, machine.cpu)) {
      std::vector<std::string> known = listCPUs(*target, triple, *subtarget);
      found.problems.push_back(absl::StrCat("expects a CPU that exists for '",
                                            name, "', got '", machine.cpu,
                                            "'"));
      found.known.push_back(absl::StrCat("CPUs: ", absl::StrJoin(known, ", ")));
    }
  }
  std::vector<std::string> features = listFeatures(*subtarget);
  SmallVector<StringRef> parts;
  StringRef(machine.features).split(parts, ',', -1, /*KeepEmpty=*/false);
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

/// The architectures that have a CPU of that name, in the order of
/// kArchitectures; those without code here behind them.
static std::vector<Triple::ArchType> findArchitectures(StringRef cpu) {
  std::set<Triple::ArchType> found;
  for (const Target &target : TargetRegistry::targets()) {
    Triple triple;
    triple.setArch(Triple::getArchTypeForLLVMName(target.getName()));
    std::unique_ptr<MCSubtargetInfo> subtarget(
        target.createMCSubtargetInfo(triple, "", ""));
    if (!subtarget || !subtarget->isCPUStringValid(cpu) ||
        !suits(target, triple, cpu))
      continue;
    // Both names of Arm's 32 bits have all of its CPUs.
    if (triple.isARM() || triple.isThumb()) {
      subtarget.reset(target.createMCSubtargetInfo(triple, cpu, ""));
      if (subtarget->checkFeatures("+mclass") != triple.isThumb())
        continue;
    }
    found.insert(triple.getArch());
  }
  std::vector<Triple::ArchType> ordered;
  for (auto &row : kArchitectures)
    if (found.erase(row.arch))
      ordered.push_back(row.arch);
  ordered.insert(ordered.end(), found.begin(), found.end());
  return ordered;
}

/// "armv7e-m" of a CPU of Arm's 32 bits, from the features of its CPU.
static std::string getArmVersion(const Triple &triple, StringRef cpu) {
  std::string error;
  const Target *target = TargetRegistry::lookupTarget(triple, error);
  std::unique_ptr<MCSubtargetInfo> subtarget(
      target->createMCSubtargetInfo(triple, cpu, ""));
  for (const SubtargetFeatureKV &feature :
       subtarget->getEnabledProcessorFeatures())
    if (StringRef(feature.Key).starts_with("armv"))
      return feature.Key;
  return "";
}

static std::string getImpliedTriple(Triple::ArchType arch, StringRef cpu) {
  StringRef implied = find_if(kArchitectures, [&](auto &row) {
                        return row.arch == arch;
                      })->implied;
  Triple triple;
  triple.setArch(arch);
  if (!triple.isARM() && !triple.isThumb())
    return implied.str();
  // armv7e-m and armv8-m.main are called thumbv7em and thumbv8m.main.
  std::string armVersion = getArmVersion(triple, cpu);
  StringRef version = armVersion;
  bool hasSystem = version.ends_with("-a");
  version.consume_front("arm");
  std::string name = Triple::getArchTypeName(arch).str();
  for (char c : version)
    if (c != '-')
      name += c;
  return name + (hasSystem ? implied.str() : "-none-eabi");
}

/// A core of Arm with a 64-bit state is used in it.
static void dropNarrowState(std::vector<Triple::ArchType> &found) {
  if (is_contained(found, Triple::aarch64) &&
      is_contained(found, Triple::arm) && !is_contained(found, Triple::x86_64))
    erase(found, Triple::arm);
}

static std::string listNames(ArrayRef<Triple::ArchType> architectures) {
  std::string names;
  for (Triple::ArchType arch : architectures)
    absl::StrAppend(&names, names.empty() ? "" : ", ",
                    Triple::getArchTypeName(arch).str());
  return names;
}

/// "x86_64-pc-linux-gnu" of an architecture's name, as in amd64 or thumbv7em.
static std::string completeTriple(const Triple &triple, StringRef name) {
  auto *row = find_if(kArchitectures,
                      [&](auto &row) { return row.arch == triple.getArch(); });
  // Of Arm's 32 bits the name says the version.
  if (triple.isARM() || triple.isThumb())
    return (name + row->implied).str();
  return row->implied.str();
}

/// An architecture is named where a CPU is expected.
static absl::Status refuseArchitecture(const Triple &triple, StringRef name) {
  qopt::Error error(Code::BadFlagValue,
                    "--target: expects a CPU, or TRIPLE[:CPU[:+FEATURE,..]], "
                    "got '" +
                        name + "', which is an architecture");
  if (!isTested(triple.getArch()))
    return std::move(error).help("architectures with code here: " +
                                 listArchitectures());
  std::vector<std::string> cpus;
  for (auto &[cpu, implied] : listMachineNames())
    if (Triple(implied).getArch() == triple.getArch())
      cpus.push_back(cpu);
  return std::move(
             std::move(error).note("CPUs: " + absl::StrJoin(cpus, ", ")))
      .help("write --target=" + completeTriple(triple, name) +
            " for a CPU of it that is not named");
}

static absl::Status refuseName(StringRef cpu,
                               ArrayRef<Triple::ArchType> found) {
  if (found.size() > 1 && isTested(found[1])) {
    ArrayRef<Triple::ArchType> tested =
        found.take_while([](auto arch) { return isTested(arch); });
    qopt::Error error(Code::BadFlagValue,
                      "--target: expects a CPU of one architecture, got '" +
                          cpu + "', which is one of " + listNames(tested));
    for (Triple::ArchType arch : tested)
      std::move(error).note("write " + getImpliedTriple(arch, cpu) + ":" + cpu);
    return error;
  }
  if (!found.empty())
    return qopt::Error(Code::BadFlagValue, "--target: expects a CPU of " +
                                               listArchitectures() + ", got '" +
                                               cpu + "', which is one of " +
                                               listNames(found));
  if (Triple triple(cpu); triple.getArch() != Triple::UnknownArch)
    return refuseArchitecture(triple, cpu);
  qopt::Error error(Code::BadFlagValue,
                    "--target: expects a CPU that exists, or TRIPLE[:CPU"
                    "[:+FEATURE,..]], got '" +
                        cpu + "'");
  std::map<std::string, std::vector<std::string>> known;
  for (auto &[name, triple] : listMachineNames())
    known[Triple::getArchTypeName(Triple(triple).getArch()).str()].push_back(
        name);
  for (auto &[arch, names] : known)
    std::move(error).note("CPUs of " + arch + ": " +
                          absl::StrJoin(names, ", "));
  return error;
}

static absl::StatusOr<MachineName> parseCPUName(StringRef cpu,
                                                StringRef features) {
  if (cpu.empty() || cpu == "native")
    return MachineName{"", "native", features.str()};
  initializeTargets();
  std::vector<Triple::ArchType> found = findArchitectures(cpu);
  dropNarrowState(found);
  if (found.empty() || !isTested(found[0]) ||
      (found.size() > 1 && isTested(found[1])))
    return refuseName(cpu, found);
  return MachineName{getImpliedTriple(found[0], cpu), cpu.str(),
                     features.str()};
}

/// An architecture, or a system: CPUs are called neither.
static bool looksLikeTriple(StringRef text) {
  Triple triple(Triple::normalize(text));
  return text.contains('-') &&
         (triple.getArch() != Triple::UnknownArch ||
          triple.getOS() != Triple::UnknownOS ||
          triple.getEnvironment() != Triple::UnknownEnvironment);
}

absl::StatusOr<MachineName> qopt::parseMachineName(StringRef text,
                                                   StringRef mcpu) {
  SmallVector<StringRef> parts;
  text.split(parts, ':');
  auto get = [&](size_t i) { return i < parts.size() ? parts[i] : ""; };
  initializeTargets();
  bool isTriple =
      looksLikeTriple(parts[0]) && findArchitectures(parts[0]).empty();
  // Nothing that was written is ignored.
  if (parts.size() > (isTriple ? 3 : 2) || (parts.size() > 1 && get(0).empty()))
    return qopt::Error(Code::BadFlagValue,
                       "--target: expects CPU[:+FEATURE,..] or TRIPLE[:CPU"
                       "[:+FEATURE,..]], got '" +
                           text + "'");
  StringRef named = isTriple ? get(1) : get(0);
  if (!mcpu.empty() && !named.empty() && named != mcpu &&
      (isTriple || named != "native"))
    return qopt::Error(Code::BadFlagValue,
                       "--mcpu: expects a --target that names no CPU, got '" +
                           mcpu + "' and '" + text + "'");
  if (!isTriple)
    return parseCPUName(mcpu.empty() ? parts[0] : mcpu, get(1));
  StringRef cpu = !mcpu.empty()    ? mcpu
                  : !named.empty() ? named
                                   : "generic";
  return MachineName{parts[0].str(), cpu.str(), get(2).str()};
}

std::vector<std::pair<std::string, std::string>> qopt::listMachineNames() {
  initializeTargets();
  std::set<std::string> names;
  std::string error;
  for (auto &row : kArchitectures) {
    Triple triple;
    triple.setArch(row.arch);
    const Target *target = TargetRegistry::lookupTarget(triple, error);
    std::unique_ptr<MCSubtargetInfo> subtarget(
        target ? target->createMCSubtargetInfo(triple, "", "") : nullptr);
    if (subtarget)
      for (const SubtargetSubTypeKV &cpu :
           subtarget->getAllProcessorDescriptions())
        names.insert(cpu.Key);
  }
  std::vector<std::pair<std::string, std::string>> result;
  for (const std::string &name : names)
    if (auto machine = parseCPUName(name, ""); machine.ok())
      result.push_back({name, machine->triple});
  return result;
}
