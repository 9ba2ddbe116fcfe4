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
#include <variant>

namespace qopt {

/// The LLVM attribute of step functions that a kernel's emitter wrote.
constexpr llvm::StringLiteral kKernelAttr = "qopt-kernel";

/// Where a buffer of a step lies. A counter is a number by value: that of the
/// iteration, which lies in the arena.
struct BufferPlace {
  enum Base { Arena, Weights, Input, Output, Counter } base;
  int64_t offset; ///< bytes, or the index of an input or output; behind all
                  ///< outputs are the lengths
};

/// One call of a step function over [0, extent).
struct CallStep {
  std::string function;
  std::vector<BufferPlace> buffers;
  int64_t extent, grain;
  unsigned layer; ///< index into ModelInfo::layers
};

struct ProgramStep;

/// Steps one after the other.
struct SequenceStep {
  std::vector<ProgramStep> steps;
};

/// Steps that are repeated. Their number is in the arena while they run.
struct LoopStep {
  SequenceStep body;
  int64_t count;
  int64_t counter; ///< offset in the arena, of 8 bytes
};

/// Steps that are taken where a byte is not 0. As all that a loop does, they
/// end it where it is 0.
struct ChoiceStep {
  BufferPlace condition;
  SequenceStep body;
};

/// A node of the tree of steps. Whoever visits a node must say what it does
/// with each alternative, or does not compile.
struct ProgramStep {
  std::variant<CallStep, SequenceStep, LoopStep, ChoiceStep> node;
};

struct StepProgram {
  SequenceStep main;
  std::shared_ptr<WeightsImage> weights;
  /// The object is to hold them.
  bool embedsWeights = true;
  /// Bytes of it that each of `info.layers` was the first to read, aligned.
  std::vector<uint64_t> layerBytes;
  ModelInfo info;
};

/// Calls `visit` with every call, in the order in which they stand.
void forEachCall(const SequenceStep &sequence,
                 llvm::function_ref<void(const CallStep &)> visit);

/// Inputs and outputs of a module before its types lose their encodings.
/// Argument and result attributes `qg.name` and `qg.encoding` (a type) count,
/// and `qg.length` unless lengths are to be outputs.
absl::StatusOr<ModelInfo> describeInterface(mlir::ModuleOp module,
                                            bool returnsLengths);

/// Reads @main after cpu-outline-steps and erases it and all constants.
absl::StatusOr<StepProgram> takeProgram(mlir::ModuleOp module, ModelInfo info);
/// That erasing.
void dropMain(mlir::ModuleOp module);

/// Adds M_run and M_info to the module of the step functions.
void emitEntryPoints(llvm::Module &module, const StepProgram &program,
                     llvm::StringRef symbol);

/// The machine that options name.
absl::StatusOr<std::unique_ptr<llvm::TargetMachine>>
createMachine(const CPUOptions &options);

/// O2/O3 with the loop vectorizer, without any fast-math.
void optimize(llvm::Module &module, llvm::TargetMachine &machine,
              unsigned level);

/// Triple, layout, and what every function says of its CPU.
void setTarget(llvm::Module &module, llvm::TargetMachine &machine);

/// The object of a module.
absl::StatusOr<std::string> emitPart(llvm::Module &module,
                                     llvm::TargetMachine &machine);
/// The same as text for an assembler.
absl::StatusOr<std::string> emitAssembly(llvm::Module &module,
                                         llvm::TargetMachine &machine);

/// One relocatable ELF object out of several; hidden symbols become its own.
absl::StatusOr<std::string> mergeObjects(llvm::ArrayRef<std::string> objects);

/// Symbols that an object needs and should not: all but memcpy and its like.
absl::StatusOr<std::vector<std::string>> findUndefined(llvm::StringRef object);
/// An Unimplemented error names them, if any.
absl::Status checkSymbols(llvm::StringRef object);

/// Gives a module the routines that its code will call on a core without the
/// instruction.
absl::Status addSoftArithmetic(llvm::Module &module,
                               llvm::TargetMachine &machine);

/// The object of all step functions of `module` (after takeProgram) and of the
/// entry points. Leaves the module in the LLVM dialect.
absl::StatusOr<std::string> compileParts(mlir::ModuleOp module,
                                         const StepProgram &program,
                                         const CPUOptions &options);

/// The C header of a compiled model.
std::string emitHeader(const ModelInfo &info, llvm::StringRef symbol);

} // namespace qopt

#endif // QOPT_TARGET_CPU_PROGRAM_H
