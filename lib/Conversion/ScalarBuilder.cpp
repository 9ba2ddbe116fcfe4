//===- ScalarBuilder.cpp - Scalar functions as arith and math ops ---------===//
// SPDX-License-Identifier: Apache-2.0
//
// One op per operation of the concept, and the instantiation of all kinds.
//===----------------------------------------------------------------------===//
#include "qopt/Conversion/ScalarBuilder.h"

#include "qopt/Numerics/Affine.h"
#include "qopt/Numerics/Elementwise.h"

using namespace mlir;
using namespace qopt;
using numerics::ElementClass;

/// `element` in the shape of another type.
static Type withElement(Type type, Type element) {
  if (auto shaped = dyn_cast<ShapedType>(type))
    return shaped.clone(element);
  return element;
}

static TypedAttr getConstant(Type type, TypedAttr value) {
  if (auto shaped = dyn_cast<ShapedType>(type))
    return DenseElementsAttr::get(shaped, Attribute(value));
  return value;
}

bool IRScalarBuilder::isDouble(V x) const {
  return getElementTypeOrSelf(x.getType()).isF64();
}
unsigned IRScalarBuilder::getWidth(V x) const {
  return getElementTypeOrSelf(x.getType()).getIntOrFloatBitWidth();
}

Value IRScalarBuilder::floatLike(V x, double value) {
  // FloatAttr rounds half to even, as the conversion in EvalBuilder does.
  auto attr = FloatAttr::get(getElementTypeOrSelf(x.getType()), value);
  return arith::ConstantOp::create(builder_, loc_,
                                   getConstant(x.getType(), attr));
}

Value IRScalarBuilder::intLike(V x, int64_t value) {
  Type element = getElementTypeOrSelf(x.getType());
  llvm::APInt bits(element.getIntOrFloatBitWidth(), uint64_t(value),
                   /*isSigned=*/true, /*implicitTrunc=*/true);
  return arith::ConstantOp::create(
      builder_, loc_,
      getConstant(x.getType(), IntegerAttr::get(element, bits)));
}

#define QOPT_UNARY(name, Op)                                                   \
  Value IRScalarBuilder::name(V a) { return Op::create(builder_, loc_, a); }
#define QOPT_BINARY(name, Op)                                                  \
  Value IRScalarBuilder::name(V a, V b) {                                      \
    return Op::create(builder_, loc_, a, b);                                   \
  }
#define QOPT_COMPARE_F(name, predicate)                                        \
  Value IRScalarBuilder::name(V a, V b) {                                      \
    return arith::CmpFOp::create(builder_, loc_,                               \
                                 arith::CmpFPredicate::predicate, a, b);       \
  }
#define QOPT_COMPARE_I(name, predicate)                                        \
  Value IRScalarBuilder::name(V a, V b) {                                      \
    return arith::CmpIOp::create(builder_, loc_,                               \
                                 arith::CmpIPredicate::predicate, a, b);       \
  }
QOPT_BINARY(addF, arith::AddFOp)
QOPT_BINARY(subF, arith::SubFOp)
QOPT_BINARY(mulF, arith::MulFOp)
QOPT_BINARY(divF, arith::DivFOp)
QOPT_UNARY(negF, arith::NegFOp)
QOPT_UNARY(absF, math::AbsFOp)
QOPT_UNARY(sqrtF, math::SqrtOp)
QOPT_UNARY(floorF, math::FloorOp)
QOPT_UNARY(ceilF, math::CeilOp)
QOPT_UNARY(truncF, math::TruncOp)
QOPT_UNARY(roundEvenF, math::RoundEvenOp)
QOPT_BINARY(copySign, math::CopySignOp)
QOPT_BINARY(minimumF, arith::MinimumFOp)
QOPT_BINARY(maximumF, arith::MaximumFOp)
QOPT_COMPARE_F(eqF, OEQ)
QOPT_COMPARE_F(neF, UNE)
QOPT_COMPARE_F(ltF, OLT)
QOPT_COMPARE_F(leF, OLE)
QOPT_COMPARE_F(gtF, OGT)
QOPT_COMPARE_F(geF, OGE)
QOPT_BINARY(addI, arith::AddIOp)
QOPT_BINARY(subI, arith::SubIOp)
QOPT_BINARY(mulI, arith::MulIOp)
QOPT_BINARY(divS, arith::DivSIOp)
QOPT_BINARY(divU, arith::DivUIOp)
QOPT_BINARY(remS, arith::RemSIOp)
QOPT_BINARY(remU, arith::RemUIOp)
QOPT_BINARY(andI, arith::AndIOp)
QOPT_BINARY(orI, arith::OrIOp)
QOPT_BINARY(xorI, arith::XOrIOp)
QOPT_BINARY(shlI, arith::ShLIOp)
QOPT_BINARY(shrS, arith::ShRSIOp)
QOPT_BINARY(shrU, arith::ShRUIOp)
QOPT_COMPARE_I(eqI, eq)
QOPT_COMPARE_I(neI, ne)
QOPT_COMPARE_I(ltS, slt)
QOPT_COMPARE_I(ltU, ult)
#undef QOPT_UNARY
#undef QOPT_BINARY
#undef QOPT_COMPARE_F
#undef QOPT_COMPARE_I

Value IRScalarBuilder::fma(V a, V b, V c) {
  return math::FmaOp::create(builder_, loc_, a, b, c);
}
Value IRScalarBuilder::select(V condition, V a, V b) {
  return arith::SelectOp::create(builder_, loc_, condition, a, b);
}

Value IRScalarBuilder::bitsOf(V x) {
  Type element = builder_.getIntegerType(getWidth(x));
  return arith::BitcastOp::create(builder_, loc_,
                                  withElement(x.getType(), element), x);
}
Value IRScalarBuilder::fromBits(V bits, V like) {
  return arith::BitcastOp::create(builder_, loc_, like.getType(), bits);
}
Value IRScalarBuilder::intToFloat(V x, V like) {
  return arith::SIToFPOp::create(builder_, loc_, like.getType(), x);
}
Value IRScalarBuilder::unsignedToFloat(V x, V like) {
  return arith::UIToFPOp::create(builder_, loc_, like.getType(), x);
}
Value IRScalarBuilder::floatToInt(V x, V like) {
  return arith::FPToSIOp::create(builder_, loc_, like.getType(), x);
}
Value IRScalarBuilder::floatToUnsigned(V x, V like) {
  return arith::FPToUIOp::create(builder_, loc_, like.getType(), x);
}
Value IRScalarBuilder::toDouble(V x) {
  if (isDouble(x))
    return x;
  return arith::ExtFOp::create(
      builder_, loc_, withElement(x.getType(), builder_.getF64Type()), x);
}
Value IRScalarBuilder::fromDouble(V x, V like) {
  if (isDouble(like))
    return x;
  return arith::TruncFOp::create(builder_, loc_, like.getType(), x);
}
Value IRScalarBuilder::extendToI64(V x) {
  if (getWidth(x) == 64)
    return x;
  return arith::ExtSIOp::create(
      builder_, loc_, withElement(x.getType(), builder_.getI64Type()), x);
}
Value IRScalarBuilder::truncateToI32(V x) {
  return arith::TruncIOp::create(
      builder_, loc_, withElement(x.getType(), builder_.getI32Type()), x);
}

//===----------------------------------------------------------------------===//
// f16 and bf16
//===----------------------------------------------------------------------===//

/// bf16 is the upper half of an f32. Written with integers because LLVM calls
/// a library for the rounding on most targets.
static Value extendBfloat(OpBuilder &builder, Location loc, Value x) {
  Type type = x.getType();
  Value bits = arith::BitcastOp::create(
      builder, loc, withElement(type, builder.getI16Type()), x);
  Value wide = arith::ExtUIOp::create(
      builder, loc, withElement(type, builder.getI32Type()), bits);
  IRScalarBuilder b(builder, loc);
  Value shifted = b.shlI(wide, b.intLike(wide, 16));
  return arith::BitcastOp::create(
      builder, loc, withElement(type, builder.getF32Type()), shifted);
}

static Value roundToBfloat(OpBuilder &builder, Location loc, Value x) {
  IRScalarBuilder b(builder, loc);
  Value bits = b.bitsOf(x), sixteen = b.intLike(bits, 16);
  Value odd = b.andI(b.shrU(bits, sixteen), b.intLike(bits, 1));
  Value rounded = b.addI(bits, b.addI(odd, b.intLike(bits, 0x7FFF)));
  // A NaN is made quiet instead: rounding could carry it into infinity.
  Value quiet = b.orI(bits, b.intLike(bits, 0x400000));
  Value chosen = b.select(b.neF(x, x), quiet, rounded);
  Value upper = arith::TruncIOp::create(
      builder, loc, withElement(x.getType(), builder.getI16Type()),
      b.shrU(chosen, sixteen));
  return arith::BitcastOp::create(
      builder, loc, withElement(x.getType(), builder.getBF16Type()), upper);
}

/// f32 of an f16 or bf16; f32 and f64 as they are.
static Value widen(OpBuilder &builder, Location loc, Value x) {
  Type element = getElementTypeOrSelf(x.getType());
  if (element.isBF16())
    return extendBfloat(builder, loc, x);
  if (element.isF16())
    return arith::ExtFOp::create(
        builder, loc, withElement(x.getType(), builder.getF32Type()), x);
  return x;
}

/// A float to a float type; f16 and bf16 are reached through f32.
static Value convertFloat(OpBuilder &builder, Location loc, Value x,
                          Type element) {
  x = widen(builder, loc, x);
  Type from = getElementTypeOrSelf(x.getType());
  if (from == element)
    return x;
  if (element.isF64())
    return arith::ExtFOp::create(builder, loc,
                                 withElement(x.getType(), element), x);
  if (from.isF64())
    x = arith::TruncFOp::create(
        builder, loc, withElement(x.getType(), builder.getF32Type()), x);
  if (element.isF32())
    return x;
  if (element.isBF16())
    return roundToBfloat(builder, loc, x);
  return arith::TruncFOp::create(builder, loc,
                                 withElement(x.getType(), element), x);
}

//===----------------------------------------------------------------------===//
// All kinds
//===----------------------------------------------------------------------===//

static ElementClass classify(Value x) {
  Type element = getElementTypeOrSelf(x.getType());
  if (isa<FloatType>(element))
    return ElementClass::Float;
  return element.isInteger(1) ? ElementClass::Truth : ElementClass::Integer;
}

Value qopt::emitUnary(OpBuilder &builder, Location loc, UnaryKind kind, Value x,
                      bool isUnsigned) {
  ElementClass elements = classify(x);
  if (!numerics::isDefinedOn(kind, elements))
    return {};
  IRScalarBuilder b(builder, loc);
  if (elements != ElementClass::Float)
    return numerics::emitUnaryInt(b, kind, x, isUnsigned);
  Value wide = widen(builder, loc, x);
  if (kind == UnaryKind::is_nan || kind == UnaryKind::is_inf)
    return numerics::emitPredicate(b, kind, wide);
  return convertFloat(builder, loc, numerics::emitUnaryFloat(b, kind, wide),
                      getElementTypeOrSelf(x.getType()));
}

Value qopt::emitBinary(OpBuilder &builder, Location loc, BinaryKind kind,
                       ValueRange operands, bool isUnsigned) {
  Value lhs = operands[0], rhs = operands[1];
  ElementClass elements = classify(lhs);
  if (!numerics::isDefinedOn(kind, elements))
    return {};
  IRScalarBuilder b(builder, loc);
  if (elements != ElementClass::Float)
    return numerics::emitBinaryInt(
        b, kind, lhs, rhs, isUnsigned || elements == ElementClass::Truth);
  Value result = numerics::emitBinaryFloat(b, kind, widen(builder, loc, lhs),
                                           widen(builder, loc, rhs));
  return convertFloat(builder, loc, result,
                      getElementTypeOrSelf(lhs.getType()));
}

Value qopt::emitCompare(OpBuilder &builder, Location loc,
                        ComparePredicate predicate, ValueRange operands,
                        bool isUnsigned) {
  Value lhs = operands[0], rhs = operands[1];
  IRScalarBuilder b(builder, loc);
  ElementClass elements = classify(lhs);
  if (elements == ElementClass::Float)
    return numerics::emitCompareFloat(b, predicate, widen(builder, loc, lhs),
                                      widen(builder, loc, rhs));
  return numerics::emitCompareInt(
      b, predicate, lhs, rhs, isUnsigned || elements == ElementClass::Truth);
}

/// Integer to integer: wraps, or extends as the source is signed.
static Value convertInteger(OpBuilder &builder, Location loc, Value x,
                            Type element, bool fromUnsigned) {
  unsigned from = getElementTypeOrSelf(x.getType()).getIntOrFloatBitWidth();
  unsigned to = element.getIntOrFloatBitWidth();
  Type type = withElement(x.getType(), element);
  if (from == to)
    return x;
  if (from > to)
    return arith::TruncIOp::create(builder, loc, type, x);
  if (fromUnsigned)
    return arith::ExtUIOp::create(builder, loc, type, x);
  return arith::ExtSIOp::create(builder, loc, type, x);
}

Value qopt::emitCast(OpBuilder &builder, Location loc, Value x, Type element,
                     CastSigns signs) {
  IRScalarBuilder b(builder, loc);
  ElementClass from = classify(x);
  bool fromUnsigned = signs.fromUnsigned || from == ElementClass::Truth;
  bool toFloat = isa<FloatType>(element);
  if (from == ElementClass::Float) {
    if (toFloat)
      return getElementTypeOrSelf(x.getType()) == element
                 ? x
                 : convertFloat(builder, loc, x, element);
    Value wide = widen(builder, loc, x);
    if (element.isInteger(1))
      return b.neF(wide, b.floatLike(wide, 0));
    Type type = withElement(x.getType(), element);
    Value like = arith::ConstantOp::create(
        builder, loc, cast<TypedAttr>(builder.getZeroAttr(type)));
    return numerics::emitFloatToInt(
        b, wide, like, element.getIntOrFloatBitWidth(), signs.toUnsigned);
  }
  if (!toFloat) {
    if (element.isInteger(1) && from != ElementClass::Truth)
      return b.neI(x, b.intLike(x, 0));
    return convertInteger(builder, loc, x, element, fromUnsigned);
  }
  Type target = element.isF64() ? element : Type(builder.getF32Type());
  Type type = withElement(x.getType(), target);
  Value real = fromUnsigned
                   ? Value(arith::UIToFPOp::create(builder, loc, type, x))
                   : Value(arith::SIToFPOp::create(builder, loc, type, x));
  return convertFloat(builder, loc, real, element);
}
