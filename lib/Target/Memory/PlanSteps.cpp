//===- PlanSteps.cpp - plan-memory ----------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The lifetimes of buffers are those of the steps that touch them.
//===----------------------------------------------------------------------===//
#include "qopt/Target/Memory/PlanMemory.h"
#include "qopt/Target/Memory/Steps.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Pass/Pass.h"

namespace qopt {
#include "qopt/Target/PlanMemory.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

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
