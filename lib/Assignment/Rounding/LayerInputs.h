//===- LayerInputs.h - What a layer multiplies its weights with -----------===//
// SPDX-License-Identifier: Apache-2.0
//
// Rows of products as a matrix (convolutions by their windows), and sums over
// samples of their outer products.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_ASSIGNMENT_ROUNDING_LAYERINPUTS_H
#define QOPT_LIB_ASSIGNMENT_ROUNDING_LAYERINPUTS_H

#include "MatrixRounder.h"
#include "qopt/Dialect/QG/IR/QG.h"

namespace qopt {

/// The weight of a linear op as rows of output channels. Groups of a
/// convolution have their own rows and inputs.
class LayerGeometry {
public:
  /// nullopt for a weight that is no matrix under one encoding.
  static std::optional<LayerGeometry> get(LinearOpInterface op);

  int64_t numGroups() const { return groups; }
  int64_t numRows() const { return rows; } ///< of one group
  int64_t numColumns() const { return columns; }
  /// Rows that share scales: taps of a transposed convolution.
  int64_t rowsPerChannel() const { return taps; }
  /// Bytes of the second moments of its inputs.
  int64_t momentBytes() const { return 8 * groups * columns * columns; }

  /// Element of the weight tensor at a row and column of a group.
  int64_t element(int64_t group, int64_t row, int64_t column) const;

  /// Copies at most `limit` rows of inputs, evenly spread from `phase` on, to
  /// the end of `rows`: a pixel for each tap of the window, zeros outside.
  /// Returns how many.
  int64_t gather(const Tensor &x, int64_t limit, int64_t phase,
                 std::vector<float> &to) const;
  /// Where the columns of the first group are in such a row, and how far the
  /// next group's are behind them.
  std::vector<int64_t> getOffsets(int64_t channels) const;
  int64_t numTaps() const; ///< of the window

private:
  bool isTransposed = false; ///< weight is [columns, rows]
  int64_t groups = 1, rows = 0, columns = 0, taps = 1;
  /// Window of a convolution; empty for products of rows.
  llvm::SmallVector<int64_t> input, output, kernel, strides, pads, dilations;
};

/// The second moments of a layer's inputs, one per group.
class InputMoments {
public:
  /// `input` is what inputs are rounded to; may be null.
  InputMoments(const LayerGeometry &geometry, qg::QuantizedType input)
      : geometry(geometry), encoding(input) {}

  /// Takes at most `limit` rows of a sample; see LayerGeometry::gather.
  void add(const Tensor &x, int64_t limit, int64_t phase);
  /// Multiplies what the layers have taken, in threads; unless `all`, only
  /// where there is enough of it. Every element is the same sum whatever the
  /// threads and the other layers.
  static void multiply(llvm::ArrayRef<InputMoments *> layers, bool all);
  /// Means over all rows, after the last multiply(); empty without rows.
  std::vector<Matrix> take();

private:
  LayerGeometry geometry;
  qg::QuantizedType encoding;
  int64_t channels = 0, pending = 0, total = 0;
  std::vector<float> rows; ///< taken and not yet multiplied
  std::vector<int64_t> offsets;
  std::vector<Matrix> moments;
};

/// The first layers whose moments fit `limit` bytes together, at least one.
template <typename Layer>
llvm::ArrayRef<Layer *> takeBatch(llvm::ArrayRef<Layer *> layers,
                                  int64_t limit) {
  int64_t bytes = 0;
  size_t count = 0;
  while (count < layers.size() &&
         (count == 0 || bytes + layers[count]->geometry.momentBytes() <= limit))
    bytes += layers[count++]->geometry.momentBytes();
  return layers.take_front(count);
}

} // namespace qopt

#endif // QOPT_LIB_ASSIGNMENT_ROUNDING_LAYERINPUTS_H
