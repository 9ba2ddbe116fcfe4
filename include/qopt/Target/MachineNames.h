//===- MachineNames.h - What --target may say of a CPU --------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// One name for a machine: LLVM's tables of CPUs say which architecture a bare
// name means, so that no list here ages. Nothing is guessed: a name of two
// architectures is refused.
//===----------------------------------------------------------------------===//
#ifndef QOPT_TARGET_MACHINENAMES_H
#define QOPT_TARGET_MACHINENAMES_H

#include "absl/status/statusor.h"
#include "llvm/ADT/StringRef.h"

#include <string>
#include <vector>

namespace qopt {

/// A machine as LLVM names it.
struct MachineName {
  std::string triple;         ///< empty: this machine's
  std::string cpu = "native"; ///< as LLVM names them; "native": this one
  std::string features;       ///< "+dotprod,-sve", on top of the CPU's
};

/// `native`, `znver4`, `skylake-avx512:+avxvnni`,
/// `aarch64-linux-gnu:cortex-a76:+dotprod`. `mcpu`, unless empty, is the CPU.
///
/// A bare CPU name implies a triple: x86_64-pc-linux-gnu, aarch64-linux-gnu,
/// armARCH-linux-gnueabihf (application profile), armARCH-none-eabi (older and
/// real-time cores), thumbARCH-none-eabi (microcontrollers), riscv32-none-elf,
/// riscv64-linux-gnu. Cores of Arm that have a 64-bit state imply that one. A
/// name that is unknown, or of two architectures, or of one without code here
/// is refused by name.
absl::StatusOr<MachineName> parseMachineName(llvm::StringRef text,
                                             llvm::StringRef mcpu = "");

/// What of the names does not exist: a line each, and lines of the names that
/// do. Empty if a machine can be made.
struct MachineProblems {
  std::vector<std::string> problems, known;
};
MachineProblems findMachineProblems(const MachineName &machine);

/// All CPU names that imply a triple, sorted, with that triple.
std::vector<std::pair<std::string, std::string>> listMachineNames();

/// Registers all code generators, once.
void initializeTargets();

} // namespace qopt

#endif // QOPT_TARGET_MACHINENAMES_H
