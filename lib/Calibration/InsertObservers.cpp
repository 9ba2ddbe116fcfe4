//===- InsertObservers.cpp - Mark every tensor that may be quantized ------===//
// SPDX-License-Identifier: Apache-2.0
//
// Which tensors are quantized is decided later; here are all candidates, so
// that one run over the data serves every decision.
//===----------------------------------------------------------------------===//
#include "qopt/Analysis/KeptEncoding.h"
#include "qopt/Analysis/PointwiseRegions.h"
#include "qopt/Analysis/SplatConstant.h"
#include "qopt/Dialect/QG/IR/QGControl.h"

#include "mlir/Pass/Pass.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringMap.h"

namespace qopt {
#include "qopt/Calibration/InsertObservers.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

static bool isFloatTensor(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.getElementType().isF32();
}

/// The value behind the clamps that only `value` feeds.
static Value skipClamps(Value value) {
  while (value.hasOneUse()) {
    Operation *user = *value.user_begin();
    if (getClampInput(user) != value)
      break;
    value = user->getResult(0);
  }
  return value;
}

/// Sum, difference, product or quotient of two tensors neither of which is a
/// scalar.
static bool joinsTensors(Operation *op) {
  auto binary = dyn_cast<qg::BinaryOp>(op);
  return binary &&
         (binary.getKind() == BinaryKind::add ||
          binary.getKind() == BinaryKind::sub ||
          binary.getKind() == BinaryKind::mul ||
          binary.getKind() == BinaryKind::div) &&
         !isSplatConstant(binary.getLhs()) && !isSplatConstant(binary.getRhs());
}

static bool isCandidate(Operation *op) {
  auto rule = dyn_cast<FormatRuleOpInterface>(op);
  if (!rule || op->getNumResults() != 1)
    return false;
  switch (rule.getFormatRule()) {
  case FormatRule::Linear:
  case FormatRule::SameFormat:
    return true;
  case FormatRule::Pool:
    // A maximum keeps the encoding of its input.
    return !isa<qg::PoolOp>(op) ||
           cast<qg::PoolOp>(op).getKind() == PoolKind::avg;
  case FormatRule::Reduce:
    return cast<qg::ReduceOp>(op).getKind() == ReduceKind::sum;
  case FormatRule::Float:
    return isa<qg::SoftmaxOp>(op);
  case FormatRule::Pointwise:
    return joinsTensors(op);
  default:
    return false;
  }
}

/// What a product or convolution multiplies, whatever made it. Weights that a
/// file stores in integers have their encoding.
static SmallVector<Value> findFactors(LinearOpInterface op) {
  if (op.roundsInput())
    return {};
  SmallVector<Value> factors{op.getInput()};
  if (op.canComputeWeight())
    factors.push_back(op.getWeight());
  for (Value &factor : factors)
    factor = skipMovesBack(factor);
  llvm::erase_if(factors, [](Value factor) {
    return isa_and_nonnull<qg::ConstantOp, qg::DequantizeOp>(
        factor.getDefiningOp());
  });
  return factors;
}

static bool isInLoop(Value value) {
  return isa<qg::LoopOp>(value.getParentBlock()->getParentOp());
}

/// Whether the values of an op can be seen from outside of the loops around it:
/// of all steps, whose number is known.
static bool mayBeStacked(Operation *op) {
  for (auto loop = op->getParentOfType<qg::LoopOp>(); loop;
       loop = loop->getParentOfType<qg::LoopOp>())
    if (loop.getCondition())
      return false;
  return true;
}

static llvm::SmallSetVector<Value, 16> findTensors(func::FuncOp main) {
  llvm::SmallSetVector<Value, 16> tensors;
  for (BlockArgument argument : main.getArguments())
    tensors.insert(argument);
  PointwiseRegions regions(main);
  for (Operation &op : main.getOps()) {
    const PointwiseRegion *region = regions.lookup(&op);
    if (region && region->root() == &op)
      tensors.insert(region->result());
    else if (!region && isCandidate(&op))
      tensors.insert(skipClamps(op.getResult(0)));
  }
  // Last, so that they shift no number in the names of the others. In bodies of
  // loops nothing else is quantized: what steps add up stays float.
  main.walk([&](LinearOpInterface op) {
    if (isInLoop(op->getResult(0))) {
      if (mayBeStacked(op) && !op.roundsInput())
        tensors.insert(op.getInput());
      return;
    }
    for (Value factor : findFactors(op))
      tensors.insert(factor);
  });
  tensors.remove_if(
      [](Value value) { return !isFloatTensor(value) || value.use_empty(); });
  return tensors;
}

/// Only depthwise convolutions read it: the step of every channel of the tensor
/// may then differ, because their weights differ by channel anyway.
static bool mayDifferByChannel(Value value) {
  return llvm::all_of(value.getUses(), [](OpOperand &use) {
    auto linear = dyn_cast<LinearOpInterface>(use.getOwner());
    return linear && &linear.getInputOperand() == &use && linear.isDepthwise();
  });
}

/// A product of matrices reads it, moved or not: its rows meet one weight each
/// by itself, so that each of them counts.
static bool hasRows(Value value) {
  return llvm::any_of(value.getUses(), [](OpOperand &use) {
    Operation *user = use.getOwner();
    if (isa<qg::ReshapeOp, qg::TransposeOp>(user))
      return hasRows(user->getResult(0));
    auto linear = dyn_cast<LinearOpInterface>(user);
    return linear && &linear.getInputOperand() == &use &&
           !linear.getLinearGeometry().window;
  });
}

/// The node's name, or the argument's.
static std::string getTensorName(Value value) {
  if (Operation *op = value.getDefiningOp())
    return qg::getUserName(op);
  auto argument = cast<BlockArgument>(value);
  Operation *parent = argument.getOwner()->getParentOp();
  auto main = dyn_cast<func::FuncOp>(parent);
  if (!main)
    return qg::getUserName(parent) + "#" +
           std::to_string(argument.getArgNumber());
  if (auto name =
          main.getArgAttrOfType<StringAttr>(argument.getArgNumber(), "qg.name"))
    return name.str();
  return "argument#" + std::to_string(argument.getArgNumber());
}

namespace {
struct InsertObservers : qopt::impl::InsertObserversBase<InsertObservers> {
  void runOnOperation() override {
    auto main = getOperation().lookupSymbol<func::FuncOp>("main");
    if (!main || main.isExternal())
      return;
    llvm::StringMap<unsigned> used;
    // Names first: a name without location counts positions.
    SmallVector<std::pair<Value, std::string>> named;
    for (Value value : findTensors(main)) {
      std::string name = getTensorName(value);
      if (unsigned count = ++used[name]; count > 1)
        name += "#" + std::to_string(count);
      named.push_back({value, name});
    }
    for (auto &[value, name] : named) {
      OpBuilder builder(&getContext());
      builder.setInsertionPointAfterValue(value);
      auto observer = qg::ObserveOp::create(builder, value.getLoc(),
                                            value.getType(), name, value);
      // Only a product reads the rounded state of a loop: rounded at every step,
      // the state itself would drift.
      bool isState = isInLoop(value);
      value.replaceUsesWithIf(observer.getResult(), [&](OpOperand &use) {
        auto product = dyn_cast<LinearOpInterface>(use.getOwner());
        return use.getOwner() != observer &&
               (!isState || (product && &product.getInputOperand() == &use));
      });
      if (mayDifferByChannel(observer.getResult()))
        observer->setAttr("qg.per_channel", builder.getUnitAttr());
      if (hasRows(observer.getResult()))
        observer->setAttr("qg.per_row", builder.getUnitAttr());
    }
  }
};
} // namespace
