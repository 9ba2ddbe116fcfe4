//===- FoldUnits.cpp - How far every unit is unfolded ---------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// All units share one target: a unit faster than the slowest only costs more.
// The target itself is given, or the least at which the design fits.
//===----------------------------------------------------------------------===//
#include "Design.h"
#include "Unit.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include "llvm/ADT/MapVector.h"
#include <numeric>

namespace qopt::hls {
#include "qopt/Target/HLS/FoldUnits.h.inc"
} // namespace qopt::hls

using namespace mlir;
using namespace qopt::hls;

namespace {
class Folder {
public:
  explicit Folder(func::FuncOp function)
      : function_(function), units_(createUnits(function.getBody().front())) {
    for (auto &unit : units_)
      byOp_[unit->op()] = unit.get();
  }

  void fold(int64_t cycles) {
    for (auto &unit : units_)
      unit->fold(cycles);
    // A window has the lanes of the unit that reads it.
    for (auto &unit : llvm::reverse(units_)) {
      if (unit->getLanes() != Unit::Lanes::OfReader || unit->op()->use_empty())
        continue;
      OpOperand &use = *unit->op()->getResult(0).getUses().begin();
      if (Unit *reader = byOp_.lookup(use.getOwner()))
        unit->setLanes(reader->inputLanes(use.getOperandNumber()));
    }
    // A fork has the lanes of what it copies.
    for (auto &unit : units_)
      if (unit->getLanes() == Unit::Lanes::OfWriter)
        if (Unit *writer =
                byOp_.lookup(unit->op()->getOperand(0).getDefiningOp()))
          unit->setLanes(writer->outputLanes());
  }

  int64_t getSlowest() const {
    int64_t slowest = 1;
    for (auto &unit : units_)
      slowest = std::max(slowest, unit->cycles());
    return slowest;
  }

  Resources getResources(const Part &part) const {
    Resources total;
    for (auto &unit : units_)
      total += unit->resources(part);
    return total;
  }

  /// The fastest folding that fits, or false.
  bool fit(const Part &part) {
    fold(INT64_MAX / 4);
    int64_t slow = getSlowest();
    if (!fits(getResources(part), part))
      return false;
    fold(1);
    int64_t fast = getSlowest();
    // The least target that fits; cost falls as the target grows, nearly
    // always, and the last that was seen to fit is kept.
    int64_t best = slow;
    while (fast < best) {
      int64_t middle = fast + (best - fast) / 2;
      fold(middle);
      if (fits(getResources(part), part))
        best = middle;
      else
        fast = middle + 1;
    }
    // The others need not be faster than the slowest.
    fold(best);
    fold(std::max(best, getSlowest()));
    return true;
  }

  void apply() {
    for (auto &unit : units_)
      unit->apply();
    Block &block = function_.getBody().front();
    for (BlockArgument argument : block.getArguments()) {
      if (argument.use_empty())
        continue;
      OpOperand &use = *argument.getUses().begin();
      auto type = cast<StreamType>(argument.getType());
      if (Unit *reader = byOp_.lookup(use.getOwner()))
        argument.setType(
            type.withLanes(reader->inputLanes(use.getOperandNumber())));
    }
    OpBuilder builder(function_.getContext());
    for (auto &unit : units_)
      for (OpOperand &operand : unit->op()->getOpOperands())
        convert(builder, operand, unit->inputLanes(operand.getOperandNumber()));
    function_.setFunctionType(
        FunctionType::get(function_.getContext(), block.getArgumentTypes(),
                          block.getTerminator()->getOperandTypes()));
  }

private:
  /// Through the least common multiple, so that no token is cut twice.
  void convert(OpBuilder &builder, OpOperand &operand, int64_t lanes) {
    Value value = operand.get();
    auto type = cast<StreamType>(value.getType());
    builder.setInsertionPoint(operand.getOwner());
    int64_t common = std::lcm(type.getLanes(), lanes);
    for (int64_t next : {common, lanes}) {
      auto current = cast<StreamType>(value.getType());
      if (current.getLanes() == next)
        continue;
      value = WidthOp::create(builder, operand.getOwner()->getLoc(),
                              current.withLanes(next), value);
    }
    operand.set(value);
  }

  func::FuncOp function_;
  Units units_;
  llvm::DenseMap<Operation *, Unit *> byOp_;
};

struct FoldUnits : qopt::hls::impl::FoldUnitsBase<FoldUnits> {
  using FoldUnitsBase::FoldUnitsBase;
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (failed(checkGraph(function)))
      return signalPassFailure();
    const Part *target = findPart(part);
    if (!target) {
      function.emitError() << "unknown part '" << part << "'";
      return signalPassFailure();
    }
    Folder folder(function);
    if (cycles > 0) {
      folder.fold(cycles);
    } else if (!folder.fit(*target)) {
      Resources need = folder.getResources(*target), limit = getLimit(*target);
      function.emitError() << "does not fit " << target->name
                           << " even with one multiplier a unit: needs "
                           << need.lut << " of " << limit.lut << " LUTs, "
                           << need.dsp << " of " << limit.dsp << " DSPs, "
                           << need.bram18 << " of " << limit.bram18
                           << " block memories (estimates)";
      return signalPassFailure();
    }
    folder.apply();
  }
};
} // namespace
