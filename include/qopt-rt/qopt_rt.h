/*===- qopt_rt.h - What generated code and its caller agree on ------------===*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The C99 interface of compiled models. A model M exports two functions:
 *
 *   int M_run(const qopt_call *call);       computes; 0 or a QOPT_E* code
 *   const qopt_info *M_info(void);          describes itself, never fails
 *
 * Generated code keeps no state, allocates nothing, and calls nothing but
 * memcpy, memmove and memset. Calls with different arenas and outputs may run
 * at the same time.
 *
 * Minimal use:
 *
 *   const qopt_info *info = M_info();
 *   void *arena = aligned_alloc(64, info->arena_bytes);
 *   const void *inputs[] = {pixels};
 *   void *outputs[] = {scores};
 *   qopt_call call = {0};
 *   call.abi = QOPT_ABI;
 *   call.threads = 1;
 *   call.inputs = inputs;
 *   call.outputs = outputs;
 *   call.arena = arena;
 *   int error = M_run(&call);
 *===----------------------------------------------------------------------===*/
#ifndef QOPT_RT_H
#define QOPT_RT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Version of this file's structures; qopt_call.abi must be equal to it. */
#define QOPT_ABI 1u

/* Results of M_run. */
#define QOPT_OK 0
#define QOPT_EABI 1   /* call->abi is not QOPT_ABI */
#define QOPT_EARENA 2 /* arena is NULL or not 64-byte aligned, but needed */
/* The weights lie in a file (qopt_weights.h), and weights is NULL or not 64-byte
 * aligned. 3 to 5 are of version 2. */
#define QOPT_EWEIGHTS 6

/* Element types. Quantized tensors have those of their stored integers;
 * QOPT_B1 is one byte per truth value, 0 or 1. */
enum {
  QOPT_F32 = 0,
  QOPT_F64,
  QOPT_F16,
  QOPT_BF16,
  QOPT_I8,
  QOPT_I16,
  QOPT_I32,
  QOPT_I64,
  QOPT_U8,
  QOPT_U16,
  QOPT_U32,
  QOPT_U64,
  QOPT_B1
};

/* One input or output: a dense row-major array. */
typedef struct qopt_tensor {
  const char *name;
  const int64_t *dims; /* rank extents */
  uint32_t rank;
  uint32_t dtype;
  uint64_t bytes;
  /* An element x stands for scale * (x - zero_point); scale is 0 where the
   * tensor is not quantized. */
  float scale;
  int32_t zero_point;
} qopt_tensor;

typedef struct qopt_info {
  uint32_t abi;
  uint32_t n_inputs, n_outputs, n_layers;
  const qopt_tensor *inputs;
  const qopt_tensor *outputs;
  const char *const *layers; /* names, as ONNX has them */
  uint64_t arena_bytes;      /* for any number of threads */
  uint64_t weights_bytes;
  const char *target; /* triple, CPU and features it was compiled for */
  const char *name;
} qopt_info;

typedef struct qopt_call {
  uint32_t abi;     /* QOPT_ABI */
  uint32_t threads; /* threads behind parallel_for; 0 and 1: none */
  /* Arrays in the order of qopt_info, aligned for their element type. Outputs
   * overlap neither each other nor inputs nor the arena. */
  const void *const *inputs;
  void *const *outputs;
  void *arena; /* arena_bytes, 64-byte aligned; contents do not matter */
  /* NULL: the embedded weights. Else a copy of them that the caller placed
   * better (huge pages, for example), or those of the model's file of weights
   * (qopt_weights.h); 64-byte aligned. */
  const void *weights;
  /* Calls body(ctx, lo, hi) for disjoint ranges that cover [0, n), and
   * returns when all have returned. `grain` is the least range worth handing
   * to a thread. May be NULL. Results do not depend on the ranges. */
  void (*parallel_for)(void *pool,
                       void (*body)(void *ctx, int64_t lo, int64_t hi),
                       void *ctx, int64_t n, int64_t grain);
  void *pool;
  /* Called around every layer with phase 0 (begin) and 1 (end). May be NULL. */
  void (*layer_hook)(void *hook_context, uint32_t layer, uint32_t phase);
  void *hook_context;
} qopt_call;

#ifdef __cplusplus
}
#endif

#endif /* QOPT_RT_H */
