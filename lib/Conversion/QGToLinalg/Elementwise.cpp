//===- Elementwise.cpp - qg scalar functions to linalg --------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The functions are those of Numerics/Elementwise.h, written as IR by
// ScalarBuilder.
//===----------------------------------------------------------------------===//
#include "qopt/Numerics/Elementwise.h"
#include "qopt/Conversion/LinalgBuilder.h"
#include "qopt/Conversion/ScalarBuilder.h"
#include "qopt/Conversion/ToLinalg.h"
#include "qopt/Dialect/QG/IR/QGBits.h"

using namespace mlir;
using namespace qopt;
using numerics::ElementClass;

static Type getElement(Value value) {
  return cast<RankedTensorType>(value.getType()).getElementType();
}

/// nullopt for quantized tensors: convert-qg-to-fxp comes first.
static std::optional<ElementClass> classify(Type element) {
  if (isa<FloatType>(element))
    return ElementClass::Float;
  if (element.isInteger(1))
    return ElementClass::Truth;
  if (isa<IntegerType>(element))
    return ElementClass::Integer;
  return std::nullopt;
}

static bool isUnsigned(Type element) {
  return element.isUnsignedInteger() || element.isInteger(1);
}

namespace {
struct LowerUnary : OpConversionPattern<qg::UnaryOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(qg::UnaryOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Type original = getElement(op.getX());
    std::optional<ElementClass> elements = classify(original);
    if (!elements || !numerics::isDefinedOn(op.getKind(), *elements))
      return rewriter.notifyMatchFailure(op, "not defined on these elements");
    LinalgBuilder builder{rewriter, op.getLoc()};
    Type result = qg::getStorageElementType(getElement(op.getResult()));
    rewriter.replaceOp(
        op, builder.pointwise(op.getType().getShape(), result, adaptor.getX(),
                              [&](OpBuilder &b, Location loc, ValueRange args) {
                                return emitUnary(b, loc, op.getKind(), args[0],
                                                 isUnsigned(original));
                              }));
    return success();
  }
};

struct LowerBinary : OpConversionPattern<qg::BinaryOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(qg::BinaryOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Type original = getElement(op.getLhs());
    std::optional<ElementClass> elements = classify(original);
    if (!elements || !numerics::isDefinedOn(op.getKind(), *elements))
      return rewriter.notifyMatchFailure(op, "not defined on these elements");
    LinalgBuilder builder{rewriter, op.getLoc()};
    Type result = qg::getStorageElementType(getElement(op.getResult()));
    rewriter.replaceOp(
        op, builder.pointwise(op.getType().getShape(), result,
                              {adaptor.getLhs(), adaptor.getRhs()},
                              [&](OpBuilder &b, Location loc, ValueRange args) {
                                return emitBinary(b, loc, op.getKind(), args,
                                                  isUnsigned(original));
                              }));
    return success();
  }
};

struct LowerCompare : OpConversionPattern<qg::CompareOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(qg::CompareOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Type original = getElement(op.getLhs());
    if (!classify(original))
      return rewriter.notifyMatchFailure(op, "not defined on these elements");
    LinalgBuilder builder{rewriter, op.getLoc()};
    rewriter.replaceOp(
        op, builder.pointwise(op.getType().getShape(), rewriter.getI1Type(),
                              {adaptor.getLhs(), adaptor.getRhs()},
                              [&](OpBuilder &b, Location loc, ValueRange args) {
                                return emitCompare(b, loc, op.getPredicate(),
                                                   args, isUnsigned(original));
                              }));
    return success();
  }
};

struct LowerSelect : OpConversionPattern<qg::SelectOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(qg::SelectOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LinalgBuilder builder{rewriter, op.getLoc()};
    rewriter.replaceOp(
        op,
        builder.pointwise(
            op.getType().getShape(), getElement(adaptor.getOnTrue()),
            {adaptor.getCondition(), adaptor.getOnTrue(), adaptor.getOnFalse()},
            [](OpBuilder &b, Location loc, ValueRange args) -> Value {
              return arith::SelectOp::create(b, loc, args[0], args[1], args[2]);
            }));
    return success();
  }
};

struct LowerCast : OpConversionPattern<qg::CastOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(qg::CastOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Type from = getElement(op.getX()), to = getElement(op.getResult());
    if (!classify(from) || !classify(to))
      return rewriter.notifyMatchFailure(op, "not defined on these elements");
    LinalgBuilder builder{rewriter, op.getLoc()};
    Type stored = qg::getStorageElementType(to);
    CastSigns signs{isUnsigned(from), isUnsigned(to)};
    rewriter.replaceOp(
        op, builder.pointwise(op.getType().getShape(), stored, adaptor.getX(),
                              [&](OpBuilder &b, Location loc, ValueRange args) {
                                return emitCast(b, loc, args[0], stored, signs);
                              }));
    return success();
  }
};

struct LowerBitcast : OpConversionPattern<qg::BitcastOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(qg::BitcastOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Type stored = qg::getStorageElementType(getElement(op.getResult()));
    if (getElement(adaptor.getX()) == stored) {
      rewriter.replaceOp(op, adaptor.getX());
      return success();
    }
    LinalgBuilder builder{rewriter, op.getLoc()};
    rewriter.replaceOp(
        op, builder.pointwise(
                op.getType().getShape(), stored, adaptor.getX(),
                [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
                  return arith::BitcastOp::create(b, loc, stored, args[0]);
                }));
    return success();
  }
};
} // namespace

namespace qopt {
void populateQGElementwisePatterns(const StorageTypeConverter &converter,
                                   RewritePatternSet &patterns) {
  patterns.add<LowerUnary, LowerBinary, LowerCompare, LowerSelect, LowerCast,
               LowerBitcast>(converter, patterns.getContext());
}
} // namespace qopt
