//===- PlanSteps.cpp - plan-memory ----------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The lifetimes of buffers are those of the steps that touch them. What lies
// outside of a loop and is touched inside lives as long as the loop.
//===----------------------------------------------------------------------===//
#include "qopt/Target/Memory/PlanMemory.h"
#include "qopt/Target/Memory/Steps.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Pass/Pass.h"

namespace qopt {
#include "qopt/Target/PlanMemory.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

namespace {
/// Walks over the steps and notes who lives when.
class Lifetimes {
public:
  void visit(Block &block);

  /// Of memref.alloc and, for its number of iterations, of scf.for.
  llvm::MapVector<Operation *, BufferLifetime> buffers;

private:
  void visitLoop(scf::ForOp loop);
  void touch(Value root) {
    if (auto alloc = root.getDefiningOp<memref::AllocOp>())
      touch(alloc, getBytes(alloc.getType()));
    else if (auto argument = dyn_cast<BlockArgument>(root))
      if (auto loop = dyn_cast<scf::ForOp>(argument.getOwner()->getParentOp()))
        touch(loop, sizeof(int64_t));
  }
  void touch(Operation *owner, int64_t bytes) {
    auto [it, isNew] = buffers.insert({owner, {bytes, step, step}});
    it->second.last = step;
  }
  static int64_t getBytes(MemRefType type) {
    return type.getNumElements() *
           std::max<int64_t>(type.getElementTypeBitWidth() / 8, 1);
  }

  int64_t step = 0;
};
} // namespace

void Lifetimes::visit(Block &block) {
  for (Operation &op : block) {
    if (auto loop = dyn_cast<scf::ForOp>(op); loop && hasSteps(&op)) {
      visitLoop(loop);
    } else if (hasSteps(&op)) {
      auto choice = cast<scf::IfOp>(op);
      if (Value condition = getConditionBuffer(choice))
        touch(condition);
      ++step;
      for (Region &region : choice->getRegions())
        if (!region.empty())
          visit(region.front());
    } else if (isStep(&op)) {
      for (Value root : getStepInputs(&op).roots)
        touch(root);
      ++step;
    }
  }
}

void Lifetimes::visitLoop(scf::ForOp loop) {
  int64_t first = step;
  touch(loop, sizeof(int64_t));
  ++step;
  visit(*loop.getBody());
  int64_t last = step++;
  for (auto &[owner, lifetime] : buffers) {
    bool isInside = loop->isProperAncestor(owner);
    if (isInside || lifetime.last < first)
      continue;
    lifetime.first = std::min(lifetime.first, first);
    lifetime.last = last;
  }
}

namespace {
struct PlanMemory : qopt::impl::PlanMemoryBase<PlanMemory> {
  void runOnOperation() override {
    func::FuncOp main = getMain(getOperation());
    if (!main || main.isExternal())
      return;
    Lifetimes lifetimes;
    lifetimes.visit(main.front());
    SmallVector<BufferLifetime> buffers;
    for (auto &[owner, lifetime] : lifetimes.buffers)
      buffers.push_back(lifetime);
    MemoryPlan plan = planMemory(buffers);
    OpBuilder builder(&getContext());
    for (auto [entry, offset] :
         llvm::zip_equal(lifetimes.buffers, plan.offsets))
      entry.first->setAttr("qopt.offset", builder.getI64IntegerAttr(offset));
    main->setAttr("qopt.arena_bytes",
                  builder.getI64IntegerAttr(plan.arenaBytes));
    main->setAttr("qopt.live_bytes", builder.getI64IntegerAttr(plan.liveBytes));
  }
};
} // namespace
