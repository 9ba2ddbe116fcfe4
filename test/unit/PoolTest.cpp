//===- PoolTest.cpp - The thread pool for compiled models -----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Every iteration runs exactly once, whatever the sizes and after sleeping.
//===----------------------------------------------------------------------===//
#include "qopt-rt/qopt_pool.h"

#include <atomic>
#include <chrono>
#include <gtest/gtest.h>
#include <thread>
#include <vector>

static void countUp(void *context, int64_t lo, int64_t hi) {
  auto &counts = *static_cast<std::vector<std::atomic<int>> *>(context);
  for (int64_t i = lo; i < hi; ++i)
    counts[i].fetch_add(1);
}

TEST(Pool, EveryIterationRunsOnce) {
  for (uint32_t threads : {1u, 2u, 5u}) {
    qopt_pool *pool = qopt_pool_create(threads);
    ASSERT_NE(pool, nullptr);
    EXPECT_EQ(qopt_pool_threads(pool), threads);
    for (int64_t n : {0, 1, 7, 64, 1001})
      for (int64_t grain : {0, 1, 10, 5000})
        for (int round = 0; round < 20; ++round) {
          std::vector<std::atomic<int>> counts(n);
          qopt_pool_parallel_for(pool, countUp, &counts, n, grain);
          for (auto &count : counts)
            ASSERT_EQ(count.load(), 1);
        }
    // Workers sleep by now.
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    std::vector<std::atomic<int>> counts(100);
    qopt_pool_parallel_for(pool, countUp, &counts, 100, 1);
    for (auto &count : counts)
      ASSERT_EQ(count.load(), 1);
    qopt_pool_destroy(pool);
  }
}

TEST(Pool, ChunksAreNotBelowTheGrain) {
  qopt_pool *pool = qopt_pool_create(4);
  std::atomic<int> small{0};
  qopt_pool_parallel_for(
      pool,
      [](void *context, int64_t lo, int64_t hi) {
        if (hi - lo < 10)
          ++*static_cast<std::atomic<int> *>(context);
      },
      &small, 95, 10);
  EXPECT_EQ(small.load(), 0);
  qopt_pool_destroy(pool);
}
