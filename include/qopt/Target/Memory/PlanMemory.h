//===- PlanMemory.h - Offsets for buffers with known lifetimes ------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The arena planner alone, without IR: for the CPU and for embedded C.
//===----------------------------------------------------------------------===//
#ifndef QOPT_TARGET_MEMORY_PLANMEMORY_H
#define QOPT_TARGET_MEMORY_PLANMEMORY_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include <cstdint>

namespace qopt {

/// A buffer that is alive from step `first` to step `last`, inclusive.
struct BufferLifetime {
  int64_t bytes;
  int64_t first, last;
};

struct MemoryPlan {
  llvm::SmallVector<int64_t> offsets; ///< one per buffer
  int64_t arenaBytes = 0;
  /// Largest sum of the bytes of buffers alive at one step.
  int64_t liveBytes = 0;
};

/// Best of a few greedy orders; deterministic.
MemoryPlan planMemory(llvm::ArrayRef<BufferLifetime> buffers,
                      int64_t alignment = 64);

} // namespace qopt

#endif // QOPT_TARGET_MEMORY_PLANMEMORY_H
