//===- Resize.cpp - Products along dimensions of a stream -----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A stream cannot be read twice, so neighbours come from a unit that holds
// them anyway: a matrix, mostly zeros, times rows. Its results are not rounded
// between dimensions, as fxp.resize says.
//===----------------------------------------------------------------------===//
#include "Linear.h"
#include "Permute.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::hls;

/// The coefficients of `taps` entries a position as rows over all inputs.
static FailureOr<LinearParameters> makeMatrix(ArrayRef<int64_t> positions,
                                              ArrayRef<int32_t> coefficients,
                                              int64_t taps, int64_t inputs) {
  LinearParameters matrix;
  matrix.rows = int64_t(positions.size()) / taps;
  matrix.columns = inputs;
  matrix.weights.resize(matrix.rows * inputs);
  matrix.bias.resize(matrix.rows);
  for (auto [i, position] : llvm::enumerate(positions))
    matrix.weights[int64_t(i) / taps * inputs + position] += coefficients[i];
  for (int64_t weight : matrix.weights)
    if (weight < INT16_MIN || weight > INT16_MAX)
      return failure();
  return matrix;
}

/// Each row of the stream times a matrix.
static Value multiply(OpBuilder &builder, Location loc, Value stream,
                      const LinearParameters &matrix) {
  MLIRContext *context = builder.getContext();
  auto type = cast<StreamType>(stream.getType());
  auto [low, high] = matrix.getRange(type.getLow(), type.getHigh());
  auto result = StreamType::get(
      context, type.getElements() / matrix.columns * matrix.rows, 1,
      getNarrowestType(context, low, high));
  return MatVecOp::create(
             builder, loc, result, stream, makeWeights(context, matrix),
             makeIntegers(context, matrix.bias, {matrix.rows}, 32, "bias"), 1,
             1, "auto", IntegerAttr())
      .getResult();
}

FailureOr<Value> hls::convertResize(fxp::ResizeOp op, Streams &streams) {
  OpBuilder &builder = streams.builder();
  Value stream = streams.take(op.getX());
  SmallVector<int64_t> shape(getShape(op.getX()));
  auto identity = llvm::to_vector(llvm::seq<int64_t>(0, shape.size()));
  // The dimensions of `shape` that the stream has from place to place.
  SmallVector<int64_t> order = identity;
  auto arrange = [&](ArrayRef<int64_t> wanted) {
    SmallVector<int64_t> extents, permutation;
    for (int64_t dim : order)
      extents.push_back(shape[dim]);
    for (int64_t dim : wanted)
      permutation.push_back(llvm::find(order, dim) - order.begin());
    stream = permute(builder, op.getLoc(), stream, extents, permutation);
    order.assign(wanted.begin(), wanted.end());
  };
  int64_t first = 0;
  for (auto [axis, taps] : llvm::zip(op.getAxes(), op.getTaps())) {
    int64_t count = taps * getShape(op.getResult())[axis];
    FailureOr<LinearParameters> matrix =
        makeMatrix(op.getPositions().slice(first, count),
                   op.getCoefficients().slice(first, count), taps, shape[axis]);
    if (failed(matrix))
      return refuse(op) << "expects coefficients of up to 16 bits";
    if (first == 0)
      matrix->foldZeroPoint(op.getXZp());
    SmallVector<int64_t> wanted = identity;
    std::rotate(wanted.begin() + axis, wanted.begin() + axis + 1, wanted.end());
    arrange(wanted);
    stream = multiply(builder, op.getLoc(), stream, *matrix);
    shape[axis] = matrix->rows;
    first += count;
  }
  arrange(identity);
  return stream;
}
