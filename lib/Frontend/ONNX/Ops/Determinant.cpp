//===- Determinant.cpp - Gaussian elimination, written out ----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// With partial pivoting: which row it is is known at run time, so that rows are
// exchanged by selects.
//===----------------------------------------------------------------------===//
#include "qopt/Frontend/ONNX/OpBinder.h"
#include "qopt/Frontend/ONNX/OpRegistry.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

/// A dozen ops for each row are written out.
static constexpr int64_t kMostRows = 64;

namespace {
/// What is left of matrices [B, m, m], and the product of the pivots so far,
/// [B].
struct Elimination {
  Value rest, product;
};
} // namespace

/// One row and one column less.
static Elimination eliminate(GraphBuilder &b, const Elimination &before) {
  Value a = before.rest;
  if (!a)
    return {};
  int64_t batch = b.extent(a, 0), m = b.extent(a, 1);
  Type type = b.element(a);
  Value zero = b.scalar(0, type);
  Value column = b.reshape(b.sliceAxis(a, 2, 0, 1), {batch, m});
  Value at = b.argReduce(ReduceKind::max, b.unary(UnaryKind::abs, column), 1,
                         /*selectLast=*/false);
  Tensor rows(DType::i64, {m});
  for (int64_t i = 0; i < m; ++i)
    rows.setInt(i, i);
  Value isPivot = b.reshape(
      b.compare(ComparePredicate::eq, b.constant(rows), b.expandDim(at, 1)),
      {batch, m, 1});
  // All terms but one are 0.
  Value pivotRow =
      b.reduce(ReduceKind::sum, b.select(isPivot, a, zero), {1}, true);
  Value pivot = b.reshape(b.sliceAxis(pivotRow, 2, 0, 1), {batch});
  Value isFirst = b.compare(ComparePredicate::eq, at, b.scalar(0, b.i64()));
  Value signedPivot = b.select(isFirst, pivot, b.unary(UnaryKind::neg, pivot));
  Elimination after{{}, b.mul(before.product, signedPivot)};
  if (m == 1)
    return after;
  Value exchanged = b.select(isPivot, b.sliceAxis(a, 1, 0, 1), a);
  Value below = b.sliceAxis(exchanged, 1, 1, m);
  // A column of zeros makes the product 0 whatever comes.
  Value divisor = b.select(b.compare(ComparePredicate::eq, pivot, zero),
                           b.scalar(1, type), pivot);
  Value factors =
      b.div(b.sliceAxis(below, 2, 0, 1), b.reshape(divisor, {batch, 1, 1}));
  after.rest = b.sub(b.sliceAxis(below, 2, 1, m),
                     b.mul(factors, b.sliceAxis(pivotRow, 2, 1, m)));
  return after;
}

static LogicalResult importDet(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0);
  if (!x)
    return failure();
  ArrayRef<int64_t> shape = b.shape(x);
  if (shape.size() < 2 || shape.back() != shape[shape.size() - 2])
    return op.badModel("expects square matrices, got " + formatShape(shape));
  int64_t n = shape.back();
  if (n > kMostRows)
    return op.unsupported("expects matrices of at most " + Twine(kMostRows) +
                          " rows, got " + Twine(n));
  Shape result(shape.drop_back(2));
  int64_t batch = getNumElements(result);
  Elimination state{b.reshape(x, {batch, n, n}),
                    b.full({batch}, 1, b.element(x))};
  for (int64_t row = 0; row < n; ++row)
    state = eliminate(b, state);
  return op.result(b.reshape(state.product, result));
}

void frontend::registerDeterminantOps(OpRegistry &registry) {
  registry.add("Det", 11, roundOnce<importDet>, "at most 64 rows");
}
