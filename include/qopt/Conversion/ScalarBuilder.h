//===- ScalarBuilder.h - Scalar functions as arith and math ops -----------===//
// SPDX-License-Identifier: Apache-2.0
//
// The builder of Numerics/Elementwise.h and Numerics/Affine.h whose values are
// SSA values, scalars or vectors: compiled code computes what the reference
// semantics compute, bit by bit (NaN signs and payloads aside).
//
// math ops used: fma, roundeven, floor, ceil, trunc, sqrt, absf, copysign.
// Their LLVM intrinsics are instructions on AArch64 and from x86-64-v3 on;
// without FMA or SSE4.1 LLVM calls libm for fma and the roundings.
//===----------------------------------------------------------------------===//
#ifndef QOPT_CONVERSION_SCALARBUILDER_H
#define QOPT_CONVERSION_SCALARBUILDER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Builders.h"
#include "qopt/Numerics/Kinds.h"

namespace qopt {

/// See Elementwise.h for the meaning of each operation. Floats are f32 or f64,
/// integers signless; all of them may be vectors of one shape.
///
///   IRScalarBuilder b(rewriter, loc);
///   Value y = numerics::emitRequantize(b, acc, 0, scale, {zp, low, high});
class IRScalarBuilder {
public:
  using V = mlir::Value;
  IRScalarBuilder(mlir::OpBuilder &builder, mlir::Location loc)
      : builder_(builder), loc_(loc) {}

  bool isDouble(V x) const;
  unsigned getWidth(V x) const;
  V floatLike(V x, double value);
  V intLike(V x, int64_t value);

  V addF(V a, V b);
  V subF(V a, V b);
  V mulF(V a, V b);
  V divF(V a, V b);
  V fma(V a, V b, V c);
  V negF(V a);
  V absF(V a);
  V sqrtF(V a);
  V floorF(V a);
  V ceilF(V a);
  V truncF(V a);
  V roundEvenF(V a);
  V copySign(V magnitude, V sign);
  V minimumF(V a, V b);
  V maximumF(V a, V b);

  V eqF(V a, V b);
  V neF(V a, V b);
  V ltF(V a, V b);
  V leF(V a, V b);
  V gtF(V a, V b);
  V geF(V a, V b);

  V addI(V a, V b);
  V subI(V a, V b);
  V mulI(V a, V b);
  V divS(V a, V b);
  V divU(V a, V b);
  V remS(V a, V b);
  V remU(V a, V b);
  V andI(V a, V b);
  V orI(V a, V b);
  V xorI(V a, V b);
  V shlI(V a, V b);
  V shrS(V a, V b);
  V shrU(V a, V b);
  V eqI(V a, V b);
  V neI(V a, V b);
  V ltS(V a, V b);
  V ltU(V a, V b);

  V select(V condition, V a, V b);
  V andB(V a, V b) { return andI(a, b); }
  V orB(V a, V b) { return orI(a, b); }
  V xorB(V a, V b) { return xorI(a, b); }

  V bitsOf(V x);
  V fromBits(V bits, V like);
  V intToFloat(V x, V like);
  V unsignedToFloat(V x, V like);
  V floatToInt(V x, V like);
  V floatToUnsigned(V x, V like);
  V toDouble(V x);
  V fromDouble(V x, V like);
  V extendToI64(V x);
  V truncateToI32(V x);

private:
  mlir::OpBuilder &builder_;
  mlir::Location loc_;
};

/// The value of qg.unary on scalars or vectors of any element type (f16 and
/// bf16 through f32), i1 for is_nan and is_inf. Null if the kind is not
/// defined on the type. `isUnsigned` says how signless integers are read.
mlir::Value emitUnary(mlir::OpBuilder &builder, mlir::Location loc,
                      UnaryKind kind, mlir::Value x, bool isUnsigned = false);
/// The value of qg.binary on two operands; null if the kind is not defined on
/// the type.
mlir::Value emitBinary(mlir::OpBuilder &builder, mlir::Location loc,
                       BinaryKind kind, mlir::ValueRange operands,
                       bool isUnsigned = false);
/// The value of qg.compare.
mlir::Value emitCompare(mlir::OpBuilder &builder, mlir::Location loc,
                        ComparePredicate predicate, mlir::ValueRange operands,
                        bool isUnsigned = false);

/// Signedness of both ends of a cast; i1 is always unsigned.
struct CastSigns {
  bool fromUnsigned = false, toUnsigned = false;
};
/// The value of qg.cast to `elementType` (signless) in x's shape.
mlir::Value emitCast(mlir::OpBuilder &builder, mlir::Location loc,
                     mlir::Value x, mlir::Type elementType,
                     CastSigns signs = {});

} // namespace qopt

#endif // QOPT_CONVERSION_SCALARBUILDER_H
