//===- Extremes.h - Smallest and largest of many values -------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Calibration looks at every value of every tensor: in lanes, so that the
// compiler may use vectors (std::minmax_element it cannot).
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_CALIBRATION_EXTREMES_H
#define QOPT_LIB_CALIBRATION_EXTREMES_H

#include "llvm/ADT/ArrayRef.h"
#include <algorithm>

namespace qopt {

/// Of at least one finite value. Which zero comes out is not said.
inline std::pair<float, float> findExtremes(llvm::ArrayRef<float> values) {
  constexpr size_t lanes = 16;
  float lows[lanes], highs[lanes];
  std::fill(lows, lows + lanes, values[0]);
  std::fill(highs, highs + lanes, values[0]);
  // No bounds are checked in the loop: that would keep it scalar.
  const float *data = values.data();
  size_t i = 0, size = values.size();
  for (; i + lanes <= size; i += lanes)
    for (size_t lane = 0; lane < lanes; ++lane) {
      float value = data[i + lane];
      lows[lane] = value < lows[lane] ? value : lows[lane];
      highs[lane] = value > highs[lane] ? value : highs[lane];
    }
  for (; i < size; ++i) {
    lows[0] = std::min(lows[0], data[i]);
    highs[0] = std::max(highs[0], data[i]);
  }
  return {*std::min_element(lows, lows + lanes),
          *std::max_element(highs, highs + lanes)};
}

} // namespace qopt

#endif // QOPT_LIB_CALIBRATION_EXTREMES_H
