//===- Recurrent.cpp - The table of gates ---------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// tanh(x) is 2 * sigmoid(2 * x) - 1: one table serves both.
//===----------------------------------------------------------------------===//
#include "qopt/Numerics/Recurrent.h"
#include "qopt/Numerics/EvalBuilder.h"

#include <algorithm>

using namespace qopt;

std::vector<int16_t> qopt::getSigmoidTable() {
  std::vector<int16_t> table(kSigmoidEntries);
  EvalBuilder b;
  for (int64_t i = 0; i < kSigmoidEntries; ++i) {
    double gate = 1 / (1 + numerics::emitExp(b, -double(i) / 32));
    table[i] = int16_t(std::min(std::nearbyint(gate * 32768), 32767.0));
  }
  return table;
}
