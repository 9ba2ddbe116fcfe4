//===- ResampleLoops.cpp - Weighted sums of neighbours as linalg ----------===//
// SPDX-License-Identifier: Apache-2.0
//
// Every dimension stays a loop of its own: a view under another shape would be
// read by divisions.
//===----------------------------------------------------------------------===//
#include "qopt/Conversion/ResampleLoops.h"
#include "qopt/Dialect/QG/IR/QG.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include <numeric>

using namespace mlir;
using namespace qopt;
using utils::IteratorType;

/// Sums of at most so many taps are written out and never touch memory.
static constexpr int64_t kMostUnrolled = 16;

/// Most outputs of a period, and most outputs outside periods, that are written
/// out; most terms of the former.
static constexpr int64_t kMostPhases = 8, kMostEdges = 64, kMostTerms = 64;

namespace {
/// Outputs `[first * outputs, last * outputs)` read `inputs` elements further
/// from one group of `outputs` to the next, with the same coefficients.
struct Period {
  int64_t outputs, inputs, first, last;
};
} // namespace

namespace {
/// An output to be written: the loops before its dimension, what its positions
/// are counted from (null: 0), and where it goes.
struct Place {
  ArrayRef<Value> row;
  Value base, to;
};

class Resampler {
public:
  Resampler(LinalgBuilder &builder, Value x, const ResampleLoops &loops,
            const ResampleBody &body)
      : builder(builder), x(x), loops(loops), body(body),
        shape(getTensorType(x).getShape()), in(shape[loops.axis]) {
    out = int64_t(loops.positions.size()) / loops.taps;
    shape[loops.axis] = out;
  }

  Value build() {
    // Elements side by side are vectors along the resampled dimension itself,
    // where positions repeat.
    ArrayRef<int64_t> behind = ArrayRef(shape).drop_front(loops.axis + 1);
    if (getNumElements(behind) == 1)
      if (std::optional<Period> period = findPeriod())
        return buildRows(builder, *period, {},
                         builder.empty(shape, body.stored));
    return loops.taps <= kMostUnrolled ? buildUnrolled() : buildReduction();
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

  /// x at the place of the loops, but for its own dimension; `added` loops lie
  /// between that dimension and those behind it.
  Value read(OpBuilder &b, Location loc, Value position, int64_t added) {
    SmallVector<Value> at;
    for (int64_t d = 0, rank = shape.size(); d < rank; ++d)
      at.push_back(
          d == loops.axis
              ? arith::IndexCastOp::create(b, loc, b.getIndexType(), position)
                    .getResult()
              : linalg::IndexOp::create(b, loc, d < loops.axis ? d : d + added)
                    .getResult());
    return tensor::ExtractOp::create(b, loc, x, at);
  }

  Value buildUnrolled() {
    SmallVector<Value> tables;
    for (int64_t t = 0; t < loops.taps; ++t)
      tables.append({getPositions(t, 1), getCoefficients(t, 1)});
    AffineMap map =
        AffineMap::get(shape.size(), 0, builder.b.getAffineDimExpr(loops.axis));
    SmallVector<AffineMap> maps(tables.size(), map);
    return builder.gather(
        shape, body.stored, tables, maps,
        [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
          Value sum;
          for (int64_t t = 0; t < loops.taps; ++t)
            sum = body.add(b, loc, sum, args[2 * t + 1],
                           read(b, loc, args[2 * t], 0));
          return body.store(b, loc, sum);
        });
  }

  /// The taps are a loop behind their dimension: rows add up in memory.
  Value buildReduction() {
    OpBuilder &b = builder.b;
    int64_t rank = shape.size();
    Type sum = qg::getElementType(b.getContext(), loops.coefficients.dtype());
    Value start = isa<FloatType>(sum) ? builder.real(sum, body.start)
                                      : builder.integer(sum, 0);
    Value init = builder.fill(shape, start);
    SmallVector<AffineExpr> result;
    SmallVector<IteratorType> iterators(rank + 1, IteratorType::parallel);
    iterators[loops.axis + 1] = IteratorType::reduction;
    for (int64_t d = 0; d < rank; ++d)
      result.push_back(b.getAffineDimExpr(d <= loops.axis ? d : d + 1));
    MLIRContext *context = b.getContext();
    AffineMap table = AffineMap::get(
        rank + 1, 0,
        {b.getAffineDimExpr(loops.axis), b.getAffineDimExpr(loops.axis + 1)},
        context);
    Value sums = builder.reduce(
        {getPositions(0, loops.taps), getCoefficients(0, loops.taps)}, init,
        {table, table, AffineMap::get(rank + 1, 0, result, context)}, iterators,
        [&](OpBuilder &nested, Location loc, ValueRange args) {
          return body.add(nested, loc, args[2], args[1],
                          read(nested, loc, args[0], 1));
        });
    if (body.stored == sum)
      return sums;
    return builder.pointwise(
        shape, body.stored, sums,
        [&](OpBuilder &nested, Location loc, ValueRange args) -> Value {
          return body.store(nested, loc, args[0]);
        });
  }

  /// Whether the outputs of group `q` read what those of `other` do, as many
  /// groups further.
  bool repeats(const Period &period, int64_t q, int64_t other) {
    int64_t terms = period.outputs * loops.taps;
    int64_t shift = (q - other) * period.inputs;
    for (int64_t i = 0; i < terms; ++i) {
      int64_t at = q * terms + i, from = other * terms + i;
      if (loops.positions[at] - loops.positions[from] != shift ||
          loops.coefficients.getFloat(at) != loops.coefficients.getFloat(from))
        return false;
    }
    return true;
  }

  /// The groups around the middle one that repeat it, if they are most.
  std::optional<Period> findPeriod() {
    int64_t groups = std::gcd(in, out), middle = groups / 2;
    Period period{out / groups, in / groups, middle, middle + 1};
    if (period.outputs > kMostPhases || period.inputs > kMostPhases ||
        period.outputs * loops.taps > kMostTerms)
      return std::nullopt;
    while (period.first > 0 && repeats(period, period.first - 1, middle))
      --period.first;
    while (period.last < groups && repeats(period, period.last, middle))
      ++period.last;
    int64_t edges = out - (period.last - period.first) * period.outputs;
    if (edges > kMostEdges || period.last - period.first < 4)
      return std::nullopt;
    return period;
  }

  Value getCoefficient(LinalgBuilder &at, int64_t entry) {
    Type type =
        qg::getElementType(at.b.getContext(), loops.coefficients.dtype());
    if (isa<FloatType>(type))
      return at.real(type, loops.coefficients.getFloat(entry));
    return at.integer(type, loops.coefficients.getInt(entry));
  }

  /// Indices of `at` in the resampled dimension of a row.
  SmallVector<Value> getIndices(LinalgBuilder &builder, ArrayRef<Value> row,
                                Value at) {
    SmallVector<Value> indices(row);
    indices.push_back(at);
    while (indices.size() < shape.size())
      indices.push_back(builder.index(0));
    return indices;
  }

  Value insertOutput(LinalgBuilder at, Value table, int64_t output,
                     const Place &place) {
    Value sum;
    for (int64_t t = 0; t < loops.taps; ++t) {
      int64_t entry = output * loops.taps + t;
      Value position = at.index(loops.positions[entry]);
      if (place.base)
        position = arith::AddIOp::create(at.b, at.loc, place.base, position);
      Value element = tensor::ExtractOp::create(
          at.b, at.loc, x, getIndices(at, place.row, position));
      sum = body.add(at.b, at.loc, sum, getCoefficient(at, entry), element);
    }
    return tensor::InsertOp::create(at.b, at.loc, body.store(at.b, at.loc, sum),
                                    table, getIndices(at, place.row, place.to));
  }

  /// All groups of one row that repeat; `q` counts from the first.
  Value insertGroups(LinalgBuilder at, const Period &period,
                     ArrayRef<Value> row, Value table) {
    auto loop = scf::ForOp::create(
        at.b, at.loc, at.index(0), at.index(period.last - period.first),
        at.index(1), table,
        [&](OpBuilder &b, Location loc, Value q, ValueRange carried) {
          LinalgBuilder nested{b, loc};
          Value base =
              arith::MulIOp::create(b, loc, q, nested.index(period.inputs));
          Value start =
              arith::MulIOp::create(b, loc, q, nested.index(period.outputs));
          Value y = carried[0];
          for (int64_t p = 0; p < period.outputs; ++p) {
            int64_t output = period.first * period.outputs + p;
            Value to =
                arith::AddIOp::create(b, loc, start, nested.index(output));
            y = insertOutput(nested, y, output, {row, base, to});
          }
          scf::YieldOp::create(b, loc, y);
        });
    return loop.getResult(0);
  }

  Value insertRow(LinalgBuilder at, const Period &period, ArrayRef<Value> row,
                  Value table) {
    for (int64_t i = 0; i < period.first * period.outputs; ++i)
      table = insertOutput(at, table, i, {row, Value(), at.index(i)});
    table = insertGroups(at, period, row, table);
    for (int64_t i = period.last * period.outputs; i < out; ++i)
      table = insertOutput(at, table, i, {row, Value(), at.index(i)});
    return table;
  }

  /// A loop for each dimension before the resampled one.
  Value buildRows(LinalgBuilder at, const Period &period, ArrayRef<Value> row,
                  Value table) {
    if (int64_t(row.size()) == loops.axis)
      return insertRow(at, period, row, table);
    auto loop = scf::ForOp::create(
        at.b, at.loc, at.index(0), at.index(shape[row.size()]), at.index(1),
        table, [&](OpBuilder &b, Location loc, Value i, ValueRange carried) {
          SmallVector<Value> longer(row);
          longer.push_back(i);
          scf::YieldOp::create(b, loc,
                               buildRows({b, loc}, period, longer, carried[0]));
        });
    return loop.getResult(0);
  }

  LinalgBuilder &builder;
  Value x;
  const ResampleLoops &loops;
  const ResampleBody &body;
  SmallVector<int64_t> shape;
  int64_t in, out;
};
} // namespace

Value qopt::buildResample(LinalgBuilder &builder, Value x,
                          const ResampleLoops &loops,
                          const ResampleBody &body) {
  return Resampler(builder, x, loops, body).build();
}
