//===- Counted.cpp - Positions behind the last that counts ----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A neutral element for reductions, the last place for orders, no mark for
// selections.
//===----------------------------------------------------------------------===//
#include "Counted.h"
#include "../LengthArithmetic.h"
#include "Positions.h"

#include <limits>

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

std::optional<CountedDim> frontend::countedAmong(GraphBuilder &b, Value x,
                                                 ArrayRef<int64_t> axes) {
  const CountedDim *dim = x ? b.countedDimOf(x) : nullptr;
  if (!dim || !llvm::is_contained(axes, dim->axis))
    return std::nullopt;
  return *dim;
}

Value frontend::markFirst(GraphBuilder &b, int64_t extent, CountedDim dim,
                          int64_t rank) {
  Shape shape(rank, 1);
  shape[dim.axis] = extent;
  Value positions =
      b.ints(Shape(llvm::to_vector(llvm::seq<int64_t>(0, extent))));
  return b.compare(ComparePredicate::lt, b.reshape(positions, shape),
                   dim.length);
}

/// NaN is greater than every number in the order of qg.top_k.
static Value makeRest(GraphBuilder &b, Type element, Rest rest) {
  if (rest == Rest::Zero || rest == Rest::One)
    return b.scalar(rest == Rest::One, element);
  bool isLowest = rest == Rest::Lowest;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (isa<FloatType>(element))
    return b.scalar(isLowest ? -kInfinity
                    : rest == Rest::Last
                        ? std::numeric_limits<double>::quiet_NaN()
                        : kInfinity,
                    element);
  auto integer = cast<IntegerType>(element);
  unsigned width = integer.getWidth();
  bool isUnsigned = integer.isUnsigned() || width == 1;
  APInt value = isLowest ? (isUnsigned ? APInt::getMinValue(width)
                                       : APInt::getSignedMinValue(width))
                         : (isUnsigned ? APInt::getMaxValue(width)
                                       : APInt::getSignedMaxValue(width));
  std::optional<DType> dtype = qg::getDType(element);
  if (!dtype)
    return {};
  Tensor scalar(*dtype, {});
  scalar.setInt(0, int64_t(isUnsigned ? value.getZExtValue()
                                      : uint64_t(value.getSExtValue())));
  return b.constant(scalar);
}

Value frontend::fillRest(GraphBuilder &b, Value x, Rest rest) {
  const CountedDim *known = x ? b.countedDimOf(x) : nullptr;
  if (!known)
    return x;
  CountedDim dim = *known;
  Uncounted all(b, {x});
  Value counts = markFirst(b, b.extent(x, dim.axis), dim, b.rank(x));
  return b.select(counts, x, makeRest(b, b.element(x), rest));
}

Value frontend::normalizeInto(OpBinder &op, Value x, int64_t axis,
                              Value indices) {
  GraphBuilder &b = op.b;
  if (!op.areInside(indices, b.extent(x, axis)))
    return {};
  if (std::optional<CountedDim> dim = countedAmong(b, x, {axis}))
    return countFromEnd(b, indices, dim->length);
  return normalizeIndices(op, indices, b.extent(x, axis));
}
