//===- Linear.h - Weights of units ----------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Weights and biases as plain arrays, with the proof of how wide a result can
// become.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_TARGET_HLS_LAYERS_LINEAR_H
#define QOPT_LIB_TARGET_HLS_LAYERS_LINEAR_H

#include "Convert.h"
#include "qopt/Dialect/FXP/IR/FXP.h"

namespace qopt::hls {

/// A matrix [rows, columns] of weights and a bias per row.
struct LinearParameters {
  int64_t rows = 0, columns = 0;
  std::vector<int64_t> weights, bias;

  /// Takes `zeroPoint` off every input: into the bias.
  void foldZeroPoint(int64_t zeroPoint);
  /// Least and largest result for inputs in [low, high].
  std::pair<int64_t, int64_t> getRange(int64_t low, int64_t high) const;
};

/// In 8 bits if they fit, else in 16.
mlir::ElementsAttr makeWeights(mlir::MLIRContext *context,
                               const LinearParameters &parameters);
/// Products along each axis, by matrices of their coefficients.
mlir::FailureOr<mlir::Value> convertResize(fxp::ResizeOp op, Streams &streams);

} // namespace qopt::hls

#endif // QOPT_LIB_TARGET_HLS_LAYERS_LINEAR_H
