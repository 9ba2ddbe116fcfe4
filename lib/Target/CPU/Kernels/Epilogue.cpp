//===- Epilogue.cpp - The elementwise ops that follow a product -----------===//
// SPDX-License-Identifier: Apache-2.0
//
// One function says whether an op can be fused and with which operands, one
// writes it; the arithmetic is that of Numerics.
//===----------------------------------------------------------------------===//
#include "Epilogue.h"

#include "qopt/Conversion/ScalarBuilder.h"
#include "qopt/Dialect/FXP/IR/FXP.h"
#include "qopt/Numerics/Affine.h"
#include "qopt/Target/CPU/IR/QCPU.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::qcpu;
using numerics::StoredRange;

static RequantizeMode getMode(fxp::RequantizeModeAttr attr) {
  // The attribute's verifier accepts nothing else.
  return *parseRequantizeMode(attr.getKind(), attr.getBits());
}

static RankedTensorType getResultType(Operation *op) {
  return cast<RankedTensorType>(op->getResult(0).getType());
}

/// One value per channel from one value or one per channel.
template <typename T>
static Tensor perChannel(DType dtype, ArrayRef<T> values, int64_t channels) {
  Tensor result(dtype, {channels});
  for (auto [channel, value] : llvm::enumerate(result.mutableSpan<T>()))
    value = values[values.size() == 1 ? 0 : channel];
  return result;
}

static bool addRequantize(fxp::RequantizeOp op, Epilogue &epilogue) {
  FailureOr<Tensor> scales =
      qg::getTensor(op.getScales(), op.getScales().getType());
  if (failed(scales) || !op.getResultType().getElementType().isInteger(8))
    return false;
  int64_t channels = op.getResultType().getShape().back();
  ArrayRef<float> values = scales->span<float>();
  RequantizeMode mode = getMode(op.getMode());
  if (mode.kind == RequantizeMode::F32) {
    epilogue.operands.push_back(perChannel(DType::f32, values, channels));
    return true;
  }
  SmallVector<int64_t> multipliers, shifts;
  for (float value : values) {
    FixedScale fixed = getFixedScale(value, mode);
    multipliers.push_back(fixed.multiplier);
    shifts.push_back(fixed.shift);
  }
  epilogue.operands.push_back(
      perChannel<int64_t>(DType::i64, multipliers, channels));
  epilogue.operands.push_back(
      perChannel<int64_t>(DType::i64, shifts, channels));
  return true;
}

static Value getOther(Operation *op, Value fused) {
  return op->getOperand(0) == fused ? op->getOperand(1) : op->getOperand(0);
}

static bool addAdd(fxp::AddOp op, Value fused, Epilogue &epilogue) {
  Value other = getOther(op, fused);
  if (other == fused || other.getType() != op.getResultType() ||
      !op.getResultType().getElementType().isInteger(8))
    return false;
  epilogue.operands.push_back(other);
  return true;
}

/// A float constant that is one value or one per channel.
static std::optional<Tensor> matchPerChannel(Value value, int64_t channels) {
  std::optional<Tensor> constant = qg::matchConstant(value);
  if (!constant || constant->dtype() != DType::f32)
    return std::nullopt;
  bool isChannels = constant->numElements() == channels &&
                    constant->rank() > 0 &&
                    constant->shape().back() == channels;
  if (constant->numElements() != 1 && !isChannels)
    return std::nullopt;
  return perChannel(DType::f32, constant->span<float>(), channels);
}

static bool addBinary(qg::BinaryOp op, Value fused, Epilogue &epilogue) {
  Value other = getOther(op, fused);
  RankedTensorType type = getResultType(op);
  if (op.getClamp() || type != fused.getType() ||
      !type.getElementType().isF32())
    return false;
  if (other == fused)
    return false;
  if (std::optional<Tensor> constant =
          matchPerChannel(other, type.getShape().back())) {
    epilogue.operands.push_back(*constant);
    return true;
  }
  if (other.getType() != type)
    return false;
  epilogue.operands.push_back(other);
  return true;
}

static bool addOp(Operation *op, Value fused, bool isAccumulator,
                  Epilogue &epilogue) {
  if (auto requantize = dyn_cast<fxp::RequantizeOp>(op))
    return addRequantize(requantize, epilogue);
  if (auto add = dyn_cast<fxp::AddOp>(op))
    return !isAccumulator && addAdd(add, fused, epilogue);
  if (auto binary = dyn_cast<qg::BinaryOp>(op))
    return addBinary(binary, fused, epilogue);
  // Predicates change the type.
  return isa<qg::UnaryOp>(op) && getResultType(op) == fused.getType() &&
         getResultType(op).getElementType().isF32();
}

Epilogue qopt::qcpu::collectEpilogue(Operation *product) {
  Epilogue epilogue;
  Operation *last = product;
  while (last->getResult(0).hasOneUse()) {
    Operation *user = *last->getResult(0).user_begin();
    if (user->getBlock() != product->getBlock() ||
        !addOp(user, last->getResult(0), last == product, epilogue))
      break;
    epilogue.chain.push_back(user);
    last = user;
  }
  return epilogue;
}

namespace {
/// Integers between fused ops stay i32.
class EpilogueWriter {
public:
  EpilogueWriter(OpBuilder &builder, Block &body, Operation *product)
      : builder(builder), loc(product->getLoc()), b(builder, loc),
        value(body.getArgument(0)), fused(product->getResult(0)),
        operands(body.getArguments().drop_front()) {}

  void write(Operation *op) {
    if (auto requantize = dyn_cast<fxp::RequantizeOp>(op))
      writeRequantize(requantize);
    else if (auto add = dyn_cast<fxp::AddOp>(op))
      writeAdd(add);
    else if (auto binary = dyn_cast<qg::BinaryOp>(op))
      writeBinary(binary);
    else
      value = emitUnary(builder, loc, cast<qg::UnaryOp>(op).getKind(), value);
    previous = op;
    fused = op->getResult(0);
  }

  void finish() {
    if (previous && value.getType().isInteger(32))
      value = arith::TruncIOp::create(builder, loc, builder.getI8Type(), value);
    YieldOp::create(builder, loc, value);
  }

private:
  Value next() {
    Value operand = operands.front();
    operands = operands.drop_front();
    return operand;
  }

  void writeRequantize(fxp::RequantizeOp op) {
    reread(op.getXUnsigned());
    StoredRange range{int64_t(op.getZp()), op.getClamp()[0], op.getClamp()[1]};
    Value scale = next();
    if (getMode(op.getMode()).kind == RequantizeMode::F32) {
      value = numerics::emitRequantize(b, value, op.getXZp(), scale, range);
      return;
    }
    Value shift = next();
    value = numerics::emitRequantizeFixed(b, value, op.getXZp(), scale, shift,
                                          range);
  }

  void writeAdd(fxp::AddOp op) {
    bool isLhs = op.getLhs() == fused;
    reread(isLhs ? op.getLhsUnsigned() : op.getRhsUnsigned());
    Value other =
        extend(next(), isLhs ? op.getRhsUnsigned() : op.getLhsUnsigned());
    Value lhs = shift(isLhs ? value : other, op.getZps()[0]);
    Value rhs = shift(isLhs ? other : value, op.getZps()[1]);
    float left = op.getScales()[0], right = op.getScales()[1];
    StoredRange range{int64_t(op.getZp()), op.getClamp()[0], op.getClamp()[1]};
    RequantizeMode mode = getMode(op.getMode());
    if (mode.kind == RequantizeMode::F32) {
      value =
          numerics::emitAddScaled(b, lhs, real(left), rhs, real(right), range);
      return;
    }
    auto [a, c] = getCommonFixedScales(left, right, mode);
    value = numerics::emitAddFixed(b, lhs, wide(a.multiplier), rhs,
                                   wide(c.multiplier), wide(a.shift), range);
  }

  void writeBinary(qg::BinaryOp op) {
    bool isLhs = op.getLhs() == fused;
    Value other = next();
    value = emitBinary(builder, loc, op.getKind(), isLhs ? value : other,
                       isLhs ? other : value);
  }

  /// A byte read with the other signedness than it was stored with.
  void reread(bool asUnsigned) {
    if (!previous || storesUnsigned(previous) == asUnsigned)
      return;
    value = arith::TruncIOp::create(builder, loc, builder.getI8Type(), value);
    value = extend(value, asUnsigned);
  }

  static bool storesUnsigned(Operation *op) {
    if (auto requantize = dyn_cast<fxp::RequantizeOp>(op))
      return requantize.getIsUnsigned();
    return cast<fxp::AddOp>(op).getIsUnsigned();
  }

  Value extend(Value byte, bool isUnsigned) {
    if (isUnsigned)
      return arith::ExtUIOp::create(builder, loc, builder.getI32Type(), byte);
    return arith::ExtSIOp::create(builder, loc, builder.getI32Type(), byte);
  }
  Value shift(Value x, int64_t zeroPoint) {
    return zeroPoint ? b.subI(x, b.intLike(x, zeroPoint)) : x;
  }
  Value real(float number) {
    return arith::ConstantOp::create(builder, loc,
                                     builder.getF32FloatAttr(number));
  }
  Value wide(int64_t number) {
    return arith::ConstantOp::create(builder, loc,
                                     builder.getI64IntegerAttr(number));
  }

  OpBuilder &builder;
  Location loc;
  IRScalarBuilder b;
  Value value; ///< so far, in the region
  Value fused; ///< the tensor it is an element of
  ValueRange operands;
  Operation *previous = nullptr;
};
} // namespace

void qopt::qcpu::buildEpilogue(const Epilogue &epilogue, Block &body,
                               Operation *product) {
  OpBuilder builder = OpBuilder::atBlockEnd(&body);
  EpilogueWriter writer(builder, body, product);
  for (Operation *op : epilogue.chain)
    writer.write(op);
  writer.finish();
}
