//===- ResampleLoops.cpp - Weighted sums of neighbours as linalg ----------===//
// SPDX-License-Identifier: Apache-2.0
//
// Dimensions before and behind the resampled one are one dimension each, so
// that the innermost loop is as long as it can be.
//===----------------------------------------------------------------------===//
#include "qopt/Conversion/ResampleLoops.h"
#include "qopt/Dialect/QG/IR/QG.h"

using namespace mlir;
using namespace qopt;
using utils::IteratorType;

/// Sums of at most so many taps are written out and never touch memory.
static constexpr int64_t kMostUnrolled = 16;

namespace {
/// `x` as [outer, in, inner], and what is read of it.
class Resampler {
public:
  Resampler(LinalgBuilder &builder, Value x, const ResampleLoops &loops,
            const ResampleBody &body)
      : builder(builder), loops(loops), body(body),
        shape(getTensorType(x).getShape()) {
    ArrayRef<int64_t> extents(shape);
    outer = getNumElements(extents.take_front(loops.axis));
    inner = getNumElements(extents.drop_front(loops.axis + 1));
    out = int64_t(loops.positions.size()) / loops.taps;
    flat = builder.reshape(x, {outer, shape[loops.axis], inner});
    shape[loops.axis] = out;
  }

  Value build() {
    Value y = loops.taps <= kMostUnrolled ? buildUnrolled() : buildReduction();
    return builder.reshape(y, shape);
  }

private:
  /// Column `tap` of a table [out, taps], or all of it.
  template <typename T>
  Value getTable(DType dtype, ArrayRef<T> entries, int64_t first, int64_t count,
                 StringRef hint) {
    SmallVector<T> values;
    for (int64_t i = 0; i < out; ++i)
      for (int64_t t = first; t < first + count; ++t)
        values.push_back(entries[i * loops.taps + t]);
    SmallVector<int64_t> extents{out};
    if (count > 1)
      extents.push_back(count);
    return builder.constant(
        Tensor::from<T>(dtype, extents, ArrayRef<T>(values)), hint);
  }

  Value getPositions(int64_t first, int64_t count) {
    SmallVector<int32_t> narrow(loops.positions);
    return getTable<int32_t>(DType::i32, narrow, first, count, "positions");
  }

  Value getCoefficients(int64_t first, int64_t count) {
    const Tensor &c = loops.coefficients;
    if (c.dtype() == DType::f32)
      return getTable(c.dtype(), c.span<float>(), first, count, "taps");
    if (c.dtype() == DType::f64)
      return getTable(c.dtype(), c.span<double>(), first, count, "taps");
    return getTable(c.dtype(), c.span<int32_t>(), first, count, "taps");
  }

  /// x[outer, position, inner] at the place of the loops.
  Value read(OpBuilder &b, Location loc, Value position, unsigned innerLoop) {
    Value at = arith::IndexCastOp::create(b, loc, b.getIndexType(), position);
    return tensor::ExtractOp::create(
        b, loc, flat,
        ValueRange{linalg::IndexOp::create(b, loc, 0), at,
                   linalg::IndexOp::create(b, loc, innerLoop)});
  }

  Value buildUnrolled() {
    SmallVector<Value> tables;
    for (int64_t t = 0; t < loops.taps; ++t)
      tables.append({getPositions(t, 1), getCoefficients(t, 1)});
    AffineMap map = AffineMap::get(3, 0, builder.b.getAffineDimExpr(1));
    SmallVector<AffineMap> maps(tables.size(), map);
    return builder.gather(
        {outer, out, inner}, body.stored, tables, maps,
        [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
          Value sum;
          for (int64_t t = 0; t < loops.taps; ++t)
            sum = body.add(b, loc, sum, args[2 * t + 1],
                           read(b, loc, args[2 * t], 2));
          return body.store(b, loc, sum);
        });
  }

  /// Loops over outer, out, taps and inner: rows add up in memory.
  Value buildReduction() {
    OpBuilder &b = builder.b;
    Type sum = qg::getElementType(b.getContext(), loops.coefficients.dtype());
    Value start = isa<FloatType>(sum) ? builder.real(sum, body.start)
                                      : builder.integer(sum, 0);
    Value init = builder.fill({outer, out, inner}, start);
    AffineExpr o = b.getAffineDimExpr(0), i = b.getAffineDimExpr(1),
               t = b.getAffineDimExpr(2), k = b.getAffineDimExpr(3);
    MLIRContext *context = b.getContext();
    AffineMap table = AffineMap::get(4, 0, {i, t}, context);
    Value sums = builder.reduce(
        {getPositions(0, loops.taps), getCoefficients(0, loops.taps)}, init,
        {table, table, AffineMap::get(4, 0, {o, i, k}, context)},
        {IteratorType::parallel, IteratorType::parallel,
         IteratorType::reduction, IteratorType::parallel},
        [&](OpBuilder &nested, Location loc, ValueRange args) {
          return body.add(nested, loc, args[2], args[1],
                          read(nested, loc, args[0], 3));
        });
    if (body.stored == sum)
      return sums;
    return builder.pointwise(
        {outer, out, inner}, body.stored, sums,
        [&](OpBuilder &nested, Location loc, ValueRange args) -> Value {
          return body.store(nested, loc, args[0]);
        });
  }

  LinalgBuilder &builder;
  const ResampleLoops &loops;
  const ResampleBody &body;
  SmallVector<int64_t> shape;
  int64_t outer, out, inner;
  Value flat;
};
} // namespace

Value qopt::buildResample(LinalgBuilder &builder, Value x,
                          const ResampleLoops &loops,
                          const ResampleBody &body) {
  return Resampler(builder, x, loops, body).build();
}
