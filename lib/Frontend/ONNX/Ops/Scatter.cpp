//===- Scatter.cpp - Tensors updated at given positions -------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// With constant indices each result position knows where its value comes from:
// a gather. With others the updates are rows of qg.scatter.
//===----------------------------------------------------------------------===//
#include "Counted.h"
#include "Positions.h"
#include "qopt/Frontend/ONNX/OpRegistry.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

/// What `reduction` says; reports what is none of its values.
static std::optional<ScatterKind> getKind(OpBinder &op) {
  std::string name = op.stringAttr("reduction", "none");
  if (name == "none")
    return ScatterKind::replace;
  std::optional<ScatterKind> kind = symbolizeScatterKind(name);
  if (kind && *kind != ScatterKind::replace)
    return kind;
  (void)op.badModel("attribute 'reduction' = \"" + name +
                    "\" is not one of none, add, mul, max, min");
  return std::nullopt;
}

/// Updates in rounds, each of which has at most one for every row: row to
/// update, or -1. None if there are more than 32 rounds.
static std::optional<SmallVector<Shape>> getRounds(const Tensor &targets,
                                                   int64_t rows) {
  SmallVector<Shape> rounds;
  SmallVector<int64_t> seen(rows, 0);
  for (int64_t i = 0; i < targets.numElements(); ++i) {
    int64_t target = targets.getInt(i);
    if (seen[target] == int64_t(rounds.size())) {
      if (rounds.size() == 32)
        return std::nullopt;
      rounds.push_back(Shape(rows, -1));
    }
    rounds[seen[target]++][target] = i;
  }
  return rounds;
}

/// One round: rows that are hit are combined with their updates.
static Value combineRound(OpBinder &op, BinaryKind kind, Value table,
                          Value updates, ArrayRef<int64_t> round) {
  GraphBuilder &b = op.b;
  int64_t rows = b.extent(table, 0);
  Shape mask(b.rank(table), 1), source(rows, 0);
  mask[0] = rows;
  Tensor isHit(DType::b1, mask);
  for (int64_t row = 0; row < rows; ++row) {
    isHit.setInt(row, round[row] >= 0);
    source[row] = std::max<int64_t>(round[row], 0);
  }
  Value combined = b.binary(kind, table, b.gather(updates, b.ints(source), 0));
  return b.select(b.constant(isHit), combined, table);
}

/// Rows of `table` [rows, ...] replaced by or combined with rows of `updates`
/// [n, ...]; `targets` [n] says where update i goes.
static Value scatterRows(OpBinder &op, Value table, Value updates,
                         Value targets) {
  GraphBuilder &b = op.b;
  std::optional<ScatterKind> kind = getKind(op);
  if (!table || !updates || !targets || !kind)
    return {};
  int64_t rows = b.extent(table, 0);
  std::optional<Tensor> known = b.constantOf(targets);
  if (known && *kind == ScatterKind::replace) {
    Shape source(llvm::to_vector(llvm::seq<int64_t>(0, rows)));
    for (int64_t i = 0; i < known->numElements(); ++i)
      source[known->getInt(i)] = rows + i;
    return b.gather(b.concat({table, updates}, 0), b.ints(source), 0);
  }
  auto rounds = known ? getRounds(*known, rows) : std::nullopt;
  if (!rounds)
    return b.emit<qg::ScatterOp>(b.shape(table), b.element(table), *kind, table,
                                 targets, updates);
  BinaryKind combination = *symbolizeBinaryKind(stringifyScatterKind(*kind));
  for (const Shape &round : *rounds)
    table = combineRound(op, combination, table, updates, round);
  return table;
}

/// `positions` where `isInside` holds, elsewhere a row behind the last, which
/// qg.scatter leaves out: a coordinate that is out of range must not reach
/// another row. Constants are refused here.
static Value guard(OpBinder &op, Value positions, Value isInside,
                   int64_t rows) {
  GraphBuilder &b = op.b;
  Value guarded =
      b.select(isInside, positions, b.scalar(double(rows), b.i64()));
  std::optional<Tensor> known = guarded ? b.constantOf(guarded) : std::nullopt;
  std::optional<Tensor> given = b.constantOf(op.in(1));
  if (!known || !given)
    return guarded;
  for (int64_t i = 0, n = known->numElements(); i < n; ++i) {
    if (known->getInt(i) != rows)
      continue;
    Shape index;
    int64_t depth = given->numElements() / n;
    for (int64_t d = 0; d < depth; ++d)
      index.push_back(given->getInt(i * depth + d));
    (void)op.badModel("expects indices inside x, got " + formatShape(index));
    return {};
  }
  return guarded;
}

/// 0 <= index < extent.
static Value isWithin(OpBinder &op, Value index, int64_t extent) {
  GraphBuilder &b = op.b;
  Value zero = b.scalar(0, b.i64()), end = b.scalar(double(extent), b.i64());
  Value isFromStart = b.compare(ComparePredicate::ge, index, zero);
  Value isBeforeEnd = b.compare(ComparePredicate::lt, index, end);
  return b.binary(BinaryKind::bit_and, isFromStart, isBeforeEnd);
}

/// scatterRows, but updates that are left out go to a row of their own.
static Value scatterCountedRows(OpBinder &op, Value table, Value updates,
                                Value targets) {
  GraphBuilder &b = op.b;
  if (!table || !targets)
    return {};
  Shape spare(b.shape(table));
  int64_t rows = std::exchange(spare[0], 1);
  Value longer = b.concat({table, b.full(spare, 0, b.element(table))}, 0);
  return b.sliceAxis(scatterRows(op, longer, updates, targets), 0, 0, rows);
}

static std::optional<CountedDim> countedDim(GraphBuilder &b, Value x) {
  const CountedDim *dim = b.countedDimOf(x);
  return dim ? std::optional(*dim) : std::nullopt;
}

static LogicalResult importScatterElements(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0), indices = op.in(1), updates = op.in(2);
  if (!x || !updates || !indices)
    return failure();
  auto axis = op.normalizeAxis(op.intAttr("axis", 0), b.rank(x));
  if (!axis)
    return failure();
  Shape shape(b.shape(indices));
  if (b.shape(updates) != ArrayRef<int64_t>(shape) ||
      int64_t(shape.size()) != b.rank(x))
    return op.badModel("expects updates of the indices' shape " +
                       formatShape(shape) + " and of x's rank");
  for (int64_t d = 0; d < b.rank(x); ++d)
    if (d != *axis && shape[d] > b.extent(x, d))
      return op.badModel("expects indices no larger than x in axis " +
                         Twine(d));
  int64_t rows = b.type(x).getNumElements(), count = getNumElements(shape);
  std::optional<CountedDim> own = countedDim(b, x),
                            given = countedDim(b, indices);
  if (!given)
    given = countedDim(b, updates);
  Uncounted whole(b, {x, indices, updates});
  Value index = own && own->axis == *axis
                    ? countFromEnd(b, indices, own->length)
                    : normalizeIndices(op, indices, b.extent(x, *axis));
  Value along = b.mul(index, double(getStride(b.shape(x), *axis)));
  Value position =
      b.add(along, b.constant(getRowPositions(shape, b.shape(x), *axis)));
  Value isInside = isWithin(op, index, b.extent(x, *axis));
  if (given)
    isInside = b.binary(
        BinaryKind::bit_and, isInside,
        b.broadcast(markFirst(b, shape[given->axis], *given, b.rank(x)),
                    shape));
  Value targets = guard(op, position, isInside, rows);
  auto scatter = given ? scatterCountedRows : scatterRows;
  Value y = scatter(op, b.reshape(x, {rows}), b.reshape(updates, {count}),
                    b.reshape(targets, {count}));
  y = b.reshape(y, Shape(b.shape(x)));
  if (own)
    b.markCounted(y, *own);
  return op.result(y);
}

/// Whether a row of indices [..., k] counts: [rows] of i1.
static Value isRowCounted(GraphBuilder &b, ArrayRef<int64_t> shape,
                          const CountedDim &dim) {
  ArrayRef<int64_t> rows = shape.drop_back();
  int64_t inner = getNumElements(rows.drop_front(dim.axis + 1));
  Tensor coordinates(DType::i64, {getNumElements(rows)});
  for (int64_t i = 0; i < coordinates.numElements(); ++i)
    coordinates.setInt(i, i / inner % rows[dim.axis]);
  return b.compare(ComparePredicate::lt, b.constant(coordinates), dim.length);
}

namespace {
/// Operands of a ScatterND of which data may count the rows.
struct CountedScatter {
  std::optional<CountedDim> x, rows;
};
} // namespace

/// Which positions of the operands count; nothing, and reported, where the node
/// would mix them.
static std::optional<CountedScatter> readCounts(OpBinder &op, int64_t depth) {
  GraphBuilder &b = op.b;
  CountedScatter counts;
  auto copy = [&](unsigned i) { return countedDim(b, op.in(i)); };
  counts.x = copy(0);
  counts.rows = copy(1);
  std::optional<CountedDim> updates = copy(2);
  int64_t last = b.rank(op.in(1)) - 1;
  if (counts.x && counts.x->axis >= depth) {
    b.failMixed(counts.x->axis);
    return std::nullopt;
  }
  for (const auto &dim : {counts.rows, updates})
    if (dim && dim->axis >= last) {
      b.failMixed(dim->axis);
      return std::nullopt;
    }
  if (!counts.rows)
    counts.rows = updates;
  return counts;
}

static LogicalResult importScatterND(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0), indices = op.in(1), updates = op.in(2);
  if (!x || !updates || !indices)
    return failure();
  ArrayRef<int64_t> shape = b.shape(indices);
  int64_t depth = shape.empty() ? 0 : shape.back();
  if (depth < 1 || depth > b.rank(x))
    return op.badModel("expects indices [..., k] with k in [1, " +
                       Twine(b.rank(x)) + "]");
  int64_t count = getNumElements(shape.drop_back());
  ArrayRef<int64_t> leading = b.shape(x).take_front(depth);
  Shape table{getNumElements(leading)}, rows{count};
  table.append(b.shape(x).begin() + depth, b.shape(x).end());
  rows.append(b.shape(x).begin() + depth, b.shape(x).end());
  if (getNumElements(rows) != b.type(updates).getNumElements())
    return op.badModel("expects updates of " + formatShape(rows) + ", got " +
                       formatShape(b.shape(updates)));
  auto counts = readCounts(op, depth);
  if (!counts)
    return failure();
  Uncounted whole(b, {x, indices, updates});
  Value flat = b.reshape(indices, {count, depth}), position, isInside;
  for (int64_t d = 0; d < depth; ++d) {
    Value given = b.reshape(b.sliceAxis(flat, 1, d, d + 1), {count});
    Value index = counts->x && counts->x->axis == d
                      ? countFromEnd(b, given, counts->x->length)
                      : normalizeIndices(op, given, leading[d]);
    Value along = b.mul(index, double(getStride(leading, d)));
    Value isWithinAxis = isWithin(op, index, leading[d]);
    position = d ? b.add(position, along) : along;
    isInside = d ? b.binary(BinaryKind::bit_and, isInside, isWithinAxis)
                 : isWithinAxis;
  }
  auto scatter = counts->rows ? scatterCountedRows : scatterRows;
  if (counts->rows)
    isInside = b.binary(BinaryKind::bit_and, isInside,
                        isRowCounted(b, shape, *counts->rows));
  Value y = scatter(op, b.reshape(x, table), b.reshape(updates, rows),
                    guard(op, position, isInside, table[0]));
  y = b.reshape(y, Shape(b.shape(x)));
  if (counts->x)
    b.markCounted(y, *counts->x);
  return op.result(y);
}

void frontend::registerScatterOps(OpRegistry &registry) {
  registry.add("Scatter", 9, importScatterElements);
  registry.add("ScatterElements", 11, importScatterElements);
  registry.add("ScatterND", 11, importScatterND);
}
