//===- Gate.cpp - Gated activations as their parts ------------------------===//
// SPDX-License-Identifier: Apache-2.0
#include "CompositeChecks.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::qg;

static constexpr double kPi = 3.14159265358979323846;

LogicalResult GateOp::verify() {
  // C1
  if (failed(checkOneFloatType(*this, getOperands())))
    return failure();
  for (Value operand : getOperands())
    if (failed(checkResultShape(*this, getShape(operand))))
      return failure();
  // C2
  double alpha = getAlpha().convertToDouble();
  if (!std::isfinite(alpha) || (alpha != 1 && getKind() != GateKind::swish))
    return emitOpError() << "expects 'alpha' to be finite, and 1 for '"
                         << stringifyGateKind(getKind()) << "', got " << alpha;
  return success();
}

Value qg::writeSwish(ShapedBuilder &b, Value g, double alpha) {
  Value scaled = alpha == 1 ? g : b.mul(g, alpha);
  return b.mul(g, b.unary(UnaryKind::sigmoid, scaled));
}

Value qg::writeGelu(ShapedBuilder &b, Value g, bool withTanh) {
  Value inner;
  if (withTanh) {
    Value cube = b.mul(b.mul(b.mul(g, g), g), 0.044715);
    inner = b.unary(UnaryKind::tanh, b.mul(b.add(g, cube), std::sqrt(2 / kPi)));
  } else {
    inner = b.unary(UnaryKind::erf, b.mul(g, std::sqrt(0.5)));
  }
  return b.mul(b.mul(g, 0.5), b.add(inner, 1.0));
}

static Value writeGateFunction(ShapedBuilder &b, GateOp op) {
  Value g = op.getGate();
  switch (op.getKind()) {
  case GateKind::sigmoid:
    return b.unary(UnaryKind::sigmoid, g);
  case GateKind::relu:
    return b.unary(UnaryKind::relu, g);
  case GateKind::swish:
    return writeSwish(b, g, op.getAlpha().convertToDouble());
  case GateKind::gelu:
    return writeGelu(b, g, /*withTanh=*/false);
  case GateKind::gelu_tanh:
    return writeGelu(b, g, /*withTanh=*/true);
  }
  llvm_unreachable("a gate kind without a function");
}

FailureOr<SmallVector<Value>> GateOp::decompose(ShapedBuilder &b) {
  return asParts(b.mul(writeGateFunction(b, *this), getValue()));
}
