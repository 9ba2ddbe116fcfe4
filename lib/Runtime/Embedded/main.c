/* main.c - an example: runs the model and prints the first outputs.
 *
 *   ./@SYMBOL@                     input bytes that stand for zero
 *   ./@SYMBOL@ INPUT.bin           raw input bytes, all inputs one after another
 *   ./@SYMBOL@ INPUT.bin OUT.bin   samples until INPUT.bin ends; raw outputs
 */
#include "@SYMBOL@.h"

#include <stdio.h>
#include <string.h>

static union {
  int64_t align[8];
  unsigned char bytes[@UPPER@_ARENA_BYTES + 64];
} arena;
static unsigned char input[@UPPER@_INPUT_BYTES];
/* Words: aligned for stored integers of every width. */
static int32_t output[@UPPER@_OUTPUT_BYTES / 4 + @UPPER@_OUTPUTS];

static int run(void) {
  const qopt_info *info = @SYMBOL@_info();
  const void *inputs[@UPPER@_INPUTS];
  void *outputs[@UPPER@_OUTPUTS];
  qopt_call call;
  uint32_t i;
  size_t at = 0;
  memset(&call, 0, sizeof call);
  for (i = 0; i < info->n_inputs; ++i) {
    inputs[i] = input + at;
    at += (size_t)info->inputs[i].bytes;
  }
  for (at = 0, i = 0; i < info->n_outputs; ++i) {
    outputs[i] = output + at;
    at += (size_t)(info->outputs[i].bytes + 3) / 4;
  }
  call.abi = QOPT_ABI;
  call.threads = 1;
  call.inputs = inputs;
  call.outputs = outputs;
  call.arena = arena.bytes + (64 - (uintptr_t)arena.bytes % 64) % 64;
  return @SYMBOL@_run(&call);
}

static int is_short(const qopt_tensor *tensor) {
  return tensor->dtype == QOPT_I16 || tensor->dtype == QOPT_U16;
}

static void fill(void) {
  const qopt_info *info = @SYMBOL@_info();
  size_t at = 0, j;
  uint32_t i;
  for (i = 0; i < info->n_inputs; ++i) {
    int16_t zero = (int16_t)info->inputs[i].zero_point;
    size_t bytes = (size_t)info->inputs[i].bytes;
    memset(input + at, info->inputs[i].zero_point, bytes);
    for (j = 0; is_short(&info->inputs[i]) && j < bytes; j += 2)
      memcpy(input + at + j, &zero, 2);
    at += bytes;
  }
}

/* The first 16 elements of the first output, as stored. */
static void print(void) {
  const qopt_tensor *first = @SYMBOL@_info()->outputs;
  const unsigned char *bytes = (const unsigned char *)output;
  const int16_t *halves = (const int16_t *)(const void *)output;
  size_t size = first->dtype == QOPT_I32 ? 4 : is_short(first) ? 2 : 1, i;
  printf("%s:", first->name);
  for (i = 0; i < first->bytes / size && i < 16; ++i)
    printf(" %ld", first->dtype == QOPT_I32   ? (long)output[i]
                   : first->dtype == QOPT_I16 ? (long)halves[i]
                   : first->dtype == QOPT_U16 ? (long)(uint16_t)halves[i]
                   : first->dtype == QOPT_U8  ? (long)bytes[i]
                                              : (long)(signed char)bytes[i]);
  printf("\n");
}

static int write_outputs(FILE *out) {
  const qopt_info *info = @SYMBOL@_info();
  size_t at = 0;
  uint32_t i;
  for (i = 0; i < info->n_outputs; ++i) {
    size_t bytes = (size_t)info->outputs[i].bytes;
    if (fwrite(output + at, 1, bytes, out) != bytes)
      return 10;
    at += (bytes + 3) / 4;
  }
  return 0;
}

int main(int argc, char **argv) {
  FILE *in = NULL, *out = NULL;
  int error;
  if (argc < 2) {
    fill();
    error = run();
    if (!error)
      print();
    return error;
  }
  in = fopen(argv[1], "rb");
  if (argc > 2)
    out = fopen(argv[2], "wb");
  if (!in || (argc > 2 && !out)) {
    fprintf(stderr, "cannot open %s\n", in ? argv[2] : argv[1]);
    return 10;
  }
  while (fread(input, 1, sizeof input, in) == sizeof input) {
    error = run();
    if (error)
      return error;
    if (!out)
      print();
    else if (write_outputs(out))
      return 10;
  }
  fclose(in);
  if (out && fclose(out))
    return 10;
  return 0;
}
