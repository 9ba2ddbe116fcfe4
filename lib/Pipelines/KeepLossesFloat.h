//===- KeepLossesFloat.h - What 8 bits lose on the samples stays float ----===//
// SPDX-License-Identifier: Apache-2.0
//
// Ranges and histograms speak of one tensor; what its readers make of an error
// (a root, a logarithm, a difference of like values) shows when the network
// runs.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_PIPELINES_KEEPLOSSESFLOAT_H
#define QOPT_LIB_PIPELINES_KEEPLOSSESFLOAT_H

#include "qopt/Calibration/Profile.h"
#include "qopt/Pipelines/Executors.h"

namespace qopt {

struct LossOptions {
  SampleSource samples;
  /// The pipeline that decides formats of an observed module.
  std::string decide;
  /// Tensors may become float; else losses are only told.
  bool mayWiden = true;
  Engine engine = Engine::Compiled;
  /// What runs `instrument(observed)`; null: made anew.
  std::shared_ptr<Executor> exact;
};

/// Compares the network in float with the same between rounded tensors, on up
/// to 32 samples. What stands in front of a sudden loss is marked
/// `qg.keep_float` on `observed` if that helps. Returns lines: what was marked,
/// and results that are bad all the same.
absl::StatusOr<std::vector<std::string>>
keepLossesFloat(mlir::ModuleOp observed, const LossOptions &options);

} // namespace qopt

#endif // QOPT_LIB_PIPELINES_KEEPLOSSESFLOAT_H
