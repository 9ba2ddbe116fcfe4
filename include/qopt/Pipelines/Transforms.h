//===- Transforms.h - Exact changes of a float model before rounding ------===//
// SPDX-License-Identifier: Apache-2.0
//
// Which of the folding passes run, and what they gained.
//===----------------------------------------------------------------------===//
#ifndef QOPT_PIPELINES_TRANSFORMS_H
#define QOPT_PIPELINES_TRANSFORMS_H

#include "qopt/Assignment/ChooseTransforms.h"
#include "qopt/Pipelines/Quantize.h"

namespace qopt {

/// How the whole network is measured, where it is.
struct TransformGate {
  /// The target's formats, rounding and ranges.
  QuantizeOptions options;
  /// Samples that choose transforms and calibrate, and samples that only say
  /// whether the quantized network became better.
  SampleSource calibration, heldOut;
};

/// Chooses and folds rotations, equalization, then smoothing, as far as
/// `options` wants them, of a prepared float module. With a gate, the network
/// is quantized after each kind, and the kind is kept only if the error of the
/// outputs on held-out samples falls by `options.minGain` in sum and on two
/// thirds of the samples: its entry has the site "network". The
/// choices are in the order in which they were made.
absl::StatusOr<std::vector<TransformChoice>>
transform(mlir::ModuleOp module, const SampleSource &samples,
          const ChooseTransformsOptions &options, Engine engine,
          const TransformGate *gate = nullptr);

/// `rotation at 'p2o.Div.28': seed 1, 38.6 -> 40.5 dB`.
std::string describe(const TransformChoice &choice);

/// Remembers the choices with a module, for its manifest and report.
void setTransforms(mlir::ModuleOp module,
                   llvm::ArrayRef<TransformChoice> choices);
/// What setTransforms left: one line each.
std::vector<std::string> getTransforms(mlir::ModuleOp module);

} // namespace qopt

#endif // QOPT_PIPELINES_TRANSFORMS_H
