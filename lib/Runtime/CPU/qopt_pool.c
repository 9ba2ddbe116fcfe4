/*===- qopt_pool.c - A small thread pool for compiled models --------------===*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Chunks are handed out by one counter that also carries the region's number,
 * so a worker that wakes late takes nothing from the next region, and the
 * caller never waits for a thread that sleeps: it works through the chunks
 * itself. Workers spin briefly, because regions follow each other closely,
 * then sleep.
 *===----------------------------------------------------------------------===*/
#define _POSIX_C_SOURCE 200809L
#include "qopt-rt/qopt_pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum {
  SPIN_NANOSECONDS = 200000,
  SPINS_PER_CLOCK = 64,
  CHUNKS_PER_THREAD = 4,
  CHUNK_BITS = 24 /* tickets of one region */
};

struct qopt_pool {
  /* epoch << CHUNK_BITS | next chunk */
  _Atomic uint64_t ticket;
  char pad0[56];
  /* epoch << CHUNK_BITS | chunks that are done */
  _Atomic uint64_t done;
  char pad1[56];
  /* The region; written before its first ticket is published. */
  void (*_Atomic body)(void *, int64_t, int64_t);
  void *_Atomic ctx;
  _Atomic int64_t n, chunks;
  _Atomic uint32_t sleepers;
  _Atomic int stop;
  uint32_t threads, started;
  uint64_t epoch;
  pthread_mutex_t mutex;
  pthread_cond_t wake;
  pthread_t *workers;
};

static void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#endif
}

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* Works on the region `epoch` until no chunk is left. */
static void work(qopt_pool *pool, uint64_t epoch) {
  uint64_t ticket = atomic_load(&pool->ticket);
  for (;;) {
    if (ticket >> CHUNK_BITS != epoch)
      return;
    int64_t chunk = (int64_t)(ticket & ((1u << CHUNK_BITS) - 1));
    int64_t chunks = atomic_load(&pool->chunks), n = atomic_load(&pool->n);
    void (*body)(void *, int64_t, int64_t) = atomic_load(&pool->body);
    void *ctx = atomic_load(&pool->ctx);
    /* All of these belong to `epoch` if the exchange succeeds: the ticket
     * changes before and after the region is written. */
    if (chunk >= chunks)
      return;
    if (!atomic_compare_exchange_weak(&pool->ticket, &ticket, ticket + 1))
      continue;
    int64_t each = n / chunks, rest = n % chunks;
    int64_t lo = chunk * each + (chunk < rest ? chunk : rest);
    int64_t hi = lo + each + (chunk < rest);
    body(ctx, lo, hi);
    atomic_fetch_add(&pool->done, 1);
    ticket = atomic_load(&pool->ticket);
  }
}

static void *run_worker(void *argument) {
  qopt_pool *pool = argument;
  uint64_t seen = 0;
  while (!atomic_load(&pool->stop)) {
    int64_t deadline = now() + SPIN_NANOSECONDS;
    uint64_t epoch = atomic_load(&pool->ticket) >> CHUNK_BITS;
    unsigned spins = 0;
    while (epoch == seen && !atomic_load(&pool->stop)) {
      relax();
      if (++spins % SPINS_PER_CLOCK == 0 && now() > deadline) {
        pthread_mutex_lock(&pool->mutex);
        atomic_fetch_add(&pool->sleepers, 1);
        while (atomic_load(&pool->ticket) >> CHUNK_BITS == seen &&
               !atomic_load(&pool->stop))
          pthread_cond_wait(&pool->wake, &pool->mutex);
        atomic_fetch_sub(&pool->sleepers, 1);
        pthread_mutex_unlock(&pool->mutex);
      }
      epoch = atomic_load(&pool->ticket) >> CHUNK_BITS;
    }
    seen = epoch;
    work(pool, epoch);
  }
  return NULL;
}

qopt_pool *qopt_pool_create(uint32_t threads) {
  qopt_pool *pool = calloc(1, sizeof *pool);
  if (!pool)
    return NULL;
  pool->threads = threads ? threads : 1;
  pthread_mutex_init(&pool->mutex, NULL);
  pthread_cond_init(&pool->wake, NULL);
  pool->workers = calloc(pool->threads, sizeof *pool->workers);
  if (!pool->workers) {
    qopt_pool_destroy(pool);
    return NULL;
  }
  for (; pool->started + 1 < pool->threads; ++pool->started)
    if (pthread_create(&pool->workers[pool->started], NULL, run_worker, pool)) {
      qopt_pool_destroy(pool);
      return NULL;
    }
  return pool;
}

void qopt_pool_destroy(qopt_pool *pool) {
  if (!pool)
    return;
  pthread_mutex_lock(&pool->mutex);
  atomic_store(&pool->stop, 1);
  pthread_cond_broadcast(&pool->wake);
  pthread_mutex_unlock(&pool->mutex);
  for (uint32_t i = 0; i < pool->started; ++i)
    pthread_join(pool->workers[i], NULL);
  pthread_cond_destroy(&pool->wake);
  pthread_mutex_destroy(&pool->mutex);
  free(pool->workers);
  free(pool);
}

uint32_t qopt_pool_threads(const qopt_pool *pool) { return pool->threads; }

void qopt_pool_parallel_for(void *opaque,
                            void (*body)(void *ctx, int64_t lo, int64_t hi),
                            void *ctx, int64_t n, int64_t grain) {
  qopt_pool *pool = opaque;
  if (n <= 0)
    return;
  if (grain < 1)
    grain = 1;
  int64_t chunks = (int64_t)pool->threads * CHUNKS_PER_THREAD;
  if (chunks > n / grain)
    chunks = n / grain;
  if (chunks > (1 << CHUNK_BITS) - 1)
    chunks = (1 << CHUNK_BITS) - 1;
  if (chunks <= 1 || pool->started == 0) {
    body(ctx, 0, n);
    return;
  }
  /* While the region is written the ticket names an epoch without chunks: a
   * late worker's exchange on the old ticket fails. */
  uint64_t filling = ++pool->epoch, epoch = ++pool->epoch;
  uint64_t last = (1u << CHUNK_BITS) - 1;
  atomic_store(&pool->ticket, filling << CHUNK_BITS | last);
  atomic_store(&pool->body, body);
  atomic_store(&pool->ctx, ctx);
  atomic_store(&pool->n, n);
  atomic_store(&pool->chunks, chunks);
  atomic_store(&pool->done, 0);
  atomic_store(&pool->ticket, epoch << CHUNK_BITS);
  if (atomic_load(&pool->sleepers)) {
    pthread_mutex_lock(&pool->mutex);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->mutex);
  }
  work(pool, epoch);
  unsigned spins = 0;
  while (atomic_load(&pool->done) != (uint64_t)chunks) {
    relax();
    /* On a machine with fewer cores than threads the worker needs this one. */
    if (++spins % 1024 == 0)
      sched_yield();
  }
}
