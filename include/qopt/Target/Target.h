//===- Target.h - A target is a row ---------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// All that the rest of the compiler knows of a target: its flags, what it can
// emit, its stages, how it rounds. A target is a folder beside CPU that has a
// Target.cpp; see docs/contributing/add-a-target.md.
//===----------------------------------------------------------------------===//
#ifndef QOPT_TARGET_TARGET_H
#define QOPT_TARGET_TARGET_H

#include "qopt/Support/FileContents.h"
#include "qopt/Support/Flag.h"
#include "qopt/Support/Tensor.h"

#include "absl/status/statusor.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/JSON.h"
#include <functional>
#include <memory>
#include <optional>
#include <set>

namespace qopt {

/// What every target is told before a model is read.
struct TargetRequest {
  FlagValues flags;   ///< those of the row that were given
  std::string symbol; ///< prefix of functions, name of a top
  /// Float ops behind the last integers are left to the caller.
  bool dropsHead = false;
};

/// Arrays of the model's inputs, sample by sample; nullopt behind the last.
using FrameSource =
    std::function<absl::StatusOr<std::optional<llvm::SmallVector<Tensor>>>(
        int64_t index)>;

/// A quantized model on its way into a target.
struct TargetInput {
  /// Where a target changes the interface, `emit` leaves here what it computes.
  mlir::ModuleOp quantized;
  std::string requantize; ///< rounding where the graph stores none
  std::string scheme;     ///< for manifests
  llvm::json::Value preprocessing = nullptr;
  /// Data that were given, in the form of a graph's inputs; null: none were.
  std::function<absl::StatusOr<FrameSource>(mlir::ModuleOp graph)> openFrames;
};

struct EmittedFile : FileContents {
  EmittedFile() = default;
  EmittedFile(FileContents contents, bool isExecutable = false)
      : FileContents(std::move(contents)), isExecutable(isExecutable) {}

  bool isExecutable = false;
};

/// What a target made of a model.
struct Emission {
  /// By suffix of the stem, or by path in the folder.
  std::map<std::string, EmittedFile> files;
  std::string target; ///< for people: what it was made for
  std::string text;   ///< what to tell the user; empty: the sizes below
  uint64_t arenaBytes = 0, weightsBytes = 0;
  bool runsHere = false; ///< code that this machine can load
  /// Of targets with a bundle: the integer graph, entries of its manifest, and
  /// the bytes that its lock vouches for.
  mlir::OwningOpRef<mlir::ModuleOp> lowered;
  llvm::json::Object manifest;
  std::string object;
};

/// A value of --emit.
struct EmitKind {
  const char *name;
  /// Added to the stem; null: a folder of its own, which takes no other kind.
  const char *suffix;
  /// Listed in the manifest: what `qopt run` and linkers can load.
  bool isCode = false;
  bool isExecutable = false;
};

/// A stage between the quantized graph and the target's own form, printed by
/// --emit=ir:NAME.
struct TargetStage {
  const char *name;
  const char *what;
};

/// A target with its flags read: what one compilation is for.
class Target {
public:
  virtual ~Target() = default;

  /// The rounding of accumulators of a model that names none: f32, fixed:BITS
  /// or pow2.
  virtual std::string getRequantize() const = 0;
  /// The flags as a lock keeps them: names of this machine resolved.
  virtual absl::StatusOr<llvm::json::Object> describe() const = 0;
  /// Whether the interface is integers.
  virtual bool isIntegerOnly() const = 0;
  /// Text that makes a stage of the row of the one before it; the first begins
  /// at the quantized graph.
  virtual std::string getPipeline(llvm::StringRef stage,
                                  const TargetInput &input) const = 0;
  /// The files of some kinds. Errors carry codes.
  virtual absl::StatusOr<Emission>
  emit(TargetInput &input, const std::set<std::string> &kinds) const = 0;
};

struct TargetRow {
  const char *name;
  llvm::ArrayRef<Flag> flags;
  llvm::ArrayRef<EmitKind> kinds;
  llvm::ArrayRef<TargetStage> stages;
  /// What `qopt run`, `eval` and `bench` read is written beside its files.
  bool hasBundle;
  /// Reads the flags; says all that is wrong with them at once.
  absl::StatusOr<std::unique_ptr<Target>> (*create)(
      const TargetRequest &request);
  /// The flags that `describe` told.
  FlagValues (*readFlags)(const llvm::json::Object &described);
};

/// Every target; the first is the one that is meant where nothing is said.
llvm::ArrayRef<const TargetRow *> getTargets();

/// A stage of the row: "lowered" of --emit=ir:lowered; null if there is none.
const TargetStage *findStage(const TargetRow &row, llvm::StringRef name);

/// Registers the pipelines of all targets.
void registerTargetPipelines();

} // namespace qopt

#endif // QOPT_TARGET_TARGET_H
