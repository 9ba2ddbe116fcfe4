//===- FusedProducts.cpp - Products of stored integers, scaled ------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What ONNX Runtime makes of MatMulInteger and the nodes around it, taken apart
// again: the file says the same, optimized or not.
//===----------------------------------------------------------------------===//
#include "FusedProducts.h"
#include "Expansion.h"
#include "qopt/Frontend/ONNX/OpRegistry.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

namespace {
/// Names of the parts of an operand inside an expansion.
struct OperandNames {
  std::string x, scale, zeroPoint;
};
} // namespace

/// MatMulInteger, Cast, Mul and Add.
static Value buildScaled(Expansion &graph, const OperandNames &lhs,
                         const OperandNames &rhs, const std::string &bias) {
  std::string sum =
      graph.add("MatMulInteger", {lhs.x, rhs.x, lhs.zeroPoint, rhs.zeroPoint})
          .front();
  std::string scale = graph.add("Mul", {lhs.scale, rhs.scale}).front();
  std::string y = graph.add("Mul", {graph.addCastToFloat(sum), scale}).front();
  if (!bias.empty())
    y = graph.add("Add", {y, bias}).front();
  return graph.build(y);
}

Value frontend::buildScaledProduct(OpBinder &op, const StoredOperand &lhs,
                                   const StoredOperand &rhs, Value bias) {
  GraphBuilder &b = op.b;
  if (!lhs.x || !lhs.scale || !rhs.x || !rhs.scale)
    return {};
  if (b.type(lhs.scale).getNumElements() != 1)
    return b.fail("expects one scale for the first operand, got " +
                  formatShape(b.shape(lhs.scale)));
  Expansion graph(op);
  auto name = [&](const StoredOperand &operand) {
    return OperandNames{graph.use(operand.x),
                        graph.use(b.convert(operand.scale, b.f32())),
                        graph.use(operand.zeroPoint)};
  };
  OperandNames first = name(lhs), second = name(rhs);
  return buildScaled(graph, first, second, graph.use(b.convert(bias, b.f32())));
}

/// An input as it is, or null.
static Value rawIfGiven(OpBinder &op, unsigned index) {
  return op.hasInput(index) ? op.raw(index) : Value();
}

/// Inputs: A, B, scales of both, zero points of both, bias.
static LogicalResult importMatMulIntegerToFloat(OpBinder &op) {
  Value scale = op.in(2);
  Value y = buildScaledProduct(op, {op.raw(0), scale, rawIfGiven(op, 4)},
                               {op.raw(1), op.in(3), rawIfGiven(op, 5)},
                               op.optional(6));
  return op.result(scale ? op.b.convert(y, op.b.element(scale)) : scale);
}

/// Inputs: A of floats, B, its scale and zero point, bias.
static LogicalResult importDynamicQuantizeMatMul(OpBinder &op) {
  Value x = op.in(0), w = op.raw(1), scale = op.in(2);
  if (!x || !w || !scale)
    return failure();
  Expansion graph(op);
  auto rounded = graph.add("DynamicQuantizeLinear", {graph.use(x)}, 3);
  OperandNames weight{graph.use(w), graph.use(scale),
                      graph.use(rawIfGiven(op, 3))};
  return op.result(buildScaled(graph, {rounded[0], rounded[1], rounded[2]},
                               weight, graph.use(op.optional(4))));
}

void frontend::registerFusedProductOps(OpRegistry &registry) {
  StringRef ms = "com.microsoft";
  registry.add(ms, "DynamicQuantizeMatMul", 1, importDynamicQuantizeMatMul);
  registry.add(ms, "MatMulIntegerToFloat", 1, importMatMulIntegerToFloat);
}
