//===- Linear.cpp - Reference semantics of integer conv, matmul, sums -----===//
// SPDX-License-Identifier: Apache-2.0
//
// Accumulations in wrapping i32; verify- passes prove that none wraps.
//===----------------------------------------------------------------------===//
#include "Integers.h"

#include "qopt/Numerics/ArrayKernels.h"
#include "qopt/Numerics/GroupMatmul.h"
#include "qopt/Numerics/Resample.h"
#include <algorithm>

using namespace mlir;
using namespace qopt;
using namespace qopt::fxp;
using namespace qopt::fxp::reference;

static int32_t addWrapping(int32_t a, int32_t b) {
  return int32_t(uint32_t(a) + uint32_t(b));
}

LogicalResult ConvOp::evaluate(ArrayRef<Tensor> operands,
                               SmallVectorImpl<Tensor> &results) {
  ArrayRef<int64_t> x = operands[0].shape(), weight = operands[1].shape();
  Tensor result(DType::i32, getResultType().getShape());
  WindowWalk walk(x.drop_front().drop_back(),
                  result.shape().drop_front().drop_back(),
                  {weight.drop_front().drop_back(), getStrides(), getPads(),
                   getDilations()});
  ConvSizes sizes{x.front(), x.back(), weight.front(), int64_t(getGroups())};
  if (isWide(getResult())) {
    std::vector<int64_t> input =
        loadWide(operands[0], getXUnsigned(), getXZp());
    std::vector<int64_t> kernel = loadWide(operands[1], /*isUnsigned=*/false);
    Tensor sums(DType::i64, result.shape());
    convolve(walk, sizes,
             {input.data(), kernel.data(), operands[2].span<int64_t>().data()},
             sums.mutableSpan<int64_t>().data());
    results.push_back(sums);
    return success();
  }
  std::vector<int32_t> input = load(operands[0], getXUnsigned(), getXZp());
  std::vector<int32_t> kernel = load(operands[1], /*isUnsigned=*/false);
  convolve(walk, sizes,
           {input.data(), kernel.data(), operands[2].span<int32_t>().data()},
           result.mutableSpan<int32_t>().data());
  results.push_back(result);
  return success();
}

LogicalResult MatmulOp::evaluate(ArrayRef<Tensor> operands,
                                 SmallVectorImpl<Tensor> &results) {
  ArrayRef<int64_t> lhs = operands[0].shape(), rhs = operands[1].shape();
  Tensor result(DType::i32, getResultType().getShape());
  MatmulSizes sizes{getNumElements(lhs.drop_back(2)),
                    lhs[lhs.size() - 2],
                    lhs.back(),
                    result.shape().back(),
                    /*sharedRhs=*/rhs.size() == 2,
                    getTransposeRhs()};
  if (isWide(getResult())) {
    Tensor sums(DType::i64, result.shape());
    multiply(sizes, loadWide(operands[0], getLhsUnsigned(), getLhsZp()).data(),
             loadWide(operands[1], getRhsUnsigned(), getRhsZp()).data(),
             operands[2].span<int64_t>().data(),
             sums.mutableSpan<int64_t>().data());
    results.push_back(sums);
    return success();
  }
  std::vector<int32_t> left = load(operands[0], getLhsUnsigned(), getLhsZp());
  std::vector<int32_t> right = load(operands[1], getRhsUnsigned(), getRhsZp());
  multiply(sizes, left.data(), right.data(), operands[2].span<int32_t>().data(),
           result.mutableSpan<int32_t>().data());
  results.push_back(result);
  return success();
}

/// Subtracts zero points [N / rows, K / columns] from a matrix [N, K].
static void subtractBlocks(std::vector<int32_t> &values, const Tensor &zps,
                           ArrayRef<int64_t> shape, ArrayRef<int64_t> block) {
  int64_t columns = zps.shape()[1];
  for (int64_t i = 0, e = values.size(); i < e; ++i)
    values[i] -=
        zps.getInt(i / shape[1] / block[0] * columns + i % shape[1] / block[1]);
}

LogicalResult GroupMatmulOp::evaluate(ArrayRef<Tensor> operands,
                                      SmallVectorImpl<Tensor> &results) {
  ArrayRef<int64_t> rhs = operands[1].shape();
  Tensor result(DType::f32, getResultType().getShape());
  int64_t rows = rhs[0] ? result.numElements() / rhs[0] : 0;
  std::vector<int32_t> left = load(operands[0], getLhsUnsigned(), getLhsZp());
  std::vector<int32_t> right = load(operands[1], /*isUnsigned=*/false);
  RowScales scales{nullptr, getLhsScale().convertToFloat()};
  if (getLhsScales())
    scales.each = operands[4].span<float>().data();
  if (getRhsZps())
    subtractBlocks(right, operands.back(), rhs, {1, int64_t(getGroup())});
  multiplyGroups({rows, rhs[0], rhs[1], int64_t(getGroup())}, left.data(),
                 scales,
                 {right.data(), operands[2].span<float>().data(),
                  operands[3].span<float>().data()},
                 result.mutableSpan<float>().data());
  results.push_back(result);
  return success();
}

LogicalResult DecodeMatmulOp::evaluate(ArrayRef<Tensor> operands,
                                       SmallVectorImpl<Tensor> &results) {
  ArrayRef<int64_t> rhs = operands[1].shape();
  Tensor result(DType::f32, getResultType().getShape());
  std::vector<int32_t> right = load(operands[1], /*isUnsigned=*/false);
  if (getZps())
    subtractBlocks(right, operands[4], rhs, getBlock());
  std::vector<float> weights = decodeBlocks(
      rhs[0], rhs[1], right.data(),
      {getBlock()[0], getBlock()[1], operands[2].span<float>().data()});
  MatmulSizes sizes{1,
                    rhs[0] ? result.numElements() / rhs[0] : 0,
                    rhs[1],
                    rhs[0],
                    /*sharedRhs=*/true,
                    /*transposeRhs=*/true};
  multiply(sizes, operands[0].span<float>().data(), weights.data(),
           operands[3].span<float>().data(),
           result.mutableSpan<float>().data());
  results.push_back(result);
  return success();
}

LogicalResult QuantizeRowsOp::evaluate(ArrayRef<Tensor> operands,
                                       SmallVectorImpl<Tensor> &results) {
  ArrayRef<int64_t> shape = operands[0].shape();
  Tensor rows(DType::i8, shape), scales(DType::f32, shape.drop_back());
  std::vector<int32_t> row(shape.back());
  for (int64_t m = 0, e = scales.numElements(); m < e; ++m) {
    scales.setFloat(
        m, quantizeRow(shape.back(),
                       operands[0].span<float>().data() + m * shape.back(),
                       row.data()));
    for (int64_t k = 0; k < shape.back(); ++k)
      rows.setInt(m * shape.back() + k, row[k]);
  }
  results.push_back(rows);
  results.push_back(scales);
  return success();
}

/// out[n, p, c] = combine over a window of x, from `identity`.
template <typename Op, typename Combine>
static Tensor combineWindows(Op op, const Tensor &x, ArrayRef<int32_t> values,
                             int32_t identity, Combine combine) {
  RankedTensorType type = op.getResultType();
  ArrayRef<int64_t> shape = x.shape();
  WindowWalk walk(
      shape.drop_front().drop_back(), type.getShape().drop_front().drop_back(),
      {op.getKernel(), op.getStrides(), op.getPads(), op.getDilations()});
  int64_t channels = shape.back();
  Tensor result(DType::i32, type.getShape());
  int32_t *out = result.mutableSpan<int32_t>().data();
  SmallVector<WindowWalk::Tap> taps;
  for (int64_t p = 0; p < walk.numOutputs(); ++p) {
    walk.getTaps(p, taps);
    for (int64_t n = 0; n < shape.front(); ++n) {
      int32_t *acc = out + (n * walk.numOutputs() + p) * channels;
      std::fill_n(acc, channels, identity);
      for (const WindowWalk::Tap &tap : taps) {
        const int32_t *pixel =
            values.data() + (n * walk.numInputs() + tap.input) * channels;
        for (int64_t c = 0; c < channels; ++c)
          acc[c] = combine(acc[c], pixel[c]);
      }
    }
  }
  return result;
}

LogicalResult MaxPoolOp::evaluate(ArrayRef<Tensor> operands,
                                  SmallVectorImpl<Tensor> &results) {
  std::vector<int32_t> values = load(operands[0], getXUnsigned());
  // A window that lies in the padding altogether holds the least integer.
  unsigned bits = getResultType().getElementTypeBitWidth();
  int32_t least = getXUnsigned() ? 0 : -(1 << (bits - 1));
  Tensor wide =
      combineWindows(*this, operands[0], values, least,
                     [](int32_t a, int32_t b) { return std::max(a, b); });
  results.push_back(store(wide.span<int32_t>(), getResultType()));
  return success();
}

LogicalResult SumPoolOp::evaluate(ArrayRef<Tensor> operands,
                                  SmallVectorImpl<Tensor> &results) {
  std::vector<int32_t> values = load(operands[0], getXUnsigned(), getXZp());
  results.push_back(combineWindows(*this, operands[0], values, 0, addWrapping));
  return success();
}

LogicalResult SumOp::evaluate(ArrayRef<Tensor> operands,
                              SmallVectorImpl<Tensor> &results) {
  ArrayRef<int64_t> shape = operands[0].shape();
  std::vector<int32_t> values = load(operands[0], getXUnsigned(), getXZp());
  // Stride of each operand dimension in the result; 0 where it is summed.
  SmallVector<int64_t> strides(shape.size(), 0);
  int64_t stride = 1;
  for (size_t d = shape.size(); d-- > 0;) {
    if (llvm::is_contained(getAxes(), int64_t(d)))
      continue;
    strides[d] = stride;
    stride *= shape[d];
  }
  Tensor result(DType::i32, getResultType().getShape());
  MutableArrayRef<int32_t> out = result.mutableSpan<int32_t>();
  SmallVector<int64_t> position(shape.size(), 0);
  for (int32_t value : values) {
    int64_t at = 0;
    for (size_t d = 0; d < shape.size(); ++d)
      at += position[d] * strides[d];
    out[at] = addWrapping(out[at], value);
    for (size_t d = shape.size(); d-- > 0;) {
      if (++position[d] < shape[d])
        break;
      position[d] = 0;
    }
  }
  results.push_back(result);
  return success();
}

LogicalResult ResizeOp::evaluate(ArrayRef<Tensor> operands,
                                 SmallVectorImpl<Tensor> &results) {
  std::vector<int32_t> values = load(operands[0], getXUnsigned(), getXZp());
  SmallVector<int64_t> shape(operands[0].shape());
  ArrayRef<int64_t> result = getResultType().getShape();
  int64_t first = 0;
  for (auto [axis, taps] : llvm::zip(getAxes(), getTaps())) {
    ArrayRef<int64_t> extents(shape);
    ResampleSizes sizes{getNumElements(extents.take_front(axis)), shape[axis],
                        result[axis],
                        getNumElements(extents.drop_front(axis + 1))};
    int64_t count = taps * sizes.out;
    std::vector<int32_t> out(sizes.outer * sizes.out * sizes.inner);
    resample(sizes, getPositions().slice(first, count),
             getCoefficients().slice(first, count), values.data(), out.data());
    values = std::move(out);
    shape[axis] = sizes.out;
    first += count;
  }
  results.push_back(store(values, getResultType()));
  return success();
}
