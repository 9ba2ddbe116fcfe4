//===- Emit.h - A project for an FPGA -------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The door of the HLS target: integers in (convert-fxp-to-hls and the passes
// of this folder run inside), the files of a project out.
//===----------------------------------------------------------------------===//
#ifndef QOPT_TARGET_HLS_EMIT_H
#define QOPT_TARGET_HLS_EMIT_H

#include "qopt/Conversion/IntegerCore.h"
#include "qopt/Support/Tensor.h"
#include "qopt/Target/HLS/Parts.h"

#include <map>

namespace qopt::hls {

struct ProjectOptions {
  const Part *part = nullptr;
  double clockNs = 10;
  /// Cycles a frame may take; 0: as few as fit.
  int64_t cycles = 0;
  std::string symbol = "model"; ///< name of the top function
};

/// One frame of the test bench: arrays of the device's inputs and outputs.
struct TestVector {
  llvm::SmallVector<Tensor> inputs, outputs;
};

/// Turns the core into units, folds them and sizes FIFOs, in place. Every op
/// that has no unit is reported.
mlir::LogicalResult buildDesign(mlir::ModuleOp core,
                                const ProjectOptions &options);

/// Files by their paths in the project: C++, weights, test bench, build files,
/// report.
mlir::FailureOr<std::map<std::string, std::string>>
emitProject(mlir::ModuleOp design, const IntegerCore &core,
            llvm::ArrayRef<TestVector> vectors, const ProjectOptions &options);

} // namespace qopt::hls

#endif // QOPT_TARGET_HLS_EMIT_H
