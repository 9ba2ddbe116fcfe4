//===- GroupMatmul.h - Products with scales per group ---------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The one definition of `fxp.group_matmul`, `fxp.decode_matmul` and
// `fxp.quantize_rows`: integers are exact, floats are added group by group, or
// weight by weight, in order.
//===----------------------------------------------------------------------===//
#ifndef QOPT_NUMERICS_GROUPMATMUL_H
#define QOPT_NUMERICS_GROUPMATMUL_H

#include "qopt/Numerics/Affine.h"
#include <vector>

namespace qopt {

struct GroupMatmulSizes {
  int64_t m, n, k;
  int64_t group; ///< the last group of a row may be shorter
};

/// Scales of the rows of lhs: one each, or one for all.
struct RowScales {
  const float *each; ///< may be null
  float all;
};

/// `values` are [N, K] without zero points, `scales` [N, ceil(K / group)],
/// `bias` [N].
struct GroupWeights {
  const int32_t *values;
  const float *scales, *bias;
};

/// `lhs` is [M, K] without zero points. For every output
/// `sum = fma(f32(acc[g]), scales[n, g], sum)` from +0 over the groups in
/// order, then `out = fma(sum, row scale, bias[n])`.
void multiplyGroups(const GroupMatmulSizes &sizes, const int32_t *lhs,
                    RowScales rowScales, const GroupWeights &weights,
                    float *out);

/// Scales of the weights of a matrix [N, K], one for each `rows` x `columns`.
struct WeightBlocks {
  int64_t rows, columns;
  const float *scales;
};

/// `values` are [N, K] without zero points. What they stand for, one rounding
/// each.
std::vector<float> decodeBlocks(int64_t n, int64_t k, const int32_t *values,
                                const WeightBlocks &blocks);

/// Rounds a row to [-127, 127] and returns its scale.
float quantizeRow(int64_t k, const float *x, int32_t *out);

namespace numerics {

/// Range of the elements of fxp.quantize_rows.
inline constexpr StoredRange kRowRange{0, -127, 127};

/// `magnitude / 127`, or 1 where that is no normal number.
template <class B, class V> V emitRowScale(B &b, V magnitude) {
  V scale = b.divF(magnitude, b.floatLike(magnitude, 127));
  V least = b.floatLike(magnitude, 0x1p-126);
  return b.select(b.ltF(scale, least), b.floatLike(magnitude, 1), scale);
}

/// The larger of two magnitudes; NaN in `x` counts as nothing.
template <class B, class V> V emitLargerMagnitude(B &b, V largest, V x) {
  V magnitude = b.absF(x);
  return b.select(b.gtF(magnitude, largest), magnitude, largest);
}

} // namespace numerics
} // namespace qopt

#endif // QOPT_NUMERICS_GROUPMATMUL_H
