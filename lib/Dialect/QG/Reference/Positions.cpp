//===- Positions.cpp - Reference semantics of resize and scatter ----------===//
// SPDX-License-Identifier: Apache-2.0
//
// Dimension after dimension, update after update: both orders are part of the
// semantics.
//===----------------------------------------------------------------------===//
#include "Arrays.h"

#include "qopt/Numerics/Affine.h"
#include "qopt/Numerics/ArrayKernels.h"
#include <cstring>

using namespace mlir;
using namespace qopt;
using namespace qopt::qg;
using namespace qopt::qg::reference;

/// `values` of x's shape, resampled along the axes; `coefficients[i]` belongs
/// to axis i.
template <typename T>
static std::vector<T> resampleAll(ResizeOp op, std::vector<T> values,
                                  ArrayRef<ResampleTable> tables,
                                  ArrayRef<std::vector<T>> coefficients) {
  SmallVector<int64_t> shape(getTensorType(op.getX()).getShape());
  for (auto [i, dim] : llvm::enumerate(op.getAxes())) {
    ArrayRef<int64_t> extents(shape);
    ResampleSizes sizes{getNumElements(extents.take_front(dim)), shape[dim],
                        op.getResultType().getDimSize(dim),
                        getNumElements(extents.drop_front(dim + 1))};
    std::vector<T> out(sizes.outer * sizes.out * sizes.inner);
    resample(sizes, tables[i].positions, ArrayRef<T>(coefficients[i]),
             values.data(), out.data());
    values = std::move(out);
    shape[dim] = sizes.out;
  }
  return values;
}

template <typename T>
static LogicalResult evaluateFloat(ResizeOp op, const Tensor &x,
                                   SmallVectorImpl<Tensor> &results) {
  FailureOr<std::vector<T>> values = load<T>(op, op.getX(), x);
  if (failed(values))
    return failure();
  SmallVector<ResampleTable> tables = op.getTables();
  SmallVector<std::vector<T>> coefficients;
  for (const ResampleTable &table : tables)
    coefficients.emplace_back(table.coefficients.begin(),
                              table.coefficients.end());
  std::vector<T> out =
      resampleAll<T>(op, std::move(*values), tables, coefficients);
  return store<T>(op, out, results);
}

/// rne(f32(acc) * f32(sx / (sy * D))) + zy.
static Tensor evaluateInteger(ResizeOp op, const Tensor &x,
                              ArrayRef<IntegerResample> integers) {
  QuantizedType from = getQuantizedType(op.getX().getType());
  QuantizedType to = getQuantizedType(op.getResultType());
  SmallVector<std::vector<int32_t>> coefficients;
  double divisor = to.getScale();
  for (const IntegerResample &integer : integers) {
    coefficients.push_back(integer.coefficients);
    divisor *= double(integer.denominator);
  }
  std::vector<int32_t> acc = resampleAll<int32_t>(
      op, loadIntegers(x, from.getZeroPoint()), op.getTables(), coefficients);
  auto scale = float(double(from.getScale()) / divisor);
  const IntegerFormat &format = to.getIntegerFormat();
  numerics::StoredRange range{to.getZeroPoint(), format.min(), format.max()};
  Tensor result(*getDType(op.getResultType().getElementType()),
                op.getResultType().getShape());
  EvalBuilder b;
  for (size_t i = 0; i < acc.size(); ++i)
    result.setInt(i, numerics::emitRequantize(b, acc[i], 0, scale, range));
  return result;
}

LogicalResult ResizeOp::evaluate(ArrayRef<Tensor> operands,
                                 SmallVectorImpl<Tensor> &results) {
  if (auto integers = getIntegerTables()) {
    results.push_back(evaluateInteger(*this, operands[0], *integers));
    return success();
  }
  if (isDouble(getX()) || isDouble(getResult()))
    return evaluateFloat<double>(*this, operands[0], results);
  return evaluateFloat<float>(*this, operands[0], results);
}

namespace {
/// `count` elements of a tensor of updates, from element `from` on.
struct UpdateRow {
  const Tensor &updates;
  int64_t from, count;
};
} // namespace

/// `to[i] = kind(to[i], update[i])` for the elements of one row.
template <typename T>
static void combineFloats(BinaryKind kind, Tensor &to, int64_t at,
                          const UpdateRow &row) {
  std::vector<T> old(row.count), update(row.count);
  for (int64_t i = 0; i < row.count; ++i) {
    old[i] = T(to.getFloat(at + i));
    update[i] = T(row.updates.getFloat(row.from + i));
  }
  applyBinary(kind, old.data(), update.data(), old.data(), row.count);
  for (int64_t i = 0; i < row.count; ++i)
    to.setFloat(at + i, old[i]);
}

static void combineIntegers(BinaryKind kind, Tensor &to, int64_t at,
                            const UpdateRow &row) {
  EvalBuilder b;
  dispatchInteger(to.dtype(), [&](auto like) {
    using I = decltype(like);
    MutableArrayRef<I> old = to.mutableSpan<I>().slice(at, row.count);
    ArrayRef<I> update = row.updates.span<I>().slice(row.from, row.count);
    for (int64_t i = 0; i < row.count; ++i)
      old[i] = numerics::emitBinaryInt(b, kind, old[i], update[i],
                                       isUnsigned(to.dtype()));
  });
}

/// A row of the updates into the result, from its element `at` on.
static void updateRow(ScatterKind scatter, Tensor &to, int64_t at,
                      const UpdateRow &row) {
  size_t width = getByteWidth(to.dtype());
  if (scatter == ScatterKind::replace) {
    std::memcpy(to.mutableData() + at * width,
                row.updates.data() + row.from * width, row.count * width);
    return;
  }
  BinaryKind kind = *symbolizeBinaryKind(stringifyScatterKind(scatter));
  if (!isFloat(to.dtype()))
    combineIntegers(kind, to, at, row);
  else if (to.dtype() == DType::f64)
    combineFloats<double>(kind, to, at, row);
  else
    combineFloats<float>(kind, to, at, row);
}

LogicalResult ScatterOp::evaluate(ArrayRef<Tensor> operands,
                                  SmallVectorImpl<Tensor> &results) {
  const Tensor &x = operands[0], &indices = operands[1];
  int64_t rows = x.shape().front();
  int64_t count = getNumElements(x.shape().drop_front());
  Tensor result(x.dtype(), x.shape());
  std::memcpy(result.mutableData(), x.data(), x.numBytes());
  for (int64_t i = 0, n = indices.numElements(); i < n; ++i) {
    int64_t index = indices.getInt(i);
    if (index < -rows || index >= rows)
      return emitOpError() << "expects indices in [" << -rows << ", " << rows
                           << "), got " << index;
    index = index < 0 ? index + rows : index;
    updateRow(getKind(), result, index * count,
              {operands[2], i * count, count});
  }
  results.push_back(result);
  return success();
}
