/* Maps weights as the header of the model says. */
#include "cnn.h"
#include "qopt-rt/qopt_weights.h"

#include <stdio.h>

static float image[CNN_INPUT_0_ELEMENTS], logits[CNN_OUTPUT_0_ELEMENTS];
static unsigned char memory[CNN_ARENA_BYTES + 64];

int main(int argc, char **argv) {
  const void *inputs[] = {image};
  void *outputs[] = {logits};
  qopt_weights weights;
  qopt_call call = {0};
  int error;
  if (argc != 2)
    return 2;
  call.abi = QOPT_ABI;
  call.inputs = inputs;
  call.outputs = outputs;
  call.arena = memory + (64 - (uintptr_t)memory % 64);
  printf("without weights: %d\n", cnn_run(&call));
  call.weights = (const char *)call.arena + 1;
  printf("misaligned: %d\n", cnn_run(&call));
  error = qopt_weights_open(&weights, argv[1], CNN_WEIGHTS_BYTES,
                            CNN_WEIGHTS_ID);
  printf("open: %d\n", error);
  if (error != QOPT_WEIGHTS_OK)
    return 0;
  call.weights = weights.data;
  printf("run: %d\n", cnn_run(&call));
  qopt_weights_close(&weights);
  return 0;
}
