//===- Grid.h - The nearest number that a format has ----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The one place where a real becomes a level on the host: ranges, weights,
// biases, constants and estimates of what rounding costs. What quantize does to
// a tensor at run time is Affine.h, which agrees with a Grid<float>.
//===----------------------------------------------------------------------===//
#ifndef QOPT_NUMERICS_GRID_H
#define QOPT_NUMERICS_GRID_H

#include "qopt/Numerics/EvalBuilder.h"
#include "qopt/Numerics/Format.h"
#include <algorithm>

namespace qopt {

/// Levels in units of a scale; arithmetic is in T, float or double, which the
/// caller chooses with the type of what it divides by the scale. Uniform levels
/// are `code - zero` for the codes in [low, high]; with a table they are
/// `table[code]`.
template <typename T> struct Grid {
  T low = 0, high = 0;
  const T *table = nullptr;
  int64_t size = 0; ///< of `table`

  /// All codes of a uniform format.
  static Grid of(const IntegerFormat &format) {
    return {T(format.min()), T(format.max())};
  }
  /// The same around zero: with as many codes below it as above, so that
  /// negation is exact.
  static Grid symmetric(const IntegerFormat &format) {
    return {T(format.isSigned ? -format.max() : format.min()), T(format.max())};
  }
};

/// A level in units of the scale, and its code.
template <typename T> struct Level { T code, steps; };

/// The level nearest to `scaled`, a number in units of the scale. Uniform: half
/// to even before the zero point is added, so that zero stays exact; then
/// saturated. With a table, the first of two that are equally near; a zero
/// point has no meaning there. NaN has no nearest level: callers refuse it.
template <typename T>
QOPT_INLINE Level<T> roundToLevel(T scaled, T zero, const Grid<T> &grid) {
  if (!grid.table) {
    T code = std::nearbyint(scaled) + zero;
    code = std::min(std::max(code, grid.low), grid.high);
    return {code, code - zero};
  }
  int64_t best = 0;
  T least = std::fabs(grid.table[0] - scaled);
  for (int64_t i = 1; i < grid.size; ++i) {
    T distance = std::fabs(grid.table[i] - scaled);
    best = distance < least ? i : best;
    least = std::min(least, distance);
  }
  return {T(best), grid.table[best]};
}

/// The zero point under which the real `low` has the grid's lowest code.
template <typename T>
QOPT_INLINE T chooseZeroPoint(T low, T scale, const Grid<T> &grid) {
  return roundToLevel(-low / scale, grid.low, grid).code;
}

/// The integer nearest to `scaled`, where nothing saturates: biases in units of
/// an accumulator, whose range the caller checks.
QOPT_INLINE double roundToInteger(double scaled) {
  return std::nearbyint(scaled);
}

} // namespace qopt

#endif // QOPT_NUMERICS_GRID_H
