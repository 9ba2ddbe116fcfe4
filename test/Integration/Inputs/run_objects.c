/*===- run_objects.c - Runs compiled models on arrays from files ----------===*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Linked with objects for any machine, so that what they compute there can be
 * compared. MODELS lists the symbols: -D'MODELS=X(m0) X(m1)'. For each model M
 * the folder argv[1] has M.in, samples of all inputs one after another; M.out
 * gets all outputs of each sample.
 *===----------------------------------------------------------------------===*/
#include "qopt-rt/qopt_rt.h"

#include <stdio.h>
#include <stdlib.h>

#define X(name)                                                                \
  extern int name##_run(const qopt_call *call);                                \
  extern const qopt_info *name##_info(void);
MODELS
#undef X

typedef struct {
  const char *name;
  int (*run)(const qopt_call *);
  const qopt_info *(*info)(void);
} model;

static const model models[] = {
#define X(name) {#name, name##_run, name##_info},
    MODELS
#undef X
};

static void *allocate(uint64_t bytes) {
  void *memory = aligned_alloc(64, (bytes / 64 + 1) * 64);
  if (!memory)
    abort();
  return memory;
}

static void *allocate_all(const qopt_tensor *tensors, uint32_t n) {
  void **buffers = allocate(n * sizeof(void *));
  for (uint32_t i = 0; i < n; ++i)
    buffers[i] = allocate(tensors[i].bytes);
  return buffers;
}

static FILE *open_file(const char *folder, const char *name, const char *end,
                       const char *mode) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s.%s", folder, name, end);
  FILE *file = fopen(path, mode);
  if (!file)
    perror(path);
  return file;
}

static int run(const model *m, const char *folder) {
  const qopt_info *info = m->info();
  void **inputs = allocate_all(info->inputs, info->n_inputs);
  void **outputs = allocate_all(info->outputs, info->n_outputs);
  FILE *in = open_file(folder, m->name, "in", "rb");
  FILE *out = open_file(folder, m->name, "out", "wb");
  if (!in || !out)
    return 1;
  qopt_call call = {0};
  call.abi = QOPT_ABI;
  call.threads = 1;
  call.inputs = (const void *const *)inputs;
  call.outputs = outputs;
  call.arena = allocate(info->arena_bytes);
  for (;;) {
    for (uint32_t i = 0; i < info->n_inputs; ++i)
      if (fread(inputs[i], 1, info->inputs[i].bytes, in) !=
          info->inputs[i].bytes) {
        fclose(in);
        return fclose(out);
      }
    int error = m->run(&call);
    if (error) {
      fprintf(stderr, "%s_run: error %d\n", m->name, error);
      return 1;
    }
    for (uint32_t i = 0; i < info->n_outputs; ++i)
      fwrite(outputs[i], 1, info->outputs[i].bytes, out);
  }
}

int main(int argc, char **argv) {
  int failed = argc != 2;
  for (size_t i = 0; !failed && i < sizeof models / sizeof models[0]; ++i)
    failed = run(&models[i], argv[1]);
  return failed;
}
