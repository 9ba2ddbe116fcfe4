//===- FoldRow.cpp - A row of a tensor to one element ---------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Lanes start from the identity even where a row is shorter: 0 + -0 is +0.
//===----------------------------------------------------------------------===//
#include "qopt/Conversion/FoldRow.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace qopt;

/// Logical lanes of a reduction.
static constexpr int64_t kLanes = 16;

/// Halves of `lanes` combined until one is left.
static Value foldLanes(OpBuilder &b, Location loc, Value lanes,
                       ScalarBody combine) {
  for (int64_t half = kLanes / 2; half >= 1; half /= 2) {
    auto take = [&](int64_t first) -> Value {
      return vector::ExtractStridedSliceOp::create(
          b, loc, lanes, ArrayRef<int64_t>{first}, ArrayRef<int64_t>{half},
          ArrayRef<int64_t>{1});
    };
    Value low = take(0), high = take(half);
    lanes = combine(b, loc, {low, high});
  }
  return vector::ExtractOp::create(b, loc, lanes, 0);
}

Value qopt::foldRow(LinalgBuilder builder, Value rows, Value row,
                    TypedAttr identity, ScalarBody combine) {
  OpBuilder &b = builder.b;
  Location loc = builder.loc;
  auto type = cast<RankedTensorType>(rows.getType());
  int64_t extent = type.getDimSize(1);
  Type element = type.getElementType(), compute = identity.getType();
  auto lanes = VectorType::get({kLanes}, compute);
  auto widen = [&](OpBuilder &nested, Value x) -> Value {
    Type wanted = isa<VectorType>(x.getType()) ? Type(lanes) : compute;
    if (x.getType() == wanted)
      return x;
    return arith::ExtFOp::create(nested, loc, wanted, x);
  };
  Value acc = arith::ConstantOp::create(
      b, loc, DenseElementsAttr::get(lanes, Attribute(identity)));
  int64_t whole = extent / kLanes * kLanes;
  if (whole) {
    auto loop = scf::ForOp::create(
        b, loc, builder.index(0), builder.index(whole), builder.index(kLanes),
        acc, [&](OpBuilder &nested, Location, Value i, ValueRange args) {
          Value padding = arith::ConstantOp::create(
              nested, loc, nested.getZeroAttr(element));
          Value chunk = vector::TransferReadOp::create(
              nested, loc, VectorType::get({kLanes}, element), rows,
              ValueRange{row, i}, padding,
              AffineMap::getMinorIdentityMap(2, 1, nested.getContext()),
              ArrayRef<bool>{true});
          Value next = combine(nested, loc, {args[0], widen(nested, chunk)});
          scf::YieldOp::create(nested, loc, next);
        });
    acc = loop.getResult(0);
  }
  for (int64_t i = whole; i < extent; ++i) {
    Value x = tensor::ExtractOp::create(b, loc, rows,
                                        ValueRange{row, builder.index(i)});
    Value lane = vector::ExtractOp::create(b, loc, acc, i - whole);
    acc = vector::InsertOp::create(b, loc, combine(b, loc, {lane, widen(b, x)}),
                                   acc, i - whole);
  }
  return foldLanes(b, loc, acc, combine);
}
