//===- ChooseTransforms.h - Exact changes, kept where they gain ----------===//
// SPDX-License-Identifier: Apache-2.0
//
// None of them changes a result in float. What they do to rounding is measured: on
// vectors from calibration, with the formats that the layers will have.
//===----------------------------------------------------------------------===//
#ifndef QOPT_ASSIGNMENT_CHOOSETRANSFORMS_H
#define QOPT_ASSIGNMENT_CHOOSETRANSFORMS_H

#include "qopt/Calibration/Profile.h"

namespace qopt {

struct ChooseTransformsOptions {
  bool rotate = true;
  bool smooth = true;
  bool equalize = false;
  /// Bits of the weights, per output channel symmetric, and of the
  /// activations, per tensor asymmetric.
  unsigned weightBits = 8;
  unsigned activationBits = 8;
  /// Samples to run, and vectors kept of every tensor (half of them choose,
  /// the other half accept).
  int64_t samples = 16;
  int64_t vectors = 512;
  /// Random sign patterns tried for each rotation.
  int64_t seeds = 16;
  /// Steps from the best of them to a better orthogonal matrix, left out where
  /// one step multiplies more than `learningProducts` times.
  int64_t learningSteps = 100;
  int64_t learningProducts = 200'000'000;
  /// Share of the output error that must disappear on the vectors that did
  /// not choose.
  double minGain = 0.01;
};

/// What was measured at one place.
struct TransformChoice {
  std::string site;      ///< user's name of the op that makes the tensor
  std::string transform; ///< "rotation", "smoothing" or "equalization"
  std::string setting;   ///< "seed 3", "alpha 0.55 of p99.9"
  bool accepted = false;
  /// Output SQNR in dB of the layers that read it, on held-out vectors: mean
  /// over layers. Of equalization: as a noise model has it.
  double before = 0, after = 0;
};

/// Writes the decisions `qg.rotation`, `qg.smoothing`, `qg.shift` and
/// `qg.equalization` on a prepared float
/// module; qg-fold-rotations, qg-fold-smoothing and qg-equalize-layers apply
/// them. Smoothing is
/// chosen for the module as it is, so rotations are to be folded first if both
/// are wanted on one tensor. Deterministic for any number of threads.
absl::StatusOr<std::vector<TransformChoice>>
chooseTransforms(mlir::ModuleOp module, const SampleSource &source,
                 const ChooseTransformsOptions &options,
                 const ExecutorFactory &factory);

} // namespace qopt

#endif // QOPT_ASSIGNMENT_CHOOSETRANSFORMS_H
