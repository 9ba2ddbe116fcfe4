//===- GroupMatmul.cpp - Products with scales per group -------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Plain loops: what compiled kernels are compared with.
//===----------------------------------------------------------------------===//
#include "qopt/Numerics/GroupMatmul.h"

#include "qopt/Numerics/EvalBuilder.h"
#include <algorithm>

using namespace qopt;

void qopt::multiplyGroups(const GroupMatmulSizes &sizes, const int32_t *lhs,
                          RowScales rowScales, const GroupWeights &weights,
                          float *out) {
  EvalBuilder b;
  int64_t groups = (sizes.k + sizes.group - 1) / sizes.group;
  for (int64_t m = 0; m < sizes.m; ++m)
    for (int64_t n = 0; n < sizes.n; ++n) {
      const int32_t *x = lhs + m * sizes.k, *w = weights.values + n * sizes.k;
      float sum = 0;
      for (int64_t g = 0; g < groups; ++g) {
        int64_t end = std::min((g + 1) * sizes.group, sizes.k);
        uint32_t acc = 0;
        for (int64_t k = g * sizes.group; k < end; ++k)
          acc += uint32_t(x[k]) * uint32_t(w[k]);
        sum = b.fma(float(int32_t(acc)), weights.scales[n * groups + g], sum);
      }
      float scale = rowScales.each ? rowScales.each[m] : rowScales.all;
      out[m * sizes.n + n] = b.fma(sum, scale, weights.bias[n]);
    }
}

std::vector<float> qopt::decodeBlocks(int64_t n, int64_t k,
                                      const int32_t *values,
                                      const WeightBlocks &blocks) {
  int64_t columns = (k + blocks.columns - 1) / blocks.columns;
  std::vector<float> weights(n * k);
  for (int64_t i = 0; i < n; ++i) {
    const float *scales = blocks.scales + i / blocks.rows * columns;
    for (int64_t j = 0; j < k; ++j)
      weights[i * k + j] =
          float(values[i * k + j]) * scales[j / blocks.columns];
  }
  return weights;
}

float qopt::quantizeRow(int64_t k, const float *x, int32_t *out) {
  EvalBuilder b;
  float largest = 0;
  for (int64_t i = 0; i < k; ++i)
    largest = numerics::emitLargerMagnitude(b, largest, x[i]);
  float scale = numerics::emitRowScale(b, largest);
  for (int64_t i = 0; i < k; ++i)
    out[i] = numerics::emitQuantize(b, x[i], scale, numerics::kRowRange);
  return scale;
}
