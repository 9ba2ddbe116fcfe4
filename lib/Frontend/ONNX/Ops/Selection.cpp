//===- Selection.cpp - The first of an order, the marked, the distinct ----===//
// SPDX-License-Identifier: Apache-2.0
//
// How many elements are marked, data decide: these results have a bound for an
// extent, and a length (GraphBuilder::markCounted).
//===----------------------------------------------------------------------===//
#include "ComputedShapes.h"
#include "Counted.h"
#include "Positions.h"
#include "qopt/Frontend/ONNX/OpRegistry.h"
#include "qopt/Support/Permutation.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

namespace {
/// How many elements are asked for: `count`, or what data decide, up to that.
struct Asked {
  int64_t count;
  Value length = {};
};
} // namespace

/// Elements along `axis` and their indices. `sorted` = 0 leaves the order open:
/// ours is sorted.
static LogicalResult buildTopK(OpBinder &op, Value x, int64_t axis,
                               Asked asked) {
  GraphBuilder &b = op.b;
  bool isLargest = op.intAttr("largest", 1) != 0;
  op.ignoreAttrs({"sorted"});
  std::optional<CountedDim> known = countedAmong(b, x, {axis});
  if (known) {
    // There are no more than that.
    if (!asked.length)
      asked.length = b.min(known->length, double(asked.count));
    x = fillRest(b, x, isLargest ? Rest::Lowest : Rest::Last);
  } else if (const CountedDim *other =
                 asked.length ? b.countedDimOf(x) : nullptr) {
    return success(bool(b.failMixed(other->axis)));
  }
  if (!x)
    return failure();
  Shape shape(b.shape(x));
  shape[axis] = asked.count;
  Value indices = b.emit<qg::TopKOp>(
      shape, b.i64(), isLargest ? ReduceKind::max : ReduceKind::min, x,
      uint64_t(axis));
  Value values = indices ? gatherElements(op, x, indices, axis) : Value();
  if (!values)
    return failure();
  for (Value value : {values, indices})
    b.markCounted(value, {axis, asked.length});
  if (failed(op.result(0, values)))
    return failure();
  return op.numOutputs() > 1 ? op.result(1, indices) : success();
}

/// A constant K.
static LogicalResult buildTopK(OpBinder &op, Value x, int64_t axis,
                               int64_t count) {
  int64_t extent = op.b.extent(x, axis);
  if (count < 0 || count > extent)
    return op.badModel("expects K in [0, " + Twine(extent) +
                       "], the extent of axis " + Twine(axis) + ", got " +
                       Twine(count));
  return buildTopK(op, x, axis, Asked{count});
}

static LogicalResult importTopK1(OpBinder &op) {
  Value x = op.in(0);
  if (!x)
    return failure();
  if (!op.hasAttr("k"))
    return op.badModel("expects attribute 'k'");
  auto axis = op.normalizeAxis(op.intAttr("axis", -1), op.b.rank(x));
  return axis ? buildTopK(op, x, *axis, op.intAttr("k", 0)) : failure();
}

static LogicalResult importTopK(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0), k = op.in(1);
  if (!x || !k)
    return failure();
  auto axis = op.normalizeAxis(op.intAttr("axis", -1), b.rank(x));
  if (!axis)
    return failure();
  if (b.type(k).getNumElements() != 1)
    return op.badModel("expects one K, got " +
                       Twine(b.type(k).getNumElements()));
  k = foldKnownElements(b, b.reshape(b.convert(k, b.i64()), {}));
  if (std::optional<Tensor> known = b.constantOf(k))
    return buildTopK(op, x, *axis, known->getInt(0));
  // As many as data say: no more than there are.
  int64_t extent = b.extent(x, *axis);
  std::optional<int64_t> most = upperBound(b, k, 0);
  Asked asked{std::clamp<int64_t>(most.value_or(extent), 0, extent), k};
  std::optional<CountedDim> dim = countedAmong(b, x, {*axis});
  if (dim && !isAtMost(b, k, 0, dim->length))
    asked.length = b.min(k, dim->length);
  if (!most || *most > extent)
    asked.length = b.min(asked.length, double(extent));
  return buildTopK(op, x, *axis, asked);
}

//===----------------------------------------------------------------------===//
// The marked
//===----------------------------------------------------------------------===//

namespace {
/// The marked elements of a vector: `[bound]` positions, of which `count` are
/// real. Whoever makes a result of them marks it as counted.
struct Marked {
  Value positions, count;
};
} // namespace

static Marked compact(GraphBuilder &b, Value marks, int64_t bound) {
  if (!marks) // refused, as marks of which some do not count are
    return {};
  Marked marked;
  marked.positions = b.emit<qg::CompactOp>({bound}, b.i64(), marks);
  marked.count = b.reduce(ReduceKind::sum, b.convert(marks, b.i64()), {0},
                          /*keepDims=*/false);
  if (marked.count && bound < b.extent(marks, 0))
    marked.count = b.min(marked.count, double(bound));
  return marked;
}

/// Result `index` of the node, whose dimension `axis` is counted.
static LogicalResult countedResult(OpBinder &op, unsigned index, Value value,
                                   CountedDim dim) {
  if (!value || !dim.length)
    return failure();
  op.b.markCounted(value, dim);
  return op.result(index, value);
}

static Value isNonZero(GraphBuilder &b, Value x) {
  if (!x || b.element(x).isInteger(1))
    return x;
  return b.compare(ComparePredicate::ne, x, b.scalar(0, b.element(x)));
}

static LogicalResult importNonZero(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0);
  if (!x)
    return failure();
  Shape shape(b.shape(x));
  if (shape.empty())
    return op.unsupported("expects x of rank 1 or more");
  int64_t count = getNumElements(shape);
  if (std::optional<Tensor> known = b.constantOf(x)) {
    SmallVector<int64_t> hits;
    for (int64_t i = 0; i < count; ++i)
      if (known->getFloat(i) != 0)
        hits.push_back(i);
    Tensor result(DType::i64, {known->rank(), int64_t(hits.size())});
    for (auto [column, flat] : llvm::enumerate(hits))
      for (int64_t d = known->rank() - 1, rest = flat; d >= 0; --d) {
        result.setInt(d * hits.size() + column, rest % shape[d]);
        rest /= shape[d];
      }
    return op.result(b.constant(result));
  }
  Value marks = fillRest(b, isNonZero(b, x), Rest::Zero);
  auto [flat, length] = compact(b, b.reshape(marks, {count}), count);
  if (!flat)
    return failure();
  SmallVector<Value> coordinates;
  for (int64_t d = 0; d < b.rank(x); ++d) {
    double stride = double(std::max<int64_t>(getStride(shape, d), 1));
    Value at = b.div(flat, stride);
    if (d > 0)
      at = b.binary(BinaryKind::rem, at,
                    b.scalar(double(std::max<int64_t>(shape[d], 1)), b.i64()));
    coordinates.push_back(b.reshape(at, {1, count}));
  }
  return countedResult(op, 0, b.concat(coordinates, 0), {1, length});
}

static LogicalResult importCompress(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0), condition = op.in(1);
  if (!x || !condition)
    return failure();
  int64_t along = 0;
  if (op.hasAttr("axis")) {
    auto axis = op.normalizeAxis(op.intAttr("axis", 0), b.rank(x));
    if (!axis)
      return failure();
    along = *axis;
  } else {
    x = b.reshape(x, {b.type(x).getNumElements()});
  }
  if (!x)
    return failure();
  if (b.rank(condition) != 1 || b.extent(condition, 0) > b.extent(x, along))
    return op.badModel("expects a vector of at most " +
                       Twine(b.extent(x, along)) + " conditions, got " +
                       formatShape(b.shape(condition)));
  if (std::optional<Tensor> known = b.constantOf(condition)) {
    Shape taken;
    for (int64_t i = 0; i < known->numElements(); ++i)
      if (known->getInt(i))
        taken.push_back(i);
    return op.result(b.gather(x, b.ints(taken), along));
  }
  auto [positions, length] = compact(b, condition, b.extent(condition, 0));
  return countedResult(op, 0, b.gather(x, positions, along), {along, length});
}

//===----------------------------------------------------------------------===//
// Boxes
//===----------------------------------------------------------------------===//

/// Boxes given as center and size, as two corners.
static Value getCorners(GraphBuilder &b, Value boxes) {
  Value center = b.sliceAxis(boxes, 2, 0, 2);
  Value half = b.div(b.sliceAxis(boxes, 2, 2, 4), 2.0);
  return b.concat({b.sub(center, half), b.add(center, half)}, 2);
}

/// A scalar input in any form of one element; `otherwise` where it is not
/// given.
static Value getScalar(OpBinder &op, unsigned index, double otherwise,
                       Type element) {
  Value given = op.optional(index);
  if (!given)
    return op.b.scalar(otherwise, element);
  if (op.b.type(given).getNumElements() != 1 ||
      op.b.element(given) != element) {
    (void)op.badModel("expects one number as input " + Twine(index) + ", got " +
                      formatShape(op.b.shape(given)));
    return {};
  }
  return op.b.reshape(given, {});
}

static LogicalResult importNonMaxSuppression(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value boxes = op.in(0), scores = op.in(1);
  if (!boxes || !scores)
    return failure();
  ArrayRef<int64_t> corners = b.shape(boxes), shape = b.shape(scores);
  if (corners.size() != 3 || shape.size() != 3 || corners[0] != shape[0] ||
      corners[1] != shape[2] || corners[2] != 4 || !b.element(boxes).isF32() ||
      !b.element(scores).isF32())
    return op.badModel("expects boxes [batches, boxes, 4] and scores [batches, "
                       "classes, boxes] of f32, got " +
                       formatShape(corners) + " and " + formatShape(shape));
  // Boxes and scores behind the last do not count.
  std::optional<CountedDim> counted = countedAmong(b, scores, {2}),
                            ofBoxes = countedAmong(b, boxes, {1});
  for (auto [value, own] : {std::pair(boxes, ofBoxes), {scores, counted}})
    if (const CountedDim *dim = b.countedDimOf(value); dim && !own)
      return success(bool(b.failMixed(dim->axis)));
  counted = counted ? counted : ofBoxes;
  Uncounted whole(b, {boxes, scores});
  int64_t batches = shape[0], classes = shape[1], count = shape[2];
  Value limit = getScalar(op, 2, 0, b.i64());
  Value overlap = getScalar(op, 3, 0, b.f32());
  Value least = getScalar(op, 4, 0, b.f32());
  if (op.intAttr("center_point_box", 0))
    boxes = getCorners(b, boxes);
  Value order =
      b.emit<qg::TopKOp>(shape, b.i64(), ReduceKind::max, scores, uint64_t(2));
  if (!order || !limit || !overlap || !least || !boxes)
    return failure();
  Tensor first(DType::i64, {batches, 1, 1});
  for (int64_t i = 0; i < batches; ++i)
    first.setInt(i, i * count);
  Value sorted = b.gather(b.reshape(boxes, {batches * count, 4}),
                          b.add(order, b.constant(first)), 0);
  Value isValid = op.hasInput(4)
                      ? b.compare(ComparePredicate::gt,
                                  gatherElements(op, scores, order, 2), least)
                      : b.full(shape, 1, b.i1());
  if (counted && isValid)
    isValid = b.select(b.compare(ComparePredicate::lt, order, counted->length),
                       isValid, b.scalar(0, b.i1()));
  if (!sorted || !isValid)
    return failure();
  Value kept =
      b.emit<qg::SuppressOp>(shape, b.i1(), sorted, isValid, overlap, limit);
  int64_t most = count;
  if (std::optional<Tensor> known = b.constantOf(limit))
    most = std::clamp<int64_t>(known->getInt(0), 0, count);
  int64_t bound = batches * classes * most, all = batches * classes * count;
  auto [flat, length] = compact(b, b.reshape(kept, {all}), bound);
  if (!flat)
    return failure();
  auto column = [&](Value x) { return b.reshape(x, {bound, 1}); };
  double perBatch = double(std::max<int64_t>(classes * count, 1));
  double perClass = double(std::max<int64_t>(count, 1));
  Value batch = b.div(flat, perBatch);
  Value list = b.div(flat, perClass);
  Value type = b.sub(list, b.mul(batch, double(classes)));
  Value box = b.gather(b.reshape(order, {all}), flat, 0);
  Value rows = b.concat({column(batch), column(type), column(box)}, 1);
  return countedResult(op, 0, rows, {0, length});
}

//===----------------------------------------------------------------------===//
// The distinct
//===----------------------------------------------------------------------===//

namespace {
/// Rows in order, and where each distinct one begins.
struct Groups {
  Value order; ///< [n]: indices of the sorted rows
  Value rows;  ///< [n, m]: sorted
  Value isNew; ///< [n]
};
} // namespace

/// Rows sorted by their first column, then by the second, and so on: a stable
/// sort for each column, the last one first.
static Groups groupRows(GraphBuilder &b, Value rows) {
  int64_t n = b.extent(rows, 0), m = b.extent(rows, 1);
  Groups groups;
  for (int64_t column = m - 1; column >= 0; --column) {
    Value keys = b.reshape(b.sliceAxis(rows, 1, column, column + 1), {n});
    if (groups.order)
      keys = b.gather(keys, groups.order, 0);
    Value next =
        b.emit<qg::TopKOp>({n}, b.i64(), ReduceKind::min, keys, uint64_t(0));
    groups.order = groups.order ? b.gather(groups.order, next, 0) : next;
  }
  groups.rows = b.gather(rows, groups.order, 0);
  Value differs =
      b.compare(ComparePredicate::ne, b.sliceAxis(groups.rows, 0, 1, n),
                b.sliceAxis(groups.rows, 0, 0, n - 1));
  Value any = b.reduce(ReduceKind::max, b.convert(differs, b.i64()), {1},
                       /*keepDims=*/false);
  groups.isNew =
      b.concat({b.full({1}, 1, b.i1()),
                b.compare(ComparePredicate::ne, any, b.scalar(0, b.i64()))},
               0);
  return groups;
}

/// 0, 1, ... n - 1.
static Value iota(GraphBuilder &b, int64_t n) {
  return b.ints(Shape(llvm::to_vector(llvm::seq<int64_t>(0, n))));
}

/// `values` at `positions` of a vector as long.
static Value scatter(GraphBuilder &b, Value positions, Value values) {
  int64_t n = b.extent(values, 0);
  return b.emit<qg::ScatterOp>({n}, b.i64(), ScatterKind::replace,
                               b.full({n}, 0, b.i64()), positions, values);
}

/// Where the distinct rows stand if they come in the order of their first
/// occurrences: `[n]`, uncounted.
static Value orderByOccurrence(GraphBuilder &b, Value occurrence,
                               Value length) {
  int64_t n = b.extent(occurrence, 0);
  Value isReal = b.compare(ComparePredicate::lt, iota(b, n), length);
  Value key = b.select(isReal, occurrence, b.scalar(double(n), b.i64()));
  return b.emit<qg::TopKOp>({n}, b.i64(), ReduceKind::min, key, uint64_t(0));
}

static LogicalResult importUnique(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0);
  if (!x)
    return failure();
  Shape shape(b.shape(x)), front;
  int64_t axis = 0;
  if (op.hasAttr("axis")) {
    auto given = op.normalizeAxis(op.intAttr("axis", 0), b.rank(x));
    if (!given)
      return failure();
    axis = *given;
    front.push_back(axis);
    for (int64_t d = 0; d < b.rank(x); ++d)
      if (d != axis)
        front.push_back(d);
    x = b.transpose(x, front);
  } else {
    x = b.reshape(x, {getNumElements(shape)});
    front.push_back(0);
  }
  if (!x)
    return failure();
  bool isSorted = op.intAttr("sorted", 1) != 0;
  Shape moved(b.shape(x));
  int64_t n = moved[0], m = getNumElements(ArrayRef(moved).drop_front());
  if (n < 1 || m < 1 || m > 256)
    return op.unsupported("expects 1 to 256 elements to compare for each of at "
                          "least one position, got " +
                          Twine(m) + " for each of " + Twine(n));
  Groups groups = groupRows(b, b.reshape(x, {n, m}));
  if (!groups.isNew)
    return failure();
  auto [first, length] = compact(b, groups.isNew, n);
  Value occurrence = b.gather(groups.order, first, 0);
  Value group =
      b.sub(accumulate(b, BinaryKind::add, b.convert(groups.isNew, b.i64()), 0,
                       /*isReverse=*/false),
            1.0);
  Value inverse = scatter(b, groups.order, group);
  Value isLast =
      b.compare(ComparePredicate::ge, iota(b, n), b.sub(length, 1.0));
  Value end = b.select(isLast, b.scalar(double(n), b.i64()),
                       shiftAxis(b, first, 0, -1));
  Value counts = b.sub(end, first);
  Value values = b.gather(groups.rows, first, 0);
  if (!isSorted) {
    Value order = orderByOccurrence(b, occurrence, length);
    values = b.gather(values, order, 0);
    occurrence = b.gather(occurrence, order, 0);
    counts = b.gather(counts, order, 0);
    inverse = b.gather(scatter(b, order, iota(b, n)), inverse, 0);
  }
  Value y = b.transpose(b.reshape(values, moved), invert(front));
  if (failed(countedResult(op, 0, y, {axis, length})) ||
      failed(countedResult(op, 1, occurrence, {0, length})) ||
      failed(op.result(2, inverse)))
    return failure();
  return countedResult(op, 3, counts, {0, length});
}

void frontend::registerSelectionOps(OpRegistry &registry) {
  registry.add("Compress", 9, importCompress);
  registry.add("NonMaxSuppression", 10, importNonMaxSuppression);
  registry.add("NonZero", 9, importNonZero);
  registry.add("TopK", 1, importTopK1);
  registry.add("TopK", 10, importTopK);
  registry.add("Unique", 11, importUnique);
}
