/* bare_metal.c - runs a compiled model on a core without a system.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Reads samples from in.bin and writes outputs to out.bin on the host, and
 * prints the instructions of every call. The stack is painted first, so that
 * its deepest use can be printed. */
#include "board.h"
#include <string.h>

#include MODEL_HEADER

#define GLUE2(a, b) a##b
#define GLUE(a, b) GLUE2(a, b)

extern char end_bss[];

static union {
  int64_t align[8];
  unsigned char bytes[ARENA_BYTES + 128];
} arena;
static unsigned char input[INPUT_BYTES];
static union {
  int64_t align[1];
  unsigned char bytes[OUTPUT_BYTES];
} result;
#define output result.bytes

static void print(const char *text) { host(0x04, text); }

static void print_number(uint64_t value) {
  char text[24];
  int at = 23;
  text[at] = 0;
  do {
    text[--at] = (char)('0' + value % 10);
    value /= 10;
  } while (value);
  print(text + at);
}

static intptr_t open_file(const char *name, int mode) {
  uintptr_t block[3];
  block[0] = (uintptr_t)name;
  block[1] = (uintptr_t)mode;
  block[2] = strlen(name);
  return host(0x01, block);
}

/* Bytes that were not transferred. */
static uintptr_t transfer(int operation, intptr_t file, void *bytes,
                          size_t count) {
  uintptr_t block[3];
  block[0] = (uintptr_t)file;
  block[1] = (uintptr_t)bytes;
  block[2] = count;
  return (uintptr_t)host(operation, block);
}

#if PROFILED_LAYERS
/* Instructions of every layer, with those of reading the counter once. */
static uint64_t began, taken[PROFILED_LAYERS];
static void note_layer(void *context, uint32_t layer, uint32_t phase) {
  (void)context;
  if (phase == 0)
    began = count_read();
  else
    taken[layer] = count_read() - began;
}

static void print_layers(void) {
  uint64_t start = count_read(), reading = count_read() - start;
  uint32_t layer;
  for (layer = 0; layer < PROFILED_LAYERS; ++layer) {
    print("layer ");
    print_number(layer);
    print(" ");
    print_number(taken[layer] - reading);
    print("\n");
  }
}
#endif

int main(void) {
  const void *inputs[1];
  void *outputs[1];
  qopt_call call;
  intptr_t in = open_file("in.bin", 1), out = open_file("out.bin", 5);
  char *low = end_bss, *deep;
  if (in < 0 || out < 0)
    return 10;
  memset(&call, 0, sizeof call);
  inputs[0] = input;
  outputs[0] = output;
  call.abi = QOPT_ABI;
  call.threads = 1;
  call.inputs = inputs;
  call.outputs = outputs;
  call.arena = arena.bytes + (64 - (uintptr_t)arena.bytes % 64) % 64;
#if PROFILED_LAYERS
  call.layer_hook = note_layer;
#endif
  while (transfer(0x06, in, input, sizeof input) == 0) {
    char *frame = (char *)__builtin_frame_address(0), *top = frame - 256;
    uint64_t instructions;
    int error;
    memset(low, 0x5a, (size_t)(top - low));
    count_start();
    error = GLUE(MODEL, _run)(&call);
    instructions = count_read();
    if (error)
      return error;
    for (deep = low; deep < top && *deep == 0x5a; ++deep) {
    }
    print("instructions ");
    print_number(instructions);
    print(" stack ");
    print_number((uint64_t)(frame - deep));
    print("\n");
#if PROFILED_LAYERS
    print_layers();
#endif
    if (transfer(0x05, out, output, sizeof output))
      return 10;
  }
  return 0;
}
