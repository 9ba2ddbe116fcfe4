//===- WeightsTarget.cpp - Fuzzing of files of weights --------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The function that hosts copy: whatever a file says, it maps the bytes that
// the model has or nothing.
//===----------------------------------------------------------------------===//
#include "Harness.h"
#include "qopt-rt/qopt_weights.h"

#include <cstdlib>

static constexpr uint64_t kBytes = 128;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string path = qopt::fuzz::writeScratch(
      "model.weights", {reinterpret_cast<const char *>(data), size});
  qopt_weights weights;
  int error = qopt_weights_open(&weights, path.c_str(), kBytes,
                                std::string(64, '0').c_str());
  if ((error == QOPT_WEIGHTS_OK) != (weights.data != nullptr))
    std::abort();
  uint64_t sum = 0;
  for (uint64_t i = 0; weights.data && i < kBytes; ++i)
    sum += static_cast<const unsigned char *>(weights.data)[i];
  qopt_weights_close(&weights);
  return sum == ~uint64_t(0) ? -1 : 0;
}
