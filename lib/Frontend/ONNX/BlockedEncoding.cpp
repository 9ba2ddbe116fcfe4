//===- BlockedEncoding.cpp - Scales of blocks along one dimension ---------===//
// SPDX-License-Identifier: Apache-2.0
//
// Parameters of a type stand channel by channel. With the channels in front,
// that is the order of the file; with them behind, it is transposed.
//===----------------------------------------------------------------------===//
#include "BlockedEncoding.h"
#include "qopt/Support/Permutation.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

/// The last dimension that is no channel.
static int64_t getBlockedAxis(int64_t channelAxis, int64_t rank) {
  return channelAxis == rank - 1 ? rank - 2 : rank - 1;
}

/// `channelAxis` moved to the front.
static Permutation getChannelsFirst(int64_t channelAxis, int64_t rank) {
  Permutation order{channelAxis};
  for (int64_t i = 0; i < rank; ++i)
    if (i != channelAxis)
      order.push_back(i);
  return order;
}

std::optional<BlockedEncoding> BlockedEncoding::of(qg::QuantizedType type,
                                                   ArrayRef<int64_t> shape) {
  int64_t rank = shape.size();
  if (!type.getGroupSize() || type.isTable() || rank < 2 ||
      getNumElements(shape) == 0)
    return std::nullopt;
  BlockedEncoding result;
  result.format = type.getFormat().str();
  result.axis = getBlockedAxis(type.getAxis(), rank);
  int64_t extent = shape[result.axis];
  result.size = std::min(type.getGroupSize(), extent);
  Permutation order = getChannelsFirst(type.getAxis(), rank), blocks(shape);
  blocks[result.axis] = llvm::divideCeil(extent, result.size);
  SmallVector<float> scales = type.getScaleVector();
  SmallVector<int64_t> zeros = type.getZeroPointVector();
  if (int64_t(scales.size()) != getNumElements(blocks) ||
      scales.size() != zeros.size())
    return std::nullopt;
  Permutation ordered = applyPermutation(order, blocks);
  Tensor zeroPoints(DType::i32, ordered);
  for (auto [i, zero] : llvm::enumerate(zeros))
    zeroPoints.setInt(i, zero);
  result.scales = transpose(
      Tensor::from<float>(DType::f32, ordered, ArrayRef<float>(scales)),
      invert(order));
  result.zeros = transpose(zeroPoints, invert(order));
  return result;
}

qg::QuantizedType BlockedEncoding::getType(MLIRContext *context,
                                           ArrayRef<int64_t> shape) const {
  int64_t rank = shape.size();
  if (rank < 2 || axis < rank - 2 || getNumElements(shape) == 0)
    return {};
  int64_t channelAxis = axis == rank - 1 ? 0 : rank - 1;
  int64_t extent = shape[axis];
  // Groups run on from one row of a channel to the next.
  bool hasOneRow = getNumElements(shape) == shape[channelAxis] * extent;
  int64_t group = hasOneRow ? size : std::min(size, extent);
  if (!hasOneRow && extent % group != 0)
    return {};
  Permutation order = getChannelsFirst(channelAxis, rank);
  Tensor orderedScales = transpose(scales, order);
  Tensor orderedZeros = transpose(zeros, order);
  ArrayRef<int32_t> zeroPoints = orderedZeros.span<int32_t>();
  if (llvm::all_of(zeroPoints, [](int32_t zero) { return zero == 0; }))
    zeroPoints = {};
  return qg::QuantizedType::getPerAxis(context, format, channelAxis,
                                       orderedScales.span<float>(), zeroPoints,
                                       group);
}

BlockedEncoding
BlockedEncoding::transposed(ArrayRef<int64_t> permutation) const {
  BlockedEncoding result = *this;
  result.axis = positionOf(permutation, axis);
  result.scales = transpose(scales, permutation);
  result.zeros = transpose(zeros, permutation);
  return result;
}

BlockedEncoding BlockedEncoding::stacked() const {
  ArrayRef<int64_t> shape = scales.shape();
  int64_t batch = int64_t(shape.size()) - 2;
  SmallVector<int64_t> merged{getNumElements(shape.drop_back(2))};
  llvm::append_range(merged, shape.take_back(2));
  BlockedEncoding result = *this;
  result.axis = axis - batch + 1;
  result.scales = scales.reshaped(merged);
  result.zeros = zeros.reshaped(merged);
  return result;
}

BlockedEncoding BlockedEncoding::slice(int64_t index) const {
  ArrayRef<int64_t> shape = scales.shape().drop_front();
  int64_t count = getNumElements(shape), first = index * count;
  BlockedEncoding result = *this;
  result.axis = axis - 1;
  result.scales = Tensor::from<float>(DType::f32, shape,
                                      scales.span<float>().slice(first, count));
  result.zeros = Tensor::from<int32_t>(
      DType::i32, shape, zeros.span<int32_t>().slice(first, count));
  return result;
}
