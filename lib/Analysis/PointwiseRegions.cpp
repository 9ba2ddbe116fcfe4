//===- PointwiseRegions.cpp - Scalar functions spread over many ops -------===//
// SPDX-License-Identifier: Apache-2.0
//
// A region grows from its root towards the operands, always through the
// latest producer; the largest state that reads a single tensor is kept.
//===----------------------------------------------------------------------===//
#include "qopt/Analysis/PointwiseRegions.h"
#include "qopt/Analysis/SplatConstant.h"
#include "qopt/Dialect/QG/IR/QG.h"

#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace qopt;

/// Whether a value is returned, moved or not, and nothing else.
static bool isReturned(Value value) {
  return llvm::all_of(value.getUsers(), [](Operation *user) {
    return user->hasTrait<OpTrait::IsTerminator>() ||
           (isa<qg::ReshapeOp, qg::TransposeOp>(user) &&
            isReturned(user->getResult(0)));
  });
}

/// A cast to the 16-bit floats that the caller gets: encodings go in front.
static bool isResultCast(Operation *op) {
  auto cast = dyn_cast<qg::CastOp>(op);
  return cast && getTensorType(cast).getElementType().isFloat(16) &&
         isReturned(cast.getResult());
}

/// A pointwise op all of whose tensors have one shape, but for splat
/// constants, and none of which is quantized.
static bool isEligible(Operation *op) {
  auto rule = dyn_cast<FormatRuleOpInterface>(op);
  if (!rule || rule.getFormatRule() != FormatRule::Pointwise ||
      op->getNumResults() != 1 || isResultCast(op))
    return false;
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  if (qg::getQuantizedType(type))
    return false;
  return llvm::all_of(op->getOperands(), [&](Value operand) {
    if (qg::getQuantizedType(operand.getType()))
      return false;
    return isSplatConstant(operand) ||
           cast<RankedTensorType>(operand.getType()).getShape() ==
               type.getShape();
  });
}

namespace {
/// The members of a region while it grows.
class Growth {
public:
  Growth(Operation *root, llvm::function_ref<bool(Operation *)> isFree)
      : isFree(isFree) {
    add(root);
  }

  /// Adds the latest producer that only members read; false if there is none.
  bool step() {
    Operation *next = nullptr;
    for (Value input : inputs) {
      Operation *producer = input.getDefiningOp();
      if (!producer || !isFree(producer) ||
          !llvm::all_of(producer->getUsers(), [&](Operation *user) {
            return members.contains(user);
          }))
        continue;
      if (!next || next->isBeforeInBlock(producer))
        next = producer;
    }
    if (!next)
      return false;
    inputs.remove(next->getResult(0));
    add(next);
    return true;
  }

  llvm::SetVector<Operation *> members; // root first
  llvm::SetVector<Value> inputs;

private:
  void add(Operation *op) {
    members.insert(op);
    for (Value operand : op->getOperands())
      if (!isSplatConstant(operand))
        inputs.insert(operand);
  }
  llvm::function_ref<bool(Operation *)> isFree;
};
} // namespace

PointwiseRegions::PointwiseRegions(func::FuncOp function) {
  if (function.isExternal())
    return;
  llvm::DenseSet<Operation *> taken;
  auto isFree = [&](Operation *op) {
    return !taken.contains(op) && isEligible(op);
  };
  for (Operation &op : llvm::reverse(function.getBody().front())) {
    if (!isFree(&op))
      continue;
    Growth growth(&op, isFree);
    PointwiseRegion region;
    do {
      if (growth.inputs.size() != 1)
        continue;
      region.input = growth.inputs.front();
      region.members.assign(growth.members.begin(), growth.members.end());
    } while (growth.step());
    if (region.members.empty())
      continue;
    llvm::sort(region.members, [](Operation *a, Operation *b) {
      return a->isBeforeInBlock(b);
    });
    taken.insert(region.members.begin(), region.members.end());
    regions_.push_back(std::move(region));
  }
  std::reverse(regions_.begin(), regions_.end());
  for (auto [index, region] : llvm::enumerate(regions_))
    for (Operation *member : region.members)
      regionOf_[member] = index;
}

const PointwiseRegion *PointwiseRegions::lookup(Operation *op) const {
  auto found = regionOf_.find(op);
  return found == regionOf_.end() ? nullptr : &regions_[found->second];
}
