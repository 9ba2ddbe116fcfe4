//===- ObservedRun.h - Samples through a model, its tensors beside --------===//
// SPDX-License-Identifier: Apache-2.0
//
// What corrections, rounding and sensitivity share: the observed tensors of a
// float model, sample by sample.
//===----------------------------------------------------------------------===//
#ifndef QOPT_CALIBRATION_OBSERVEDRUN_H
#define QOPT_CALIBRATION_OBSERVEDRUN_H

#include "qopt/Calibration/Profile.h"

namespace qopt {

/// A module with its observed tensors as results, made ready to run.
class ObservedRun {
public:
  using Point = InstrumentedModule::Point;

  /// `ready` runs `instrument(observed)` if it is not null; else an executor
  /// is made.
  static absl::StatusOr<ObservedRun> create(mlir::ModuleOp observed,
                                            std::shared_ptr<Executor> ready,
                                            const ExecutorFactory &factory);

  /// Where an observed tensor is; null if none has this name. Valid as long as
  /// this object is.
  const Point *find(llvm::StringRef name) const;

  /// The tensor of a point; null if it is not there.
  static const Tensor *get(const Point &point, llvm::ArrayRef<Tensor> inputs,
                           llvm::ArrayRef<Tensor> outputs);

  using Body = llvm::function_ref<absl::Status(int64_t index,
                                               llvm::ArrayRef<Tensor> inputs,
                                               llvm::ArrayRef<Tensor> outputs)>;
  /// Calls `body` for up to `limit` samples; returns how many there were.
  absl::StatusOr<int64_t> run(const SampleSource &source, int64_t limit,
                              Body body);

private:
  InstrumentedModule instrumented;
  std::shared_ptr<Executor> executor;
};

} // namespace qopt

#endif // QOPT_CALIBRATION_OBSERVEDRUN_H
