//===- Parameters.h - Integers that a unit holds --------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Weights, biases, multipliers and thresholds of fxp ops as plain arrays, with
// the proofs of how wide a result can become.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_CONVERSION_FXPTOHLS_PARAMETERS_H
#define QOPT_LIB_CONVERSION_FXPTOHLS_PARAMETERS_H

#include "qopt/Dialect/FXP/IR/FXP.h"
#include "qopt/Dialect/HLS/IR/HLS.h"
#include "qopt/Numerics/FixedPoint.h"

namespace qopt::fxptohls {

/// A matrix [rows, columns] of weights and a bias per row.
struct LinearParameters {
  int64_t rows = 0, columns = 0;
  std::vector<int64_t> weights, bias;

  /// Takes `zeroPoint` off every input: into the bias.
  void foldZeroPoint(int64_t zeroPoint);
  /// Least and largest result for inputs in [low, high].
  std::pair<int64_t, int64_t> getRange(int64_t low, int64_t high) const;
};

mlir::ElementsAttr makeWeights(mlir::MLIRContext *context,
                               const LinearParameters &parameters);
/// Integers as an attribute; `bits` is 8, 16 or 32.
mlir::ElementsAttr makeIntegers(mlir::MLIRContext *context,
                                llvm::ArrayRef<int64_t> values,
                                llvm::ArrayRef<int64_t> shape, unsigned bits,
                                llvm::StringRef hint);

/// A requantization of inputs in [low, high].
struct Requantizer {
  static mlir::FailureOr<Requantizer> get(fxp::RequantizeOp op);

  std::vector<float> scales;
  std::vector<FixedScale> fixed; ///< empty in mode f32
  int64_t xZeroPoint = 0, zeroPoint = 0, low = 0, high = 0;

  int64_t apply(int64_t x, size_t channel) const;
  /// Rows of thresholds: level `i` is the least input whose result is at least
  /// `low + 1 + i`, or `inputHigh + 1`.
  std::vector<int64_t> getThresholds(int64_t inputLow, int64_t inputHigh) const;
};

} // namespace qopt::fxptohls

#endif // QOPT_LIB_CONVERSION_FXPTOHLS_PARAMETERS_H
