/*===- qopt_rt2.h - Version 2 of the call: lengths, states, entries -------===*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What a model adds to qopt_rt.h if extents of its tensors vary from call to
 * call, if it keeps state between calls, or if it can be entered at several
 * points (docs/rationale/states-and-lengths.md). The functions are those of
 * version 1:
 *
 *   M_run(&call2.call)   with call2.call.abi = QOPT_ABI2
 *   M_info()             its abi is QOPT_ABI2: the address of a qopt_info2
 *
 * A model that needs nothing of this stays at version 1, whose callers keep
 * working; it refuses a call of version 2 with QOPT_EABI, as a model of version
 * 2 does with one of version 1, which has no place for a length.
 *
 * Models of version 2 are made where data decide how many elements of an output
 * count (NonZero, NonMaxSuppression, ...). Their lengths are results; they have
 * one entry and no state. For one whose output 0 is at most 100 boxes of 4:
 *
 *   const qopt_info2 *info = (const qopt_info2 *)M_info();
 *   int64_t lengths[M_LENGTHS]; or malloc(info->n_dims * sizeof(int64_t))
 *   qopt_call2 call = {0};
 *   call.call.abi = QOPT_ABI2;
 *   ...                         inputs, outputs and arena as in version 1
 *   call.result_lengths = lengths;
 *   int error = M_run(&call.call);
 *   int64_t boxes = lengths[info->output_symbols[0].dims[0]];
 *===----------------------------------------------------------------------===*/
#ifndef QOPT_RT2_H
#define QOPT_RT2_H

#include "qopt_rt.h"

#ifdef __cplusplus
extern "C" {
#endif

#define QOPT_ABI2 2u

/* Results of M_run besides those of version 1; nothing has been written. */
/* A length is outside of its bounds, or the array of lengths that the caller
 * gives or that the model writes is NULL. */
#define QOPT_ELENGTH 3
#define QOPT_ESTATE 4 /* state is NULL or not 64-byte aligned, but needed */
#define QOPT_EENTRY 5 /* entry is not below n_entries */

/* An extent that varies. In a qopt_tensor it has its upper bound `high`, and
 * `bytes` counts that; an array holds its valid elements densely, by the
 * lengths of the call. */
typedef struct qopt_dim {
  const char *name;
  int64_t low, high; /* inclusive */
  /* 0: the caller gives it in qopt_call2.lengths; 1: the model writes it to
   * qopt_call2.result_lengths (past + seq, or a count that depends on data). */
  uint32_t is_result;
  uint32_t reserved;
} qopt_dim;

/* For each dimension of a tensor the index of its qopt_dim, or -1. */
typedef struct qopt_symbols {
  const int32_t *dims; /* rank indices */
} qopt_symbols;

/* A part of the state memory that an entry reads and writes. */
typedef struct qopt_state {
  qopt_tensor tensor; /* with upper bounds, as it lies in the state memory */
  uint64_t offset;    /* of its first byte */
  /* What says how many positions are valid: index of a qopt_dim, or -1. */
  int32_t length;
  uint32_t reserved;
} qopt_state;

/* A way into the model: prefill, decode, ... Inputs and outputs of a call are
 * those of its entry, as indices into qopt_info. */
typedef struct qopt_entry {
  const char *name;
  const uint32_t *inputs;
  const uint32_t *outputs;
  uint32_t n_inputs, n_outputs;
} qopt_entry;

typedef struct qopt_info2 {
  qopt_info info; /* info.abi = QOPT_ABI2; arena_bytes is for upper bounds */
  uint32_t n_dims, n_states, n_entries;
  uint32_t reserved;
  const qopt_dim *dims;
  const qopt_symbols *input_symbols;  /* info.n_inputs */
  const qopt_symbols *output_symbols; /* info.n_outputs */
  const qopt_state *states;
  const qopt_entry *entries; /* at least one */
  uint64_t state_bytes;
} qopt_info2;

typedef struct qopt_call2 {
  qopt_call call; /* call.abi = QOPT_ABI2 */
  uint32_t entry; /* index into qopt_info2.entries */
  uint32_t reserved;
  /* One number for each qopt_dim; only those that the caller gives are read. */
  const int64_t *lengths;
  /* n_dims numbers; receives that of each qopt_dim whose is_result is 1. */
  int64_t *result_lengths;
  /* state_bytes, 64-byte aligned; zeros before the first call. Copying it is
   * saving it: it holds no addresses. Calls with one state come one after the
   * other. */
  void *state;
} qopt_call2;

#ifdef __cplusplus
}
#endif

#endif /* QOPT_RT2_H */
