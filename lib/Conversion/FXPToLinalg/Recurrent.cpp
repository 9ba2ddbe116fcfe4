//===- Recurrent.cpp - fxp.recurrent to a loop ----------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The product of all inputs in front, then a qg.loop of the product of the
// state and the gates: what a recurrent layer of floats is as well.
//===----------------------------------------------------------------------===//
#include "qopt/Numerics/Recurrent.h"
#include "qopt/Conversion/LinalgBuilder.h"
#include "qopt/Conversion/ScalarBuilder.h"
#include "qopt/Conversion/ToLinalg.h"
#include "qopt/Dialect/FXP/IR/FXP.h"
#include "qopt/Dialect/QG/IR/QGControl.h"

using namespace mlir;
using namespace qopt;

/// Of 16 bits; i32 in scalar functions.
static Value widen(OpBuilder &b, Location loc, Value x) {
  return arith::ExtSIOp::create(b, loc, b.getI32Type(), x);
}
static Value narrow(OpBuilder &b, Location loc, Value x) {
  return arith::TruncIOp::create(b, loc, b.getI16Type(), x);
}

namespace {
/// What a requantization makes of integers.
struct Rounding {
  ElementsAttr scales;
  unsigned bits = 16;
  int64_t xZeroPoint = 0;
  bool xUnsigned = false;
  numerics::StoredRange range = {0, -32768, 32767};
  bool isUnsigned = false;
};

class LayerLowering {
public:
  LayerLowering(fxp::RecurrentOp op, OpBuilder &b)
      : op(op), b(b), loc(op.getLoc()), batch(getShape(op.getX())[1]),
        units(getShape(op.getR())[1]), rows(getShape(op.getR())[0]) {}

  Value run(Value x, ValueRange states);

private:
  RankedTensorType getType(ArrayRef<int64_t> shape, unsigned bits) {
    return RankedTensorType::get(shape, b.getIntegerType(bits));
  }
  Value reshape(Value x, ArrayRef<int64_t> shape) {
    return qg::ReshapeOp::create(
        b, loc, RankedTensorType::get(shape, getTensorType(x).getElementType()),
        x);
  }
  Value round(Value x, const Rounding &to) {
    int64_t clamp[] = {to.range.low, to.range.high};
    return fxp::RequantizeOp::create(
        b, loc, getType(getShape(x), to.bits), x, to.scales, to.xZeroPoint,
        to.xUnsigned, to.range.zeroPoint, clamp, to.isUnsigned, op.getMode());
  }
  ElementsAttr getScale(unsigned index) {
    return DenseElementsAttr::get(RankedTensorType::get({1}, b.getF32Type()),
                                  ArrayRef<float>(op.getScales()[index]));
  }
  /// A state as what a product reads.
  Value toBytes(Value state, unsigned which) {
    return round(state, {getScale(1 + which),
                         8,
                         0,
                         false,
                         {op.getStateZps()[which], -128, 127}});
  }
  Value start(Value bytes, unsigned scale, int64_t zeroPoint, bool isUnsigned) {
    return round(bytes, {getScale(scale), 16, zeroPoint, isUnsigned});
  }
  Value store(Value state, unsigned scale) {
    return round(state,
                 {getScale(scale),
                  8,
                  0,
                  false,
                  {int64_t(op.getZp()), op.getClamp()[0], op.getClamp()[1]},
                  op.getIsUnsigned()});
  }

  Value multiplyInputs(Value x);
  Value multiplyState(Value bytes, int64_t first, int64_t count);
  ElementsAttr sliceScales(ElementsAttr scales, int64_t first, int64_t count);
  Value gate(Value sums, int64_t index) {
    return qg::SliceOp::create(b, loc, getType({batch, units}, 16), sums,
                               ArrayRef<int64_t>{0, index * units},
                               ArrayRef<int64_t>{1, 1});
  }

  /// A scalar function of 16-bit tensors; `at` looks into the table.
  using At = llvm::function_ref<Value(Value)>;
  using Body =
      llvm::function_ref<Value(IRScalarBuilder &, ArrayRef<Value>, At)>;
  Value map(ValueRange operands, Body body);

  SmallVector<Value> step(Value a, ValueRange states);
  SmallVector<Value> stepLSTM(Value a, Value s, Value c);
  Value stepGRU(Value a, Value s, Value h);
  Value stepRNN(Value a, Value s);
  Value gateState(Value a, Value s, Value h);

  fxp::RecurrentOp op;
  OpBuilder &b;
  Location loc;
  int64_t batch, units, rows;
  Value table;
};
} // namespace

/// [T, B, G * H] in 16 bits, the zero point in the bias.
Value LayerLowering::multiplyInputs(Value x) {
  ArrayRef<int64_t> shape = getShape(op.getX());
  Tensor weights = *qg::matchConstant(op.getW());
  Tensor bias = *qg::matchConstant(op.getBias());
  Tensor folded(DType::i32, bias.shape());
  for (int64_t n = 0; n < rows; ++n) {
    int64_t sum = 0;
    for (int64_t k = 0; k < shape[2]; ++k)
      sum += weights.getInt(n * shape[2] + k);
    folded.setInt(n, bias.getInt(n) - int64_t(op.getXZp()) * sum);
  }
  Value constant =
      qg::createConstant(b, loc, folded, getType({rows}, 32), "bias");
  Value w = qg::createConstant(b, loc, weights, getTensorType(op.getW()), "w");
  Value sums = fxp::MatmulOp::create(
      b, loc, getType({shape[0] * batch, rows}, 32),
      reshape(x, {shape[0] * batch, shape[2]}), w, constant, /*lhs_zp=*/0,
      op.getXUnsigned(), /*rhs_zp=*/0, /*rhs_unsigned=*/false,
      /*transpose_rhs=*/true);
  return reshape(round(sums, {op.getXScales()}), {shape[0], batch, rows});
}

/// Part of a constant along dimension 0.
static Tensor take(const Tensor &whole, int64_t first, int64_t count) {
  SmallVector<int64_t> shape(whole.shape());
  int64_t inner = whole.numElements() / std::max<int64_t>(shape[0], 1);
  shape[0] = count;
  Tensor part(whole.dtype(), shape);
  for (int64_t i = 0; i < count * inner; ++i)
    if (isFloat(whole.dtype()))
      part.setFloat(i, whole.getFloat(first * inner + i));
    else
      part.setInt(i, whole.getInt(first * inner + i));
  return part;
}

ElementsAttr LayerLowering::sliceScales(ElementsAttr scales, int64_t first,
                                        int64_t count) {
  Tensor part = take(*qg::getTensor(scales, scales.getType()), first, count);
  return qg::getElementsAttr(
      part, RankedTensorType::get({count}, b.getF32Type()), "scales");
}

/// Rows `first` and on of the state's weights, in 16 bits.
Value LayerLowering::multiplyState(Value bytes, int64_t first, int64_t count) {
  Tensor weights = take(*qg::matchConstant(op.getR()), first, count);
  Tensor bias = take(*qg::matchConstant(op.getStateBias()), first, count);
  Value w =
      qg::createConstant(b, loc, weights, getType({count, units}, 8), "r");
  Value start = qg::createConstant(b, loc, bias, getType({count}, 32), "bias");
  Value sums = fxp::MatmulOp::create(
      b, loc, getType({batch, count}, 32), bytes, w, start, /*lhs_zp=*/0,
      /*lhs_unsigned=*/false, /*rhs_zp=*/0, /*rhs_unsigned=*/false,
      /*transpose_rhs=*/true);
  return round(sums, {sliceScales(op.getStateScales(), first, count)});
}

Value LayerLowering::map(ValueRange operands, Body body) {
  LinalgBuilder builder{b, loc};
  return builder.pointwise(
      {batch, units}, b.getI16Type(), operands,
      [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
        IRScalarBuilder scalar(b, loc);
        SmallVector<Value> values;
        for (Value argument : args.take_front(operands.size()))
          values.push_back(widen(b, loc, argument));
        auto at = [&](Value index) -> Value {
          Value position =
              arith::IndexCastOp::create(b, loc, b.getIndexType(), index);
          return widen(b, loc,
                       tensor::ExtractOp::create(b, loc, table, position));
        };
        return narrow(b, loc, body(scalar, values, at));
      });
}

SmallVector<Value> LayerLowering::stepLSTM(Value a, Value s, Value c) {
  int64_t cellBits = op.getCellBits(), bits = op.getHiddenBits();
  SmallVector<Value> operands;
  for (int64_t g = 0; g < 3; ++g)
    operands.append({gate(a, g), gate(s, g)});
  operands.push_back(c);
  Value cell = map(operands, [&](IRScalarBuilder &b, ArrayRef<Value> v, At at) {
    Value i =
        numerics::emitSigmoid(b, numerics::emitGateInput(b, v[0], v[1]), at);
    Value f =
        numerics::emitSigmoid(b, numerics::emitGateInput(b, v[2], v[3]), at);
    Value g = numerics::emitTanh(b, numerics::emitGateInput(b, v[4], v[5]), at);
    return numerics::emitCell(b, b.mulI(f, v[6]), b.mulI(i, g), cellBits);
  });
  Value hidden = map({gate(a, 3), gate(s, 3), cell},
                     [&](IRScalarBuilder &b, ArrayRef<Value> v, At at) {
                       Value o = numerics::emitSigmoid(
                           b, numerics::emitGateInput(b, v[0], v[1]), at);
                       Value t = numerics::emitTanh(
                           b, numerics::emitCellInput(b, v[2], cellBits), at);
                       return numerics::emitHidden(b, o, t, bits);
                     });
  return {hidden, cell};
}

/// What the candidate multiplies where the reset gate comes first.
Value LayerLowering::gateState(Value a, Value s, Value h) {
  Value gated = map({gate(a, 1), gate(s, 1), h}, [&](IRScalarBuilder &b,
                                                     ArrayRef<Value> v, At at) {
    Value r =
        numerics::emitSigmoid(b, numerics::emitGateInput(b, v[0], v[1]), at);
    return numerics::emitGated(b, r, v[2]);
  });
  return multiplyState(toBytes(gated, 1), 2 * units, units);
}

Value LayerLowering::stepGRU(Value a, Value s, Value h) {
  bool isFirst = op.getResetFirst();
  int64_t bits = op.getHiddenBits();
  Value candidate = isFirst ? gateState(a, s, h) : gate(s, 2);
  return map({gate(a, 0), gate(s, 0), gate(a, 1), gate(s, 1), gate(a, 2),
              candidate, h},
             [&](IRScalarBuilder &b, ArrayRef<Value> v, At at) {
               Value z = numerics::emitSigmoid(
                   b, numerics::emitGateInput(b, v[0], v[1]), at);
               Value input;
               if (isFirst) {
                 input = numerics::emitGateInput(b, v[4], v[5]);
               } else {
                 Value r = numerics::emitSigmoid(
                     b, numerics::emitGateInput(b, v[2], v[3]), at);
                 input = numerics::emitResetInput(b, v[4], r, v[5]);
               }
               Value n = numerics::emitTanh(b, input, at);
               return numerics::emitBlend(b, z, n, v[6], bits);
             });
}

Value LayerLowering::stepRNN(Value a, Value s) {
  return map({a, s}, [&](IRScalarBuilder &b, ArrayRef<Value> v, At at) {
    Value n = numerics::emitTanh(b, numerics::emitGateInput(b, v[0], v[1]), at);
    return numerics::emitRoundUp(b, n, kGateBits - int64_t(op.getHiddenBits()));
  });
}

SmallVector<Value> LayerLowering::step(Value a, ValueRange states) {
  LinalgBuilder builder{b, loc};
  std::vector<int16_t> entries = getSigmoidTable();
  Tensor host(DType::i16, {kSigmoidEntries});
  for (int64_t i = 0; i < kSigmoidEntries; ++i)
    host.setInt(i, entries[i]);
  table = builder.constant(host, "sigmoid");
  Value h = states[0];
  bool isFirst = op.getResetFirst();
  Value s = multiplyState(toBytes(h, 0), 0, isFirst ? 2 * units : rows);
  if (op.getKind() == "lstm")
    return stepLSTM(a, s, states[1]);
  return {op.getKind() == "gru" ? stepGRU(a, s, h) : stepRNN(a, s)};
}

Value LayerLowering::run(Value x, ValueRange states) {
  Value a = multiplyInputs(x);
  SmallVector<Value> starts{
      start(states[0], 0, op.getHiddenZp(), op.getHiddenUnsigned())};
  if (op.getCell())
    starts.push_back(start(states[1], 4, op.getCellZp(), op.getCellUnsigned()));
  int64_t count = getShape(op.getX())[0];
  SmallVector<Type> types(ValueRange(starts).getTypes());
  if (!op.getLastOnly())
    types.push_back(getType({count, batch, units}, 16));
  SmallVector<bool> reversed{op.getReversed()};
  if (!op.getLastOnly())
    reversed.push_back(op.getReversed());
  auto loop = qg::LoopOp::create(b, loc, types, count, Value(), starts,
                                 ValueRange(a), ValueRange(), reversed);
  {
    OpBuilder::InsertionGuard guard(b);
    Block *block = b.createBlock(&loop.getBody());
    block->addArgument(RankedTensorType::get({}, b.getI64Type()), loc);
    SmallVector<Value> arguments;
    for (Value state : starts)
      arguments.push_back(block->addArgument(state.getType(), loc));
    Value slice = block->addArgument(getType({batch, rows}, 16), loc);
    SmallVector<Value> next = step(slice, arguments);
    if (!op.getLastOnly())
      next.push_back(next[0]);
    qg::YieldOp::create(b, loc, next);
  }
  SmallVector<int64_t> row{1, batch, units};
  SmallVector<Value> parts{op.getLastOnly()
                               ? reshape(store(loop.getResult(0), 3), row)
                               : store(loop.getStacked()[0], 3)};
  if (!op.getWithCell())
    return parts[0];
  parts.push_back(reshape(store(loop.getResult(1), 5), row));
  return qg::ConcatOp::create(b, loc, op.getType(), parts, 0);
}

namespace {
struct LowerRecurrent : OpConversionPattern<fxp::RecurrentOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(fxp::RecurrentOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    for (Value value : {op.getW(), op.getR(), op.getBias(), op.getStateBias()})
      if (!qg::matchConstant(value))
        return rewriter.notifyMatchFailure(op, "weights are not constant");
    for (ElementsAttr scales : {op.getXScales(), op.getStateScales()})
      if (failed(qg::getTensor(scales, scales.getType())))
        return rewriter.notifyMatchFailure(op, "the bytes of its scales are "
                                               "gone");
    SmallVector<Value> states{adaptor.getHidden()};
    if (op.getCell())
      states.push_back(adaptor.getCell());
    rewriter.replaceOp(op,
                       LayerLowering(op, rewriter).run(adaptor.getX(), states));
    return success();
  }
};
} // namespace

namespace qopt {
void populateFXPRecurrentPatterns(const StorageTypeConverter &converter,
                                  RewritePatternSet &patterns) {
  patterns.add<LowerRecurrent>(converter, patterns.getContext());
}
} // namespace qopt
