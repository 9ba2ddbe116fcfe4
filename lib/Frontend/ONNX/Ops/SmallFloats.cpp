//===- SmallFloats.cpp - Rounding to floats of at most 8 bits -------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The unit of a number's last place is a power of two; division by it, the
// rounding and the product are exact, so that there is one rounding.
//===----------------------------------------------------------------------===//
#include "SmallFloats.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;
using llvm::APFloat;

/// The largest power of two in [2^least, 2^most] that is no larger than x >= 0;
/// 2^least for smaller numbers and NaN. A search by doubling exponents.
static Value getPowerBelow(GraphBuilder &b, Value x, int least, int most) {
  if (!x)
    return {};
  Type type = b.element(x);
  Value power = b.full(b.shape(x), std::ldexp(1.0, least), type);
  for (auto step = int(llvm::PowerOf2Ceil(uint64_t(most - least + 1)) / 2);
       step; step /= 2) {
    // In two steps: 2^128 is no f32.
    double factor = std::ldexp(1.0, step / 2);
    Value larger = b.mul(b.mul(power, factor), step == 1 ? 2.0 : factor);
    power = b.select(b.compare(ComparePredicate::ge, x, larger), larger, power);
  }
  return power;
}

/// x, or `other` where the predicate holds between `x` and `bound`.
static Value replaceWhere(GraphBuilder &b, ComparePredicate predicate, Value x,
                          double bound, double other) {
  if (!x)
    return {};
  Type type = b.element(x);
  return b.select(b.compare(predicate, x, b.scalar(bound, type)),
                  b.scalar(other, type), x);
}

/// A magnitude rounded to a power of two, the least of which is subnormal.
static Value roundToPower(OpBinder &op, Value magnitude, bool saturates) {
  GraphBuilder &b = op.b;
  std::string mode = op.stringAttr("round_mode", "up");
  if (mode != "up" && mode != "down" && mode != "nearest")
    return b.fail("attribute 'round_mode' = \"" + mode +
                  "\" is not one of up, down, nearest");
  const double most = 0x1p127;
  const double infinity = std::numeric_limits<double>::infinity(),
               nan = std::numeric_limits<double>::quiet_NaN();
  Value power = getPowerBelow(b, magnitude, -127, 127);
  Value y = power;
  if (mode != "down") {
    Value bound = mode == "up" ? power : b.mul(power, 1.5);
    Value goesUp =
        b.compare(mode == "up" ? ComparePredicate::gt : ComparePredicate::ge,
                  magnitude, bound);
    y = b.select(goesUp, b.mul(power, 2.0), power);
  }
  y = replaceWhere(b, ComparePredicate::gt, y, most, saturates ? most : nan);
  if (!y)
    return {};
  // Infinity and NaN are NaN.
  Value isFinite = b.compare(ComparePredicate::lt, magnitude,
                             b.scalar(infinity, b.element(y)));
  return b.select(isFinite, y, b.scalar(nan, b.element(y)));
}

/// What stands for numbers beyond the largest.
static double getOverflow(const llvm::fltSemantics &semantics, double largest,
                          bool saturates) {
  if (!saturates && APFloat::semanticsHasInf(semantics))
    return std::numeric_limits<double>::infinity();
  if (!saturates && APFloat::semanticsHasNaN(semantics))
    return std::numeric_limits<double>::quiet_NaN();
  return largest;
}

static Value roundMagnitude(GraphBuilder &b, Value magnitude,
                            const llvm::fltSemantics &semantics,
                            bool saturates) {
  APFloat largest = APFloat::getLargest(semantics);
  bool losesInfo;
  largest.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven,
                  &losesInfo);
  const double most = largest.convertToDouble();
  // Above, all are alike.
  Value bounded = b.min(magnitude, 4 * most);
  Value power =
      getPowerBelow(b, bounded, APFloat::semanticsMinExponent(semantics),
                    std::ilogb(4 * most));
  Value unit = b.mul(
      power, std::ldexp(1.0, 1 - int(APFloat::semanticsPrecision(semantics))));
  Value y = b.mul(b.unary(UnaryKind::round_even, b.div(bounded, unit)), unit);
  return replaceWhere(b, ComparePredicate::gt, y, most,
                      getOverflow(semantics, most, saturates));
}

Value frontend::roundToSmallFloat(OpBinder &op, Value x,
                                  const ElementKind &kind) {
  GraphBuilder &b = op.b;
  const llvm::fltSemantics &semantics = *kind.semantics;
  bool saturates = op.intAttr("saturate", 1) != 0;
  if (!x)
    return {};
  if (!b.element(x).isF64())
    x = b.convert(x, b.f32());
  Value magnitude = b.unary(UnaryKind::abs, x), y;
  if (!magnitude)
    return {};
  if (!APFloat::semanticsHasSignedRepr(semantics)) {
    y = roundToPower(op, magnitude, saturates);
  } else {
    op.ignoreAttrs({"round_mode"});
    Value rounded = roundMagnitude(b, magnitude, semantics, saturates);
    Value zero = b.scalar(0, b.element(x));
    Value isNegative = b.compare(ComparePredicate::lt, x, zero);
    y = b.select(isNegative, b.unary(UnaryKind::neg, rounded), rounded);
    // Zeros keep their sign where the format has two.
    if (!APFloat::getZero(semantics, /*Negative=*/true).isNegative())
      y = replaceWhere(b, ComparePredicate::eq, y, 0, 0);
    else
      y = b.select(b.compare(ComparePredicate::eq, x, zero), x, y);
    if (!APFloat::semanticsHasNaN(semantics))
      y = b.select(b.unary(UnaryKind::is_nan, x), b.scalar(0, b.element(x)), y);
  }
  y = b.convert(y, b.f32());
  b.markPacked(y, kind);
  return y;
}

Value frontend::roundToFloatGrid(GraphBuilder &b, Value x,
                                 const FloatGrid &grid,
                                 llvm::function_ref<Value(Value)> roundSteps) {
  // Above, all are alike.
  x = b.clamp(x, -4 * grid.most, 4 * grid.most);
  Value power = getPowerBelow(b, b.unary(UnaryKind::abs, x), grid.minExponent,
                              std::ilogb(4 * grid.most));
  Value unit = b.mul(power, std::ldexp(1.0, -grid.mantissaBits));
  Value y = b.mul(roundSteps(b.div(x, unit)), unit);
  return b.clamp(y, -grid.most, grid.most);
}
