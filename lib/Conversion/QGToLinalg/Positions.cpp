//===- Positions.cpp - qg resize and scatter to linalg and loops ----------===//
// SPDX-License-Identifier: Apache-2.0
//
// A resize reads positions that are known, a scatter writes positions that are
// not: loops in the order of the updates, which nothing may change.
//===----------------------------------------------------------------------===//
#include "qopt/Conversion/LinalgBuilder.h"
#include "qopt/Conversion/ResampleLoops.h"
#include "qopt/Conversion/ScalarBuilder.h"
#include "qopt/Conversion/ToLinalg.h"
#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Numerics/Elementwise.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace qopt;

/// The table's coefficients as floats of `dtype`.
static Tensor getCoefficients(const ResampleTable &table, DType dtype) {
  int64_t count = table.coefficients.size();
  Tensor result(dtype, {count / table.taps, table.taps});
  for (int64_t i = 0; i < count; ++i)
    result.setFloat(i, table.coefficients[i]);
  return result;
}

namespace {
struct LowerResize : OpConversionPattern<qg::ResizeOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(qg::ResizeOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Type element = getTensorType(adaptor.getX()).getElementType();
    if (!isa<FloatType>(element) || op.getType().getElementType() != element)
      return rewriter.notifyMatchFailure(op, "not of floats");
    LinalgBuilder builder{rewriter, op.getLoc()};
    auto add = [](OpBuilder &b, Location loc, Value sum, Value coefficient,
                  Value x) -> Value {
      IRScalarBuilder scalar(b, loc);
      return sum ? scalar.fma(coefficient, x, sum)
                 : scalar.mulF(coefficient, x);
    };
    auto store = [](OpBuilder &, Location, Value sum) { return sum; };
    // -0 + x is x for every x.
    ResampleBody body{element, add, store, -0.0};
    Value y = adaptor.getX();
    for (auto [axis, table] : llvm::zip(op.getAxes(), op.getTables()))
      y = buildResample(
          builder, y,
          {axis, table.taps, table.positions,
           getCoefficients(table, element.isF64() ? DType::f64 : DType::f32)},
          body);
    rewriter.replaceOp(op, y);
    return success();
  }
};

struct LowerScatter : OpConversionPattern<qg::ScatterOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(qg::ScatterOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LinalgBuilder builder{rewriter, op.getLoc()};
    ArrayRef<int64_t> shape = op.getType().getShape();
    int64_t columns = getNumElements(shape.drop_front());
    int64_t count = getTensorType(adaptor.getIndices()).getNumElements();
    if (columns == 0 || shape.front() == 0 || count == 0) {
      rewriter.replaceOp(op, adaptor.getX());
      return success();
    }
    Value table = builder.reshape(adaptor.getX(), {shape.front(), columns});
    Value updates = builder.reshape(adaptor.getUpdates(), {count, columns});
    Value zero = builder.index(0), one = builder.index(1);
    Location loc = op.getLoc();
    auto rows = scf::ForOp::create(
        rewriter, loc, zero, builder.index(count), one, table,
        [&](OpBuilder &b, Location at, Value i, ValueRange carried) {
          Target target = getTarget(op, {b, at}, adaptor.getIndices(), i);
          auto row = scf::ForOp::create(
              b, at, zero, builder.index(columns), one, carried,
              [&](OpBuilder &in, Location l, Value j, ValueRange args) {
                Value update =
                    tensor::ExtractOp::create(in, l, updates, ValueRange{i, j});
                scf::YieldOp::create(
                    in, l, write(op, {in, l}, args[0], {target, j}, update));
              });
          scf::YieldOp::create(b, at, row.getResults());
        });
    rewriter.replaceOp(op, builder.reshape(rows.getResult(0), shape));
    return success();
  }

  /// The row of an update: inside the tensor always, and whether it was.
  struct Target {
    Value row, isInside;
  };
  struct Place {
    Target target;
    Value column;
  };

  static Target getTarget(qg::ScatterOp op, LinalgBuilder builder,
                          Value indices, Value i) {
    OpBuilder &b = builder.b;
    Location loc = builder.loc;
    int64_t rows = op.getType().getDimSize(0);
    Value stored = tensor::ExtractOp::create(b, loc, indices, i);
    bool isUnsigned =
        getTensorType(op.getIndices()).getElementType().isUnsignedInteger();
    Type index = b.getIndexType();
    Value at =
        isUnsigned
            ? arith::IndexCastUIOp::create(b, loc, index, stored).getResult()
            : arith::IndexCastOp::create(b, loc, index, stored);
    Value zero = builder.index(0), extent = builder.index(rows);
    Value isNegative =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, at, zero);
    Value fromEnd = arith::AddIOp::create(b, loc, at, extent);
    at = arith::SelectOp::create(b, loc, isNegative, fromEnd, at);
    Value isInside =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, at, extent);
    at = arith::SelectOp::create(b, loc, isInside, at, zero);
    return {at, isInside};
  }

  /// The element of the table at `place` combined with `update`.
  static Value write(qg::ScatterOp op, LinalgBuilder builder, Value table,
                     const Place &place, Value update) {
    OpBuilder &b = builder.b;
    Location loc = builder.loc;
    SmallVector<Value> at{place.target.row, place.column};
    Value old = tensor::ExtractOp::create(b, loc, table, at);
    Value updated = combine(op, builder, old, update);
    updated =
        arith::SelectOp::create(b, loc, place.target.isInside, updated, old);
    return tensor::InsertOp::create(b, loc, updated, table, at);
  }

  static Value combine(qg::ScatterOp op, LinalgBuilder builder, Value old,
                       Value update) {
    if (op.getKind() == ScatterKind::replace)
      return update;
    BinaryKind kind = *symbolizeBinaryKind(stringifyScatterKind(op.getKind()));
    IRScalarBuilder scalar(builder.b, builder.loc);
    Type element = op.getType().getElementType();
    if (!isa<FloatType>(element))
      return numerics::emitBinaryInt(scalar, kind, old, update,
                                     element.isUnsignedInteger());
    // 16-bit floats are computed in f32, as everywhere.
    Type wide = element.isF64() ? element : builder.b.getF32Type();
    Value y = numerics::emitBinaryFloat(
        scalar, kind, emitCast(builder.b, builder.loc, old, wide),
        emitCast(builder.b, builder.loc, update, wide));
    return emitCast(builder.b, builder.loc, y, element);
  }
};
} // namespace

namespace qopt {
void populateQGPositionPatterns(const StorageTypeConverter &converter,
                                RewritePatternSet &patterns) {
  patterns.add<LowerResize, LowerScatter>(converter, patterns.getContext());
}
} // namespace qopt
