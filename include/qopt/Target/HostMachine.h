//===- HostMachine.h - Can this machine run that code ---------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Code for another machine dies of an illegal instruction, or computes
// something else. What it was made for is recorded and compared before it runs.
//===----------------------------------------------------------------------===//
#ifndef QOPT_TARGET_HOSTMACHINE_H
#define QOPT_TARGET_HOSTMACHINE_H

#include "llvm/ADT/StringRef.h"

#include <string>
#include <vector>

namespace llvm {
class MCSubtargetInfo;
} // namespace llvm

namespace qopt {

/// What code was made for.
struct MachineRecord {
  std::string triple, cpu;
  /// Instructions that the code may use, as LLVM names them, without what only
  /// tunes it for a CPU.
  std::vector<std::string> features;
};

/// The record of code for a subtarget.
MachineRecord recordMachine(const llvm::MCSubtargetInfo &subtarget);
/// The same for a CPU by its name alone: the record of code made before
/// features were written down. None are known of this machine's own CPU.
MachineRecord recordMachine(llvm::StringRef triple, llvm::StringRef cpu);

/// This machine.
MachineRecord getHostMachine();

/// What code needs and this machine lacks: "the architecture aarch64", or
/// features. Empty if it runs here.
std::vector<std::string> findMissing(const MachineRecord &machine);

} // namespace qopt

#endif // QOPT_TARGET_HOSTMACHINE_H
