//===- CorrectBias.h - Biases that take back the mean error ---------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Rounding weights and clipping activations moves the mean of every output
// channel. The difference follows from the means of the layer's inputs, so one
// float run serves all layers: the quantized model is never compiled for it.
//===----------------------------------------------------------------------===//
#ifndef QOPT_ASSIGNMENT_CORRECTBIAS_H
#define QOPT_ASSIGNMENT_CORRECTBIAS_H

#include "qopt/Calibration/Profile.h"

namespace qopt {

struct CorrectBiasOptions {
  int64_t samples = 16;
  /// Runs instrument(reference), if calibration has left it; else it is made.
  std::shared_ptr<Executor> executor;
};

struct CorrectBiasReport {
  int64_t layers = 0;    ///< linear ops with constant weights
  int64_t corrected = 0; ///< of these, corrected
};

/// Corrects the biases of `quantized` (the module after qg-apply-formats)
/// against `reference` (before it, with its observers): both have the same
/// linear ops in the same order. With `f(tap)` the share of output positions
/// whose tap reads no padding, the bias of channel o grows by
///   sum over taps and c of f(tap) * (w[o, tap, c] * mean(x[c])
///                                    - wq[o, tap, c] * mean(Q(x)[c])),
/// which takes means at the border for those of the whole tensor.
absl::StatusOr<CorrectBiasReport> correctBias(mlir::ModuleOp reference,
                                              mlir::ModuleOp quantized,
                                              const SampleSource &source,
                                              const CorrectBiasOptions &options,
                                              const ExecutorFactory &factory);

} // namespace qopt

#endif // QOPT_ASSIGNMENT_CORRECTBIAS_H
