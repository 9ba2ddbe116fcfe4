//===- Elementwise.cpp - Scalar functions ---------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Arithmetic, comparison, logic and conversion, one handler per op.
//===----------------------------------------------------------------------===//
#include "SmallFloats.h"
#include "qopt/Dialect/QG/IR/QGBits.h"
#include "qopt/Dialect/QG/IR/QGComposite.h"
#include "qopt/Frontend/ONNX/OpBinder.h"
#include "qopt/Frontend/ONNX/OpRegistry.h"
#include "qopt/Frontend/ONNX/Proto/ProtoReader.h"

#include <cmath>

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

//===----------------------------------------------------------------------===//
// Direct counterparts in qg
//===----------------------------------------------------------------------===//

template <UnaryKind kind> static LogicalResult importUnary(OpBinder &op) {
  return op.result(op.b.unary(kind, op.in(0)));
}

/// Rounding functions are the identity on integers.
template <UnaryKind kind> static LogicalResult importRounding(OpBinder &op) {
  Value x = op.in(0);
  if (!x || !op.b.isFloat(x))
    return op.result(x);
  return op.result(op.b.unary(kind, x));
}

template <BinaryKind kind> static LogicalResult importBinary(OpBinder &op) {
  return op.result(op.b.binary(kind, op.in(0), op.in(1)));
}

template <ComparePredicate predicate>
static LogicalResult importCompare(OpBinder &op) {
  return op.result(op.b.compare(predicate, op.in(0), op.in(1)));
}

/// And, Or, Xor of truth values.
template <BinaryKind kind> static LogicalResult importLogical(OpBinder &op) {
  Value lhs = op.in(0), rhs = op.in(1);
  if (lhs && rhs &&
      (op.b.element(lhs) != op.b.i1() || op.b.element(rhs) != op.b.i1()))
    return op.badModel("expects truth values");
  return op.result(op.b.binary(kind, lhs, rhs));
}

static LogicalResult importNot(OpBinder &op) {
  return op.result(op.b.logicalNot(op.in(0)));
}

/// Max, Min, Sum and Mean of any number of tensors.
template <BinaryKind kind> static LogicalResult importVariadic(OpBinder &op) {
  Value y = op.in(0);
  for (unsigned i = 1; i < op.numInputs(); ++i)
    y = op.b.binary(kind, y, op.in(i));
  return op.result(y);
}

static LogicalResult importMean(OpBinder &op) {
  Value y = op.in(0);
  for (unsigned i = 1; i < op.numInputs(); ++i)
    y = op.b.add(y, op.in(i));
  if (op.numInputs() > 1)
    y = op.b.div(y, double(op.numInputs()));
  return op.result(y);
}

static LogicalResult importPow(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0), y = op.in(1);
  if (!x || !y)
    return failure();
  // x*x is exact where pow is not, and no table of logarithms is needed.
  std::optional<Tensor> exponent = b.constantOf(y);
  if (exponent && exponent->numElements() == 1 && b.rank(y) <= b.rank(x)) {
    double value = exponent->getFloat(0);
    if (value == 1)
      return op.result(x);
    if (value == 2)
      return op.result(b.mul(x, x));
    if (value == 3)
      return op.result(b.mul(b.mul(x, x), x));
    if (value == 0.5 && b.isFloat(x))
      return op.result(b.unary(UnaryKind::sqrt, x));
  }
  Type type = b.element(x);
  if (b.element(y) == type)
    return op.result(b.binary(BinaryKind::pow, x, y));
  // The result has the type of the base.
  Value base = b.isFloat(x) ? x : b.convert(x, b.f32());
  return op.result(b.convert(
      b.binary(BinaryKind::pow, base, b.convert(y, b.element(base))), type));
}

static LogicalResult importMod(OpBinder &op) {
  bool isFmod = op.intAttr("fmod", 0) != 0;
  return op.result(op.b.binary(isFmod ? BinaryKind::rem : BinaryKind::mod,
                               op.in(0), op.in(1)));
}

static LogicalResult importBitShift(OpBinder &op) {
  std::string direction = op.stringAttr("direction", "");
  if (direction != "LEFT" && direction != "RIGHT")
    return op.badModel("expects 'direction' LEFT or RIGHT, got '" + direction +
                       "'");
  return op.result(op.b.binary(direction == "LEFT" ? BinaryKind::shift_left
                                                   : BinaryKind::shift_right,
                               op.in(0), op.in(1)));
}

static LogicalResult importIsInf(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0);
  bool positive = op.intAttr("detect_positive", 1) != 0;
  bool negative = op.intAttr("detect_negative", 1) != 0;
  Value isInf = b.unary(UnaryKind::is_inf, x);
  if (!isInf || (positive && negative))
    return op.result(isInf);
  if (!positive && !negative)
    return op.result(b.full(b.shape(x), 0, b.i1()));
  Value sign = b.compare(positive ? ComparePredicate::gt : ComparePredicate::lt,
                         x, b.scalar(0, b.element(x)));
  return op.result(b.binary(BinaryKind::bit_and, isInf, sign));
}

static LogicalResult importWhere(OpBinder &op) {
  return op.result(op.b.select(op.in(0), op.in(1), op.in(2)));
}

//===----------------------------------------------------------------------===//
// Conversions
//===----------------------------------------------------------------------===//

/// x as elements of `kind`: packed integers are the low bits of whole ones. Of
/// floats that do not fit ONNX leaves it open; its reference evaluator and ONNX
/// Runtime do so, too.
static Value convertTo(OpBinder &op, Value x, const ElementKind &kind) {
  GraphBuilder &b = op.b;
  if (!x)
    return {};
  if (kind.semantics)
    return roundToSmallFloat(op, x, kind);
  bool isSigned = kind.dtype == DType::i8;
  Type type = qg::getElementType(b.context(), kind.dtype);
  // A byte would saturate.
  bool wraps = kind.bits && b.isFloat(x);
  Value y = b.convert(
      wraps ? b.convert(x, IntegerType::get(b.context(), 32)) : x, type);
  if (!kind.bits || !y)
    return y;
  int64_t range = int64_t(1) << kind.bits, half = range / 2;
  if (b.packedIntegerBits(x) != kind.bits || y != x) {
    y = b.binary(BinaryKind::bit_and, y, b.scalar(range - 1, type));
    // The sign of the highest bit that is left: (c ^ 8) - 8.
    if (isSigned)
      y = b.sub(b.binary(BinaryKind::bit_xor, y, b.scalar(half, type)), half);
  }
  b.markPacked(y, kind);
  return y;
}

static LogicalResult importCast(OpBinder &op) {
  // Of conversions to small floats only.
  op.ignoreAttrs({"saturate", "round_mode"});
  if (!op.hasAttr("to"))
    return op.badModel("expects attribute 'to'");
  std::optional<ElementKind> kind = op.kindAttr("to");
  return kind ? op.result(convertTo(op, op.in(0), *kind)) : failure();
}

static LogicalResult importCastLike(OpBinder &op) {
  op.ignoreAttrs({"saturate", "round_mode"});
  Value x = op.in(0), like = op.in(1);
  if (!x || !like)
    return failure();
  const ElementKind *packed = op.b.packedKindOf(like);
  if (!packed)
    return op.result(op.b.convert(x, op.b.element(like)));
  return op.result(convertTo(op, x, ElementKind(*packed)));
}

static LogicalResult importBitCast(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0);
  if (!op.hasAttr("to"))
    return op.badModel("expects attribute 'to'");
  Type to = op.typeAttr("to", {});
  if (!x || !to)
    return failure();
  if (b.packedKindOf(x))
    return op.unsupported("expects elements of 8 bits or more that are no "
                          "floats of 8");
  // A truth value is a byte in ONNX, 0 or 1.
  Type byte = IntegerType::get(b.context(), 8, IntegerType::Unsigned);
  bool wasTruth = b.element(x) == b.i1(), isTruth = to == b.i1();
  if (wasTruth)
    x = b.convert(x, byte);
  Type bits = isTruth ? byte : to;
  if (b.element(x).getIntOrFloatBitWidth() != bits.getIntOrFloatBitWidth())
    return op.badModel("expects elements of one width, got attribute 'to' = " +
                       Twine(op.intAttr("to", 0)));
  if (!isa<IntegerType>(b.element(x)) || !isa<IntegerType>(bits))
    return op.result(
        b.element(x) == bits ? x : b.emit<qg::BitcastOp>(b.shape(x), bits, x));
  // Integers of one width wrap: their bits stay.
  return op.result(b.convert(b.convert(x, bits), to));
}

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

/// Bounds as attributes.
static LogicalResult importClip6(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0);
  if (op.hasAttr("min"))
    x = b.max(x, op.floatAttr("min", 0));
  if (op.hasAttr("max"))
    x = b.min(x, op.floatAttr("max", 0));
  return op.result(x);
}

/// Bounds as inputs.
static LogicalResult importClip(OpBinder &op) {
  Value x = op.in(0);
  if (op.hasInput(1))
    x = op.b.max(x, op.in(1));
  if (op.hasInput(2))
    x = op.b.min(x, op.in(2));
  return op.result(x);
}

static Value isNegative(OpBinder &op, Value x) {
  if (!x)
    return {};
  return op.b.compare(ComparePredicate::lt, x, op.b.scalar(0, op.b.element(x)));
}

static LogicalResult importLeakyRelu(OpBinder &op) {
  Value x = op.in(0);
  double alpha = op.floatAttr("alpha", 0.01f);
  return op.result(op.b.select(isNegative(op, x), op.b.mul(x, alpha), x));
}

static LogicalResult importPRelu(OpBinder &op) {
  Value x = op.in(0), slope = op.in(1);
  return op.result(op.b.select(isNegative(op, x), op.b.mul(x, slope), x));
}

/// exp(x) - 1 of the negative part; 0 elsewhere, where exp might overflow.
static Value expMinusOne(OpBinder &op, Value x) {
  return op.b.sub(op.b.unary(UnaryKind::exp, op.b.min(x, 0.0)), 1.0);
}

static LogicalResult importElu(OpBinder &op) {
  Value x = op.in(0);
  Value low = op.b.mul(expMinusOne(op, x), op.floatAttr("alpha", 1));
  return op.result(op.b.select(isNegative(op, x), low, x));
}

static LogicalResult importSelu(OpBinder &op) {
  Value x = op.in(0);
  double alpha = op.floatAttr("alpha", 1.67326319217681884765625);
  double gamma = op.floatAttr("gamma", 1.05070102214813232421875);
  Value low = op.b.mul(expMinusOne(op, x), alpha);
  return op.result(op.b.mul(op.b.select(isNegative(op, x), low, x), gamma));
}

static LogicalResult importCelu(OpBinder &op) {
  Value x = op.in(0);
  double alpha = op.floatAttr("alpha", 1);
  Value low = op.b.mul(expMinusOne(op, op.b.div(x, alpha)), alpha);
  return op.result(op.b.add(op.b.max(x, 0.0), op.b.min(low, 0.0)));
}

static LogicalResult importThresholdedRelu(OpBinder &op) {
  Value x = op.in(0);
  if (!x)
    return failure();
  Value alpha = op.b.scalar(op.floatAttr("alpha", 1), op.b.element(x));
  return op.result(op.b.select(op.b.compare(ComparePredicate::gt, x, alpha), x,
                               op.b.scalar(0, op.b.element(x))));
}

/// log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|)), which cannot overflow.
static Value softplus(OpBinder &op, Value x) {
  GraphBuilder &b = op.b;
  Value tail = b.unary(UnaryKind::exp,
                       b.unary(UnaryKind::neg, b.unary(UnaryKind::abs, x)));
  return b.add(b.max(x, 0.0), b.unary(UnaryKind::log, b.add(tail, 1.0)));
}

static LogicalResult importSoftplus(OpBinder &op) {
  return op.result(softplus(op, op.in(0)));
}

static LogicalResult importSoftsign(OpBinder &op) {
  Value x = op.in(0);
  return op.result(op.b.div(x, op.b.add(op.b.unary(UnaryKind::abs, x), 1.0)));
}

static LogicalResult importHardSigmoid(OpBinder &op) {
  double alpha = op.floatAttr("alpha", 0.2f), beta = op.floatAttr("beta", 0.5f);
  Value line = op.b.add(op.b.mul(op.in(0), alpha), beta);
  return op.result(op.b.clamp(line, 0, 1));
}

static LogicalResult importHardSwish(OpBinder &op) {
  Value x = op.in(0);
  Value gate = op.b.clamp(op.b.add(op.b.mul(x, 1.0 / 6), 0.5), 0, 1);
  return op.result(op.b.mul(x, gate));
}

static LogicalResult importMish(OpBinder &op) {
  Value x = op.in(0);
  return op.result(op.b.mul(x, op.b.unary(UnaryKind::tanh, softplus(op, x))));
}

static LogicalResult importSwish(OpBinder &op) {
  return op.result(qg::writeSwish(op.b, op.in(0), op.floatAttr("alpha", 1)));
}

static LogicalResult importSwiGLU(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value gate = op.in(0), value = op.in(1);
  double alpha = op.floatAttr("alpha", 1);
  if (!gate || !value)
    return failure();
  Value y = b.emit<qg::GateOp>(b.shape(gate), b.element(gate), GateKind::swish,
                               gate, value, llvm::APFloat(alpha));
  if (!y)
    op.fault = Fault::BadModel;
  return op.result(y);
}

static LogicalResult importGelu(OpBinder &op) {
  std::string form = op.stringAttr("approximate", "none");
  if (form != "none" && form != "tanh")
    return op.badModel("expects 'approximate' none or tanh, got '" + form +
                       "'");
  return op.result(qg::writeGelu(op.b, op.in(0), /*withTanh=*/form == "tanh"));
}

static LogicalResult importShrink(OpBinder &op) {
  GraphBuilder &b = op.b;
  Value x = op.in(0);
  if (!x)
    return failure();
  double lambda = op.floatAttr("lambd", 0.5), bias = op.floatAttr("bias", 0);
  Type wide = b.isFloat(x) ? b.element(x) : b.f32(), type = b.element(x);
  x = b.convert(x, wide);
  Value low = b.compare(ComparePredicate::lt, x, b.scalar(-lambda, wide));
  Value high = b.compare(ComparePredicate::gt, x, b.scalar(lambda, wide));
  Value y = b.select(low, b.add(x, bias),
                     b.select(high, b.sub(x, bias), b.scalar(0, wide)));
  return op.result(b.convert(y, type));
}

static LogicalResult importReciprocal(OpBinder &op) {
  Value x = op.in(0);
  if (!x)
    return failure();
  return op.result(op.b.div(op.b.scalar(1, op.b.element(x)), x));
}

static LogicalResult importIdentity(OpBinder &op) {
  return op.result(op.any(0));
}

static void registerFunctions(OpRegistry &registry) {
  registry.add("Abs", 6, importUnary<UnaryKind::abs>);
  registry.add("Acos", 7, importUnary<UnaryKind::acos>);
  registry.add("Acosh", 9, importUnary<UnaryKind::acosh>);
  registry.add("Asin", 7, importUnary<UnaryKind::asin>);
  registry.add("Asinh", 9, importUnary<UnaryKind::asinh>);
  registry.add("Atan", 7, importUnary<UnaryKind::atan>);
  registry.add("Atanh", 9, importUnary<UnaryKind::atanh>);
  registry.add("BitwiseNot", 18, importUnary<UnaryKind::bit_not>);
  registry.add("Ceil", 6, importRounding<UnaryKind::ceil>);
  registry.add("Cos", 7, importUnary<UnaryKind::cos>);
  registry.add("Cosh", 9, importUnary<UnaryKind::cosh>);
  registry.add("Erf", 9, importUnary<UnaryKind::erf>);
  registry.add("Exp", 6, importUnary<UnaryKind::exp>);
  registry.add("Floor", 6, importRounding<UnaryKind::floor>);
  registry.add("IsNaN", 9, importUnary<UnaryKind::is_nan>);
  registry.add("Log", 6, importUnary<UnaryKind::log>);
  registry.add("Neg", 6, importUnary<UnaryKind::neg>);
  registry.add("Relu", 6, importUnary<UnaryKind::relu>);
  registry.add("Round", 11, importRounding<UnaryKind::round_even>);
  registry.add("Sigmoid", 6, importUnary<UnaryKind::sigmoid>);
  registry.add("Sign", 9, importUnary<UnaryKind::sign>);
  registry.add("Sin", 7, importUnary<UnaryKind::sin>);
  registry.add("Sinh", 9, importUnary<UnaryKind::sinh>);
  registry.add("Sqrt", 6, importUnary<UnaryKind::sqrt>);
  registry.add("Tan", 7, importUnary<UnaryKind::tan>);
  registry.add("Tanh", 6, importUnary<UnaryKind::tanh>);
}

static void registerArithmetic(OpRegistry &registry) {
  registry.add("Add", 7, importBinary<BinaryKind::add>);
  registry.add("And", 7, importLogical<BinaryKind::bit_and>);
  registry.add("BitShift", 11, importBitShift);
  registry.add("BitwiseAnd", 18, importBinary<BinaryKind::bit_and>);
  registry.add("BitwiseOr", 18, importBinary<BinaryKind::bit_or>);
  registry.add("BitwiseXor", 18, importBinary<BinaryKind::bit_xor>);
  registry.add("Div", 7, importBinary<BinaryKind::div>);
  registry.add("Equal", 7, importCompare<ComparePredicate::eq>);
  registry.add("Greater", 7, importCompare<ComparePredicate::gt>);
  registry.add("GreaterOrEqual", 12, importCompare<ComparePredicate::ge>);
  registry.add("IsInf", 10, importIsInf);
  registry.add("Less", 7, importCompare<ComparePredicate::lt>);
  registry.add("LessOrEqual", 12, importCompare<ComparePredicate::le>);
  registry.add("Max", 6, importVariadic<BinaryKind::max>);
  registry.add("Mean", 6, roundOnce<importMean>);
  registry.add("Min", 6, importVariadic<BinaryKind::min>);
  registry.add("Mod", 10, importMod);
  registry.add("Mul", 7, importBinary<BinaryKind::mul>);
  registry.add("Not", 1, importNot);
  registry.add("Or", 7, importLogical<BinaryKind::bit_or>);
  registry.add("Pow", 7, roundOnce<importPow>);
  registry.add("Sub", 7, importBinary<BinaryKind::sub>);
  registry.add("Sum", 6, roundOnce<importVariadic<BinaryKind::add>>);
  registry.add("Where", 9, importWhere);
  registry.add("Xor", 7, importLogical<BinaryKind::bit_xor>);
}

void frontend::registerElementwiseOps(OpRegistry &registry) {
  registerFunctions(registry);
  registerArithmetic(registry);
  registry.add("BitCast", 26, importBitCast);
  registry.add("Cast", 6, importCast);
  registry.add("CastLike", 15, importCastLike);
  registry.add("Celu", 12, roundOnce<importCelu>);
  registry.add("Clip", 6, importClip6);
  registry.add("Clip", 11, importClip);
  registry.add("Elu", 6, roundOnce<importElu>);
  registry.add("Gelu", 20, roundOnce<importGelu>);
  registry.add("com.microsoft", "Gelu", 1, roundOnce<importGelu>);
  registry.add("HardSigmoid", 6, roundOnce<importHardSigmoid>);
  registry.add("HardSwish", 14, roundOnce<importHardSwish>);
  registry.add("Identity", 1, importIdentity);
  registry.add("LeakyRelu", 6, importLeakyRelu);
  registry.add("Mish", 18, roundOnce<importMish>);
  registry.add("PRelu", 7, importPRelu);
  registry.add("Reciprocal", 6, importReciprocal);
  registry.add("Selu", 6, roundOnce<importSelu>);
  registry.add("Shrink", 9, roundOnce<importShrink>);
  registry.add("Softplus", 1, roundOnce<importSoftplus>);
  registry.add("Softsign", 1, roundOnce<importSoftsign>);
  registry.add("SwiGLU", 28, roundOnce<importSwiGLU>);
  registry.add("Swish", 24, roundOnce<importSwish>);
  registry.add("ThresholdedRelu", 10, importThresholdedRelu);
}
