//===- Softmax.h - Softmax of stored bytes in integers --------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The form that targets without floats compute: exponentials of differences
// from a table, one integer division an element. Everything fits 32 bits
// without a sign.
//===----------------------------------------------------------------------===//
#ifndef QOPT_NUMERICS_SOFTMAX_H
#define QOPT_NUMERICS_SOFTMAX_H

#include <cstdint>
#include <vector>

namespace qopt {

/// The most elements of a row: entries of the table keep 14 bits.
constexpr int64_t kMostSoftmaxElements = int64_t(1) << 16;

/// 256 entries, `rne(2^bits * exp(-d * scale))` for a difference d of stored
/// bytes from the largest of the row. `bits` is 22, less for rows of more than
/// 256 elements, so that 512 * entry + sum of a row is below 2^32.
std::vector<int32_t> getSoftmaxTable(float scale, int64_t elements);

/// `entry / sum` in steps of 1/256, rounded half up: 0 to 256.
inline uint32_t divideSoftmax(uint32_t entry, uint32_t sum) {
  return (512 * entry + sum) / (2 * sum);
}

} // namespace qopt

#endif // QOPT_NUMERICS_SOFTMAX_H
