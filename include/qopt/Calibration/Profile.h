//===- Profile.h - Statistics of all tensors, and their file --------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A calibration profile depends on the model and the samples alone: not on
// the machine, the order of merging, or where a run was interrupted.
//===----------------------------------------------------------------------===//
#ifndef QOPT_CALIBRATION_PROFILE_H
#define QOPT_CALIBRATION_PROFILE_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "qopt/Calibration/Observer.h"
#include "qopt/Execution/Executor.h"
#include <functional>
#include <map>

namespace qopt {

struct Profile {
  static constexpr int schemaVersion = 1;
  int64_t samples = 0;
  /// By name, so that files are in one order.
  std::map<std::string, TensorStatistics> tensors;

  absl::Status merge(const Profile &other);
  std::string toJSON() const;
  /// InvalidArgument for anything that is no `qopt.profile/1`; a newer schema
  /// is named.
  static absl::StatusOr<Profile> fromJSON(llvm::StringRef text);
  /// Written under a temporary name and renamed: a reader never sees a half.
  absl::Status write(llvm::StringRef path) const;
  static absl::StatusOr<Profile> read(llvm::StringRef path);

  friend bool operator==(const Profile &a, const Profile &b) {
    return a.samples == b.samples && a.tensors == b.tensors;
  }
};

/// Sample `index`: one array per argument of @main; nullopt behind the last.
using SampleSource =
    std::function<absl::StatusOr<std::optional<llvm::SmallVector<Tensor>>>(
        int64_t index)>;

struct CollectOptions {
  int64_t maxSamples = -1; ///< -1: all of the source
  bool perChannel = false; ///< also ranges per element of the last dimension
  bool perSample = false;  ///< also ranges per sample (moving averages)
  /// A profile so far, written every `resumeInterval` samples; if it exists,
  /// the run goes on where it ends.
  std::string resumeFile;
  int64_t resumeInterval = 16;
  /// Called after every sample with the number done; false stops the run
  /// (Cancelled; the resume file is written).
  std::function<bool(int64_t)> progress;
  /// Gets what ran the samples: a run of `instrument(module)`.
  std::shared_ptr<Executor> *executor = nullptr;
};

/// Runs `@main` (with its qg.observe ops) over the samples.
absl::StatusOr<Profile> collectProfile(mlir::ModuleOp module,
                                       const SampleSource &source,
                                       const CollectOptions &options,
                                       const ExecutorFactory &factory);

/// A copy of the module whose qg.observe ops are gone and whose @main returns
/// the observed tensors behind its own results.
struct InstrumentedModule {
  mlir::OwningOpRef<mlir::ModuleOp> module;
  /// Name of every observed tensor, and where it is: an argument or a result.
  struct Point {
    std::string name;
    bool isArgument;
    unsigned index;
    /// Ranges per channel are wanted (`qg.per_channel` on the observer),
    /// energies of rows (`qg.per_row`).
    bool perChannel = false, perRow = false;
  };
  std::vector<Point> points;
  unsigned ownResults = 0;
};
absl::StatusOr<InstrumentedModule> instrument(mlir::ModuleOp module);

/// Makes `@main` return more values, with these names.
void returnAlso(mlir::func::FuncOp main, llvm::ArrayRef<mlir::Value> values,
                llvm::ArrayRef<std::string> names);

/// Writes the range that `method` reads off the profile on every qg.observe
/// (`qg.range`, `qg.sqnr`). Errors name the tensor that the profile lacks.
/// Tensors between the layers get ranges for `bits` bits (`qg.bits`); what
/// comes in and goes out keeps 8.
absl::Status applyProfile(mlir::ModuleOp module, const Profile &profile,
                          const RangeMethod &method, unsigned bits = 8);

} // namespace qopt

#endif // QOPT_CALIBRATION_PROFILE_H
