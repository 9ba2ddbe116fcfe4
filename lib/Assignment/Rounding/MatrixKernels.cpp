//===- MatrixKernels.cpp - Products that rounding spends its time in ------===//
// SPDX-License-Identifier: Apache-2.0
//
// One body, compiled twice on x86: for what every machine has, and for AVX2.
// Products and sums stay separate instructions in both (the file is compiled
// without contraction), so that they agree to the last bit.
//===----------------------------------------------------------------------===//
#include "MatrixKernels.h"

#include <algorithm>
#include <cmath>
#include <vector>

using namespace qopt;

namespace {
typedef double Vector __attribute__((vector_size(32), aligned(8)));

constexpr int64_t kTileRows = 4, kTileColumns = 8;
/// Depth and columns of the packed right side, which fit a second-level cache.
constexpr int64_t kDepth = 256, kColumns = 160;

/// Panels of 4 (or 8) elements, depth after depth; the rest is zero.
template <int64_t width, typename Load>
QOPT_INLINE void pack(double *to, int64_t count, int64_t depth, Load load) {
  for (int64_t first = 0; first < count; first += width) {
    int64_t here = std::min(width, count - first);
    for (int64_t k = 0; k < depth; ++k, to += width) {
      for (int64_t i = 0; i < here; ++i)
        to[i] = load(first + i, k);
      for (int64_t i = here; i < width; ++i)
        to[i] = 0;
    }
  }
}

QOPT_INLINE void multiplyTile(const double *a, const double *b, int64_t depth,
                              Vector (&sums)[kTileRows][2]) {
  for (auto &row : sums)
    row[0] = row[1] = Vector{0, 0, 0, 0};
  for (int64_t k = 0; k < depth; ++k, a += kTileRows, b += kTileColumns) {
    Vector b0 = *reinterpret_cast<const Vector *>(b);
    Vector b1 = *reinterpret_cast<const Vector *>(b + 4);
#pragma clang loop unroll(full)
    for (int64_t i = 0; i < kTileRows; ++i) {
      Vector x = Vector{a[i], a[i], a[i], a[i]};
      sums[i][0] = sums[i][0] + x * b0;
      sums[i][1] = sums[i][1] + x * b1;
    }
  }
}

/// c += sign * A * B, where A and B are read by `loadA(i, k)` and
/// `loadB(j, k)`. Tiles wholly right of `limit(i)` for all their rows are left
/// out.
template <int sign, typename LoadA, typename LoadB, typename Limit>
QOPT_INLINE void multiply(Block c, const Extents &extents, LoadA loadA,
                          LoadB loadB, Limit limit) {
  auto [rows, columns, depth] = extents;
  auto roundUp = [](int64_t n, int64_t to) { return (n + to - 1) / to * to; };
  thread_local std::vector<double> left, right;
  left.resize(roundUp(rows, kTileRows) * kDepth);
  right.resize(kColumns * kDepth);
  for (int64_t k = 0; k < depth; k += kDepth) {
    int64_t deep = std::min(kDepth, depth - k);
    pack<kTileRows>(left.data(), rows, deep,
                    [&](int64_t i, int64_t d) { return loadA(i, k + d); });
    for (int64_t j = 0; j < columns; j += kColumns) {
      int64_t wide = std::min(kColumns, columns - j);
      if (limit(rows - 1) < j)
        break;
      pack<kTileColumns>(right.data(), wide, deep, [&](int64_t i, int64_t d) {
        return loadB(j + i, k + d);
      });
      for (int64_t r = 0; r < rows; r += kTileRows) {
        int64_t high = std::min(kTileRows, rows - r);
        int64_t last = limit(r + high - 1);
        for (int64_t t = 0; t < wide && j + t <= last; t += kTileColumns) {
          Vector sums[kTileRows][2];
          multiplyTile(left.data() + r * deep, right.data() + t * deep, deep,
                       sums);
          int64_t here = std::min(kTileColumns, wide - t);
          for (int64_t i = 0; i < high; ++i) {
            double *to = c.row(r + i) + j + t;
            for (int64_t n = 0; n < here; ++n)
              to[n] += sign * sums[i][n / 4][n % 4];
          }
        }
      }
    }
  }
}

QOPT_INLINE void addProductBody(Block c, ConstBlock a, ConstBlock b,
                                const Extents &extents) {
  multiply<1>(
      c, extents, [&](int64_t i, int64_t k) { return a.row(i)[k]; },
      [&](int64_t j, int64_t k) { return b.row(k)[j]; },
      [&](int64_t) { return extents.columns; });
}

QOPT_INLINE void subtractBody(Block c, ConstBlock a, ConstBlock b,
                              const Extents &extents) {
  multiply<-1>(
      c, extents, [&](int64_t i, int64_t k) { return a.row(i)[k]; },
      [&](int64_t j, int64_t k) { return b.row(j)[k]; },
      [&](int64_t) { return extents.columns; });
}

QOPT_INLINE void addOuterBody(Block c, const InputRows &x, int64_t first,
                              const Extents &extents) {
  auto load = [&](int64_t column, int64_t k) {
    return double(x.x[k * x.stride + x.offsets[column]]);
  };
  multiply<1>(
      c, extents, [&](int64_t i, int64_t k) { return load(first + i, k); },
      load, [&](int64_t i) { return first + i; });
}

QOPT_INLINE double roundBody(double value, const ScaledGrid &grid,
                             int32_t &stored) {
  Level<double> level = roundToLevel(value / grid.scale, grid.zero, grid.grid);
  stored = int32_t(level.code);
  return grid.scale * level.steps;
}

QOPT_INLINE void roundRowBody(const double *values, int64_t count,
                              const ScaledGrid &grid, double *rounded,
                              int32_t *stored) {
  for (int64_t i = 0; i < count; ++i)
    rounded[i] = roundBody(values[i], grid, stored[i]);
}

QOPT_INLINE void roundColumnsBody(const ColumnRounding &row,
                                  ConstBlock triangle, int64_t columns,
                                  const Grid<double> &grid) {
  for (int64_t i = columns - 1; i >= 0; --i) {
    const double *factor = triangle.row(i);
    double target = row.weights[i] + row.carried[i] / factor[i];
    double value =
        roundBody(target, {row.scales[i], row.zeros[i], grid}, row.stored[i]);
    double error = row.weights[i] - value;
    row.errors[i] = error;
    for (int64_t k = 0; k < i; ++k)
      row.carried[k] += error * factor[k];
  }
}

QOPT_INLINE void roundInputsBody(float *values, const float *scales,
                                 int64_t count, float zero,
                                 const Grid<float> &grid) {
  for (int64_t i = 0; i < count; ++i)
    values[i] =
        roundToLevel(values[i] / scales[i], zero, grid).steps * scales[i];
}

QOPT_INLINE double nearestLossBody(const double *values, const double *weights,
                                   int64_t count, const ScaledGrid &grid) {
  double loss = 0;
  for (int64_t i = 0; i < count; ++i) {
    int32_t stored;
    double error = values[i] - roundBody(values[i], grid, stored);
    loss += error * error * weights[i];
  }
  return loss;
}
} // namespace

#if defined(__x86_64__)
static bool hasWideVectors() {
  static const bool result = __builtin_cpu_supports("avx2");
  return result;
}
/// Defines NAME with the arguments of BODY, for both kinds of machines.
#define QOPT_TWICE(RESULT, NAME, BODY, PARAMETERS, ARGUMENTS)                  \
  __attribute__((target("avx2"))) static RESULT NAME##Wide PARAMETERS {        \
    return BODY ARGUMENTS;                                                     \
  }                                                                            \
  static RESULT NAME##Plain PARAMETERS { return BODY ARGUMENTS; }              \
  RESULT qopt::NAME PARAMETERS {                                               \
    return hasWideVectors() ? NAME##Wide ARGUMENTS : NAME##Plain ARGUMENTS;    \
  }
#else
#define QOPT_TWICE(RESULT, NAME, BODY, PARAMETERS, ARGUMENTS)                  \
  RESULT qopt::NAME PARAMETERS { return BODY ARGUMENTS; }
#endif

QOPT_TWICE(void, addProduct, addProductBody,
           (Block c, ConstBlock a, ConstBlock b, const Extents &extents),
           (c, a, b, extents))
QOPT_TWICE(void, subtractProductTransposed, subtractBody,
           (Block c, ConstBlock a, ConstBlock b, const Extents &extents),
           (c, a, b, extents))
QOPT_TWICE(void, addOuterProducts, addOuterBody,
           (Block c, const InputRows &x, int64_t first, const Extents &extents),
           (c, x, first, extents))
QOPT_TWICE(double, roundToGrid, roundBody,
           (double value, const ScaledGrid &grid, int32_t &stored),
           (value, grid, stored))
QOPT_TWICE(void, roundRow, roundRowBody,
           (const double *values, int64_t count, const ScaledGrid &grid,
            double *rounded, int32_t *stored),
           (values, count, grid, rounded, stored))
QOPT_TWICE(void, roundColumns, roundColumnsBody,
           (const ColumnRounding &row, ConstBlock triangle, int64_t columns,
            const Grid<double> &grid),
           (row, triangle, columns, grid))
QOPT_TWICE(void, roundInputs, roundInputsBody,
           (float *values, const float *scales, int64_t count, float zero,
            const Grid<float> &grid),
           (values, scales, count, zero, grid))
QOPT_TWICE(double, getNearestLoss, nearestLossBody,
           (const double *values, const double *weights, int64_t count,
            const ScaledGrid &grid),
           (values, weights, count, grid))
