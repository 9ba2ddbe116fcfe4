//===- Reduce.cpp - Reductions --------------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Reduce*, ArgMax and ArgMin; axes as attribute or as input.
//===----------------------------------------------------------------------===//
#include "Counted.h"
#include "qopt/Frontend/ONNX/OpRegistry.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

namespace {
struct Reduction {
  Shape axes;
  bool keepDims;
  /// No axes were given and that means: reduce nothing.
  bool isNothing;
};
} // namespace

static std::optional<Reduction> readReduction(OpBinder &op, Value x) {
  if (!x)
    return std::nullopt;
  Reduction reduction{{}, op.intAttr("keepdims", 1) != 0, false};
  std::optional<Shape> given =
      op.hasInput(1) ? op.constantInts(1, "axes") : op.intsAttr("axes");
  if (!given)
    return std::nullopt;
  Shape axes = *given;
  bool keepsAll = op.intAttr("noop_with_empty_axes", 0) != 0;
  reduction.isNothing = axes.empty() && keepsAll;
  if (axes.empty() && !reduction.isNothing)
    axes.assign(llvm::seq<int64_t>(0, op.b.rank(x)).begin(),
                llvm::seq<int64_t>(0, op.b.rank(x)).end());
  std::optional<Shape> normalized = op.normalizeAxes(axes, op.b.rank(x));
  if (!normalized)
    return std::nullopt;
  reduction.axes = *normalized;
  return reduction;
}

/// What changes no extremum, sum or product.
static Rest getNeutral(ReduceKind kind) {
  switch (kind) {
  case ReduceKind::max:
    return Rest::Lowest;
  case ReduceKind::min:
    return Rest::Highest;
  case ReduceKind::sum:
    return Rest::Zero;
  case ReduceKind::prod:
    return Rest::One;
  }
  llvm_unreachable("every kind has a neutral element");
}

static Value reduceBy(OpBinder &op, ReduceKind kind, Value x,
                      const Reduction &reduction) {
  if (countedAmong(op.b, x, reduction.axes))
    x = fillRest(op.b, x, getNeutral(kind));
  return op.b.reduce(kind, x, reduction.axes, reduction.keepDims);
}

template <ReduceKind kind> static LogicalResult importReduce(OpBinder &op) {
  Value x = op.in(0);
  auto reduction = readReduction(op, x);
  if (!reduction)
    return failure();
  return op.result(reduceBy(op, kind, x, *reduction));
}

/// Largest or smallest of truth values: any and all.
template <ReduceKind kind> static LogicalResult importExtremum(OpBinder &op) {
  Value x = op.in(0);
  auto reduction = readReduction(op, x);
  if (!reduction)
    return failure();
  if (op.b.element(x) != op.b.i1())
    return op.result(reduceBy(op, kind, x, *reduction));
  // In u8, so that the extremum of nothing is false or true as well.
  Type u8 = IntegerType::get(x.getContext(), 8, IntegerType::Unsigned);
  Value wide = op.b.convert(x, u8);
  return op.result(
      op.b.convert(reduceBy(op, kind, wide, *reduction), op.b.i1()));
}

static LogicalResult importReduceMean(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0);
  auto reduction = readReduction(op, x);
  if (!reduction)
    return failure();
  if (reduction->axes.empty())
    return op.result(x);
  if (std::optional<CountedDim> dim = countedAmong(b, x, reduction->axes)) {
    double others = 1;
    for (int64_t axis : reduction->axes)
      others *= axis == dim->axis ? 1 : double(b.extent(x, axis));
    Value count = b.mul(b.convert(dim->length, b.element(x)), others);
    return op.result(
        b.div(reduceBy(op, ReduceKind::sum, x, *reduction), count));
  }
  // Exactly the spatial dimensions: a global average pool.
  Shape axes = reduction->axes;
  llvm::sort(axes);
  int64_t rank = b.rank(x);
  bool isSpatial = rank >= 3 && int64_t(axes.size()) == rank - 2 &&
                   axes.front() == 2 && b.isFloat(x);
  if (!isSpatial)
    return op.result(b.reduceMean(x, reduction->axes, reduction->keepDims));
  Shape spatial(b.shape(x).drop_front(2));
  WindowSpec window{spatial, Shape(rank - 2, 1), Shape(2 * (rank - 2), 0),
                    Shape(rank - 2, 1)};
  Value y =
      b.toChannelsFirst(b.pool(PoolKind::avg, b.toChannelsLast(x), window));
  if (y && !reduction->keepDims)
    y = b.reshape(y, {b.extent(y, 0), b.extent(y, 1)});
  return op.result(y);
}

static LogicalResult importReduceL1(OpBinder &op) {
  Value x = op.in(0);
  auto reduction = readReduction(op, x);
  if (!reduction)
    return failure();
  Value magnitude = reduction->isNothing ? x : op.b.unary(UnaryKind::abs, x);
  return op.result(reduceBy(op, ReduceKind::sum, magnitude, *reduction));
}

static LogicalResult importReduceSumSquare(OpBinder &op) {
  Value x = op.in(0);
  auto reduction = readReduction(op, x);
  if (!reduction)
    return failure();
  return op.result(reduceBy(op, ReduceKind::sum, op.b.mul(x, x), *reduction));
}

static LogicalResult importReduceL2(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0);
  auto reduction = readReduction(op, x);
  if (!reduction)
    return failure();
  Type type = b.element(x);
  if (!b.isFloat(x))
    x = b.convert(x, b.f32());
  Value sum = reduceBy(op, ReduceKind::sum, b.mul(x, x), *reduction);
  return op.result(b.convert(b.unary(UnaryKind::sqrt, sum), type));
}

static LogicalResult importReduceLogSum(OpBinder &op) {
  Value x = op.in(0);
  auto reduction = readReduction(op, x);
  if (!reduction)
    return failure();
  return op.result(
      op.b.unary(UnaryKind::log, reduceBy(op, ReduceKind::sum, x, *reduction)));
}

/// log(sum(exp(x - max))) + max, so that exp does not overflow; a maximum
/// that is infinite is left out of the difference.
static LogicalResult importReduceLogSumExp(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0);
  auto reduction = readReduction(op, x);
  if (!reduction)
    return failure();
  bool isEmpty = llvm::is_contained(b.shape(x), 0);
  if (isEmpty)
    return op.result(b.unary(
        UnaryKind::log,
        reduceBy(op, ReduceKind::sum, b.unary(UnaryKind::exp, x), *reduction)));
  Reduction kept = *reduction;
  kept.keepDims = true;
  Value top = reduceBy(op, ReduceKind::max, x, kept);
  if (!top)
    return failure();
  Value shift =
      b.select(b.unary(UnaryKind::is_inf, top), b.scalar(0, b.element(x)), top);
  Value sum = reduceBy(op, ReduceKind::sum,
                       b.unary(UnaryKind::exp, b.sub(x, shift)), kept);
  Value y = b.add(b.unary(UnaryKind::log, sum), shift);
  if (!y || reduction->keepDims)
    return op.result(y);
  Shape shape;
  for (int64_t i = 0; i < b.rank(x); ++i)
    if (!llvm::is_contained(reduction->axes, i))
      shape.push_back(b.extent(x, i));
  return op.result(b.reshape(y, shape));
}

template <ReduceKind kind> static LogicalResult importArg(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0);
  if (!x)
    return failure();
  auto axis = op.normalizeAxis(op.intAttr("axis", 0), b.rank(x));
  if (!axis)
    return failure();
  bool selectLast = op.intAttr("select_last_index", 0) != 0;
  // The last of equal ones could be behind the last that counts.
  if (!selectLast && countedAmong(b, x, {*axis}))
    x = fillRest(b, x, getNeutral(kind));
  Value index = b.argReduce(kind, x, *axis, selectLast);
  if (op.intAttr("keepdims", 1))
    index = b.expandDim(index, *axis);
  return op.result(index);
}

void frontend::registerReduceOps(OpRegistry &registry) {
  registry.add("ArgMax", 1, importArg<ReduceKind::max>);
  registry.add("ArgMin", 1, importArg<ReduceKind::min>);
  registry.add("ReduceL1", 1, roundOnce<importReduceL1>);
  registry.add("ReduceL2", 1, roundOnce<importReduceL2>);
  registry.add("ReduceLogSum", 1, roundOnce<importReduceLogSum>);
  registry.add("ReduceLogSumExp", 1, roundOnce<importReduceLogSumExp>);
  registry.add("ReduceMax", 1, importExtremum<ReduceKind::max>);
  registry.add("ReduceMean", 1, roundOnce<importReduceMean>);
  registry.add("ReduceMin", 1, importExtremum<ReduceKind::min>);
  registry.add("ReduceProd", 1, importReduce<ReduceKind::prod>);
  registry.add("ReduceSum", 1, importReduce<ReduceKind::sum>);
  registry.add("ReduceSumSquare", 1, roundOnce<importReduceSumSquare>);
}
