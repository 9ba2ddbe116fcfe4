//===- Elementwise.cpp - Scalar functions ---------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Most kinds have an ONNX op of their own; a few are composed.
//===----------------------------------------------------------------------===//
#include "Exporter.h"

using namespace mlir;
using namespace qopt;

/// The ONNX op of a kind, or null if it is composed.
static const char *getUnaryType(UnaryKind kind, bool isBoolean) {
  switch (kind) {
  case UnaryKind::abs:
    return "Abs";
  case UnaryKind::neg:
    return "Neg";
  case UnaryKind::sign:
    return "Sign";
  case UnaryKind::relu:
    return "Relu";
  case UnaryKind::floor:
    return "Floor";
  case UnaryKind::ceil:
    return "Ceil";
  case UnaryKind::round_even:
    return "Round";
  case UnaryKind::sqrt:
    return "Sqrt";
  case UnaryKind::exp:
    return "Exp";
  case UnaryKind::log:
    return "Log";
  case UnaryKind::erf:
    return "Erf";
  case UnaryKind::sigmoid:
    return "Sigmoid";
  case UnaryKind::sin:
    return "Sin";
  case UnaryKind::cos:
    return "Cos";
  case UnaryKind::tan:
    return "Tan";
  case UnaryKind::asin:
    return "Asin";
  case UnaryKind::acos:
    return "Acos";
  case UnaryKind::atan:
    return "Atan";
  case UnaryKind::sinh:
    return "Sinh";
  case UnaryKind::cosh:
    return "Cosh";
  case UnaryKind::tanh:
    return "Tanh";
  case UnaryKind::asinh:
    return "Asinh";
  case UnaryKind::acosh:
    return "Acosh";
  case UnaryKind::atanh:
    return "Atanh";
  case UnaryKind::bit_not:
    return isBoolean ? "Not" : "BitwiseNot";
  case UnaryKind::is_nan:
    return "IsNaN";
  case UnaryKind::is_inf:
    return "IsInf";
  case UnaryKind::rsqrt:
    return nullptr;
  }
  return nullptr;
}

std::optional<std::string> Exporter::writeUnary(qg::UnaryOp op, std::string x) {
  std::string name = qg::getUserName(op);
  bool isBoolean = op.getResultType().getElementType().isInteger(1);
  if (const char *type = getUnaryType(op.getKind(), isBoolean))
    return writer.addNode(type, {x}, name).output();
  if (op.getKind() == UnaryKind::rsqrt) {
    std::string root = writer.addNode("Sqrt", {x}, name + "_sqrt").output();
    return writer.addNode("Reciprocal", {root}, name).output();
  }
  op.emitError() << "has no ONNX form of kind '" << stringifyEnum(op.getKind())
                 << "'";
  return std::nullopt;
}

static const char *getBinaryType(BinaryKind kind, bool isBoolean) {
  switch (kind) {
  case BinaryKind::add:
    return "Add";
  case BinaryKind::sub:
    return "Sub";
  case BinaryKind::mul:
    return "Mul";
  case BinaryKind::div:
    return "Div";
  case BinaryKind::pow:
    return "Pow";
  case BinaryKind::min:
    return "Min";
  case BinaryKind::max:
    return "Max";
  case BinaryKind::bit_and:
    return isBoolean ? "And" : "BitwiseAnd";
  case BinaryKind::bit_or:
    return isBoolean ? "Or" : "BitwiseOr";
  case BinaryKind::bit_xor:
    return isBoolean ? "Xor" : "BitwiseXor";
  default:
    return nullptr;
  }
}

std::optional<std::string>
Exporter::writeBinary(qg::BinaryOp op, std::string lhs, std::string rhs) {
  std::string name = qg::getUserName(op);
  Type element = op.getResultType().getElementType();
  if (const char *type = getBinaryType(op.getKind(), element.isInteger(1)))
    return writer.addNode(type, {lhs, rhs}, name).output();
  bool isFloat = isa<FloatType>(element);
  if (op.getKind() == BinaryKind::rem)
    return writer.addNode("Mod", {lhs, rhs}, name).integer("fmod", 1).output();
  if (op.getKind() == BinaryKind::mod && !isFloat)
    return writer.addNode("Mod", {lhs, rhs}, name).output();
  if (op.getKind() == BinaryKind::mod) {
    // fmod has the sign of the dividend; adding the divisor once and taking
    // the remainder again gives that of the divisor.
    std::string first = writer.addNode("Mod", {lhs, rhs}, name + "_rem")
                            .integer("fmod", 1)
                            .output();
    std::string sum =
        writer.addNode("Add", {first, rhs}, name + "_sum").output();
    return writer.addNode("Mod", {sum, rhs}, name).integer("fmod", 1).output();
  }
  if (element.isUnsignedInteger())
    return writer.addNode("BitShift", {lhs, rhs}, name)
        .string("direction",
                op.getKind() == BinaryKind::shift_left ? "LEFT" : "RIGHT")
        .output();
  op.emitError() << "has no ONNX form of kind '" << stringifyEnum(op.getKind())
                 << "' on " << element;
  return std::nullopt;
}

std::string Exporter::writeCompare(qg::CompareOp op, std::string lhs,
                                   std::string rhs) {
  std::string name = qg::getUserName(op);
  switch (op.getPredicate()) {
  case ComparePredicate::eq:
    return writer.addNode("Equal", {lhs, rhs}, name).output();
  case ComparePredicate::lt:
    return writer.addNode("Less", {lhs, rhs}, name).output();
  case ComparePredicate::le:
    return writer.addNode("LessOrEqual", {lhs, rhs}, name).output();
  case ComparePredicate::gt:
    return writer.addNode("Greater", {lhs, rhs}, name).output();
  case ComparePredicate::ge:
    return writer.addNode("GreaterOrEqual", {lhs, rhs}, name).output();
  case ComparePredicate::ne:
    break;
  }
  std::string equal =
      writer.addNode("Equal", {lhs, rhs}, name + "_equal").output();
  return writer.addNode("Not", {equal}, name).output();
}
