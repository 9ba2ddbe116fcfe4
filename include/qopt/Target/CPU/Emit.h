//===- Emit.h - Objects, headers and code in memory for a CPU -------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The door of the CPU target: a module of qg and fxp in, an object file with
// the interface of qopt-rt/qopt_rt.h (or qopt_rt2.h) out; and the same object
// loaded into this process, as fast Executor.
//===----------------------------------------------------------------------===//
#ifndef QOPT_TARGET_CPU_EMIT_H
#define QOPT_TARGET_CPU_EMIT_H

#include "qopt-rt/qopt_rt2.h"
#include "qopt/Conversion/IntegerCore.h"
#include "qopt/Execution/Executor.h"
#include "qopt/Target/CPU/Pipelines.h"
#include "qopt/Target/CPU/WeightsImage.h"
#include "qopt/Target/HostMachine.h"
#include "qopt/Target/MachineNames.h"

#include <optional>
#include <string>
#include <vector>

namespace qopt {

/// Interfaces and translations that the passes of this target need.
void registerCPUTarget(mlir::DialectRegistry &registry);

/// What to compile for and under which name.
struct CPUOptions : MachineName {
  std::string symbol = "model"; ///< prefix of _run and _info: a C identifier
  unsigned optLevel = 3;
  /// Threads of the compiler; 0: as many as there are. Same bytes for any.
  unsigned jobs = 0;
  /// Kernels of Target/CPU/Kernels; off: loops only (for tests).
  bool useKernels = true;
  WeightsPlace weights = WeightsPlace::Auto;
  /// Lengths that data decide stay outputs, and the interface of version 1: for
  /// who runs `@main` in this process and takes its results as they are.
  bool returnsLengths = false;
};

struct TensorInfo {
  std::string name;
  DType dtype = DType::f32;
  std::vector<int64_t> shape;
  /// What its integers stand for, and which of them do.
  DevicePort stored;
  /// The dimension of which ModelInfo::lengths[length] counts the elements.
  std::optional<size_t> countedAxis;
  size_t length = 0;
};

/// A number that a call gives besides its outputs.
struct LengthInfo {
  std::string name;
  int64_t bound = 0;
};

struct ModelInfo {
  std::vector<TensorInfo> inputs, outputs;
  std::vector<LengthInfo> lengths; ///< any: the interface is of version 2
  std::vector<std::string> layers;
  uint64_t arenaBytes = 0, weightsBytes = 0;
  /// WeightsImage::getId of weights that are in no object.
  std::string weightsId;
  /// Bound of the arena: most bytes alive at one step.
  uint64_t liveBytes = 0;
  std::string target; ///< triple and CPU, for people
  MachineRecord machine;
  /// False for a target without fused multiply-add: float kernels round twice
  /// where qg rounds once, so floats may differ from the interpreter's.
  bool hasExactFloat = true;
};

struct CompiledModel {
  std::string object; ///< bytes of the object file
  std::string header; ///< C99
  std::string symbol;
  ModelInfo info;
  /// Null: they are in the object.
  std::shared_ptr<const WeightsImage> weights;
};

/// Compiles `@main`. The module is not changed. InvalidArgument for a target
/// that does not exist or a symbol that is no identifier, Unimplemented for
/// ops without a lowering, Internal otherwise.
absl::StatusOr<CompiledModel> compileForCPU(mlir::ModuleOp module,
                                            const CPUOptions &options);
/// Whether that would succeed, from what comes before machine code: all that is
/// refused is refused there.
absl::Status checkForCPU(mlir::ModuleOp module, const CPUOptions &options);
/// What the pipelines of that compilation are told. InvalidArgument for a
/// target that does not exist.
absl::StatusOr<CPUPipelineOptions>
getPipelineOptions(const CPUOptions &options);
/// LLVM IR of the same, optimized: what --emit=llvm-ir prints.
absl::StatusOr<std::string> emitLLVMIR(mlir::ModuleOp module,
                                       const CPUOptions &options);
/// The instructions of the same as text.
absl::StatusOr<std::string> emitAssembly(mlir::ModuleOp module,
                                         const CPUOptions &options);

/// The bytes of a shared library with the object. FailedPrecondition if no
/// linker is found or it fails.
absl::StatusOr<std::string> linkSharedLibrary(const CompiledModel &model);
/// The bytes of a command that reads and writes .npy files: the object, a C
/// main and the thread pool, by a C compiler for the target.
absl::StatusOr<std::string> linkExecutable(const CompiledModel &model);

/// A compiled model in this process.
class JitProgram {
public:
  virtual ~JitProgram() = default;
  /// Of version 2: the beginning of a qopt_info2.
  virtual const qopt_info &info() const = 0;
  /// What the last run gave for each qopt_dim; empty in version 1.
  virtual llvm::ArrayRef<int64_t> lengths() const = 0;
  /// Calls M_run with buffers that the caller owns; the arena and the pool are
  /// this object's. One call at a time.
  virtual absl::Status run(llvm::ArrayRef<const void *> inputs,
                           llvm::ArrayRef<void *> outputs) = 0;
  /// Called around layers of the following runs; empty: not at all.
  using LayerHook = std::function<void(unsigned layer, bool isEnd)>;
  virtual void setLayerHook(LayerHook hook) = 0;
  virtual void setThreads(unsigned threads) = 0;
};

/// Weights that are in no object, where they lie.
using LoadedWeights = std::shared_ptr<const char>;

/// Loads the object of `compileForCPU` (for this machine).
absl::StatusOr<std::unique_ptr<JitProgram>>
loadObject(llvm::StringRef object, llvm::StringRef symbol, unsigned threads = 1,
           LoadedWeights weights = nullptr);
/// The same with its weights, wherever they are.
absl::StatusOr<std::unique_ptr<JitProgram>>
loadCompiled(const CompiledModel &model, unsigned threads = 1);
/// Loads a shared library.
absl::StatusOr<std::unique_ptr<JitProgram>>
loadSharedLibrary(llvm::StringRef path, llvm::StringRef symbol,
                  unsigned threads = 1, LoadedWeights weights = nullptr);
/// The Executor interface on a program: checks arrays, allocates results.
std::unique_ptr<Executor> makeExecutor(std::unique_ptr<JitProgram> program);
/// Compiles for this machine and loads.
ExecutorFactory makeJitFactory(CPUOptions options = {}, unsigned threads = 1);

} // namespace qopt

#endif // QOPT_TARGET_CPU_EMIT_H
