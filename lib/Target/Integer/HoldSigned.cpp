//===- HoldSigned.cpp - Unsigned integers as signed ones ------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Dual multiplications and MVE want both factors signed. An unsigned tensor
// held as x - 128 (of 16 bits x - 32768) is one more zero point; only the
// caller's arrays keep their form.
//===----------------------------------------------------------------------===//
#include "qopt/Dialect/FXP/IR/FXP.h"
#include "qopt/Dialect/QG/IR/QGControl.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include "llvm/ADT/MapVector.h"

namespace qopt {
#include "qopt/Target/HoldSigned.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

static bool isStored(Value value) {
  auto tensor = dyn_cast<RankedTensorType>(value.getType());
  return tensor && (tensor.getElementType().isSignlessInteger(8) ||
                    tensor.getElementType().isSignlessInteger(16));
}

/// What an unsigned integer is more than the signed one that holds it.
static int64_t getHalf(Value value) {
  return int64_t(1) << (getTensorType(value).getElementTypeBitWidth() - 1);
}

static bool movesBytes(Operation *op) {
  return isa<qg::ReshapeOp, qg::TransposeOp, qg::SliceOp, qg::BroadcastOp,
             qg::ConcatOp, qg::PadOp, qg::GatherOp>(op);
}

/// The ops that `rewrite` knows, and those that bytes only pass through.
static bool followsBytes(Operation *op) {
  // Zeros that no constant holds cannot be toggled.
  if (auto pad = dyn_cast<qg::PadOp>(op))
    return pad.getMode() != PadMode::constant || pad.getValue();
  return movesBytes(op) || isa<StoredOperandsInterface, fxp::LutOp,
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
  /// Of a value that goes: its address may be that of another one soon.
  void forget(Value value) { signs.erase(value); }
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
    if (!sign || !isStored(value))
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
    auto stored = dyn_cast<StoredOperandsInterface>(op);
    if (!stored)
      return;
    for (const StoredValue &row : stored.getStoredValues())
      note(row.value, stored.isUnsigned(row) ? 2 : 1, op);
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

/// Constants of bytes, one a reader: equal numbers that folding made one stand
/// for signed integers here and for unsigned ones there.
class SplitConstants {
public:
  explicit SplitConstants(func::FuncOp main) {
    for (auto op : llvm::to_vector(main.front().getOps<qg::ConstantOp>())) {
      SmallVector<OpOperand *> uses(llvm::make_pointer_range(op->getUses()));
      if (!isStored(op.getResult()) || uses.size() < 2)
        continue;
      SmallVector<qg::ConstantOp> &group = groups.emplace_back(1, op);
      OpBuilder builder(op->getContext());
      builder.setInsertionPointAfter(op);
      for (OpOperand *use : ArrayRef(uses).drop_front()) {
        auto clone = cast<qg::ConstantOp>(builder.clone(*op));
        use->set(clone.getResult());
        group.push_back(clone);
      }
    }
  }

  /// Those of one sign become one again.
  void merge(Signs &signs) {
    for (ArrayRef<qg::ConstantOp> group : groups) {
      qg::ConstantOp kept[2];
      for (qg::ConstantOp op : group) {
        qg::ConstantOp &other = kept[signs.isUnsigned(op.getResult())];
        if (!other) {
          other = op;
          continue;
        }
        op.replaceAllUsesWith(other.getResult());
        signs.forget(op.getResult());
        op.erase();
      }
    }
    groups.clear();
  }

private:
  SmallVector<SmallVector<qg::ConstantOp>> groups;
};

/// Integers with their upper bit toggled; with `reindex` also in the order of
/// toggled indices.
Tensor flip(const Tensor &tensor, bool values, bool reindex) {
  bool isByte = getByteWidth(tensor.dtype()) == 1;
  Tensor from = tensor.bitcast(isByte ? DType::u8 : DType::u16);
  Tensor result(from.dtype(), tensor.shape());
  int64_t top = isByte ? 0x80 : 0x8000, reached = tensor.numElements() / 2;
  for (int64_t i = 0; i < from.numElements(); ++i)
    result.setInt(i,
                  from.getInt(reindex ? i ^ reached : i) ^ (values ? top : 0));
  return result.bitcast(isByte ? DType::i8 : DType::i16);
}

struct HoldSigned : qopt::impl::HoldSignedBase<HoldSigned> {
  using HoldSignedBase::HoldSignedBase;

  /// The upper bit toggled, `toSigned` or back.
  Value createFlip(OpBuilder &builder, Location loc, Value value,
                   bool toSigned) {
    // A table of 16 bits would be larger than the network.
    if (int64_t half = getHalf(value); half > 128)
      return fxp::RequantizeOp::create(
          builder, loc, value.getType(), value,
          qg::getElementsAttr(Tensor::from<float>(DType::f32, {1}, {1.0f}),
                              RankedTensorType::get({1}, builder.getF32Type()),
                              "scales"),
          toSigned ? half : -half, /*x_unsigned=*/toSigned, /*zp=*/0,
          ArrayRef<int64_t>{toSigned ? -half : 0,
                            toSigned ? half - 1 : 2 * half - 1},
          /*is_unsigned=*/!toSigned,
          fxp::RequantizeModeAttr::get(builder.getContext(), "fixed", 31));
    auto type = RankedTensorType::get({256}, builder.getI8Type());
    Tensor table(DType::i8, {256});
    for (int i = 0; i < 256; ++i)
      table.setInt(i, int8_t(uint8_t(i) ^ 0x80u));
    return fxp::LutOp::create(builder, loc, value.getType(), value,
                              qg::getElementsAttr(table, type, "flip"));
  }

  /// A result that its producer can give the caller in unsigned form.
  static bool staysUnsigned(Value value) {
    auto op = value.getDefiningOp<StoredOperandsInterface>();
    std::optional<StoredValue> row =
        op ? op.findStored(value) : std::optional<StoredValue>();
    return row && !row->clamp.empty() && value.hasOneUse() &&
           (*value.getUsers().begin())->hasTrait<OpTrait::IsTerminator>();
  }

  /// Takes `half` off an integer, or off one entry of a list, or off all.
  static void shift(Operation *op, StringRef name, int64_t half,
                    std::optional<unsigned> entry = std::nullopt) {
    if (name.empty())
      return;
    Attribute attribute = op->getAttr(name);
    if (auto integer = dyn_cast<IntegerAttr>(attribute)) {
      op->setAttr(name,
                  IntegerAttr::get(integer.getType(), integer.getInt() - half));
      return;
    }
    SmallVector<int64_t> moved(cast<DenseI64ArrayAttr>(attribute).asArrayRef());
    for (auto [i, number] : llvm::enumerate(moved))
      number -= entry && *entry != i ? 0 : half;
    op->setAttr(name, DenseI64ArrayAttr::get(op->getContext(), moved));
  }

  void rewrite(Operation *op, const Signs &signs) {
    auto is = [&](Value value) { return signs.isUnsigned(value); };
    if (auto stored = dyn_cast<StoredOperandsInterface>(op)) {
      for (const StoredValue &row : stored.getStoredValues()) {
        if (!is(row.value) ||
            (row.value.getDefiningOp() == op && staysUnsigned(row.value)))
          continue;
        shift(op, row.zeroPoint, getHalf(row.value), row.entry);
        shift(op, row.clamp, getHalf(row.value));
        op->removeAttr(row.sign);
      }
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
    // Bytes in the body of a loop are not followed.
    for (qg::LoopOp loop : main.getOps<qg::LoopOp>()) {
      auto why = loop->getAttrOfType<StringAttr>("qg.no_cell");
      loop.emitError() << "'" << qg::getUserName(loop)
                       << "' (qg.loop): loops have no form on this target"
                       << (why ? ": " + why.getValue() : "");
      signalPassFailure();
    }
    if (!main.getOps<qg::LoopOp>().empty())
      return;
    SplitConstants constants(main);
    Signs signs;
    if (failed(signs.infer(main)))
      return signalPassFailure();
    constants.merge(signs);
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
    llvm::SmallPtrSet<Operation *, 4> flips;
    for (BlockArgument argument : main.getArguments()) {
      if (!signs.isUnsigned(argument) || argument.use_empty())
        continue;
      Value held = createFlip(builder, argument.getLoc(), argument,
                              /*toSigned=*/true);
      argument.replaceAllUsesExcept(held, held.getDefiningOp());
      flips.insert(held.getDefiningOp());
    }
    builder.setInsertionPoint(end);
    for (OpOperand &operand : end->getOpOperands()) {
      Value value = operand.get();
      // A value that stands behind a flip of an argument has no sign noted.
      bool isUnsigned =
          signs.isUnsigned(value) || flips.contains(value.getDefiningOp());
      if (auto lut = value.getDefiningOp<fxp::LutOp>())
        if (isa<BlockArgument>(lut.getX()))
          isUnsigned |= signs.isUnsigned(lut.getX());
      if (isUnsigned && !llvm::is_contained(kept, value))
        operand.set(createFlip(builder, value.getLoc(), value,
                               /*toSigned=*/false));
    }
  }
};
} // namespace
