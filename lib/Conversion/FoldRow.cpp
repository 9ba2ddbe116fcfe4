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
/// Chunks of lanes side by side where order does not matter: as many as hide
/// how long an operation takes.
static constexpr int64_t kChunks = 4;

namespace {
/// Elements of one row.
struct RowReader {
  Value rows, row;
  Type element, compute;

  Value widen(OpBuilder &b, Location loc, Value x) const {
    Type wanted = compute;
    if (auto vector = dyn_cast<VectorType>(x.getType()))
      wanted = VectorType::get(vector.getShape(), compute);
    if (x.getType() == wanted)
      return x;
    return arith::ExtFOp::create(b, loc, wanted, x);
  }
  /// The lanes from element `at` on.
  Value load(OpBuilder &b, Location loc, Value at) const {
    Value padding = arith::ConstantOp::create(b, loc, b.getZeroAttr(element));
    Value chunk = vector::TransferReadOp::create(
        b, loc, VectorType::get({kLanes}, element), rows, ValueRange{row, at},
        padding, AffineMap::getMinorIdentityMap(2, 1, b.getContext()),
        ArrayRef<bool>{true});
    return widen(b, loc, chunk);
  }
};
} // namespace

/// Chunks of lanes [first, end) of a row on top of `accs`, in turns.
static SmallVector<Value> foldChunks(LinalgBuilder builder,
                                     const RowReader &reader,
                                     std::pair<int64_t, int64_t> range,
                                     SmallVector<Value> accs,
                                     ScalarBody combine) {
  auto [first, end] = range;
  int64_t count = accs.size();
  if (first == end)
    return accs;
  auto loop = scf::ForOp::create(
      builder.b, builder.loc, builder.index(first), builder.index(end),
      builder.index(count * kLanes), accs,
      [&](OpBuilder &b, Location loc, Value i, ValueRange args) {
        SmallVector<Value> next;
        for (int64_t j = 0; j < count; ++j) {
          Value at = i;
          if (j)
            at = arith::AddIOp::create(
                b, loc, i, arith::ConstantIndexOp::create(b, loc, j * kLanes));
          next.push_back(combine(b, loc, {args[j], reader.load(b, loc, at)}));
        }
        scf::YieldOp::create(b, loc, next);
      });
  return SmallVector<Value>(loop.getResults());
}

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
                    TypedAttr identity, ScalarBody combine, FoldOrder order) {
  OpBuilder &b = builder.b;
  Location loc = builder.loc;
  auto type = cast<RankedTensorType>(rows.getType());
  int64_t extent = type.getDimSize(1), whole = extent / kLanes * kLanes;
  RowReader reader{rows, row, type.getElementType(), identity.getType()};
  Value start = arith::ConstantOp::create(
      b, loc,
      DenseElementsAttr::get(VectorType::get({kLanes}, reader.compute),
                             Attribute(identity)));
  int64_t wide = 0;
  Value acc = start;
  if (order == FoldOrder::Any && extent >= 2 * kChunks * kLanes) {
    wide = extent / (kChunks * kLanes) * (kChunks * kLanes);
    SmallVector<Value> accs =
        foldChunks(builder, reader, {0, wide},
                   SmallVector<Value>(kChunks, start), combine);
    acc = accs.front();
    for (Value other : ArrayRef(accs).drop_front())
      acc = combine(b, loc, {acc, other});
  }
  acc = foldChunks(builder, reader, {wide, whole}, {acc}, combine).front();
  for (int64_t i = whole; i < extent; ++i) {
    Value x = tensor::ExtractOp::create(b, loc, rows,
                                        ValueRange{row, builder.index(i)});
    Value lane = vector::ExtractOp::create(b, loc, acc, i - whole);
    lane = combine(b, loc, {lane, reader.widen(b, loc, x)});
    acc = vector::InsertOp::create(b, loc, lane, acc, i - whole);
  }
  return foldLanes(b, loc, acc, combine);
}
