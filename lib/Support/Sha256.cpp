//===- Sha256.cpp - SHA-256 by the instructions of the CPU ----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// FIPS 180-4. Blocks are compressed by the SHA instructions of x86-64 where the
// CPU has them, else by the formulas of section 6.2.
//===----------------------------------------------------------------------===//
#include "qopt/Support/Sha256.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/Endian.h"
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

using namespace qopt;
using llvm::support::endian::read32be;
using llvm::support::endian::write32be;
using llvm::support::endian::write64be;

/// Section 4.2.2: fractional parts of cube roots of the first 64 primes.
alignas(16) static constexpr uint32_t kConstants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
    0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
    0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
    0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

using State = std::array<uint32_t, 8>;

static void compress(State &state, const uint8_t *bytes, size_t blocks) {
  auto rotate = [](uint32_t x, int n) { return llvm::rotr(x, n); };
  for (; blocks > 0; --blocks, bytes += 64) {
    uint32_t w[64];
    for (int i = 0; i < 16; ++i)
      w[i] = read32be(bytes + 4 * i);
    for (int i = 16; i < 64; ++i) {
      uint32_t a = w[i - 15], b = w[i - 2];
      w[i] = w[i - 16] + (rotate(a, 7) ^ rotate(a, 18) ^ (a >> 3)) + w[i - 7] +
             (rotate(b, 17) ^ rotate(b, 19) ^ (b >> 10));
    }
    State s = state;
    for (int i = 0; i < 64; ++i) {
      uint32_t choice = (s[4] & s[5]) ^ (~s[4] & s[6]);
      uint32_t majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
      uint32_t t1 = s[7] +
                    (rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25)) +
                    choice + kConstants[i] + w[i];
      uint32_t t2 =
          (rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22)) + majority;
      s = {t1 + t2, s[0], s[1], s[2], s[3] + t1, s[4], s[5], s[6]};
    }
    for (int i = 0; i < 8; ++i)
      state[i] += s[i];
  }
}

#if defined(__x86_64__)
/// The instructions hold the state as (a b e f) and (c d g h), highest first.
__attribute__((target("sha,sse4.1"))) static void
compressBySha(State &state, const uint8_t *bytes, size_t blocks) {
  const __m128i swap =
      _mm_set_epi64x(0x0c0d0e0f08090a0bll, 0x0405060700010203ll);
  auto *words = reinterpret_cast<__m128i *>(state.data());
  __m128i badc = _mm_shuffle_epi32(_mm_loadu_si128(words), 0xB1);
  __m128i hgfe = _mm_shuffle_epi32(_mm_loadu_si128(words + 1), 0x1B);
  __m128i abef = _mm_alignr_epi8(badc, hgfe, 8);
  __m128i cdgh = _mm_blend_epi16(hgfe, badc, 0xF0);
  for (; blocks > 0; --blocks, bytes += 64) {
    const __m128i abefBefore = abef, cdghBefore = cdgh;
    __m128i w[4];
    for (int i = 0; i < 16; ++i) {
      __m128i &now = w[i % 4];
      if (i < 4) {
        now = _mm_shuffle_epi8(
            _mm_loadu_si128(reinterpret_cast<const __m128i *>(bytes) + i),
            swap);
      } else {
        __m128i last = w[(i + 3) % 4];
        __m128i middle = _mm_alignr_epi8(last, w[(i + 2) % 4], 4);
        now = _mm_sha256msg1_epu32(now, w[(i + 1) % 4]);
        now = _mm_sha256msg2_epu32(_mm_add_epi32(now, middle), last);
      }
      __m128i sum = _mm_add_epi32(
          now,
          _mm_load_si128(reinterpret_cast<const __m128i *>(kConstants) + i));
      cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
      abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0E));
    }
    abef = _mm_add_epi32(abef, abefBefore);
    cdgh = _mm_add_epi32(cdgh, cdghBefore);
  }
  __m128i feba = _mm_shuffle_epi32(abef, 0x1B);
  __m128i dchg = _mm_shuffle_epi32(cdgh, 0xB1);
  _mm_storeu_si128(words, _mm_blend_epi16(feba, dchg, 0xF0));
  _mm_storeu_si128(words + 1, _mm_alignr_epi8(dchg, feba, 8));
}

static bool hasShaInstructions() {
  static const bool has =
      __builtin_cpu_supports("sha") && __builtin_cpu_supports("sse4.1");
  return has;
}
#endif

static void compressBlocks(State &state, const uint8_t *bytes, size_t blocks) {
#if defined(__x86_64__)
  if (hasShaInstructions())
    return compressBySha(state, bytes, blocks);
#endif
  compress(state, bytes, blocks);
}

void Sha256::update(llvm::StringRef bytes) {
  size_t used = length % 64;
  length += bytes.size();
  if (used) {
    llvm::StringRef rest = bytes.take_front(64 - used);
    std::memcpy(block.data() + used, rest.data(), rest.size());
    bytes = bytes.drop_front(rest.size());
    if (used + rest.size() < 64)
      return;
    compressBlocks(state, block.data(), 1);
  }
  size_t whole = bytes.size() / 64;
  compressBlocks(state, bytes.bytes_begin(), whole);
  bytes = bytes.drop_front(64 * whole);
  if (!bytes.empty())
    std::memcpy(block.data(), bytes.data(), bytes.size());
}

std::string Sha256::finish() {
  uint64_t bits = 8 * length;
  // A one, zeros up to 56 modulo 64, the length.
  std::array<uint8_t, 72> padding = {0x80};
  size_t zeros = (119 - length % 64) % 64;
  write64be(padding.data() + 1 + zeros, bits);
  update(llvm::StringRef(reinterpret_cast<const char *>(padding.data()),
                         zeros + 9));
  std::array<uint8_t, 32> hash;
  for (int i = 0; i < 8; ++i)
    write32be(hash.data() + 4 * i, state[i]);
  return llvm::toHex(hash, /*LowerCase=*/true);
}
