//===- HoldSigned.cpp - Unsigned bytes as signed ones ---------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Dual multiplications and MVE want both factors signed. An unsigned tensor
// held as x - 128 is one more zero point; only the caller's arrays keep their
// form.
//===----------------------------------------------------------------------===//
#include "qopt/Dialect/FXP/IR/FXP.h"
#include "qopt/Target/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/MapVector.h"

namespace qopt {
#define GEN_PASS_DEF_HOLDSIGNED
#include "qopt/Target/Passes.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

static bool isByte(Value value) {
  auto tensor = dyn_cast<RankedTensorType>(value.getType());
  return tensor && tensor.getElementType().isSignlessInteger(8);
}

static bool movesBytes(Operation *op) {
  return isa<qg::ReshapeOp, qg::TransposeOp, qg::SliceOp, qg::BroadcastOp,
             qg::ConcatOp, qg::PadOp, qg::GatherOp>(op);
}

/// The ops that `rewrite` knows, and those that bytes only pass through.
static bool followsBytes(Operation *op) {
  return movesBytes(op) ||
         isa<fxp::ConvOp, fxp::MatmulOp, fxp::GroupMatmulOp, fxp::RequantizeOp,
             fxp::AddOp, fxp::MulOp, fxp::LutOp, fxp::SoftmaxOp, fxp::MaxPoolOp,
             fxp::SumPoolOp, fxp::SumOp, fxp::QuantizeOp, fxp::DequantizeOp,
             qg::ConstantOp, func::ReturnOp>(op);
}

namespace {
/// Which byte tensors hold unsigned integers: said by the ops that compute
/// with them, and the same on both sides of an op that moves them.
class Signs {
public:
  LogicalResult infer(func::FuncOp main) {
    Operation *end = main.front().getTerminator();
    for (BlockArgument argument : main.getArguments())
      note(argument, getSign(main.getArgAttrDict(argument.getArgNumber())),
           main);
    for (auto [i, value] : llvm::enumerate(end->getOperands()))
      note(value, getSign(main.getResultAttrDict(i)), main);
    for (Operation &op : main.front())
      noteUses(&op);
    // A chain of moves is as long as the function at most.
    for (bool changed = true; changed && !failed_;) {
      changed = false;
      for (Operation &op : main.front())
        if (movesBytes(&op))
          changed |= unify(&op);
    }
    return failure(failed_);
  }
  bool isUnsigned(Value value) const { return signs.lookup(value) == 2; }
  bool touchesUnsigned(Operation *op) const {
    auto is = [&](Value value) { return isUnsigned(value); };
    return llvm::any_of(op->getOperands(), is) ||
           llvm::any_of(op->getResults(), is);
  }

private:
  /// 0: unknown, 1: signed, 2: unsigned.
  static int getSign(DictionaryAttr attributes) {
    auto encoding =
        attributes ? attributes.getAs<TypeAttr>("qg.encoding") : nullptr;
    auto type =
        encoding ? dyn_cast<qg::QuantizedType>(encoding.getValue()) : nullptr;
    return type ? (type.getIntegerFormat().isSigned ? 1 : 2) : 0;
  }
  bool note(Value value, int sign, Operation *op) {
    if (!sign || !isByte(value))
      return false;
    int &known = signs[value];
    if (known && known != sign && !failed_) {
      op->emitError("a tensor is read as signed and as unsigned integers");
      failed_ = true;
    }
    bool isNew = known != sign;
    known = sign;
    return isNew;
  }
  void noteUses(Operation *op) {
    auto say = [&](Value value, bool isUnsigned) {
      note(value, isUnsigned ? 2 : 1, op);
    };
    if (auto conv = dyn_cast<fxp::ConvOp>(op)) {
      say(conv.getX(), conv.getXUnsigned());
    } else if (auto matmul = dyn_cast<fxp::MatmulOp>(op)) {
      say(matmul.getLhs(), matmul.getLhsUnsigned());
      say(matmul.getRhs(), matmul.getRhsUnsigned());
    } else if (auto matmul = dyn_cast<fxp::GroupMatmulOp>(op)) {
      say(matmul.getLhs(), matmul.getLhsUnsigned());
      say(matmul.getRhs(), false);
    } else if (auto requantize = dyn_cast<fxp::RequantizeOp>(op)) {
      say(requantize.getX(), requantize.getXUnsigned());
      say(requantize.getResult(), requantize.getIsUnsigned());
    } else if (auto add = dyn_cast<fxp::AddOp>(op)) {
      say(add.getLhs(), add.getLhsUnsigned());
      say(add.getRhs(), add.getRhsUnsigned());
      say(add.getResult(), add.getIsUnsigned());
    } else if (auto mul = dyn_cast<fxp::MulOp>(op)) {
      say(mul.getLhs(), mul.getLhsUnsigned());
      say(mul.getRhs(), mul.getRhsUnsigned());
    } else if (auto softmax = dyn_cast<fxp::SoftmaxOp>(op)) {
      say(softmax.getX(), softmax.getXUnsigned());
      say(softmax.getResult(), softmax.getIsUnsigned());
    } else if (auto pool = dyn_cast<fxp::MaxPoolOp>(op)) {
      say(pool.getX(), pool.getXUnsigned());
      say(pool.getResult(), pool.getXUnsigned());
    } else if (auto pool = dyn_cast<fxp::SumPoolOp>(op)) {
      say(pool.getX(), pool.getXUnsigned());
    } else if (auto sum = dyn_cast<fxp::SumOp>(op)) {
      say(sum.getX(), sum.getXUnsigned());
    } else if (auto quantize = dyn_cast<fxp::QuantizeOp>(op)) {
      say(quantize.getResult(), quantize.getIsUnsigned());
    } else if (auto dequantize = dyn_cast<fxp::DequantizeOp>(op)) {
      say(dequantize.getX(), dequantize.getXUnsigned());
    }
  }
  bool unify(Operation *op) {
    int sign = 0;
    SmallVector<Value> values(op->getOperands());
    llvm::append_range(values, op->getResults());
    for (Value value : values)
      if (int known = signs.lookup(value))
        sign = known;
    bool changed = false;
    for (Value value : values)
      changed |= note(value, sign, op);
    return changed;
  }

  DenseMap<Value, int> signs;
  bool failed_ = false;
};

/// Bytes with their upper bit toggled; with `reindex` also in the order of
/// toggled indices.
Tensor flip(const Tensor &tensor, bool values, bool reindex) {
  Tensor result(DType::i8, tensor.shape());
  ArrayRef<int8_t> from = tensor.span<int8_t>();
  MutableArrayRef<int8_t> to = result.mutableSpan<int8_t>();
  for (size_t i = 0; i < from.size(); ++i)
    to[i] =
        int8_t(uint8_t(from[reindex ? i ^ 0x80 : i]) ^ (values ? 0x80u : 0u));
  return result;
}

struct HoldSigned : qopt::impl::HoldSignedBase<HoldSigned> {
  using HoldSignedBase::HoldSignedBase;

  Value createFlip(OpBuilder &builder, Location loc, Value value) {
    auto type = RankedTensorType::get({256}, builder.getI8Type());
    Tensor table(DType::i8, {256});
    for (int i = 0; i < 256; ++i)
      table.setInt(i, int8_t(uint8_t(i) ^ 0x80u));
    return fxp::LutOp::create(builder, loc, value.getType(), value,
                              qg::getElementsAttr(table, type, "flip"));
  }

  /// A result that its producer can give the caller in unsigned form.
  static bool staysUnsigned(Value value) {
    Operation *op = value.getDefiningOp();
    return isa_and_nonnull<fxp::RequantizeOp, fxp::AddOp, fxp::SoftmaxOp,
                           fxp::QuantizeOp>(op) &&
           value.hasOneUse() &&
           (*value.getUsers().begin())->hasTrait<OpTrait::IsTerminator>();
  }

  void shift(Operation *op, StringRef name, bool isUnsigned) {
    if (!isUnsigned)
      return;
    auto attr = op->getAttrOfType<IntegerAttr>(name);
    op->setAttr(name, IntegerAttr::get(attr.getType(), attr.getInt() - 128));
  }
  void shift(Operation *op, StringRef name, ArrayRef<int64_t> values,
             ArrayRef<bool> which) {
    SmallVector<int64_t> moved(values);
    for (size_t i = 0; i < moved.size(); ++i)
      moved[i] -= which[i] ? 128 : 0;
    op->setAttr(name, DenseI64ArrayAttr::get(op->getContext(), moved));
  }
  void shiftAll(Operation *op, StringRef name, ArrayRef<int64_t> values) {
    shift(op, name, values, SmallVector<bool>(values.size(), true));
  }
  void rewriteResult(Operation *op, ArrayRef<int64_t> clamp) {
    shift(op, "zp", true);
    shiftAll(op, "clamp", clamp);
    op->removeAttr("is_unsigned");
  }

  void rewrite(Operation *op, const Signs &signs) {
    auto is = [&](Value value) { return signs.isUnsigned(value); };
    if (auto conv = dyn_cast<fxp::ConvOp>(op)) {
      shift(op, "x_zp", conv.getXUnsigned());
      op->removeAttr("x_unsigned");
    } else if (auto matmul = dyn_cast<fxp::MatmulOp>(op)) {
      shift(op, "lhs_zp", matmul.getLhsUnsigned());
      shift(op, "rhs_zp", matmul.getRhsUnsigned());
      op->removeAttr("lhs_unsigned");
      op->removeAttr("rhs_unsigned");
    } else if (auto matmul = dyn_cast<fxp::GroupMatmulOp>(op)) {
      shift(op, "lhs_zp", matmul.getLhsUnsigned());
      op->removeAttr("lhs_unsigned");
    } else if (auto requantize = dyn_cast<fxp::RequantizeOp>(op)) {
      shift(op, "x_zp", requantize.getXUnsigned());
      op->removeAttr("x_unsigned");
      if (is(requantize.getResult()) && !staysUnsigned(requantize.getResult()))
        rewriteResult(op, requantize.getClamp());
    } else if (auto add = dyn_cast<fxp::AddOp>(op)) {
      shift(op, "zps", add.getZps(),
            {add.getLhsUnsigned(), add.getRhsUnsigned()});
      op->removeAttr("lhs_unsigned");
      op->removeAttr("rhs_unsigned");
      if (is(add.getResult()) && !staysUnsigned(add.getResult()))
        rewriteResult(op, add.getClamp());
    } else if (auto mul = dyn_cast<fxp::MulOp>(op)) {
      shift(op, "zps", mul.getZps(),
            {mul.getLhsUnsigned(), mul.getRhsUnsigned()});
      op->removeAttr("lhs_unsigned");
      op->removeAttr("rhs_unsigned");
    } else if (auto softmax = dyn_cast<fxp::SoftmaxOp>(op)) {
      // Differences from the largest stay as they are.
      op->removeAttr("x_unsigned");
      if (is(softmax.getResult()) && !staysUnsigned(softmax.getResult()))
        rewriteResult(op, softmax.getClamp());
    } else if (isa<fxp::MaxPoolOp>(op)) {
      op->removeAttr("x_unsigned");
    } else if (auto pool = dyn_cast<fxp::SumPoolOp>(op)) {
      shift(op, "x_zp", pool.getXUnsigned());
      op->removeAttr("x_unsigned");
    } else if (auto sum = dyn_cast<fxp::SumOp>(op)) {
      shift(op, "x_zp", sum.getXUnsigned());
      op->removeAttr("x_unsigned");
    } else if (auto quantize = dyn_cast<fxp::QuantizeOp>(op)) {
      if (!is(quantize.getResult()) || staysUnsigned(quantize.getResult()))
        return;
      shiftAll(op, "zps", quantize.getZps());
      shiftAll(op, "clamp", quantize.getClamp());
      op->removeAttr("is_unsigned");
    } else if (auto dequantize = dyn_cast<fxp::DequantizeOp>(op)) {
      if (!is(dequantize.getX()))
        return;
      shiftAll(op, "zps", dequantize.getZps());
      op->removeAttr("x_unsigned");
    } else if (auto lut = dyn_cast<fxp::LutOp>(op)) {
      FailureOr<Tensor> table =
          qg::getTensor(lut.getTable(), lut.getTable().getType());
      bool x = is(lut.getX()), y = is(lut.getResult());
      if ((x || y) && succeeded(table))
        lut.setTableAttr(qg::getElementsAttr(
            flip(*table, y, x),
            cast<RankedTensorType>(lut.getTable().getType()), "table"));
    } else if (auto constant = dyn_cast<qg::ConstantOp>(op)) {
      std::optional<Tensor> value = qg::matchConstant(constant.getResult());
      if (value && is(constant.getResult()))
        constant.setValueAttr(qg::getElementsAttr(
            flip(*value, true, false),
            cast<RankedTensorType>(constant.getResult().getType())));
    }
  }

  void runOnOperation() override {
    func::FuncOp main = getOperation();
    if (main.isExternal() || !main.getBody().hasOneBlock())
      return;
    Signs signs;
    if (failed(signs.infer(main)))
      return signalPassFailure();
    // All follow or none: an op that is not known here may read any bytes.
    for (Operation &op : main.front())
      if (!followsBytes(&op) && signs.touchesUnsigned(&op))
        return;
    SmallVector<Operation *> ops;
    for (Operation &op : main.front().without_terminator())
      ops.push_back(&op);
    SmallVector<Value> kept; // results that the caller gets as they are
    Operation *end = main.front().getTerminator();
    for (Value value : end->getOperands())
      if (signs.isUnsigned(value) && staysUnsigned(value))
        kept.push_back(value);
    for (Operation *op : ops)
      rewrite(op, signs);
    OpBuilder builder(&main.front(), main.front().begin());
    for (BlockArgument argument : main.getArguments()) {
      if (!signs.isUnsigned(argument) || argument.use_empty())
        continue;
      Value held = createFlip(builder, argument.getLoc(), argument);
      argument.replaceAllUsesExcept(held, held.getDefiningOp());
    }
    builder.setInsertionPoint(end);
    for (OpOperand &operand : end->getOpOperands()) {
      Value value = operand.get();
      // A value that stands behind a flip of an argument has no sign noted.
      bool isUnsigned = signs.isUnsigned(value);
      if (auto lut = value.getDefiningOp<fxp::LutOp>())
        if (isa<BlockArgument>(lut.getX()))
          isUnsigned |= signs.isUnsigned(lut.getX());
      if (isUnsigned && !llvm::is_contained(kept, value))
        operand.set(createFlip(builder, value.getLoc(), value));
    }
  }
};
} // namespace
