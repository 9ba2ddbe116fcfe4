//===- MachineNamesTest.cpp - Every CPU name of LLVM ----------------------===//
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//
#include "qopt/Target/MachineNames.h"
#include "qopt/Support/Diagnostics.h"
#include "qopt/Target/HostMachine.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"
#include "gtest/gtest.h"

using namespace qopt;

namespace {
MachineName parse(llvm::StringRef text, llvm::StringRef mcpu = "") {
  auto machine = parseMachineName(text, mcpu);
  EXPECT_TRUE(machine.ok()) << text.str() << ": " << machine.status().message();
  return machine.ok() ? *machine : MachineName{"?", "?", "?"};
}

std::string refuse(llvm::StringRef text) {
  auto machine = parseMachineName(text);
  EXPECT_FALSE(machine.ok()) << text.str();
  return std::string(machine.status().message());
}

TEST(MachineNames, HyphensAreNoTriple) {
  for (const char *cpu : {"icelake-server", "skylake-avx512", "x86-64-v3"}) {
    MachineName machine = parse(cpu);
    EXPECT_EQ(machine.triple, "x86_64-pc-linux-gnu");
    EXPECT_EQ(machine.cpu, cpu);
    EXPECT_EQ(machine.features, "");
  }
}

TEST(MachineNames, NameImpliesTriple) {
  std::pair<const char *, const char *> rows[] = {
      {"cortex-m0", "thumbv6m-none-eabi"},
      {"cortex-m3", "thumbv7m-none-eabi"},
      {"cortex-m4", "thumbv7em-none-eabi"},
      {"cortex-m23", "thumbv8m.base-none-eabi"},
      {"cortex-m33", "thumbv8m.main-none-eabi"},
      {"cortex-m55", "thumbv8.1m.main-none-eabi"},
      {"cortex-r5", "armv7r-none-eabi"},
      {"arm7tdmi", "armv4t-none-eabi"},
      {"cortex-a7", "armv7a-linux-gnueabihf"},
      {"cortex-a53", "aarch64-linux-gnu"},
      {"neoverse-n1", "aarch64-linux-gnu"},
      {"apple-m1", "aarch64-linux-gnu"},
      {"znver4", "x86_64-pc-linux-gnu"},
      {"generic-rv32", "riscv32-none-elf"},
      {"sifive-e31", "riscv32-none-elf"},
      {"generic-rv64", "riscv64-linux-gnu"},
      {"sifive-u74", "riscv64-linux-gnu"}};
  for (auto [cpu, triple] : rows) {
    EXPECT_EQ(parse(cpu).triple, triple) << cpu;
    EXPECT_EQ(parse(cpu).cpu, cpu);
  }
}

TEST(MachineNames, FeaturesAndTriples) {
  EXPECT_EQ(parse("native").triple, "");
  EXPECT_EQ(parse("native").cpu, "native");
  EXPECT_EQ(parse("").cpu, "native");
  EXPECT_EQ(parse("native:+avxvnni").features, "+avxvnni");
  EXPECT_EQ(parse("x86-64-v3:+avxvnni").features, "+avxvnni");
  EXPECT_EQ(parse("cortex-a76:+dotprod").triple, "aarch64-linux-gnu");
  MachineName machine = parse("aarch64-linux-gnu:cortex-a76:+dotprod,-sve");
  EXPECT_EQ(machine.triple, "aarch64-linux-gnu");
  EXPECT_EQ(machine.cpu, "cortex-a76");
  EXPECT_EQ(machine.features, "+dotprod,-sve");
  EXPECT_EQ(parse("aarch64-linux-gnu").cpu, "generic");
  EXPECT_EQ(parse("thumbv7em-none-eabi", "cortex-m4").cpu, "cortex-m4");
  EXPECT_EQ(parse("native", "cortex-m4").triple, "thumbv7em-none-eabi");
}

TEST(MachineNames, NameOfTwoArchitecturesIsRefused) {
  EXPECT_EQ(refuse("rocket"),
            "--target: expects a CPU of one architecture, got 'rocket', which "
            "is one of riscv32, riscv64");
  EXPECT_EQ(refuse("generic"),
            "--target: expects a CPU of one architecture, got 'generic', "
            "which is one of x86_64, aarch64, arm, riscv32, riscv64");
  EXPECT_EQ(getNotes(parseMachineName("rocket").status()),
            (llvm::SmallVector<std::string>{"write riscv32-none-elf:rocket",
                                            "write riscv64-linux-gnu:rocket"}));
}

TEST(MachineNames, NameWithoutCodeIsRefused) {
  EXPECT_EQ(refuse("gfx90a"),
            "--target: expects a CPU of x86_64, aarch64, arm, thumb, riscv32, "
            "riscv64, got 'gfx90a', which is one of amdgcn");
  EXPECT_EQ(refuse("pentium3"),
            "--target: expects a CPU of x86_64, aarch64, arm, thumb, riscv32, "
            "riscv64, got 'pentium3', which is one of i386");
  for (const char *name : {"cortex-m4:+dsp:more", ":cortex-m4",
                           "aarch64-linux-gnu:cortex-a76:+sve:more"})
    EXPECT_EQ(refuse(name),
              "--target: expects CPU[:+FEATURE,..] or TRIPLE[:CPU"
              "[:+FEATURE,..]], got '" +
                  std::string(name) + "'");
  EXPECT_EQ(parse("aarch64-linux-gnu:").cpu, "generic");
  EXPECT_EQ(parse("native", "cortex-m4").triple, parse("cortex-m4").triple);
  EXPECT_FALSE(parseMachineName("cortex-m4", "cortex-m7").ok());
  EXPECT_EQ(refuse("cortex-m99"),
            "--target: expects a CPU that exists, or TRIPLE[:CPU[:+FEATURE,..]]"
            ", got 'cortex-m99'");
}

/// Names of a triple whose mode they do not have end the compiler inside LLVM.
TEST(MachineNames, CPUOfAnotherWidthIsRefused) {
  EXPECT_FALSE(findMachineProblems({"x86_64-linux-gnu", "pentium3", ""})
                   .problems.empty());
  EXPECT_FALSE(findMachineProblems({"riscv64-linux-gnu", "generic-rv32", ""})
                   .problems.empty());
  EXPECT_FALSE(findMachineProblems({"riscv32-none-elf", "sifive-u74", ""})
                   .problems.empty());
}

TEST(MachineNames, EveryNameMakesAMachine) {
  auto names = listMachineNames();
  EXPECT_GT(names.size(), 250u);
  for (auto &[name, triple] : names) {
    MachineName machine = parse(name);
    EXPECT_EQ(machine.triple, triple);
    EXPECT_TRUE(findMachineProblems(machine).problems.empty())
        << name << ": " << findMachineProblems(machine).problems.front();
  }
}

TEST(HostMachine, RunsItsOwnCode) {
  MachineRecord host = getHostMachine();
  EXPECT_TRUE(findMissing(host).empty());
  // Made before features were recorded.
  EXPECT_TRUE(findMissing(recordMachine(host.triple, host.cpu)).empty());
}

TEST(HostMachine, NamesWhatIsMissing) {
  MachineRecord host = getHostMachine();
  host.features.push_back("no-such-feature");
  EXPECT_EQ(findMissing(host), std::vector<std::string>{"no-such-feature"});
  EXPECT_EQ(findMissing({"hexagon-unknown-elf", "hexagonv66", {}}),
            std::vector<std::string>{"the architecture hexagon"});
}

TEST(HostMachine, TuningIsNoInstruction) {
  MachineRecord machine = recordMachine("x86_64-linux-gnu", "znver4");
  EXPECT_TRUE(llvm::is_contained(machine.features, "avx512vnni"));
  EXPECT_TRUE(llvm::is_contained(machine.features, "avx2"));
  for (const std::string &feature : machine.features)
    EXPECT_FALSE(llvm::StringRef(feature).starts_with("fast-")) << feature;
}
} // namespace
