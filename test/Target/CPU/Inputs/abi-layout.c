/* The layout that code of version 1 and 2 is compiled against, on a machine
 * with 64-bit pointers. Compiled as C and as C++; nothing runs. */
#include "qopt-rt/qopt_rt2.h"
#include <stddef.h>

#ifdef __cplusplus
#define SAME(name, condition) static_assert(condition, #name)
#else
#define SAME(name, condition) _Static_assert(condition, #name)
#endif
#define AT(type, field, offset)                                                \
  SAME(type##_##field, offsetof(type, field) == (offset))

SAME(version_1, QOPT_ABI == 1u);
AT(qopt_call, abi, 0);
AT(qopt_call, threads, 4);
AT(qopt_call, inputs, 8);
AT(qopt_call, outputs, 16);
AT(qopt_call, arena, 24);
AT(qopt_call, weights, 32);
AT(qopt_call, parallel_for, 40);
AT(qopt_call, pool, 48);
AT(qopt_call, layer_hook, 56);
AT(qopt_call, hook_context, 64);
SAME(call, sizeof(qopt_call) == 72);
SAME(tensor, sizeof(qopt_tensor) == 40);
SAME(info, sizeof(qopt_info) == 72);

/* A call of version 2 begins with one of version 1. */
SAME(version_2, QOPT_ABI2 == 2u);
AT(qopt_call2, call, 0);
AT(qopt_call2, entry, 72);
AT(qopt_call2, lengths, 80);
AT(qopt_call2, result_lengths, 88);
AT(qopt_call2, state, 96);
SAME(call2, sizeof(qopt_call2) == 104);
AT(qopt_info2, info, 0);
AT(qopt_info2, n_dims, 72);
AT(qopt_info2, n_states, 76);
AT(qopt_info2, n_entries, 80);
AT(qopt_info2, dims, 88);
AT(qopt_info2, input_symbols, 96);
AT(qopt_info2, output_symbols, 104);
AT(qopt_info2, states, 112);
AT(qopt_info2, entries, 120);
AT(qopt_info2, state_bytes, 128);
SAME(info2, sizeof(qopt_info2) == 136);
SAME(dim, sizeof(qopt_dim) == 32);
AT(qopt_state, offset, 40);
AT(qopt_state, length, 48);
SAME(state, sizeof(qopt_state) == 56);
AT(qopt_entry, inputs, 8);
AT(qopt_entry, outputs, 16);
AT(qopt_entry, n_inputs, 24);
SAME(entry, sizeof(qopt_entry) == 32);

/* Codes are never used twice. */
SAME(codes, QOPT_OK == 0 && QOPT_EABI == 1 && QOPT_EARENA == 2 &&
                QOPT_ELENGTH == 3 && QOPT_ESTATE == 4 && QOPT_EENTRY == 5);
