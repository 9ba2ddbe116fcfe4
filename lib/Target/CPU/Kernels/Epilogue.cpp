//===- Epilogue.cpp - The elementwise ops that follow a product -----------===//
// SPDX-License-Identifier: Apache-2.0
//
// One class says which ops can be fused and with which operands, one writes
// them; the arithmetic is that of Numerics.
//===----------------------------------------------------------------------===//
#include "Epilogue.h"

#include "qopt/Conversion/ScalarBuilder.h"
#include "qopt/Dialect/FXP/IR/FXP.h"
#include "qopt/Numerics/Affine.h"
#include "qopt/Numerics/ConstantDivision.h"
#include "qopt/Target/CPU/IR/QCPU.h"
#include "llvm/ADT/SmallPtrSet.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::qcpu;
using numerics::StoredRange;

/// Shifts from which on the upper word of a product decides, and the most.
static constexpr unsigned kLeastWordShift = 33, kMostWordShift = 62;

/// Longest epilogue, in ops, and most tensors that it reads.
static constexpr size_t kMostOps = 64, kMostTensors = 3;

static Type getElement(Value value) {
  return getTensorType(value).getElementType();
}

/// One value per channel from one value or one per channel.
template <typename T>
static Tensor perChannel(DType dtype, ArrayRef<T> values, int64_t channels) {
  Tensor result(dtype, {channels});
  for (auto [channel, value] : llvm::enumerate(result.mutableSpan<T>()))
    value = values[values.size() == 1 ? 0 : channel];
  return result;
}

std::optional<float> qopt::qcpu::matchSplat(Value value) {
  std::optional<Tensor> constant = qg::matchConstant(value);
  if (!constant || constant->dtype() != DType::f32 ||
      constant->numElements() == 0)
    return std::nullopt;
  ArrayRef<float> values = constant->span<float>();
  // By bits: -0 is another value than 0, and a NaN is itself.
  bool isSplat = llvm::all_of(values, [&](const float &other) {
    return std::memcmp(&other, values.data(), sizeof(float)) == 0;
  });
  return isSplat ? std::optional<float>(values[0]) : std::nullopt;
}

static std::optional<float> getOneScale(ElementsAttr scales) {
  FailureOr<Tensor> values = qg::getTensor(scales, scales.getType());
  if (failed(values) || values->numElements() != 1)
    return std::nullopt;
  return values->span<float>()[0];
}

namespace {
/// Grows the epilogue in program order. Values of fused ops may be read by
/// several of them (x * sigmoid(x)); it can end wherever all uses of all values
/// but the last are inside.
class EpilogueCollector {
public:
  EpilogueCollector(Operation *product, EpilogueLimits limits)
      : product(product),
        shape(getTensorType(product->getResult(0)).getShape()), limits(limits) {
    inside.insert(product);
  }

  Epilogue collect() {
    Epilogue best;
    while (Operation *next = findNext()) {
      if (grown.ops.size() >= kMostOps || !add(next))
        break;
      grown.ops.push_back(next);
      inside.insert(next);
      if (isClosed(next))
        best = grown;
    }
    return best;
  }

private:
  bool isInside(Value value) const {
    return inside.contains(value.getDefiningOp());
  }

  /// The first op that reads a fused value and is not fused itself.
  Operation *findNext() const {
    Operation *first = nullptr;
    for (Operation *op : inside)
      if (!isBorrowed(op))
        for (Operation *user : op->getUsers()) {
          if (inside.contains(user))
            continue;
          if (user->getBlock() != product->getBlock())
            return nullptr;
          if (!first || user->isBeforeInBlock(first))
            first = user;
        }
    return first;
  }

  /// A dequantization of a tensor from outside: computed again here, whoever
  /// else reads it.
  bool isBorrowed(Operation *op) const { return borrowed.contains(op); }

  bool isClosed(Operation *last) const {
    return llvm::all_of(inside, [&](Operation *op) {
      return op == last || isBorrowed(op) ||
             llvm::all_of(op->getUsers(), [&](Operation *user) {
               return inside.contains(user);
             });
    });
  }

  bool add(Operation *op) {
    if (op->getNumResults() != 1 ||
        getTensorType(op->getResult(0)).getShape() != shape)
      return false;
    if (auto requantize = dyn_cast<fxp::RequantizeOp>(op))
      return addRequantize(requantize);
    if (auto sum = dyn_cast<fxp::AddOp>(op))
      return addSum(sum);
    if (auto dequantize = dyn_cast<fxp::DequantizeOp>(op))
      return addDequantize(dequantize);
    if (auto quantize = dyn_cast<fxp::QuantizeOp>(op))
      return getElement(quantize.getResult()).isInteger(8) &&
             quantize.getZps().size() == 1 && getOneScale(quantize.getScales());
    if (auto binary = dyn_cast<qg::BinaryOp>(op); binary && binary.getClamp())
      return false;
    if (getElement(op->getOperand(0)).isSignlessInteger(32))
      return addInteger(op);
    // Predicates change the type.
    return isa<qg::UnaryOp, qg::BinaryOp>(op) &&
           getElement(op->getResult(0)).isF32() &&
           llvm::all_of(op->getOperands(),
                        [&](Value operand) { return addFloat(operand); });
  }

  /// Accumulators become floats, or others are added to them: a product by
  /// zero points that are known at run time.
  bool addInteger(Operation *op) {
    if (isa<qg::CastOp>(op))
      return isInside(op->getOperand(0)) &&
             getElement(op->getResult(0)).isF32();
    auto binary = dyn_cast<qg::BinaryOp>(op);
    return binary && llvm::all_of(op->getOperands(), [&](Value operand) {
             return addTensor(operand);
           });
  }

  /// An f32 operand: from inside, a constant, or a tensor.
  bool addFloat(Value value) {
    if (!getElement(value).isF32())
      return false;
    if (isInside(value) || matchSplat(value))
      return true;
    if (std::optional<Tensor> constant = matchPerChannel(value)) {
      grown.values[value] = grown.operands.size();
      grown.operands.push_back(*constant);
      return true;
    }
    auto dequantize = value.getDefiningOp<fxp::DequantizeOp>();
    if (dequantize && getElement(dequantize.getX()).isInteger(8) &&
        getTensorType(dequantize.getX()).getShape() == shape &&
        addDequantize(dequantize)) {
      grown.ops.push_back(dequantize);
      inside.insert(dequantize);
      borrowed.insert(dequantize);
      return true;
    }
    return addTensor(value);
  }

  /// A tensor of the result's shape, or one that is repeated in it.
  bool addTensor(Value value) {
    if (isInside(value) || grown.values.contains(value))
      return true;
    bool isFull = getTensorType(value).getShape() == shape;
    if (isFull ? tensors == kMostTensors : !isRepeated(value))
      return false;
    tensors += isFull;
    grown.values[value] = grown.operands.size();
    grown.operands.push_back(value);
    return true;
  }

  bool isRepeated(Value value) const {
    if (!limits.hasBroadcasts || shape.empty() ||
        getTensorType(value).getRank() > int64_t(shape.size()))
      return false;
    int64_t pixels = 1;
    for (int64_t extent : shape.drop_back())
      pixels *= extent;
    return getOperandShape(value, {1, 1, pixels, shape.back()}).has_value();
  }

  std::optional<Tensor> matchPerChannel(Value value) {
    std::optional<Tensor> constant = qg::matchConstant(value);
    int64_t channels = shape.empty() ? 1 : shape.back();
    if (!constant || constant->numElements() != channels ||
        constant->rank() == 0 || constant->shape().back() != channels)
      return std::nullopt;
    return constant->reshaped({channels});
  }

  template <typename T>
  void addScales(Operation *op, DType dtype, ArrayRef<T> values) {
    int64_t channels = shape.empty() ? 1 : shape.back();
    grown.scales.try_emplace(op, grown.operands.size());
    grown.operands.push_back(perChannel(dtype, values, channels));
  }

  bool addRequantize(fxp::RequantizeOp op) {
    FailureOr<Tensor> scales =
        qg::getTensor(op.getScales(), op.getScales().getType());
    if (failed(scales) || !getElement(op.getResult()).isInteger(8))
      return false;
    ArrayRef<float> values = scales->span<float>();
    RequantizeMode mode = op.getMode().getRequantizeMode();
    if (mode.kind == RequantizeMode::F32) {
      addScales(op, DType::f32, values);
      return true;
    }
    SmallVector<int64_t> multipliers, shifts;
    bool inWords = limits.prefersWords;
    for (float value : values) {
      FixedScale fixed = getFixedScale(value, mode);
      // A scale that rounds everything to zero does so with any shift.
      if (inWords && fixed.multiplier == 0)
        fixed.shift = kLeastWordShift;
      multipliers.push_back(fixed.multiplier);
      shifts.push_back(fixed.shift);
      inWords &= fixed.shift >= kLeastWordShift &&
                 fixed.shift <= kMostWordShift && fixed.multiplier <= INT32_MAX;
    }
    if (inWords) {
      SmallVector<int32_t> words(multipliers.begin(), multipliers.end());
      SmallVector<int32_t> right;
      for (int64_t shift : shifts)
        right.push_back(int32_t(shift - 32));
      addScales<int32_t>(op, DType::i32, words);
      addScales<int32_t>(op, DType::i32, right);
      grown.inWords.insert(op);
      return true;
    }
    addScales<int64_t>(op, DType::i64, multipliers);
    addScales<int64_t>(op, DType::i64, shifts);
    return true;
  }

  bool addSum(fxp::AddOp op) {
    auto isByte = [&](Value value) {
      return getElement(value).isInteger(8) &&
             getTensorType(value).getShape() == shape;
    };
    return isByte(op.getLhs()) && isByte(op.getRhs()) &&
           isByte(op.getResult()) && addTensor(op.getLhs()) &&
           addTensor(op.getRhs());
  }

  /// Of accumulators or bytes; scales are one or one per channel.
  bool addDequantize(fxp::DequantizeOp op) {
    ArrayRef<int64_t> zps = op.getZps();
    Type element = getElement(op.getX());
    FailureOr<Tensor> scales =
        qg::getTensor(op.getScales(), op.getScales().getType());
    if (failed(scales) || !getElement(op.getResult()).isF32() ||
        (!element.isInteger(8) && !element.isInteger(32)) ||
        !llvm::all_equal(zps) || !addTensor(op.getX()))
      return false;
    if (scales->numElements() == 1)
      return true;
    if (int64_t(op.getAxis()) + 1 != int64_t(shape.size()))
      return false;
    addScales(op, DType::f32, scales->span<float>());
    return true;
  }

  Operation *product;
  ArrayRef<int64_t> shape;
  Epilogue grown;
  llvm::SmallPtrSet<Operation *, 16> inside, borrowed;
  size_t tensors = 0;
  EpilogueLimits limits;
};
} // namespace

Epilogue qopt::qcpu::collectEpilogue(Operation *product,
                                     EpilogueLimits limits) {
  return EpilogueCollector(product, limits).collect();
}

std::optional<SmallVector<int64_t>>
qopt::qcpu::getOperandShape(Value operand, ArrayRef<int64_t> shape) {
  RankedTensorType type = getTensorType(operand);
  int64_t count = type.getNumElements(), channels = shape.back();
  int64_t pixels = shape[0] * shape[1] * shape[2];
  if (count == pixels * channels)
    return SmallVector<int64_t>(shape);
  if (count == 1)
    return SmallVector<int64_t>(4, 1);
  if (count == channels && type.getShape().back() == channels)
    return SmallVector<int64_t>{1, 1, 1, channels};
  if (count == pixels && type.getShape().back() == 1)
    return SmallVector<int64_t>{shape[0], shape[1], shape[2], 1};
  return std::nullopt;
}

namespace {
/// Integers between fused ops stay i32.
class EpilogueWriter {
public:
  EpilogueWriter(OpBuilder &builder, const Epilogue &epilogue, Block &body,
                 Operation *product, EpilogueStyle style)
      : builder(builder), loc(product->getLoc()), b(builder, loc),
        epilogue(epilogue), style(style),
        operands(body.getArguments().drop_front()) {
    written[product->getResult(0)] = body.getArgument(0);
  }

  void write(Operation *op) {
    Value &value = written[op->getResult(0)];
    if (auto requantize = dyn_cast<fxp::RequantizeOp>(op))
      value = writeRequantize(requantize);
    else if (auto add = dyn_cast<fxp::AddOp>(op))
      value = writeAdd(add);
    else if (auto dequantize = dyn_cast<fxp::DequantizeOp>(op))
      value = writeDequantize(dequantize);
    else if (auto quantize = dyn_cast<fxp::QuantizeOp>(op))
      value = writeQuantize(quantize);
    else if (auto binary = dyn_cast<qg::BinaryOp>(op))
      value = writeBinary(binary);
    else if (auto conversion = dyn_cast<qg::CastOp>(op))
      value = emitCast(builder, loc, getNumber(conversion.getX()),
                       getElement(conversion.getResult()));
    else
      value = writeUnary(cast<qg::UnaryOp>(op));
  }

  void finish(Value result) {
    Value value = written.lookup(result);
    if (getElement(result).isInteger(8))
      value = arith::TruncIOp::create(builder, loc, builder.getI8Type(), value);
    YieldOp::create(builder, loc, value);
  }

private:
  Value getScale(Operation *op, unsigned number = 0) {
    return operands[epilogue.scales.lookup(op) + number];
  }

  Value writeRequantize(fxp::RequantizeOp op) {
    Value x = getInteger(op.getX(), op.getXUnsigned());
    StoredRange range{int64_t(op.getZp()), op.getClamp()[0], op.getClamp()[1]};
    if (op.getMode().getRequantizeMode().kind == RequantizeMode::F32)
      return numerics::emitRequantize(b, x, op.getXZp(), getScale(op), range);
    if (epilogue.inWords.contains(op))
      return writeInWords(op, shift(x, op.getXZp()));
    return numerics::emitRequantizeFixed(
        b, x, op.getXZp(), numerics::FixedFactor{getScale(op), getScale(op, 1)},
        range);
  }

  /// emitRequantizeFixed for shifts of 33 to 62: the upper word of the product
  /// decides, and of the lower one only whether it is zero.
  Value writeInWords(fxp::RequantizeOp op, Value x) {
    Value multiplier = getScale(op), right = getScale(op, 1);
    Type i32 = builder.getI32Type();
    auto word = [&](int64_t number) { return b.intLike(x, number); };
    auto product = arith::MulSIExtendedOp::create(builder, loc, x, multiplier);
    Value high = product.getHigh();
    // Vector units give the words by two instructions, the others by one.
    Value low = style.hasVectors
                    ? arith::MulIOp::create(builder, loc, x, multiplier)
                    : product.getLow();
    Value rest = arith::ExtUIOp::create(
        builder, loc, i32,
        arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne, low,
                              word(0)));
    Value rounded = numerics::emitRoundUpperWord(b, high, rest, right);
    Value moved = b.addI(rounded, word(op.getZp()));
    moved = arith::MaxSIOp::create(builder, loc, moved, word(op.getClamp()[0]));
    return arith::MinSIOp::create(builder, loc, moved, word(op.getClamp()[1]));
  }

  Value writeAdd(fxp::AddOp op) {
    Value lhs =
        shift(getInteger(op.getLhs(), op.getLhsUnsigned()), op.getZps()[0]);
    Value rhs =
        shift(getInteger(op.getRhs(), op.getRhsUnsigned()), op.getZps()[1]);
    float left = op.getScales()[0], right = op.getScales()[1];
    StoredRange range{int64_t(op.getZp()), op.getClamp()[0], op.getClamp()[1]};
    RequantizeMode mode = op.getMode().getRequantizeMode();
    if (mode.kind == RequantizeMode::F32)
      return numerics::emitAddScaled(b, numerics::Scaled{lhs, real(left)},
                                     numerics::Scaled{rhs, real(right)}, range);
    auto [a, c] = getCommonFixedScales(left, right, mode);
    return numerics::emitAddFixed(b, numerics::Scaled{lhs, wide(a.multiplier)},
                                  numerics::Scaled{rhs, wide(c.multiplier)},
                                  wide(a.shift), range);
  }

  Value writeDequantize(fxp::DequantizeOp op) {
    Value x = getInteger(op.getX(), op.getXUnsigned());
    std::optional<float> one = getOneScale(op.getScales());
    return numerics::emitDequantize(b, x, op.getZps()[0],
                                    one ? real(*one) : getScale(op));
  }

  Value writeQuantize(fxp::QuantizeOp op) {
    StoredRange range{op.getZps()[0], op.getClamp()[0], op.getClamp()[1]};
    float scale = *getOneScale(op.getScales());
    Value x = getNumber(op.getX());
    // A division takes as long as ten other instructions.
    if (style.hasFMA)
      if (auto factors = numerics::findQuantizeFactors(scale, range))
        return numerics::emitQuantizeByFactors(b, x, *factors, range);
    return numerics::emitQuantize(b, x, real(scale), range);
  }

  Value writeBinary(qg::BinaryOp op) {
    Value lhs = getNumber(op.getLhs());
    if (std::optional<numerics::DivisionFactors> factors = matchDivision(op))
      return numerics::emitDivideByFactors(b, lhs, *factors);
    Value rhs = getNumber(op.getRhs());
    return emitBinary(builder, loc, op.getKind(), {lhs, rhs});
  }

  /// A division by a constant whose dividend is made of an integer: neither -0
  /// nor infinite nor small.
  std::optional<numerics::DivisionFactors>
  matchDivision(qg::BinaryOp op) const {
    auto dividend = op.getLhs().getDefiningOp<fxp::DequantizeOp>();
    std::optional<float> divisor = matchSplat(op.getRhs());
    if (!style.hasFMA || op.getKind() != BinaryKind::div || !divisor ||
        !dividend || !written.contains(op.getLhs()))
      return std::nullopt;
    FailureOr<Tensor> scales =
        qg::getTensor(dividend.getScales(), dividend.getScales().getType());
    if (failed(scales) || !llvm::all_of(scales->span<float>(), [](float scale) {
          return scale >= numerics::kLeastDividend &&
                 scale <= numerics::kMostDividend * 0x1p-33f;
        }))
      return std::nullopt;
    return numerics::findDivisionFactors(*divisor);
  }

  Value writeUnary(qg::UnaryOp op) {
    return emitUnary(builder, loc, op.getKind(), getNumber(op.getX()));
  }

  Value getNumber(Value value) {
    if (Value inside = written.lookup(value))
      return inside;
    auto it = epilogue.values.find(value);
    return it == epilogue.values.end() ? real(*matchSplat(value))
                                       : operands[it->second];
  }

  /// Accumulators as they are, bytes extended to i32.
  Value getInteger(Value value, bool isUnsigned) {
    Value inside = written.lookup(value);
    if (!inside)
      return extend(operands[epilogue.values.lookup(value)], isUnsigned);
    if (getElement(value).isInteger(32) ||
        storesUnsigned(value.getDefiningOp()) == isUnsigned)
      return inside;
    // Read with the other signedness than it was stored with.
    inside = arith::TruncIOp::create(builder, loc, builder.getI8Type(), inside);
    return extend(inside, isUnsigned);
  }

  static bool storesUnsigned(Operation *op) {
    if (auto requantize = dyn_cast<fxp::RequantizeOp>(op))
      return requantize.getIsUnsigned();
    if (auto quantize = dyn_cast<fxp::QuantizeOp>(op))
      return quantize.getIsUnsigned();
    return cast<fxp::AddOp>(op).getIsUnsigned();
  }

  Value extend(Value byte, bool isUnsigned) {
    if (byte.getType().isInteger(32))
      return byte;
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
  const Epilogue &epilogue;
  EpilogueStyle style;
  ValueRange operands;
  llvm::DenseMap<Value, Value> written; ///< elements of fused values
};
} // namespace

void qopt::qcpu::buildEpilogue(const Epilogue &epilogue, Block &body,
                               Operation *product, EpilogueStyle style) {
  OpBuilder builder = OpBuilder::atBlockEnd(&body);
  EpilogueWriter writer(builder, epilogue, body, product, style);
  for (Operation *op : epilogue.ops)
    writer.write(op);
  writer.finish(epilogue.ops.empty() ? product->getResult(0)
                                     : epilogue.ops.back()->getResult(0));
}
