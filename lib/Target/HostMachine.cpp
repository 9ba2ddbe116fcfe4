//===- HostMachine.cpp - Can this machine run that code -------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// LLVM keeps a CPU's instructions and its tuning in two sets per CPU, but in
// one name space; tuning is never needed.
//===----------------------------------------------------------------------===//
#include "qopt/Target/HostMachine.h"
#include "qopt/Target/MachineNames.h"

#include "absl/strings/str_cat.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

using namespace llvm;
using namespace qopt;

/// `bits` and all that they imply.
static FeatureBitset close(FeatureBitset bits,
                           ArrayRef<SubtargetFeatureKV> features) {
  for (bool changed = true; changed;) {
    FeatureBitset before = bits;
    for (const SubtargetFeatureKV &feature : features)
      if (bits.test(feature.Value))
        bits |= feature.Implies.getAsBitset();
    changed = bits != before;
  }
  return bits;
}

/// Features that CPUs have for tuning alone.
static FeatureBitset getTuning(const MCSubtargetInfo &subtarget) {
  FeatureBitset tuning, instructions;
  for (const SubtargetSubTypeKV &cpu :
       subtarget.getAllProcessorDescriptions()) {
    tuning |= cpu.TuneImplies.getAsBitset();
    instructions |= cpu.Implies.getAsBitset();
  }
  ArrayRef<SubtargetFeatureKV> features = subtarget.getAllProcessorFeatures();
  return close(tuning, features) & ~close(instructions, features);
}

static std::unique_ptr<MCSubtargetInfo>
createSubtarget(const Triple &triple, StringRef cpu, StringRef features) {
  initializeTargets();
  std::string error;
  const Target *target = TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return nullptr;
  return std::unique_ptr<MCSubtargetInfo>(
      target->createMCSubtargetInfo(triple, cpu, features));
}

MachineRecord qopt::recordMachine(const MCSubtargetInfo &subtarget) {
  MachineRecord record;
  record.triple = subtarget.getTargetTriple().str();
  record.cpu = subtarget.getCPU().str();
  FeatureBitset tuning = getTuning(subtarget);
  for (const SubtargetFeatureKV &feature :
       subtarget.getEnabledProcessorFeatures())
    if (!tuning.test(feature.Value))
      record.features.push_back(feature.Key);
  return record;
}

MachineRecord qopt::recordMachine(StringRef triple, StringRef cpu) {
  // What of a CPU's features a virtual machine hides is not in its name.
  Triple normalized(Triple::normalize(triple));
  if (cpu != sys::getHostCPUName())
    if (auto subtarget = createSubtarget(normalized, cpu, ""))
      if (subtarget->isCPUStringValid(cpu))
        return recordMachine(*subtarget);
  return {normalized.str(), cpu.str(), {}};
}

MachineRecord qopt::getHostMachine() {
  Triple triple(Triple::normalize(sys::getDefaultTargetTriple()));
  std::string features;
  for (auto &feature : sys::getHostCPUFeatures())
    absl::StrAppend(&features, features.empty() ? "" : ",",
                    feature.second ? "+" : "-", feature.first().str());
  std::string cpu = sys::getHostCPUName().str();
  if (auto subtarget = createSubtarget(triple, cpu, features))
    return recordMachine(*subtarget);
  return {triple.str(), cpu, {}};
}

std::vector<std::string> qopt::findMissing(const MachineRecord &machine) {
  MachineRecord host = getHostMachine();
  Triple theirs(Triple::normalize(machine.triple)), ours(host.triple);
  if (theirs.getArch() != ours.getArch())
    return {"the architecture " +
            (theirs.getArch() == Triple::UnknownArch
                 ? machine.triple
                 : Triple::getArchTypeName(theirs.getArch()).str())};
  std::vector<std::string> missing;
  for (const std::string &feature : machine.features)
    if (!is_contained(host.features, feature))
      missing.push_back(feature);
  return missing;
}
