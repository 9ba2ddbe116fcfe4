/*===- qopt_pool.h - A small thread pool for compiled models --------------===*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Optional: any function with the signature of qopt_call.parallel_for will do.
 * Link with libqopt-pool.a and pthreads.
 *
 *   qopt_pool *pool = qopt_pool_create(4);
 *   call.threads = 4;
 *   call.parallel_for = qopt_pool_parallel_for;
 *   call.pool = pool;
 *===----------------------------------------------------------------------===*/
#ifndef QOPT_POOL_H
#define QOPT_POOL_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct qopt_pool qopt_pool;

/* A pool of `threads` threads, the caller of parallel_for among them. NULL if
 * memory or threads ran out. */
qopt_pool *qopt_pool_create(uint32_t threads);
void qopt_pool_destroy(qopt_pool *pool);
uint32_t qopt_pool_threads(const qopt_pool *pool);

/* See qopt_call.parallel_for. One caller at a time per pool; a body must not
 * call it again with the same pool. */
void qopt_pool_parallel_for(void *pool,
                            void (*body)(void *ctx, int64_t lo, int64_t hi),
                            void *ctx, int64_t n, int64_t grain);

#ifdef __cplusplus
}
#endif

#endif /* QOPT_POOL_H */
