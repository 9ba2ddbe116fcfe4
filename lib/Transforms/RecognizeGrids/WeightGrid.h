//===- WeightGrid.h - Weights that lie on grids ---------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Weights that a file brings as integers, in whatever form its exporter wrote
// them.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_TRANSFORMS_RECOGNIZEGRIDS_WEIGHTGRID_H
#define QOPT_LIB_TRANSFORMS_RECOGNIZEGRIDS_WEIGHTGRID_H

#include "qopt/Dialect/QG/IR/QG.h"

namespace qopt {

/// Integers in f32, with scales and zero points by channel of `axis` and then
/// by group; one of each and no axis for the whole tensor.
struct WeightGrid {
  Tensor codes;
  std::vector<float> scales, zeros;
  int64_t axis = -1, groupSize = 0;

  /// In the narrowest format of 2 to 8 bits; null if there is none.
  qg::QuantizedType getType(mlir::MLIRContext *context) const;
};

/// Row-major position of the `position`-th weight that adds to a channel.
int64_t getWeightElement(llvm::ArrayRef<int64_t> shape, int64_t axis,
                         int64_t channel, int64_t position);

/// Gives `op` the weight as stored integers; false if no format holds them.
bool setStoredWeight(mlir::OpBuilder &builder, LinearOpInterface op,
                     const WeightGrid &grid);

/// Replaces the weight of `op` by the integers that it is computed from, with
/// scales and zero points by tensor, channel or group: the same numbers. False
/// where it is computed otherwise.
bool recognizeWeightArithmetic(mlir::OpBuilder &builder, LinearOpInterface op);

/// Replaces f32 weights that are whole numbers of a power of two by them, of at
/// most 8 bits, where the input is stored under `input` and the bias is a whole
/// number of the products' steps: the integer product is then exact.
bool recognizeWeightSteps(mlir::OpBuilder &builder, LinearOpInterface op,
                          qg::QuantizedType input);

} // namespace qopt

#endif // QOPT_LIB_TRANSFORMS_RECOGNIZEGRIDS_WEIGHTGRID_H
