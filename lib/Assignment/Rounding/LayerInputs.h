//===- LayerInputs.h - What a layer multiplies its weights with -----------===//
// SPDX-License-Identifier: Apache-2.0
//
// Rows of products as a matrix (convolutions by their windows), and sums over
// samples of their outer products.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_ASSIGNMENT_ROUNDING_LAYERINPUTS_H
#define QOPT_LIB_ASSIGNMENT_ROUNDING_LAYERINPUTS_H

#include "Gptq.h"
#include "qopt/Dialect/QG/IR/QG.h"

namespace qopt {

/// The weight of a linear op as rows of output channels. Groups of a
/// convolution have their own rows and inputs.
class LayerGeometry {
public:
  /// nullopt for a weight that is no matrix under one encoding.
  static std::optional<LayerGeometry> get(mlir::Operation *op);

  int64_t numGroups() const { return groups; }
  int64_t numRows() const { return rows; } ///< of one group
  int64_t numColumns() const { return columns; }
  /// Rows that share scales: taps of a transposed convolution.
  int64_t rowsPerChannel() const { return taps; }

  /// Element of the weight tensor at a row and column of a group.
  int64_t element(int64_t group, int64_t row, int64_t column) const;

  /// Adds the outer products of at most `limit` rows of inputs, evenly spread
  /// from `phase` on, to one moment per group. Returns the rows added.
  int64_t addMoments(const Tensor &x, int64_t limit, int64_t phase,
                     std::vector<Matrix> &moments) const;

private:
  bool isTransposed = false; ///< weight is [columns, rows]
  int64_t groups = 1, rows = 0, columns = 0, taps = 1;
  /// Window of a convolution; empty for products of rows.
  llvm::SmallVector<int64_t> input, output, kernel, strides, pads, dilations;
};

} // namespace qopt

#endif // QOPT_LIB_ASSIGNMENT_ROUNDING_LAYERINPUTS_H
