//===- Sampler.cpp - Values between elements, at computed places ----------===//
// SPDX-License-Identifier: Apache-2.0
//
// Pixels are rows of a table, channels last: a tap is a gather of rows.
//===----------------------------------------------------------------------===//
#include "Sampler.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

Taps frontend::mapTaps(ArrayRef<Tap> taps, llvm::function_ref<Value(Value)> f) {
  Taps mapped;
  for (const Tap &tap : taps)
    mapped.push_back({f(tap.position), tap.weight ? f(tap.weight) : Value(),
                      tap.isInside ? f(tap.isInside) : Value()});
  return mapped;
}

Taps frontend::getLinearTaps(GraphBuilder &b, Value x, int64_t extent) {
  Value low = b.unary(UnaryKind::floor, x);
  if (!low)
    return {};
  Type type = b.element(low);
  Value second = b.sub(x, low), first = b.sub(b.scalar(1, type), second);
  auto makeTap = [&](Value place, Value weight) -> Tap {
    Value isFromStart =
        b.compare(ComparePredicate::ge, place, b.scalar(0, type));
    Value isBeforeEnd =
        b.compare(ComparePredicate::lt, place, b.scalar(double(extent), type));
    Value position = b.convert(b.clamp(place, 0, double(extent - 1)), b.i64());
    return {position, weight,
            b.binary(BinaryKind::bit_and, isFromStart, isBeforeEnd)};
  };
  return {makeTap(low, first), makeTap(b.add(low, 1.0), second)};
}

Sampler::Sampler(GraphBuilder &builder, Value image, Value batch)
    : b(builder), batch(batch) {
  if (!image)
    return;
  extents = Shape(b.shape(image).drop_front().drop_back());
  table = b.reshape(image, {getNumElements(b.shape(image).drop_back()),
                            b.shape(image).back()});
}

Sampler::Place Sampler::step(const Place &from, const Tap &tap,
                             int64_t extent) {
  Place to = from;
  to.position = b.add(b.mul(from.position, double(extent)), tap.position);
  if (tap.isInside)
    to.isInside = from.isInside ? b.binary(BinaryKind::bit_and, from.isInside,
                                           tap.isInside)
                                : tap.isInside;
  if (tap.weight)
    to.weight = from.weight ? b.mul(from.weight, tap.weight) : tap.weight;
  return to;
}

Value Sampler::read(const Place &place) {
  Value rows = b.gather(table, place.position, 0);
  if (!rows || !place.isInside)
    return rows;
  return b.select(b.expandDim(place.isInside, 1), rows,
                  b.scalar(0, b.element(rows)));
}

Value Sampler::scaleRows(Value rows, Value factor) {
  if (!rows || !factor)
    return rows;
  return b.mul(rows, b.expandDim(b.convert(factor, b.element(rows)), 1));
}

Value Sampler::sumFrom(ArrayRef<Taps> dimensions, size_t next,
                       const Place &from) {
  if (next == dimensions.size())
    return read(from);
  Value sum;
  for (const Tap &tap : dimensions[next]) {
    Place place = step(from, tap, extents[next]);
    Value part = scaleRows(sumFrom(dimensions, next + 1, place), tap.weight);
    sum = sum ? b.add(sum, part) : part;
  }
  return sum;
}

Value Sampler::sample(ArrayRef<Taps> dimensions) {
  if (!table || !batch)
    return {};
  return sumFrom(dimensions, 0, {batch, {}, {}});
}

void Sampler::collect(ArrayRef<Taps> dimensions, size_t next, const Place &from,
                      SmallVectorImpl<Value> &products) {
  if (next == dimensions.size()) {
    products.push_back(scaleRows(read(from), from.weight));
    return;
  }
  for (const Tap &tap : dimensions[next])
    collect(dimensions, next + 1, step(from, tap, extents[next]), products);
}

SmallVector<Value> Sampler::sampleEach(ArrayRef<Taps> dimensions) {
  SmallVector<Value> products;
  if (table && batch)
    collect(dimensions, 0, {batch, {}, {}}, products);
  return products;
}
