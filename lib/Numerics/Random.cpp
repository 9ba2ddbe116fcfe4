//===- Random.cpp - Numbers from a counter --------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Logarithm, sine and cosine are ours, so that a seed gives the same bits on
// every host.
//===----------------------------------------------------------------------===//
#include "qopt/Numerics/Random.h"

#include "qopt/Numerics/Elementwise.h"
#include "qopt/Numerics/EvalBuilder.h"

using namespace qopt;

PhiloxBlock qopt::philox(PhiloxBlock counter, std::array<uint32_t, 2> key) {
  constexpr uint64_t kMultipliers[2] = {0xD2511F53, 0xCD9E8D57};
  constexpr uint32_t kWeyl[2] = {0x9E3779B9, 0xBB67AE85};
  for (int round = 0; round < 10; ++round) {
    uint64_t a = kMultipliers[0] * counter[0], b = kMultipliers[1] * counter[2];
    counter = {uint32_t(b >> 32) ^ counter[1] ^ key[0], uint32_t(b),
               uint32_t(a >> 32) ^ counter[3] ^ key[1], uint32_t(a)};
    key[0] += kWeyl[0];
    key[1] += kWeyl[1];
  }
  return counter;
}

PhiloxBlock RandomStream::getBlock(uint64_t block) const {
  return philox({uint32_t(block), uint32_t(block >> 32), uint32_t(stream),
                 uint32_t(stream >> 32)},
                {uint32_t(seed), uint32_t(seed >> 32)});
}

float RandomStream::getUniform(uint64_t i) const {
  return float(getBlock(i / 4)[i % 4] >> 8) * 0x1p-24f;
}

float RandomStream::getNormal(uint64_t i) const {
  constexpr float kTwoPi = 6.28318530717958647692f;
  PhiloxBlock block = getBlock(i / 4);
  size_t pair = i % 4 & 2;
  // In (0, 1], so that the logarithm is finite.
  float distance = float((block[pair] >> 8) + 1) * 0x1p-24f;
  float angle = float(block[pair + 1] >> 8) * 0x1p-24f * kTwoPi;
  EvalBuilder b;
  auto apply = [&](UnaryKind kind, float x) {
    return numerics::emitUnaryFloat(b, kind, x);
  };
  float radius =
      apply(UnaryKind::sqrt, -2.0f * apply(UnaryKind::log, distance));
  return radius * apply(i % 2 ? UnaryKind::sin : UnaryKind::cos, angle);
}
