//===- TestBench.h - Test bench and build files ---------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Everything of a project that is neither a unit nor the report.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_TARGET_HLS_TESTBENCH_H
#define QOPT_LIB_TARGET_HLS_TESTBENCH_H

#include "Unit.h"
#include "qopt/Target/HLS/Emit.h"

namespace qopt::hls {

struct BenchPort {
  std::string name;
  StreamType type;
  unsigned index; ///< argument or result of the core
};

/// Ports in the order of the top function's parameters.
struct BenchPorts {
  std::vector<BenchPort> inputs, outputs;
};

std::string emitTestBench(const BenchPorts &ports, llvm::StringRef symbol,
                          size_t frames);
/// Frame by frame, inputs then outputs, in 1, 2 or 4 bytes an element.
std::string packVectors(const BenchPorts &ports,
                        llvm::ArrayRef<TestVector> vectors);
/// Makefile, run_hls.tcl, hls_config.cfg and the headers of the simulation.
void addBuildFiles(std::map<std::string, std::string> &files,
                   const ProjectOptions &options,
                   llvm::ArrayRef<std::string> sources);

} // namespace qopt::hls

#endif // QOPT_LIB_TARGET_HLS_TESTBENCH_H
