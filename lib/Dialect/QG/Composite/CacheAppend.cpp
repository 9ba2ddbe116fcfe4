//===- CacheAppend.cpp - Writing into a cache as its parts ----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Every position of the cache asks which position of the update it is: values
// without a scatter, which qg does not have.
//===----------------------------------------------------------------------===//
#include "CompositeChecks.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::qg;

LogicalResult CacheAppendOp::verify() {
  RankedTensorType cache = getTensorType(getCache()),
                   update = getTensorType(getUpdate());
  // C1
  if (cache.getElementType() != update.getElementType() ||
      cache != getResultType())
    return emitOpError() << "expects a result of type " << cache
                         << " and an update of its element type, got "
                         << getResultType() << " and " << update;
  QuantizedType encoding = getQuantizedType(cache.getElementType());
  if (encoding && encoding.isPerAxis())
    return emitOpError() << "expects an encoding per tensor, got " << encoding;
  // C2
  int64_t axis = getAxis();
  if (axis < 1 || axis >= cache.getRank())
    return emitOpError() << "expects 'axis' from 1 to " << cache.getRank() - 1
                         << ", got " << axis;
  // C3
  Shape expected(update.getShape());
  bool fits = update.getRank() == cache.getRank() && expected[axis] >= 1 &&
              expected[axis] <= cache.getDimSize(axis);
  if (fits)
    expected[axis] = cache.getDimSize(axis);
  if (!fits || cache.getShape() != ArrayRef<int64_t>(expected))
    return emitOpError() << "expects an update of the cache's shape "
                         << formatShape(cache.getShape())
                         << " with 1 to as many positions, got "
                         << formatShape(update.getShape());
  // C4
  if (!getStart())
    return success();
  RankedTensorType start = getTensorType(getStart());
  if (!start.getElementType().isSignlessInteger(64) ||
      start.getShape() != ArrayRef<int64_t>{cache.getDimSize(0)})
    return emitOpError() << "expects 'start' to be tensor<"
                         << cache.getDimSize(0) << "xi64>, got " << start;
  return success();
}

/// 0, 1, ... with that shape.
static Value count(ShapedBuilder &b, ArrayRef<int64_t> shape) {
  Tensor tensor(DType::i64, shape);
  for (int64_t i = 0; i < tensor.numElements(); ++i)
    tensor.setInt(i, i);
  return b.constant(tensor);
}

/// Rows [B, N, ...] of x picked by `index` [B, M], whose entries are valid.
static Value pickRows(ShapedBuilder &b, Value x, Value index) {
  int64_t batch = b.extent(x, 0), extent = b.extent(x, 1);
  Shape flat(b.shape(x).drop_front()), picked(b.shape(x));
  flat[0] = batch * extent;
  picked[1] = b.extent(index, 1);
  Value offset = b.mul(count(b, {batch, 1}), double(extent));
  Value rows = b.reshape(b.add(index, offset), {batch * picked[1]});
  return b.reshape(b.gather(b.reshape(x, flat), rows, 0), picked);
}

FailureOr<SmallVector<Value>> CacheAppendOp::decompose(ShapedBuilder &b) {
  Value cache = getCache(), update = getUpdate();
  int64_t axis = getAxis(), extent = b.extent(cache, axis),
          fresh = b.extent(update, axis);
  if (!getStart()) {
    Value rest = b.sliceAxis(cache, axis, fresh, extent);
    return asParts(fresh == extent ? update : b.concat({update, rest}, axis));
  }
  // Position of the update that lands on each position of the cache.
  int64_t batch = b.extent(cache, 0);
  Value source = b.sub(count(b, {extent}), b.reshape(getStart(), {batch, 1}));
  if (getCircular())
    source =
        b.binary(BinaryKind::mod, source, b.scalar(double(extent), b.i64()));
  Value isNew = b.compare(ComparePredicate::eq, source,
                          b.clamp(source, 0, double(fresh - 1)));
  // [B, positions, rest...], as rows are picked.
  Shape forward{0, axis}, backward;
  for (int64_t i = 1; i < b.rank(cache); ++i)
    if (i != axis)
      forward.push_back(i);
  backward.resize(forward.size());
  for (auto [to, from] : llvm::enumerate(forward))
    backward[from] = to;
  Value rows = pickRows(b, b.transpose(update, forward),
                        b.clamp(source, 0, double(fresh - 1)));
  Shape mask(b.rank(cache), 1);
  mask[0] = batch;
  mask[axis] = extent;
  return asParts(
      b.select(b.reshape(isNew, mask), b.transpose(rows, backward), cache));
}
