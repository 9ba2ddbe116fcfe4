//===- Selections.cpp - qg selections to loops ----------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Loops over tensors that carry what they write. A few elements of many are
// found one after another; more are sorted by merging runs, whose time grows as
// n log n.
//===----------------------------------------------------------------------===//
#include "qopt/Conversion/LinalgBuilder.h"
#include "qopt/Conversion/ScalarBuilder.h"
#include "qopt/Conversion/ToLinalg.h"
#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Numerics/Selection.h"
#include "qopt/Support/Permutation.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace qopt;

namespace {
/// Body of a loop: the new carried values from the induction variable and the
/// old ones.
using LoopBody =
    llvm::function_ref<SmallVector<Value>(LinalgBuilder, Value, ValueRange)>;

/// Loops and reads at the place of a builder.
struct LoopBuilder : LinalgBuilder {
  LoopBuilder(LinalgBuilder builder) : LinalgBuilder(builder) {}

  ValueRange loop(Value from, Value to, ValueRange carried, LoopBody body,
                  Value step = {}) {
    auto loop = scf::ForOp::create(
        b, loc, from, to, step ? step : index(1), carried,
        [&](OpBuilder &nested, Location at, Value i, ValueRange args) {
          scf::YieldOp::create(nested, at, body({nested, at}, i, args));
        });
    return loop.getResults();
  }
  Value read(Value tensor, ValueRange at) {
    return tensor::ExtractOp::create(b, loc, tensor, at);
  }
  Value write(Value element, Value tensor, ValueRange at) {
    return tensor::InsertOp::create(b, loc, element, tensor, at);
  }
  Value add(Value x, Value y) { return arith::AddIOp::create(b, loc, x, y); }
  Value minimum(Value x, Value y) {
    return arith::MinSIOp::create(b, loc, x, y);
  }
  Value select(Value c, Value x, Value y) {
    return arith::SelectOp::create(b, loc, c, x, y);
  }
  Value isLess(Value x, Value y) {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, x, y);
  }
  Value both(Value x, Value y) { return arith::AndIOp::create(b, loc, x, y); }
  Value either(Value x, Value y) { return arith::OrIOp::create(b, loc, x, y); }
  Value isNot(Value x) {
    return arith::XOrIOp::create(b, loc, x, integer(b.getI1Type(), 1));
  }
  Value toI64(Value x) {
    return arith::IndexCastOp::create(b, loc, b.getI64Type(), x);
  }
  Value toIndex(Value x) {
    return arith::IndexCastOp::create(b, loc, b.getIndexType(), x);
  }
  /// 1 where `x` holds.
  Value count(Value x) { return select(x, index(1), index(0)); }
};

/// What is sorted, and how.
struct Sorting {
  Value rows; ///< [rows, extent]
  bool isMax, isUnsigned;

  Value isBefore(LinalgBuilder builder, Value x, Value y) const {
    IRScalarBuilder scalar(builder.b, builder.loc);
    if (isa<FloatType>(x.getType()))
      return numerics::emitIsBeforeFloat(scalar, isMax, x, y);
    return numerics::emitIsBeforeInt(scalar, isMax, x, y, isUnsigned);
  }
  int64_t getExtent() const { return getTensorType(rows).getDimSize(1); }
};

/// Up to so many elements are found one after another.
constexpr int64_t kMaxSearches = 16;

/// Best element of row `row` behind the one at `last` (-1: of all): its index.
Value findNext(LoopBuilder builder, const Sorting &sorting, Value row,
               Value last) {
  Value zero = builder.index(0);
  Value isFirst = builder.isLess(last, zero);
  Value lastValue =
      builder.read(sorting.rows, {row, builder.select(isFirst, zero, last)});
  SmallVector<Value> start{builder.index(-1), lastValue};
  auto step = [&](LoopBuilder in, Value i,
                  ValueRange best) -> SmallVector<Value> {
    Value now = in.read(sorting.rows, {row, i});
    Value isSameOrBehind = in.isNot(sorting.isBefore(in, now, lastValue));
    Value isBehind =
        in.both(isSameOrBehind, in.either(sorting.isBefore(in, lastValue, now),
                                          in.isLess(last, i)));
    Value isBetter = in.either(in.isLess(best[0], in.index(0)),
                               sorting.isBefore(in, now, best[1]));
    Value takes = in.both(in.either(isFirst, isBehind), isBetter);
    return {in.select(takes, i, best[0]), in.select(takes, now, best[1])};
  };
  return builder.loop(zero, builder.index(sorting.getExtent()), start, step)[0];
}

/// The first `count` indices of every row, by searches.
Value search(LoopBuilder builder, const Sorting &sorting, int64_t count) {
  int64_t rows = getTensorType(sorting.rows).getDimSize(0);
  Value zero = builder.index(0);
  Value result = builder.empty({rows, count}, builder.b.getI64Type());
  auto eachRow = [&](LoopBuilder outer, Value row, ValueRange carried) {
    auto eachPosition = [&](LoopBuilder in, Value k,
                            ValueRange args) -> SmallVector<Value> {
      Value next = findNext(in, sorting, row, args[1]);
      return {in.write(in.toI64(next), args[0], {row, k}), next};
    };
    ValueRange found = outer.loop(
        zero, outer.index(count),
        SmallVector<Value>{carried[0], outer.index(-1)}, eachPosition);
    return SmallVector<Value>{found[0]};
  };
  return builder.loop(zero, builder.index(rows), result, eachRow)[0];
}

/// Two sorted neighbours of `width` indices of a row become one: from `runs` to
/// `merged`, beginning at position `begin`.
Value mergePair(LoopBuilder builder, const Sorting &sorting, Value row,
                Value begin, Value width, Value runs, Value merged) {
  Value end = builder.index(sorting.getExtent());
  Value middle = builder.minimum(builder.add(begin, width), end);
  Value last = builder.minimum(builder.add(middle, width), end);
  Value lastIndex = builder.index(sorting.getExtent() - 1);
  auto step = [&](LoopBuilder in, Value at,
                  ValueRange args) -> SmallVector<Value> {
    Value left = in.read(runs, in.minimum(args[1], lastIndex));
    Value right = in.read(runs, in.minimum(args[2], lastIndex));
    Value isRightBefore =
        sorting.isBefore(in, in.read(sorting.rows, {row, in.toIndex(right)}),
                         in.read(sorting.rows, {row, in.toIndex(left)}));
    Value hasLeft = in.isLess(args[1], middle);
    Value hasRight = in.isLess(args[2], last);
    Value takesLeft = in.both(
        hasLeft, in.either(in.isNot(hasRight), in.isNot(isRightBefore)));
    Value taken = in.select(takesLeft, left, right);
    return {in.write(taken, args[0], at), in.add(args[1], in.count(takesLeft)),
            in.add(args[2], in.count(in.isNot(takesLeft)))};
  };
  return builder.loop(begin, last, SmallVector<Value>{merged, begin, middle},
                      step)[0];
}

/// Indices 0, 1, ... into `runs`, then sorted for row `row`. `merged` is
/// scratch. Gives both.
SmallVector<Value> sortRow(LoopBuilder builder, const Sorting &sorting,
                           Value row, Value runs, Value merged) {
  int64_t extent = sorting.getExtent();
  Value zero = builder.index(0), end = builder.index(extent);
  auto copy = [&](LoopBuilder in, Value from, Value to) -> Value {
    auto step = [&](LoopBuilder deep, Value i, ValueRange args) {
      Value index = from ? deep.read(from, i) : deep.toI64(i);
      return SmallVector<Value>{deep.write(index, args[0], i)};
    };
    return in.loop(in.index(0), in.index(extent), to, step)[0];
  };
  runs = copy(builder, {}, runs);
  auto pass = [&](LoopBuilder in, Value power,
                  ValueRange args) -> SmallVector<Value> {
    Value width = arith::ShLIOp::create(in.b, in.loc, in.index(1), power);
    auto pair = [&](LoopBuilder deep, Value begin, ValueRange inner) {
      return SmallVector<Value>{
          mergePair(deep, sorting, row, begin, width, args[0], inner[0])};
    };
    Value step = in.add(width, width);
    Value done = in.loop(zero, end, args[1], pair, step)[0];
    return {copy(in, done, args[0]), done};
  };
  ValueRange sorted =
      builder.loop(zero, builder.index(llvm::Log2_64_Ceil(extent)),
                   SmallVector<Value>{runs, merged}, pass);
  return {sorted[0], sorted[1]};
}

/// The first `count` indices of every row, by sorting it.
Value sort(LoopBuilder builder, const Sorting &sorting, int64_t count) {
  Type i64 = builder.b.getI64Type();
  int64_t rows = getTensorType(sorting.rows).getDimSize(0);
  Value zero = builder.index(0);
  SmallVector<Value> start{builder.empty({rows, count}, i64),
                           builder.empty({sorting.getExtent()}, i64),
                           builder.empty({sorting.getExtent()}, i64)};
  auto eachRow = [&](LoopBuilder outer, Value row, ValueRange args) {
    SmallVector<Value> sorted = sortRow(outer, sorting, row, args[1], args[2]);
    auto store = [&](LoopBuilder in, Value k, ValueRange inner) {
      return SmallVector<Value>{
          in.write(in.read(sorted[0], k), inner[0], {row, k})};
    };
    Value result = outer.loop(zero, outer.index(count), args[0], store)[0];
    return SmallVector<Value>{result, sorted[0], sorted[1]};
  };
  return builder.loop(zero, builder.index(rows), start, eachRow)[0];
}

struct LowerTopK : OpConversionPattern<qg::TopKOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(qg::TopKOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LoopBuilder builder(LinalgBuilder{rewriter, op.getLoc()});
    RankedTensorType type = getTensorType(op.getX());
    int64_t axis = op.getAxis(), count = op.getType().getDimSize(axis);
    int64_t extent = type.getDimSize(axis);
    if (op.getType().getNumElements() == 0) {
      rewriter.replaceOp(
          op, builder.empty(op.getType().getShape(), rewriter.getI64Type()));
      return success();
    }
    // The axis last.
    Permutation order;
    SmallVector<int64_t> shape;
    for (int64_t i = 0; i < type.getRank(); ++i)
      if (i != axis) {
        order.push_back(i);
        shape.push_back(type.getDimSize(i));
      }
    order.push_back(axis);
    shape.push_back(count);
    Value x = builder.reshape(builder.transpose(adaptor.getX(), order),
                              {type.getNumElements() / extent, extent});
    Type element = type.getElementType();
    Sorting sorting{x, op.getKind() == ReduceKind::max,
                    element.isUnsignedInteger() || element.isInteger(1)};
    Value result = count <= kMaxSearches ? search(builder, sorting, count)
                                         : sort(builder, sorting, count);
    result = builder.transpose(builder.reshape(result, shape), invert(order));
    rewriter.replaceOp(op, result);
    return success();
  }
};

struct LowerCompact : OpConversionPattern<qg::CompactOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(qg::CompactOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LoopBuilder builder(LinalgBuilder{rewriter, op.getLoc()});
    int64_t room = op.getType().getDimSize(0);
    Value zero = builder.index(0);
    Value result =
        builder.fill({room}, builder.integer(rewriter.getI64Type(), 0));
    if (room == 0) {
      rewriter.replaceOp(op, result);
      return success();
    }
    // The next position is written always, and counted if the mark holds: what
    // is written behind the last is undone after the loop.
    auto step = [&](LoopBuilder in, Value i,
                    ValueRange args) -> SmallVector<Value> {
      Value isTaken = in.both(in.read(adaptor.getMask(), i),
                              in.isLess(args[1], in.index(room)));
      Value at = in.minimum(args[1], in.index(room - 1));
      Value old = in.read(args[0], at);
      return {in.write(in.select(isTaken, in.toI64(i), old), args[0], at),
              in.add(args[1], in.count(isTaken))};
    };
    int64_t extent = getTensorType(adaptor.getMask()).getDimSize(0);
    rewriter.replaceOp(op,
                       builder.loop(zero, builder.index(extent),
                                    SmallVector<Value>{result, zero}, step)[0]);
    return success();
  }
};

struct LowerSuppress : OpConversionPattern<qg::SuppressOp> {
  using OpConversionPattern::OpConversionPattern;

  static numerics::Box<Value> readBox(LoopBuilder builder, Value boxes,
                                      Value list, Value at) {
    numerics::Box<Value> box;
    for (unsigned i = 0; i < box.size(); ++i)
      box[i] = builder.read(boxes, {list, at, builder.index(i)});
    return box;
  }

  LogicalResult
  matchAndRewrite(qg::SuppressOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LoopBuilder builder(LinalgBuilder{rewriter, op.getLoc()});
    ArrayRef<int64_t> shape = op.getType().getShape();
    int64_t length = shape.back();
    if (op.getType().getNumElements() == 0) {
      rewriter.replaceOp(op, builder.empty(shape, rewriter.getI1Type()));
      return success();
    }
    int64_t lists = op.getType().getNumElements() / length;
    Value boxes = builder.reshape(adaptor.getBoxes(), {lists, length, 4});
    Value isValid = builder.reshape(adaptor.getIsValid(), {lists, length});
    Value overlap = builder.read(adaptor.getOverlap(), {});
    Value limit = builder.toIndex(builder.read(adaptor.getLimit(), {}));
    SmallVector<Value> start{
        builder.empty({lists, length}, builder.b.getI1Type()),
        builder.empty({length}, builder.b.getI64Type())};
    Value zero = builder.index(0);
    // Carried: marks, the kept boxes of the list, their number.
    auto eachBox = [&](LoopBuilder in, Value list, Value at,
                       ValueRange args) -> SmallVector<Value> {
      numerics::Box<Value> box = readBox(in, boxes, list, at);
      Value isFree =
          in.both(in.read(isValid, {list, at}), in.isLess(args[2], limit));
      auto compare = [&](LoopBuilder deep, Value i, ValueRange inner) {
        IRScalarBuilder scalar(deep.b, deep.loc);
        numerics::Box<Value> other =
            readBox(deep, boxes, list, deep.toIndex(deep.read(args[1], i)));
        Value hit = numerics::emitOverlaps(scalar, box, other, overlap);
        return SmallVector<Value>{deep.both(inner[0], deep.isNot(hit))};
      };
      // A box that is not free is compared with none.
      Value end = in.select(isFree, args[2], zero);
      isFree = in.loop(zero, end, isFree, compare)[0];
      Value old = in.read(args[1], args[2]);
      Value kept =
          in.write(in.select(isFree, in.toI64(at), old), args[1], args[2]);
      return {in.write(isFree, args[0], {list, at}), kept,
              in.add(args[2], in.count(isFree))};
    };
    auto eachList = [&](LoopBuilder outer, Value list, ValueRange args) {
      auto step = [&](LoopBuilder in, Value at, ValueRange inner) {
        return eachBox(in, list, at, inner);
      };
      ValueRange done =
          outer.loop(zero, outer.index(length),
                     SmallVector<Value>{args[0], args[1], zero}, step);
      return SmallVector<Value>{done[0], done[1]};
    };
    Value marks = builder.loop(zero, builder.index(lists), start, eachList)[0];
    rewriter.replaceOp(op, builder.reshape(marks, shape));
    return success();
  }
};
} // namespace

namespace qopt {
void populateQGSelectionPatterns(const StorageTypeConverter &converter,
                                 RewritePatternSet &patterns) {
  patterns.add<LowerTopK, LowerCompact, LowerSuppress>(converter,
                                                       patterns.getContext());
}
} // namespace qopt
