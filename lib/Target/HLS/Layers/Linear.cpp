//===- Linear.cpp - Weights of units --------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Everything is computed in 64 bits, so that a proof cannot wrap.
//===----------------------------------------------------------------------===//
#include "Linear.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::hls;

void LinearParameters::foldZeroPoint(int64_t zeroPoint) {
  for (int64_t row = 0; row < rows && zeroPoint; ++row)
    for (int64_t column = 0; column < columns; ++column)
      bias[row] -= zeroPoint * weights[row * columns + column];
}

std::pair<int64_t, int64_t> LinearParameters::getRange(int64_t low,
                                                       int64_t high) const {
  int64_t least = INT64_MAX, most = INT64_MIN;
  for (int64_t row = 0; row < rows; ++row) {
    int64_t rowLow = bias[row], rowHigh = bias[row];
    for (int64_t column = 0; column < columns; ++column) {
      int64_t weight = weights[row * columns + column];
      rowLow += std::min(weight * low, weight * high);
      rowHigh += std::max(weight * low, weight * high);
    }
    least = std::min(least, rowLow);
    most = std::max(most, rowHigh);
  }
  return {least, most};
}

ElementsAttr hls::makeWeights(MLIRContext *context,
                              const LinearParameters &parameters) {
  bool isNarrow = llvm::all_of(parameters.weights, [](int64_t weight) {
    return weight >= -128 && weight <= 127;
  });
  return makeIntegers(context, parameters.weights,
                      {parameters.rows, parameters.columns}, isNarrow ? 8 : 16,
                      "weights");
}
