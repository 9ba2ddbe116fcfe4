//===- Selections.cpp - Reference semantics of selections -----------------===//
// SPDX-License-Identifier: Apache-2.0
#include "Arrays.h"

#include "qopt/Numerics/Selection.h"
#include <algorithm>
#include <numeric>

using namespace mlir;
using namespace qopt;
using namespace qopt::qg;
using namespace qopt::qg::reference;

/// Writes the first `count` indices of `extent` elements `stride` apart, sorted
/// by `isBefore`; results are `stride` apart as well.
template <typename T, typename Order>
static void sortRow(const T *x, int64_t extent, int64_t stride, Order isBefore,
                    int64_t count, int64_t *out) {
  std::vector<int64_t> indices(extent);
  std::iota(indices.begin(), indices.end(), 0);
  std::stable_sort(indices.begin(), indices.end(), [&](int64_t a, int64_t b) {
    return isBefore(x[a * stride], x[b * stride]);
  });
  for (int64_t i = 0; i < count; ++i)
    out[i * stride] = indices[i];
}

template <typename T, typename Order>
static void sortAll(TopKOp op, ArrayRef<T> x, Order isBefore,
                    MutableArrayRef<int64_t> out) {
  ArrayRef<int64_t> shape = getTensorType(op.getX()).getShape();
  int64_t axis = op.getAxis(), extent = shape[axis];
  int64_t count = op.getResultType().getDimSize(axis);
  int64_t inner = getNumElements(shape.drop_front(axis + 1));
  int64_t outer = getNumElements(shape.take_front(axis));
  for (int64_t i = 0; i < outer; ++i)
    for (int64_t j = 0; j < inner; ++j)
      sortRow(x.data() + i * extent * inner + j, extent, inner, isBefore, count,
              out.data() + i * count * inner + j);
}

LogicalResult TopKOp::evaluate(ArrayRef<Tensor> operands,
                               SmallVectorImpl<Tensor> &results) {
  const Tensor &x = operands[0];
  bool isMax = getKind() == ReduceKind::max;
  Tensor result(DType::i64, getResultType().getShape());
  MutableArrayRef<int64_t> out = result.mutableSpan<int64_t>();
  EvalBuilder b;
  if (isFloat(x.dtype())) {
    FailureOr<std::vector<double>> values = load<double>(*this, getX(), x);
    if (failed(values))
      return failure();
    auto isBefore = [&](double a, double c) {
      return numerics::emitIsBeforeFloat(b, isMax, a, c);
    };
    sortAll<double>(*this, *values, isBefore, out);
  } else {
    std::vector<int64_t> values(x.numElements());
    for (size_t i = 0; i < values.size(); ++i)
      values[i] = x.getInt(i);
    auto isBefore = [&](int64_t a, int64_t c) {
      return numerics::emitIsBeforeInt(b, isMax, a, c, isUnsigned(x.dtype()));
    };
    sortAll<int64_t>(*this, values, isBefore, out);
  }
  results.push_back(result);
  return success();
}

LogicalResult CompactOp::evaluate(ArrayRef<Tensor> operands,
                                  SmallVectorImpl<Tensor> &results) {
  Tensor result(DType::i64, getResultType().getShape());
  int64_t found = 0, room = result.numElements();
  for (int64_t i = 0, n = operands[0].numElements(); i < n; ++i)
    if (operands[0].getInt(i) && found < room)
      result.setInt(found++, i);
  results.push_back(result);
  return success();
}

LogicalResult SuppressOp::evaluate(ArrayRef<Tensor> operands,
                                   SmallVectorImpl<Tensor> &results) {
  ArrayRef<float> boxes = operands[0].span<float>();
  float overlap = operands[2].span<float>()[0];
  int64_t limit = operands[3].getInt(0);
  auto getBox = [&](int64_t at) {
    return numerics::Box<float>{boxes[4 * at], boxes[4 * at + 1],
                                boxes[4 * at + 2], boxes[4 * at + 3]};
  };
  Tensor result(DType::b1, getResultType().getShape());
  int64_t length = getResultType().getShape().back();
  int64_t lists = length ? result.numElements() / length : 0;
  EvalBuilder b;
  for (int64_t list = 0; list < lists; ++list) {
    std::vector<int64_t> kept;
    for (int64_t at = list * length; at < (list + 1) * length; ++at) {
      bool isFree = int64_t(kept.size()) < limit && operands[1].getInt(at);
      for (size_t i = 0; isFree && i < kept.size(); ++i)
        isFree =
            !numerics::emitOverlaps(b, getBox(at), getBox(kept[i]), overlap);
      if (!isFree)
        continue;
      kept.push_back(at);
      result.setInt(at, 1);
    }
  }
  results.push_back(result);
  return success();
}
