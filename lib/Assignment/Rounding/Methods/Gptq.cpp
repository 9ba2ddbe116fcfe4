//===- Gptq.cpp - Column after column -------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// With H = L L^T the loss is the sum of squares of d L, which columns bring to
// zero one after another, from the last of the factor's order to the first.
// Where H does not factor, the nearest levels are descended from.
//===----------------------------------------------------------------------===//
#include "../CoordinateDescent.h"

using namespace qopt;

/// Sweeps of coordinate descent after the columns.
static constexpr int kSweeps = 4;
static constexpr int64_t kBlock = 64;

/// Weights in the order of the factor.
static Matrix getOrdered(const ChannelBlock &block) {
  const std::vector<int64_t> &order = block.getFactor().order;
  Matrix ordered(block.numRows(), block.numColumns());
  for (int64_t r = 0; r < ordered.rows(); ++r)
    for (int64_t i = 0; i < ordered.cols(); ++i)
      ordered(r, i) = block.getWeights()(r, order[i]);
  return ordered;
}

static Trial roundByColumns(const ChannelBlock &block, const Matrix &ordered,
                            Choice parameters) {
  const Factor &factor = block.getFactor();
  int64_t rows = block.numRows(), n = block.numColumns();
  Trial result = block.makeTrial(std::move(parameters));
  Matrix carried = Matrix::Zero(rows, n), errors(rows, kBlock);
  Matrix scales(rows, kBlock), zeros(rows, kBlock);
  std::vector<int32_t> stored(kBlock);
  for (int64_t last = n; last > 0;) {
    int64_t first = (last - 1) / kBlock * kBlock, width = last - first;
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t i = 0; i < width; ++i) {
        const Parameters &own =
            block.at(result.parameters, r, factor.order[first + i]);
        scales(r, i) = own.scale;
        zeros(r, i) = own.zeroPoint;
      }
      ColumnRounding row{ordered.row(r).data() + first, scales.row(r).data(),
                         zeros.row(r).data(),           &carried(r, first),
                         errors.row(r).data(),          stored.data()};
      roundColumns(row, viewFrom(factor.lower, first, first), width,
                   block.getGrid());
      for (int64_t i = 0; i < width; ++i) {
        int64_t column = factor.order[first + i];
        result.values(r, column) = block.getWeights()(r, column) - errors(r, i);
        result.stored[r * n + column] = stored[i];
      }
    }
    addProduct(view(carried), view(errors), viewFrom(factor.lower, first, 0),
               {rows, first, width});
    last = first;
  }
  result.losses = block.measure(block.getWeights() - result.values);
  return result;
}

void qopt::roundGptq(ChannelBlock &block) {
  Trial refined = block.getBest();
  if (block.getFactor().dampings) {
    Matrix ordered = getOrdered(block);
    refined = roundByColumns(block, ordered, block.fitByDiagonal());
    for (double share : kShares)
      block.keepBetter(refined,
                       roundByColumns(block, ordered, block.fitAll(share)));
  }
  offerDescended(block, std::move(refined), kSweeps);
}
