//===- PlanMemory.cpp - Offsets for buffers with known lifetimes ----------===//
// SPDX-License-Identifier: Apache-2.0
//
// Dynamic storage allocation is NP-hard; greedy placement of the largest
// buffer first, each into the tightest gap among its contemporaries, is within
// a few per cent on network graphs. Three orders are tried.
//===----------------------------------------------------------------------===//
#include "qopt/Target/Memory/PlanMemory.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <limits>
#include <vector>

using namespace qopt;
using llvm::ArrayRef;
using llvm::SmallVector;
using llvm::SmallVectorImpl;

static bool overlap(const BufferLifetime &a, const BufferLifetime &b) {
  return a.first <= b.last && b.first <= a.last;
}

static int64_t getLiveBytes(ArrayRef<BufferLifetime> buffers) {
  // Changes of the sum: (step, bytes); an end takes effect after its step.
  SmallVector<std::pair<int64_t, int64_t>> changes;
  for (const BufferLifetime &buffer : buffers) {
    changes.push_back({buffer.first, buffer.bytes});
    changes.push_back({buffer.last + 1, -buffer.bytes});
  }
  llvm::sort(changes);
  int64_t live = 0, most = 0;
  for (auto [step, bytes] : changes) {
    live += bytes;
    most = std::max(most, live);
  }
  return most;
}

namespace {
/// Minus the bytes that are alive at a step, and the step.
using Fullness = std::pair<int64_t, int64_t>;

/// The least element of any range: those of ranges of 1, 2, 4, ... elements.
class RangeMinimum {
public:
  explicit RangeMinimum(std::vector<Fullness> values) {
    levels.push_back(std::move(values));
    for (size_t width = 2; width <= levels[0].size(); width *= 2) {
      const std::vector<Fullness> &half = levels.back();
      std::vector<Fullness> level;
      for (size_t i = 0; i + width <= levels[0].size(); ++i)
        level.push_back(std::min(half[i], half[i + width / 2]));
      levels.push_back(std::move(level));
    }
  }
  /// That of [begin, end), which is not empty.
  Fullness get(size_t begin, size_t end) const {
    unsigned level = llvm::Log2_64(end - begin);
    return std::min(levels[level][begin],
                    levels[level][end - (size_t(1) << level)]);
  }

private:
  std::vector<std::vector<Fullness>> levels;
};
} // namespace

/// For each buffer, the fullest step that it is alive at.
static std::vector<Fullness>
findFullestSteps(ArrayRef<BufferLifetime> buffers) {
  // Sums grow where something begins.
  std::vector<int64_t> steps;
  for (const BufferLifetime &buffer : buffers)
    steps.push_back(buffer.first);
  llvm::sort(steps);
  steps.erase(llvm::unique(steps), steps.end());
  auto getRange = [&](const BufferLifetime &buffer) {
    return std::pair<size_t, size_t>(
        llvm::lower_bound(steps, buffer.first) - steps.begin(),
        llvm::upper_bound(steps, buffer.last) - steps.begin());
  };
  std::vector<int64_t> changes(steps.size() + 1, 0);
  for (const BufferLifetime &buffer : buffers) {
    auto [begin, end] = getRange(buffer);
    changes[begin] += buffer.bytes;
    changes[end] -= buffer.bytes;
  }
  std::vector<Fullness> sums;
  int64_t sum = 0;
  for (auto [step, change] : llvm::zip(steps, changes))
    sums.push_back({-(sum += change), step});
  RangeMinimum minimum(std::move(sums));
  std::vector<Fullness> fullest;
  for (const BufferLifetime &buffer : buffers) {
    auto [begin, end] = getRange(buffer);
    fullest.push_back(std::min(Fullness(0, 0), minimum.get(begin, end)));
  }
  return fullest;
}

/// Places the buffers in `order`; returns the arena's size.
static int64_t place(ArrayRef<BufferLifetime> buffers, ArrayRef<unsigned> order,
                     int64_t alignment,
                     llvm::SmallVectorImpl<int64_t> &offsets) {
  SmallVector<std::pair<int64_t, unsigned>> placed; // by offset
  int64_t arena = 0;
  for (unsigned index : order) {
    int64_t size = llvm::alignTo(buffers[index].bytes, alignment);
    int64_t best = -1, bestGap = std::numeric_limits<int64_t>::max(), end = 0;
    for (auto [offset, other] : placed) {
      if (!overlap(buffers[index], buffers[other]))
        continue;
      int64_t gap = offset - end;
      if (gap >= size && gap < bestGap) {
        best = end;
        bestGap = gap;
      }
      end = std::max<int64_t>(
          end, offset + llvm::alignTo(buffers[other].bytes, alignment));
    }
    offsets[index] = best < 0 ? end : best;
    arena = std::max(arena, offsets[index] + size);
    std::pair<int64_t, unsigned> entry{offsets[index], index};
    placed.insert(llvm::lower_bound(placed, entry), entry);
  }
  return arena;
}

/// Random orders that are tried, and the most buffers that they are tried for.
static constexpr unsigned kShuffles = 64;
static constexpr size_t kMostShuffled = 64;

/// Another order of the same numbers, the same on every machine.
static void shuffle(SmallVectorImpl<unsigned> &order, uint64_t &state) {
  for (size_t i = order.size(); i > 1; --i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    std::swap(order[i - 1], order[(state >> 33) % i]);
  }
}

MemoryPlan qopt::planMemory(ArrayRef<BufferLifetime> buffers,
                            int64_t alignment) {
  MemoryPlan plan;
  plan.liveBytes = getLiveBytes(buffers);
  plan.offsets.assign(buffers.size(), 0);
  plan.arenaBytes = buffers.empty() ? 0 : std::numeric_limits<int64_t>::max();
  auto bySize = [&](unsigned i) {
    return std::make_tuple(-buffers[i].bytes, buffers[i].first);
  };
  auto byArea = [&](unsigned i) {
    return std::make_tuple(-buffers[i].bytes *
                               (buffers[i].last - buffers[i].first + 1),
                           buffers[i].first);
  };
  auto byTime = [&](unsigned i) {
    return std::make_tuple(buffers[i].first, -buffers[i].bytes);
  };
  // What meets at the fullest step first: everything else has room there.
  std::vector<Fullness> fullest = findFullestSteps(buffers);
  auto byFullness = [&](unsigned i) {
    return std::make_tuple(fullest[i], -buffers[i].bytes, buffers[i].first);
  };
  SmallVector<unsigned> order =
      llvm::to_vector(llvm::seq<unsigned>(0, unsigned(buffers.size())));
  auto keepBest = [&] {
    SmallVector<int64_t> offsets(buffers.size(), 0);
    int64_t arena = place(buffers, order, alignment, offsets);
    if (arena < plan.arenaBytes) {
      plan.arenaBytes = arena;
      plan.offsets = offsets;
    }
  };
  auto tryOrder = [&](auto key) {
    llvm::sort(order);
    std::stable_sort(order.begin(), order.end(),
                     [&](unsigned a, unsigned b) { return key(a) < key(b); });
    keepBest();
  };
  if (buffers.empty())
    return plan;
  tryOrder(bySize);
  tryOrder(byArea);
  tryOrder(byTime);
  tryOrder(byFullness);
  uint64_t state = 1;
  for (unsigned i = 0; i < kShuffles && buffers.size() <= kMostShuffled &&
                       plan.arenaBytes > plan.liveBytes;
       ++i) {
    shuffle(order, state);
    keepBest();
  }
  return plan;
}
