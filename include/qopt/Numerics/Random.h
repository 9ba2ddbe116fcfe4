//===- Random.h - Numbers from a counter ----------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel Random Numbers: As Easy
// as 1, 2, 3, SC 2011): number i of a stream is a function of i, so that no
// state is kept and any part of a stream can be computed by itself.
//===----------------------------------------------------------------------===//
#ifndef QOPT_NUMERICS_RANDOM_H
#define QOPT_NUMERICS_RANDOM_H

#include <array>
#include <cstdint>

namespace qopt {

using PhiloxBlock = std::array<uint32_t, 4>;

/// Four words of 32 bits: ten rounds over `counter` with `key`.
PhiloxBlock philox(PhiloxBlock counter, std::array<uint32_t, 2> key);

/// The numbers of one tensor.
class RandomStream {
public:
  /// `seed` is the key, `stream` tells tensors of one seed apart.
  RandomStream(uint64_t seed, uint64_t stream) : seed(seed), stream(stream) {}

  /// Number i in [0, 1): the upper 24 bits of word i mod 4 of block i / 4.
  float getUniform(uint64_t i) const;
  /// Number i of a standard normal distribution, by Box and Muller: words 0 and
  /// 1 of block i / 4 give numbers 0 and 1, words 2 and 3 the next two.
  float getNormal(uint64_t i) const;

private:
  PhiloxBlock getBlock(uint64_t block) const;
  uint64_t seed, stream;
};

} // namespace qopt

#endif // QOPT_NUMERICS_RANDOM_H
