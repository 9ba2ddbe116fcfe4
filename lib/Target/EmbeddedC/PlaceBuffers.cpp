//===- PlaceBuffers.cpp - Offsets of tensors and scratch ------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A tensor lives from the step that writes it to the last one that reads it;
// scratch during one step. Outputs lie in the caller's arrays.
//===----------------------------------------------------------------------===//
#include "Steps.h"
#include "qopt/Target/Memory/PlanMemory.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::embedded;

/// Words of tensors stay whole on cores without unaligned loads.
static constexpr int64_t kAlignment = 4;

void embedded::placeBuffers(StepList &list, func::FuncOp main) {
  for (BlockArgument argument : main.getArguments())
    list.places[argument] = {Place::Input, argument.getArgNumber()};
  Operation *end = main.front().getTerminator();
  for (auto [i, value] : llvm::enumerate(end->getOperands()))
    list.places[list.getRoot(value)] = {Place::Output, int64_t(i)};

  llvm::MapVector<Value, BufferLifetime> lifetimes;
  for (auto [at, step] : llvm::enumerate(list.steps)) {
    Value output = list.getRoot(step.output);
    if (!list.places.count(output))
      lifetimes[output] = {getTensorType(output).getNumElements() *
                               getElementBytes(output),
                           int64_t(at), int64_t(at)};
    for (Value input : step.inputs) {
      auto it = lifetimes.find(list.getRoot(input));
      if (it != lifetimes.end())
        it->second.last = at;
    }
  }
  std::vector<BufferLifetime> buffers;
  for (auto &[value, lifetime] : lifetimes)
    buffers.push_back(lifetime);
  list.liveBytes = planMemory(buffers, 1).liveBytes;
  for (auto [at, step] : llvm::enumerate(list.steps))
    if (step.scratch)
      buffers.push_back({step.scratch, int64_t(at), int64_t(at)});
  MemoryPlan plan = planMemory(buffers, kAlignment);
  list.arenaBytes = plan.arenaBytes;
  size_t next = 0;
  for (auto &[value, lifetime] : lifetimes)
    list.places[value] = {Place::Arena, plan.offsets[next++]};
  list.scratch.resize(list.steps.size());
  for (auto [at, step] : llvm::enumerate(list.steps))
    if (step.scratch)
      list.scratch[at] = {Place::Arena, plan.offsets[next++]};
}
