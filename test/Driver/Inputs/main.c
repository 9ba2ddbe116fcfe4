/* Calls a compiled model on the pictures of a raw file; prints its logits. */
#include "cnn.h"

#include <stdio.h>

/* 64 bytes aligned wherever the array lies. */
static unsigned char arena[CNN_ARENA_BYTES + 64];

int main(int argc, char **argv) {
  float picture[CNN_INPUT_0_ELEMENTS], logits[CNN_OUTPUT_0_ELEMENTS];
  const void *inputs[1];
  void *outputs[1];
  qopt_call call = {0};
  const qopt_info *info = cnn_info();
  FILE *file = argc > 1 ? fopen(argv[1], "rb") : NULL;
  int i;
  if (!file || info->abi != QOPT_ABI || info->arena_bytes > CNN_ARENA_BYTES)
    return 1;
  inputs[0] = picture;
  outputs[0] = logits;
  call.abi = QOPT_ABI;
  call.threads = 1;
  call.inputs = inputs;
  call.outputs = outputs;
  call.arena = arena + (64 - (uintptr_t)arena % 64) % 64;
  while (fread(picture, CNN_INPUT_0_BYTES, 1, file) == 1) {
    if (cnn_run(&call) != QOPT_OK)
      return 1;
    for (i = 0; i < CNN_OUTPUT_0_ELEMENTS; ++i)
      printf("%.9g%c", logits[i], i + 1 < CNN_OUTPUT_0_ELEMENTS ? ' ' : '\n');
  }
  call.abi = 77;
  if (cnn_run(&call) != QOPT_EABI)
    return 2;
  call.abi = 2; /* lengths, states, entries: qopt_rt2.h */
  if (cnn_run(&call) != QOPT_EABI)
    return 3;
  call.abi = QOPT_ABI;
  call.arena = arena + 1;
  fclose(file);
  return cnn_run(&call) != QOPT_EARENA;
}
