//===- Steps.cpp - The straight line of @main after bufferization ---------===//
// SPDX-License-Identifier: Apache-2.0
//
// Which op is a step, and which buffers it touches.
//===----------------------------------------------------------------------===//
#include "Steps.h"
#include "qopt/Target/Memory/PlanMemory.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Transforms/RegionUtils.h"

namespace qopt {
#include "qopt/Target/PlanMemory.h.inc"
} // namespace qopt

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

StepInputs qopt::getStepInputs(Operation *step) {
  StepInputs inputs;
  Block *block = step->getBlock();
  llvm::SetVector<Operation *> slice;
  SmallVector<Operation *> worklist{step};
  while (!worklist.empty()) {
    Operation *op = worklist.pop_back_val();
    llvm::SetVector<Value> values(op->operand_begin(), op->operand_end());
    getUsedValuesDefinedAbove(op->getRegions(), values);
    for (Value value : values) {
      Operation *producer = value.getDefiningOp();
      if (!producer || isRoot(producer)) {
        inputs.roots.insert(value);
      } else if (producer->getBlock() == block && slice.insert(producer)) {
        worklist.push_back(producer);
      }
    }
  }
  inputs.slice = slice.takeVector();
  llvm::sort(inputs.slice,
             [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
  return inputs;
}

namespace {
struct PlanMemory : qopt::impl::PlanMemoryBase<PlanMemory> {
  void runOnOperation() override {
    func::FuncOp main = getMain(getOperation());
    if (!main || main.isExternal())
      return;
    llvm::MapVector<Value, BufferLifetime> lifetimes;
    int64_t step = 0;
    for (Operation &op : main.front()) {
      if (!isStep(&op))
        continue;
      for (Value root : getStepInputs(&op).roots) {
        if (!root.getDefiningOp<memref::AllocOp>())
          continue;
        auto [it, isNew] = lifetimes.insert({root, {0, step, step}});
        it->second.last = step;
      }
      ++step;
    }
    SmallVector<BufferLifetime> buffers;
    for (auto &[value, lifetime] : lifetimes) {
      auto type = cast<MemRefType>(value.getType());
      lifetime.bytes = type.getNumElements() *
                       std::max<int64_t>(type.getElementTypeBitWidth() / 8, 1);
      buffers.push_back(lifetime);
    }
    MemoryPlan plan = planMemory(buffers);
    OpBuilder builder(&getContext());
    for (auto [entry, offset] : llvm::zip_equal(lifetimes, plan.offsets))
      entry.first.getDefiningOp()->setAttr("qopt.offset",
                                           builder.getI64IntegerAttr(offset));
    main->setAttr("qopt.arena_bytes",
                  builder.getI64IntegerAttr(plan.arenaBytes));
    main->setAttr("qopt.live_bytes", builder.getI64IntegerAttr(plan.liveBytes));
  }
};
} // namespace
