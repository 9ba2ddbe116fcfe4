//===- Ranges.cpp - Numbers in equal steps --------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// How many there are follows from constants, or from limits that differ by one,
// or is a length up to a bound.
//===----------------------------------------------------------------------===//
#include "ComputedShapes.h"
#include "NumberRanges.h"
#include "RunTimeExtents.h"

#include <cmath>
#include <onnx-ml.pb.h>

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

static LogicalResult buildKnownRange(OpBinder &op) {
  GraphBuilder &b = op.b;
  auto start = op.constantFloats(0, "start"),
       limit = op.constantFloats(1, "limit"),
       delta = op.constantFloats(2, "delta");
  if (!start || !limit || !delta)
    return failure();
  if (start->size() != 1 || limit->size() != 1 || delta->size() != 1 ||
      (*delta)[0] == 0)
    return op.badModel("expects scalars and a 'delta' that is not 0");
  double steps = std::ceil(((*limit)[0] - (*start)[0]) / (*delta)[0]);
  if (!(steps < double(1 << 27)))
    return op.badModel("expects at most 2^27 elements");
  Tensor tensor(op.constant(0)->dtype(),
                {std::max<int64_t>(0, int64_t(steps))});
  for (int64_t i = 0; i < tensor.numElements(); ++i)
    tensor.setFloat(i, (*start)[0] + double(i) * (*delta)[0]);
  return op.result(b.constant(tensor));
}

namespace {
/// Scalars of one type, and the step as a number.
struct RangeSpec {
  Value start, limit;
  double delta;
};
} // namespace

static int64_t countSteps(double distance, double delta) {
  return int64_t(std::ceil(std::max(distance / delta, 0.0)));
}

/// ceil((limit - start) / delta), at least 0, as an i64 scalar.
static Value countAtRunTime(GraphBuilder &b, const RangeSpec &spec) {
  if (b.isFloat(spec.start)) {
    Type f64 = Float64Type::get(b.context());
    Value distance = b.convert(b.sub(spec.limit, spec.start), f64);
    return b.max(b.convert(b.unary(UnaryKind::ceil, b.div(distance, spec.delta)),
                           b.i64()),
                 0);
  }
  Value distance = b.sub(b.convert(spec.limit, b.i64()),
                         b.convert(spec.start, b.i64()));
  double delta = spec.delta;
  if (delta < 0) {
    distance = b.sub(b.scalar(0, b.i64()), distance);
    delta = -delta;
  }
  if (delta != 1)
    distance = b.div(b.add(distance, delta - 1), delta);
  return b.max(distance, 0);
}

/// start, start + delta, ...; zeros behind the length, which index everything.
static Value countFrom(GraphBuilder &b, const RangeSpec &spec, int64_t count,
                       Value length) {
  Type type = b.element(spec.start);
  Tensor steps(*qg::getDType(type), {count});
  for (int64_t i = 0; i < count; ++i)
    steps.setFloat(i, double(i) * spec.delta);
  Value y = b.add(b.constant(steps), spec.start);
  if (!length || b.isConstant(spec.start))
    return y;
  Value counts = b.compare(ComparePredicate::lt, countUp(b, count), length);
  return b.select(counts, y, b.scalar(0, type));
}

/// The number of steps where start and limit are computed of one number.
static std::optional<int64_t> countKnown(GraphBuilder &b,
                                         const RangeSpec &spec) {
  if (b.isFloat(spec.start))
    return std::nullopt;
  Position start = trace(b, spec.start, 0), limit = trace(b, spec.limit, 0);
  if (!start.base && !limit.base)
    return countSteps(double(limit.offset - start.offset), spec.delta);
  if (!start.base || !limit.base || start.element != limit.element ||
      start.factor != limit.factor || !isSame(start.base, limit.base))
    return std::nullopt;
  return countSteps(double(limit.offset - start.offset), spec.delta);
}

/// The most steps that there can be.
static std::optional<int64_t> boundSteps(OpBinder &op, const RangeSpec &spec) {
  GraphBuilder &b = op.b;
  std::optional<int64_t> most = op.mostOf(0, 0, 1);
  NumberRange start = rangeOf(b, spec.start, 0),
              limit = rangeOf(b, spec.limit, 0);
  double distance = spec.delta > 0 ? limit.high - start.low
                                   : limit.low - start.high;
  if (!(distance / spec.delta <= double(kMostCounted)))
    return most;
  int64_t steps = countSteps(distance, spec.delta);
  return most ? std::min(*most, steps) : steps;
}

static LogicalResult buildCountedRange(OpBinder &op, const RangeSpec &spec) {
  GraphBuilder &b = op.b;
  if (std::optional<int64_t> count = countKnown(b, spec)) {
    if (*count > kMostCounted)
      return op.badModel("expects at most 2^24 elements");
    return op.result(countFrom(b, spec, *count, {}));
  }
  std::optional<int64_t> bound = boundSteps(op, spec);
  if (!bound || *bound > kMostCounted)
    return op.unsupported(
        "expects a number of steps with a bound of at most 2^24; bind what "
        "'start' and 'limit' are computed of with --const or --shape, or give "
        "the most by --shape " +
        op.node().output(0) + "=<extent>");
  std::optional<Tensor> start = b.constantOf(spec.start);
  std::optional<AskedExtent> plain;
  if (!b.isFloat(spec.start) && start && start->getFloat(0) == 0 &&
      spec.delta == 1 && rangeOf(b, spec.limit, 0).low >= 0)
    plain = askExtent(b, spec.limit, 0, bound);
  Value length = plain ? plain->length
                       : unifyLength(b, countAtRunTime(b, spec));
  Value y = countFrom(b, spec, *bound, length);
  return op.result(markAsked(b, y, {{*bound, length}}));
}

LogicalResult frontend::importRange(OpBinder &op) {
  GraphBuilder &b = op.b;
  SmallVector<Value> given{op.in(0), op.in(1), op.in(2)};
  if (llvm::is_contained(given, Value()))
    return failure();
  if (llvm::all_of(given, [&](Value value) { return b.isConstant(value); }))
    return buildKnownRange(op);
  for (Value &value : given) {
    if (b.type(value).getNumElements() != 1 ||
        b.element(value) != b.element(given[0]))
      return op.badModel("expects three scalars of one type");
    value = b.reshape(value, {});
  }
  auto delta = op.constantFloats(2, "delta");
  if (!delta)
    return failure();
  if ((*delta)[0] == 0)
    return op.badModel("expects a 'delta' that is not 0");
  return buildCountedRange(op, {given[0], given[1], (*delta)[0]});
}
