/* Calls a model of which data decide how long outputs are, on all samples of
 * two raw files: writes the elements of its outputs that count to stdout. C99
 * and C++. What a caller can do wrong is refused, and nothing is written. */
#include "detector.h"

#include <stdio.h>
#include <string.h>

#ifdef WITH_WEIGHTS
#include "qopt-rt/qopt_weights.h"
#endif

enum { SAMPLES = 4 };

static unsigned char arena[DETECTOR_ARENA_BYTES + 64];
static float boxes[SAMPLES][DETECTOR_INPUT_0_ELEMENTS];
static float features[SAMPLES][DETECTOR_INPUT_1_ELEMENTS];
static float columns[DETECTOR_OUTPUT_0_ELEMENTS + 1];
static float scores[DETECTOR_OUTPUT_1_ELEMENTS];
static float found[DETECTOR_OUTPUT_2_ELEMENTS];
static int64_t marks[DETECTOR_OUTPUT_3_ELEMENTS];
/* One more than there are: a sentinel. */
static int64_t lengths[DETECTOR_LENGTHS + 1];
static int events[2];

static void count(void *context, uint32_t layer, uint32_t phase) {
  (void)context;
  if (layer < detector_info()->n_layers)
    ++events[phase];
}

static int read_all(const char *path, void *data, size_t bytes) {
  FILE *file = fopen(path, "rb");
  size_t got = file ? fread(data, 1, bytes, file) : 0;
  if (file)
    fclose(file);
  return got == bytes;
}

/* What M_info says of the lengths. */
static int check_info(const qopt_info2 *info) {
  const qopt_symbols *outputs = info->output_symbols;
  int i;
  if (info->info.abi != QOPT_ABI2 || info->n_dims != DETECTOR_LENGTHS ||
      info->n_entries != 1 || info->n_states != 0 || info->state_bytes != 0 ||
      info->info.n_outputs != DETECTOR_OUTPUTS)
    return 0;
  if (info->entries[0].n_inputs != 2 || info->entries[0].n_outputs != 4 ||
      info->entries[0].outputs[3] != 3)
    return 0;
  for (i = 0; i < DETECTOR_LENGTHS; ++i)
    if (info->dims[i].is_result != 1 || info->dims[i].low != 0)
      return 0;
  if (strcmp(info->dims[0].name, "columns_length") != 0 ||
      info->dims[0].high != 15 || info->dims[1].high != 72)
    return 0;
  for (i = 0; i < 3; ++i)
    if (info->input_symbols[0].dims[i] != -1 || outputs[1].dims[i] != -1)
      return 0;
  return outputs[0].dims[0] == -1 && outputs[0].dims[1] == 0 &&
         outputs[2].dims[0] == 0 && outputs[2].dims[1] == -1 &&
         outputs[3].dims[1] == 1;
}

/* Codes of calls that cannot be right. */
static int check_misuse(qopt_call2 call) {
  qopt_call2 wrong = call;
  memset(columns, 77, sizeof columns);
  memset(lengths, 77, sizeof lengths);
  wrong.call.abi = QOPT_ABI;
  if (detector_run(&wrong.call) != QOPT_EABI)
    return 0;
  wrong.call.abi = 3;
  if (detector_run(&wrong.call) != QOPT_EABI)
    return 0;
  wrong = call;
  wrong.entry = 1;
  if (detector_run(&wrong.call) != QOPT_EENTRY)
    return 0;
  wrong = call;
  wrong.result_lengths = NULL;
  if (detector_run(&wrong.call) != QOPT_ELENGTH)
    return 0;
  wrong = call;
  wrong.call.arena = arena + 1 + (64 - (uintptr_t)arena % 64) % 64;
  if (detector_run(&wrong.call) != QOPT_EARENA)
    return 0;
#ifdef WITH_WEIGHTS
  wrong = call;
  wrong.call.weights = NULL;
  if (detector_run(&wrong.call) != QOPT_EWEIGHTS)
    return 0;
#endif
  return ((unsigned char *)columns)[0] == 77 &&
         ((unsigned char *)lengths)[0] == 77;
}

int main(int argc, char **argv) {
  const qopt_info2 *info = (const qopt_info2 *)(const void *)detector_info();
  const void *inputs[2];
  void *outputs[4];
  qopt_call2 call;
  int i;
#ifdef WITH_WEIGHTS
  qopt_weights weights;
#endif
  memset(&call, 0, sizeof call);
  if (argc < 3 || !read_all(argv[1], boxes, sizeof boxes) ||
      !read_all(argv[2], features, sizeof features) || !check_info(info))
    return 1;
  outputs[0] = columns;
  outputs[1] = scores;
  outputs[2] = found;
  outputs[3] = marks;
  call.call.abi = QOPT_ABI2;
  call.call.threads = 1;
  call.call.inputs = inputs;
  call.call.outputs = outputs;
  call.call.arena = arena + (64 - (uintptr_t)arena % 64) % 64;
  call.call.layer_hook = count;
  call.result_lengths = lengths;
#ifdef WITH_WEIGHTS
  if (qopt_weights_open(&weights, argv[3], DETECTOR_WEIGHTS_BYTES,
                        DETECTOR_WEIGHTS_ID) != QOPT_WEIGHTS_OK)
    return 2;
  call.call.weights = weights.data;
#endif
  inputs[0] = boxes[0];
  inputs[1] = features[0];
  if (!check_misuse(call) || events[0] != 0)
    return 3;
  columns[DETECTOR_OUTPUT_0_ELEMENTS] = 123.0f;
  for (i = 0; i < SAMPLES; ++i) {
    size_t kept, high;
    inputs[0] = boxes[i];
    inputs[1] = features[i];
    lengths[DETECTOR_LENGTHS] = -5;
    if (detector_run(&call.call) != QOPT_OK)
      return 4;
    kept = (size_t)lengths[info->output_symbols[0].dims[1]];
    high = (size_t)lengths[info->output_symbols[3].dims[1]];
    if (lengths[DETECTOR_LENGTHS] != -5 || kept > 15 || high > 72)
      return 5;
    fwrite(columns, sizeof *columns, 4 * kept, stdout);
    fwrite(scores, sizeof *scores, DETECTOR_OUTPUT_1_ELEMENTS, stdout);
    fwrite(found, sizeof *found, kept * 4, stdout);
    fwrite(marks, sizeof *marks, 3 * high, stdout);
  }
  return events[0] != SAMPLES * (int)info->info.n_layers ||
         events[0] != events[1] ||
         columns[DETECTOR_OUTPUT_0_ELEMENTS] != 123.0f;
}
