//===- Steps.cpp - The steps of @main after bufferization -----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Which op is a step, and which buffers it touches.
//===----------------------------------------------------------------------===//
#include "qopt/Target/Memory/Steps.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace qopt;

func::FuncOp qopt::getMain(ModuleOp module) {
  return module.lookupSymbol<func::FuncOp>("main");
}

static bool isRoot(Operation *op) {
  return isa<memref::AllocOp, memref::GetGlobalOp>(op);
}

bool qopt::isStep(Operation *op) {
  if (isRoot(op) || op->hasTrait<OpTrait::IsTerminator>())
    return false;
  if (isa<memref::LoadOp, memref::DeallocOp>(op))
    return false;
  return !isMemoryEffectFree(op);
}

bool qopt::hasSteps(Operation *op) {
  return isa<scf::ForOp, scf::IfOp>(op) && op->hasAttr(kStepsAttr);
}

Value qopt::getConditionBuffer(scf::IfOp choice) {
  auto load = choice.getCondition().getDefiningOp<memref::LoadOp>();
  if (!load || !load.getIndices().empty())
    return {};
  Operation *root = load.getMemRef().getDefiningOp();
  return !root || isRoot(root) ? load.getMemRef() : Value();
}

/// Outer blocks first: what an op needs is around it or in front of it.
static bool isBefore(Operation *a, Operation *b) {
  if (a->getBlock() == b->getBlock())
    return a->isBeforeInBlock(b);
  return a->getBlock()->getParentOp()->isProperAncestor(
      b->getBlock()->getParentOp());
}

StepInputs qopt::getStepInputs(Operation *step) {
  StepInputs inputs;
  llvm::SetVector<Operation *> slice;
  SmallVector<Operation *> worklist{step};
  while (!worklist.empty()) {
    Operation *op = worklist.pop_back_val();
    llvm::SetVector<Value> values(op->operand_begin(), op->operand_end());
    getUsedValuesDefinedAbove(op->getRegions(), values);
    for (Value value : values) {
      Operation *producer = value.getDefiningOp();
      if (!producer || isRoot(producer))
        inputs.roots.insert(value);
      else if (slice.insert(producer))
        worklist.push_back(producer);
    }
  }
  inputs.slice = slice.takeVector();
  llvm::sort(inputs.slice, isBefore);
  return inputs;
}
