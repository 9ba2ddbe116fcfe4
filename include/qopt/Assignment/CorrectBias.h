//===- CorrectBias.h - Biases that take back the mean error ---------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Rounding weights and activations moves the mean of every output channel.
// The difference is measured on samples and added to the bias.
//===----------------------------------------------------------------------===//
#ifndef QOPT_ASSIGNMENT_CORRECTBIAS_H
#define QOPT_ASSIGNMENT_CORRECTBIAS_H

#include "qopt/Calibration/Profile.h"

namespace qopt {

struct CorrectBiasOptions {
  int64_t samples = 32;
  /// Layers are corrected in this many groups from the input on, so that later
  /// ones see corrected inputs.
  int64_t groups = 8;
};

struct CorrectBiasReport {
  int64_t layers = 0;           ///< linear ops with constant weights
  int64_t corrected = 0;        ///< of these, corrected
  double before = 0, after = 0; ///< squared error of the outputs
};

/// Corrects the biases of `quantized` (the module after qg-apply-formats)
/// against `reference` (before it): both have the same linear ops in the same
/// order. A group whose correction does not lower the error of the outputs on
/// the samples is taken back.
absl::StatusOr<CorrectBiasReport> correctBias(mlir::ModuleOp reference,
                                              mlir::ModuleOp quantized,
                                              const SampleSource &source,
                                              const CorrectBiasOptions &options,
                                              const ExecutorFactory &factory);

} // namespace qopt

#endif // QOPT_ASSIGNMENT_CORRECTBIAS_H
