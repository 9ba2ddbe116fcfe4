//===- MatrixKernels.h - Products that rounding spends its time in --------===//
// SPDX-License-Identifier: Apache-2.0
//
// Wide vectors where the machine has them, and the same bits where it has not:
// every element is one sum in a fixed order without fused steps, whatever the
// tile or thread that computes it.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_ASSIGNMENT_ROUNDING_MATRIXKERNELS_H
#define QOPT_LIB_ASSIGNMENT_ROUNDING_MATRIXKERNELS_H

#include "qopt/Numerics/Grid.h"

namespace qopt {

/// Rows of doubles, `stride` apart.
struct Block {
  double *data;
  int64_t stride;

  double *row(int64_t r) const { return data + r * stride; }
};
struct ConstBlock {
  const double *data;
  int64_t stride;

  ConstBlock(const double *data, int64_t stride) : data(data), stride(stride) {}
  ConstBlock(Block block) : data(block.data), stride(block.stride) {}
  const double *row(int64_t r) const { return data + r * stride; }
};

/// Of a product: what the result has, and what is summed over.
struct Extents {
  int64_t rows, columns, depth;
};

/// c[rows, columns] += a[rows, depth] * b[depth, columns].
void addProduct(Block c, ConstBlock a, ConstBlock b, const Extents &extents);

/// c[rows, columns] -= a[rows, depth] * b[columns, depth]^T.
void subtractProductTransposed(Block c, ConstBlock a, ConstBlock b,
                               const Extents &extents);

/// Inputs of a layer: column j of a row is `x[k * stride + offsets[j]]`.
struct InputRows {
  const float *x;
  int64_t stride;
  const int64_t *offsets;
};
/// c[i, j] += sum over k of x[k, first + i] * x[k, j] for `rows` values of i
/// and j up to first + i; others may be written too.
void addOuterProducts(Block c, const InputRows &x, int64_t first,
                      const Extents &extents);

/// A grid under the parameters of a group: its levels are `scale` apart.
struct ScaledGrid {
  double scale, zero;
  const Grid<double> &grid;
};

/// Nearest level of `value`; `stored` is its number.
double roundToGrid(double value, const ScaledGrid &grid, int32_t &stored);
/// The same for `count` elements.
void roundRow(const double *values, int64_t count, const ScaledGrid &grid,
              double *rounded, int32_t *stored);

/// One row against `columns` columns of a lower triangle, from the last to the
/// first: element i becomes the level nearest to weights[i] + carried[i] /
/// triangle(i, i), and its error times the row of the triangle is carried to
/// the columns in front.
struct ColumnRounding {
  const double *weights;
  const double *scales, *zeros; ///< by column
  double *carried;
  double *errors;
  int32_t *stored;
};
void roundColumns(const ColumnRounding &row, ConstBlock triangle,
                  int64_t columns, const Grid<double> &grid);

/// Values to their nearest levels under scales of their own and one zero point.
void roundInputs(float *values, const float *scales, int64_t count, float zero,
                 const Grid<float> &grid);

/// Sum of weights[i] * error[i]^2 for the nearest levels.
double getNearestLoss(const double *values, const double *weights,
                      int64_t count, const ScaledGrid &grid);

} // namespace qopt

#endif // QOPT_LIB_ASSIGNMENT_ROUNDING_MATRIXKERNELS_H
