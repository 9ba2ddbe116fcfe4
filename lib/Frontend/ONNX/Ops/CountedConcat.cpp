//===- CountedConcat.cpp - Pieces whose extents data decide, in a row -----===//
// SPDX-License-Identifier: Apache-2.0
//
// Each piece has its bound; the rows that count are gathered from all of them.
// Where the file declares how many there are (experts that share the rows of a
// batch), the result has an extent like every other.
//===----------------------------------------------------------------------===//
#include "../LengthArithmetic.h"
#include "ComputedShapes.h"
#include "NumberRanges.h"
#include "Positions.h"
#include "RunTimeExtents.h"

#include <limits>

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

Value frontend::countUp(GraphBuilder &b, int64_t n) {
  return b.ints(Shape(llvm::to_vector(llvm::seq<int64_t>(0, n))));
}

namespace {
struct Pieces {
  Value lengths; ///< [n]
  Value ends;    ///< [n]: their sums up to each
  Shape bounds;
  /// Data may ask for more of one than its bound.
  bool canExceed = false;
};
} // namespace

static Pieces readPieces(GraphBuilder &b, ArrayRef<Value> values,
                         int64_t axis) {
  Pieces pieces;
  SmallVector<Value> lengths;
  for (Value value : values) {
    int64_t bound = b.extent(value, axis);
    const CountedDim *known = b.countedDimOf(value);
    Value length = known ? known->length : b.scalar(double(bound), b.i64());
    NumberRange range = rangeOfOps(b, length);
    pieces.canExceed |= range.low < 0 || range.high > double(bound);
    pieces.bounds.push_back(bound);
    lengths.push_back(b.reshape(length, {1}));
  }
  pieces.lengths = b.concat(lengths, 0);
  pieces.ends = accumulate(b, BinaryKind::add, pieces.lengths, 0,
                           /*isReverse=*/false);
  return pieces;
}

/// The sum of all lengths; more than there can be where one exceeds its bound.
static Value countAll(GraphBuilder &b, const Pieces &pieces) {
  int64_t count = pieces.bounds.size();
  Value total = b.reshape(b.sliceAxis(pieces.ends, 0, count - 1, count), {});
  if (!pieces.canExceed)
    return total;
  // As unsigned numbers, negative lengths are large.
  Value isLong =
      b.compare(ComparePredicate::gt, pieces.lengths, b.ints(pieces.bounds));
  Value isNegative =
      b.compare(ComparePredicate::lt, pieces.lengths, b.scalar(0, b.i64()));
  Value isWrong = b.binary(BinaryKind::bit_or, isLong, isNegative);
  Value wrong = b.reduce(ReduceKind::max, b.convert(isWrong, b.i64()), {0},
                         /*keepDims=*/false);
  constexpr double kTooMany = double(std::numeric_limits<int32_t>::max());
  return b.select(b.compare(ComparePredicate::ne, wrong, b.scalar(0, b.i64())),
                  b.scalar(kTooMany, b.i64()), total);
}

/// Where row r of the result lies if the pieces stand one behind the other with
/// all of their rows: every piece that ends at or before r leaves a gap.
static Value findRows(GraphBuilder &b, const Pieces &pieces, int64_t count) {
  int64_t n = pieces.bounds.size();
  Value rows = b.reshape(countUp(b, count), {count, 1});
  Value isBehind =
      b.compare(ComparePredicate::ge, rows, b.reshape(pieces.ends, {1, n}));
  Value gaps = b.sub(b.ints(pieces.bounds), pieces.lengths);
  Value moved =
      b.select(isBehind, b.reshape(gaps, {1, n}), b.scalar(0, b.i64()));
  Value at = b.add(b.reshape(rows, {count}),
                   b.reduce(ReduceKind::sum, moved, {1}, /*keepDims=*/false));
  int64_t all = 0;
  for (int64_t bound : pieces.bounds)
    all += bound;
  return b.clamp(at, 0, double(all - 1));
}

/// `y` where data keep to what the file declares; else no numbers.
static Value orNothing(GraphBuilder &b, Value y, Value isRight) {
  double nothing = b.isFloat(y) ? std::numeric_limits<double>::quiet_NaN() : 0;
  Value other = b.scalar(nothing, b.element(y));
  if (auto integer = dyn_cast<IntegerType>(b.element(y));
      integer && integer.getWidth() > 1 && !integer.isUnsigned()) {
    Tensor least(*qg::getDType(integer), {});
    least.setInt(0, std::numeric_limits<int64_t>::min() >>
                        (64 - integer.getWidth()));
    other = b.constant(least);
  }
  return b.select(isRight, y, other);
}

/// The sum of all lengths as one value for the same pieces, so that tensors
/// joined alike have one length.
static Value addLengths(GraphBuilder &b, ArrayRef<Value> values, int64_t axis) {
  Value total;
  for (Value value : values) {
    const CountedDim *known = b.countedDimOf(value);
    Value count = known ? known->length
                        : b.scalar(double(b.extent(value, axis)), b.i64());
    total = total ? combineLengths(b, BinaryKind::add, total, count) : count;
  }
  return total;
}

Value frontend::concatCounted(OpBinder &op, ArrayRef<Value> values,
                              int64_t axis) {
  GraphBuilder &b = op.b;
  for (Value value : values)
    if (const CountedDim *known = b.countedDimOf(value);
        known && known->axis != axis)
      return b.failMixed(known->axis);
  Pieces pieces = readPieces(b, values, axis);
  Value total = countAll(b, pieces);
  Value length = pieces.canExceed ? total : addLengths(b, values, axis);
  Uncounted whole(b, values);
  Value all = b.concat(values, axis);
  if (!all || !total)
    return {};
  int64_t bound = b.extent(all, axis);
  auto declared = op.declaredShape(0);
  bool isDeclared = declared && int64_t(declared->size()) == b.rank(all) &&
                    (*declared)[axis] >= 0;
  int64_t count = isDeclared ? (*declared)[axis] : bound;
  if (std::optional<int64_t> most = op.mostOf(0, axis, b.rank(all)))
    count = std::min(count, *most);
  if (bound == 0 || count == 0)
    return all;
  Value y = b.gather(all, findRows(b, pieces, count), axis);
  if (!isDeclared) {
    b.markCounted(y, {axis, length});
    return y;
  }
  return orNothing(
      b, y,
      b.compare(ComparePredicate::eq, total, b.scalar(double(count), b.i64())));
}
