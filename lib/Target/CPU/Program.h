//===- Program.h - A model as steps on buffers ----------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What is read from @main before it is dropped: the entry point is written
// from this, in LLVM IR.
//===----------------------------------------------------------------------===//
#ifndef QOPT_TARGET_CPU_PROGRAM_H
#define QOPT_TARGET_CPU_PROGRAM_H

#include "qopt/Target/CPU/Emit.h"

#include "llvm/IR/Module.h"
#include "llvm/Target/TargetMachine.h"

namespace qopt {

/// Where a buffer of a step lies.
struct BufferPlace {
  enum Base { Arena, Weights, Input, Output } base;
  int64_t offset; ///< bytes, or the index of an input or output
};

struct ProgramStep {
  std::string function;
  std::vector<BufferPlace> buffers;
  int64_t extent, grain;
  unsigned layer; ///< index into ModelInfo::layers
};

struct StepProgram {
  std::vector<ProgramStep> steps;
  std::string weights; ///< one 64-byte aligned blob
  ModelInfo info;
};

/// Inputs and outputs of a module before its types lose their encodings.
/// Argument and result attributes `qg.name` and `qg.encoding` (a type) count.
absl::StatusOr<ModelInfo> describeInterface(mlir::ModuleOp module);

/// Reads @main after cpu-outline-steps and erases it and all constants.
absl::StatusOr<StepProgram> takeProgram(mlir::ModuleOp module, ModelInfo info);

/// Adds M_run and M_info to the module of the step functions.
void emitEntryPoints(llvm::Module &module, const StepProgram &program,
                     llvm::StringRef symbol);

/// The machine that options name.
absl::StatusOr<std::unique_ptr<llvm::TargetMachine>>
createMachine(const CPUOptions &options);

/// O2/O3 with the loop vectorizer, without any fast-math.
void optimize(llvm::Module &module, llvm::TargetMachine &machine,
              unsigned level);

/// The object; an Internal error names any symbol that it would need.
absl::StatusOr<std::string> emitObject(llvm::Module &module,
                                       llvm::TargetMachine &machine);
/// The same as text for an assembler.
absl::StatusOr<std::string> emitAssembly(llvm::Module &module,
                                         llvm::TargetMachine &machine);

/// The C header of a compiled model.
std::string emitHeader(const ModelInfo &info, llvm::StringRef symbol);

} // namespace qopt

#endif // QOPT_TARGET_CPU_PROGRAM_H
