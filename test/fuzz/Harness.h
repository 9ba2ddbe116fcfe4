//===- Harness.h - What fuzz targets share --------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A context, a folder for files, and what follows a reader that took its input.
//===----------------------------------------------------------------------===//
#ifndef QOPT_TEST_FUZZ_HARNESS_H
#define QOPT_TEST_FUZZ_HARNESS_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "qopt/Support/Diagnostics.h"

namespace qopt::fuzz {

/// A context that is made anew now and then: what inputs made stays in it. Call
/// once per input.
mlir::MLIRContext &getContext();

/// Writes a file of the folder that goes with the process; its path.
std::string writeScratch(llvm::StringRef name, llvm::StringRef bytes);

/// Any error is an answer, but one that calls itself a defect is a finding.
void expectNoDefect(const absl::Status &status);

/// What `qopt compile` does with a graph: its interface, preparation, and for
/// small ones, as `choice` says, quantization with or without samples and all
/// that comes before machine code.
void runGraph(mlir::OwningOpRef<mlir::ModuleOp> module, unsigned choice);

/// A number that an input decides.
unsigned hashInput(llvm::StringRef bytes);

} // namespace qopt::fuzz

#endif // QOPT_TEST_FUZZ_HARNESS_H
