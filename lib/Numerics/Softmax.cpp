//===- Softmax.cpp - Softmax of stored bytes in integers ------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The table by the exponential of Numerics, so that it is the same on every
// host.
//===----------------------------------------------------------------------===//
#include "qopt/Numerics/Softmax.h"
#include "qopt/Numerics/Elementwise.h"
#include "qopt/Numerics/EvalBuilder.h"

using namespace qopt;

std::vector<int32_t> qopt::getSoftmaxTable(float scale, int64_t elements) {
  unsigned bits = 22;
  // elements * 2^bits <= 2^30.
  while (bits > 14 && (elements << bits) > (int64_t(1) << 30))
    --bits;
  std::vector<int32_t> table(256);
  EvalBuilder b;
  for (int d = 0; d < 256; ++d) {
    double power = numerics::emitExp(b, -double(d) * double(scale));
    table[d] = int32_t(std::nearbyint(power * double(int64_t(1) << bits)));
  }
  return table;
}
