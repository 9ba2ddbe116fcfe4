//===- MatMul.cpp - Matrix products ---------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// MatMul and Gemm, with NumPy's rules for 1-D operands and batches.
//===----------------------------------------------------------------------===//
#include "qopt/Frontend/ONNX/MatMul.h"
#include "qopt/Frontend/ONNX/OpRegistry.h"

#include <cmath>

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

Value frontend::buildMatMul(GraphBuilder &b, Value lhs, Value rhs) {
  if (!lhs || !rhs)
    return {};
  if (b.rank(lhs) == 0 || b.rank(rhs) == 0)
    return b.fail("expects operands of rank >= 1, got a scalar");
  bool isRow = b.rank(lhs) == 1, isColumn = b.rank(rhs) == 1;
  if (isRow)
    lhs = b.expandDim(lhs, 0);
  if (isColumn)
    rhs = b.expandDim(rhs, 1);
  Value y = buildProduct(b, lhs, rhs);
  if (y && isColumn)
    y = b.dropDim(y, b.rank(y) - 1);
  if (y && isRow)
    y = b.dropDim(y, b.rank(y) - (isColumn ? 1 : 2));
  return y;
}

/// A product of integers is written out before it is summed; these are its
/// elements at most.
static constexpr int64_t kMaxIntegerProducts = int64_t(1) << 26;

static bool isInteger(OpBinder &op, Value x) {
  return x && isa<IntegerType>(op.b.element(x));
}

/// np.matmul of matrices of integers: exact, and modulo 2^bits as ONNX's
/// integers are. Shapes and masks are computed so, never weights.
static Value multiplyIntegers(OpBinder &op, Value lhs, Value rhs) {
  GraphBuilder &b = op.b;
  if (!lhs || !rhs)
    return {};
  if (b.shape(lhs).back() != b.extent(rhs, b.rank(rhs) - 2))
    return b.fail("expects equal inner extents, got " +
                  formatShape(b.shape(lhs)) + " and " +
                  formatShape(b.shape(rhs)));
  Shape swapped(llvm::to_vector(llvm::seq<int64_t>(0, b.rank(rhs))));
  std::swap(swapped[b.rank(rhs) - 1], swapped[b.rank(rhs) - 2]);
  // [..., M, 1, K] times [..., 1, N, K].
  Value rows = b.expandDim(lhs, b.rank(lhs) - 1);
  Value columns = b.expandDim(b.transpose(rhs, swapped), b.rank(rhs) - 2);
  if (!rows || !columns)
    return {};
  auto shape = qg::inferBroadcastShape({b.shape(rows), b.shape(columns)},
                                       [&] { return emitError(b.location()); });
  if (failed(shape))
    return {};
  if (getNumElements(*shape) > kMaxIntegerProducts)
    return b.fail("expects at most 2^26 products of integers; MatMulInteger "
                  "multiplies weights");
  int64_t last = shape->size() - 1;
  return b.reduce(ReduceKind::sum, b.mul(rows, columns), {last},
                  /*keepDims=*/false);
}

static Value multiplyIntegerTensors(OpBinder &op, Value lhs, Value rhs) {
  GraphBuilder &b = op.b;
  if (b.rank(lhs) == 0 || b.rank(rhs) == 0)
    return b.fail("expects operands of rank >= 1, got a scalar");
  bool isRow = b.rank(lhs) == 1, isColumn = b.rank(rhs) == 1;
  Value y = multiplyIntegers(op, isRow ? b.expandDim(lhs, 0) : lhs,
                             isColumn ? b.expandDim(rhs, 1) : rhs);
  if (y && isColumn)
    y = b.dropDim(y, b.rank(y) - 1);
  if (y && isRow)
    y = b.dropDim(y, b.rank(y) - (isColumn ? 1 : 2));
  return y;
}

static LogicalResult importMatMul(OpBinder &op) {
  Value lhs = op.in(0), rhs = op.in(1);
  if (!lhs || !rhs)
    return failure();
  if (isInteger(op, lhs) && isInteger(op, rhs))
    return op.result(multiplyIntegerTensors(op, lhs, rhs));
  return op.result(buildMatMul(op.b, lhs, rhs));
}

/// alpha * (lhs x rhs) + beta * c, of integers.
static LogicalResult finishIntegerGemm(OpBinder &op, Value lhs, Value rhs,
                                       Value c) {
  GraphBuilder &b = op.b;
  double alpha = op.floatAttr("alpha", 1), beta = op.floatAttr("beta", 1);
  if (alpha != std::floor(alpha) || beta != std::floor(beta))
    return op.unsupported("expects 'alpha' and 'beta' that are whole numbers "
                          "for integers");
  Value y = multiplyIntegers(op, lhs, rhs);
  if (alpha != 1)
    y = b.mul(y, alpha);
  if (c && beta != 1)
    c = b.mul(c, beta);
  return op.result(c ? b.add(y, c) : y);
}

static LogicalResult importGemm(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value lhs = op.in(0), rhs = op.in(1), c = op.optional(2);
  if (!lhs || !rhs)
    return failure();
  if (b.rank(lhs) != 2 || b.rank(rhs) != 2)
    return op.badModel("expects matrices, got " + formatShape(b.shape(lhs)) +
                       " and " + formatShape(b.shape(rhs)));
  if (op.intAttr("transA", 0))
    lhs = b.transpose(lhs, {1, 0});
  if (op.intAttr("transB", 0))
    rhs = b.transpose(rhs, {1, 0});
  if (!lhs || !rhs)
    return failure();
  if (isInteger(op, lhs) && isInteger(op, rhs))
    return finishIntegerGemm(op, lhs, rhs, c);
  double alpha = op.floatAttr("alpha", 1), beta = op.floatAttr("beta", 1);
  if (c && beta != 1)
    c = b.mul(c, beta);
  int64_t columns = b.extent(rhs, 1);
  bool isLeftConstant = b.isConstant(lhs) && !b.isConstant(rhs);
  // A row that is added to every row is a bias; (1, N) is such a row.
  bool isBias = c && alpha == 1 && !isLeftConstant && b.rank(c) >= 1 &&
                b.rank(c) <= 2 && b.type(c).getNumElements() == columns &&
                b.shape(c).back() == columns;
  if (isBias && b.rank(c) == 2 && b.isDequantizedConstant(c))
    c = b.dequantize(
        b.reshape(c.getDefiningOp<qg::DequantizeOp>().getX(), {columns}));
  else if (isBias)
    c = b.reshape(c, {columns});
  Value y = isLeftConstant ? buildProduct(b, lhs, rhs)
                           : b.matmul(lhs, rhs, isBias ? c : Value());
  if (alpha != 1)
    y = b.mul(y, alpha);
  if (!c || isBias)
    return op.result(y);
  Value sum = b.add(y, c);
  if (sum && b.shape(sum) != b.shape(y))
    return op.badModel("expects C to broadcast to " + formatShape(b.shape(y)) +
                       ", got " + formatShape(b.shape(c)));
  return op.result(sum);
}

void frontend::registerMatMulOps(OpRegistry &registry) {
  registry.add("Gemm", 7, importGemm);
  registry.add("MatMul", 1, importMatMul);
}
