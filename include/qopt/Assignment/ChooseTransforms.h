//===- ChooseTransforms.h - Rotations and smoothing, kept where they gain -===//
// SPDX-License-Identifier: Apache-2.0
//
// Both change no result in float. What they do to rounding is measured: on
// vectors from calibration, with the formats that the layers will have.
//===----------------------------------------------------------------------===//
#ifndef QOPT_ASSIGNMENT_CHOOSETRANSFORMS_H
#define QOPT_ASSIGNMENT_CHOOSETRANSFORMS_H

#include "qopt/Calibration/Profile.h"

namespace qopt {

struct ChooseTransformsOptions {
  bool rotate = true;
  bool smooth = true;
  /// Bits of the weights, per output channel symmetric, and of the
  /// activations, per tensor asymmetric.
  unsigned weightBits = 8;
  unsigned activationBits = 8;
  /// Samples to run, and vectors kept of every tensor (half of them choose,
  /// the other half accept).
  int64_t samples = 16;
  int64_t vectors = 512;
  /// Random sign patterns tried for each rotation.
  int64_t seeds = 8;
  /// Share of the output error that must disappear on the vectors that did
  /// not choose.
  double minGain = 0.01;
};

/// What was measured at one place.
struct TransformChoice {
  std::string site;      ///< user's name of the op that makes the tensor
  std::string transform; ///< "rotation" or "smoothing"
  std::string setting;   ///< "seed 3", "alpha 0.55 of p99.9"
  bool accepted = false;
  /// Output SQNR in dB of the layers that read it, on held-out vectors: mean
  /// over layers.
  double before = 0, after = 0;
};

/// Writes the decisions `qg.rotation` and `qg.smoothing` on a prepared float
/// module; qg-fold-rotations and qg-fold-smoothing apply them. Smoothing is
/// chosen for the module as it is, so rotations are to be folded first if both
/// are wanted on one tensor. Deterministic for any number of threads.
absl::StatusOr<std::vector<TransformChoice>>
chooseTransforms(mlir::ModuleOp module, const SampleSource &source,
                 const ChooseTransformsOptions &options,
                 const ExecutorFactory &factory);

} // namespace qopt

#endif // QOPT_ASSIGNMENT_CHOOSETRANSFORMS_H
