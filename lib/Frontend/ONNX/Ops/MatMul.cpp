//===- MatMul.cpp - Matrix products ---------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// MatMul and Gemm, with NumPy's rules for 1-D operands and batches.
//===----------------------------------------------------------------------===//
#include "qopt/Frontend/ONNX/MatMul.h"
#include "qopt/Frontend/ONNX/OpRegistry.h"

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

/// Products of integers have no rounding to choose; constants still fold.
static LogicalResult expectFloats(OpBinder &op) {
  for (unsigned i : {0u, 1u}) {
    Value operand = op.in(i);
    if (!operand)
      return failure();
    Type type = op.b.element(operand);
    if (!isa<FloatType>(type) &&
        !(op.b.isConstant(op.in(0)) && op.b.isConstant(op.in(1)))) {
      std::string name;
      llvm::raw_string_ostream(name) << type;
      return op.unsupported("expects float operands, got " + name +
                            "; MatMulInteger multiplies 8-bit integers");
    }
  }
  return success();
}

static LogicalResult importMatMul(OpBinder &op) {
  if (failed(expectFloats(op)))
    return failure();
  return op.result(buildMatMul(op.b, op.in(0), op.in(1)));
}

static LogicalResult importGemm(OpBinder &op) {
  if (failed(expectFloats(op)))
    return failure();
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
  double alpha = op.floatAttr("alpha", 1), beta = op.floatAttr("beta", 1);
  if (!lhs || !rhs)
    return failure();
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
