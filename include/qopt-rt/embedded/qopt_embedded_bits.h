/*===- qopt_embedded_bits.h - Products with weights of few bits -----------===*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A part of qopt_embedded.h, which includes it.
 *
 * Weights are least + step * code with codes of 1 to 7 bits. Rows of k, a
 * multiple of 4, are pairs of codes: of four neighbours the first and the third
 * are a pair, the second and the fourth the next one. A word has the next 16
 * bits of all first codes below and of all second ones above, so one shift and
 * one mask bring a pair out, as `sxtb16` does with bytes; a code that ends in
 * the next word takes two of both. Codes are not negative; what is missing is
 * `least` times the sum of a column, once for all rows. Words of two rows take
 * turns; the last of an odd number stands alone.
 *===----------------------------------------------------------------------===*/
#ifndef QOPT_EMBEDDED_BITS_H
#define QOPT_EMBEDDED_BITS_H

typedef struct qopt_grid_weights {
  const uint32_t *words;
  int32_t least, step;
  size_t bits; /* filled in where it is a constant */
} qopt_grid_weights;

/* At most 16 pairs: `quads` times four codes of two rows. */
typedef struct qopt_code_block {
  const uint32_t *w;
  size_t bits, quads;
} qopt_code_block;

#if defined(__GNUC__)
#define QOPT_UNROLLED_8 _Pragma("GCC unroll 8")
#else
#define QOPT_UNROLLED_8
#endif

/* 16 pairs, and their columns. */
#define QOPT_BLOCK 32

/* Words of a row of k codes. */
QOPT_INLINE size_t qopt_row_words(size_t k, size_t bits) {
  return (k / 2 * bits + 15) / 16;
}

/* Pair `at` of a row whose words lie `stride` apart. */
QOPT_INLINE uint32_t qopt_pair(const uint32_t *w, size_t stride, size_t bits,
                               size_t at) {
  size_t word = at * bits / 16, shift = at * bits % 16, here = 16 - shift;
  uint32_t all = ((1u << bits) - 1) * 0x10001u;
  uint32_t pair = w[word * stride] >> shift, first;
  if (bits <= here)
    return pair & all;
  first = ((1u << here) - 1) * 0x10001u;
  return (pair & first) | (w[(word + 1) * stride] << here & all & ~first);
}

/* One code times one element of a column for each half of a pair. */
QOPT_INLINE int32_t qopt_add_pair(int32_t sum, uint32_t pair, const int8_t *x) {
  return sum + (int32_t)(pair & 0xFFFF) * x[0] + (int32_t)(pair >> 16) * x[2];
}

/* The sum of a column. */
QOPT_INLINE int32_t qopt_sum_column(const int8_t *x, size_t k) {
  int32_t sum = 0;
  size_t i;
#if defined(QOPT_DUAL_MAC)
  uint32_t moved = 0; /* of bytes 128 higher */
  for (i = 0; i < k; i += 4)
    moved = __usada8((uint8x4_t)(qopt_word(x + i) ^ 0x80808080u), 0, moved);
  sum = (int32_t)(moved - 128 * (uint32_t)k);
#else
  for (i = 0; i < k; ++i)
    sum += x[i];
#endif
  return sum;
}

#if defined(QOPT_MVE)

/* `quads` times four codes of two rows as bytes, for vectors. */
QOPT_INLINE void qopt_decode_quads(uint32_t *bytes, const uint32_t *w,
                                   size_t bits, size_t quads) {
  size_t i;
  QOPT_UNROLLED_8
  for (i = 0; i < QOPT_BLOCK / 4; ++i) {
    if (i == quads)
      break;
    bytes[i] = qopt_pair(w, 2, bits, 2 * i) |
               qopt_pair(w, 2, bits, 2 * i + 1) << 8;
    bytes[quads + i] = qopt_pair(w + 1, 2, bits, 2 * i) |
                       qopt_pair(w + 1, 2, bits, 2 * i + 1) << 8;
  }
}

QOPT_INLINE void qopt_block_2x2(const int8_t *x, size_t stride,
                                qopt_code_block block, int32_t sums[4]) {
  const uint32_t *w = block.w;
  size_t bits = block.bits, quads = block.quads;
  uint32_t bytes[QOPT_BLOCK / 2];
  qopt_decode_quads(bytes, w, bits, quads);
  qopt_dot_2x2(x, stride, (const int8_t *)(const void *)bytes, 4 * quads, sums);
}

QOPT_INLINE void qopt_block_2x1(const int8_t *x, const uint32_t *w, size_t bits,
                                size_t quads, int32_t sums[2]) {
  uint32_t bytes[QOPT_BLOCK / 2];
  const int8_t *codes = (const int8_t *)(const void *)bytes;
  size_t i;
  qopt_decode_quads(bytes, w, bits, quads);
  QOPT_ROLLED
  for (i = 0; i < 4 * quads; i += 16) {
    mve_pred16_t p = vctp8q((uint32_t)(4 * quads - i));
    int8x16_t a = vldrbq_z_s8(x + i, p);
    sums[0] = vmladavaq_s8(sums[0], vldrbq_z_s8(codes + i, p), a);
    sums[1] = vmladavaq_s8(sums[1], vldrbq_z_s8(codes + 4 * quads + i, p), a);
  }
}

#else

/* sums[2 * row + column] += `quads` times four codes of two rows times two
 * columns, `stride` apart; at most a block. */
QOPT_INLINE void qopt_block_2x2(const int8_t *x, size_t stride,
                                qopt_code_block block, int32_t sums[4]) {
  const uint32_t *w = block.w;
  size_t bits = block.bits, quads = block.quads;
  int32_t s00 = sums[0], s01 = sums[1], s10 = sums[2], s11 = sums[3];
  size_t i;
  QOPT_UNROLLED_8
  for (i = 0; i < QOPT_BLOCK / 4; ++i) {
    uint32_t v0, v1, w0, w1;
    if (i == quads)
      break;
#if defined(QOPT_DUAL_MAC)
    {
      uint32_t a = qopt_word(x + 4 * i), b = qopt_word(x + stride + 4 * i);
      int16x2_t a0 = qopt_even(a), b0 = qopt_even(b);
      v0 = qopt_pair(w, 2, bits, 2 * i);
      w0 = qopt_pair(w + 1, 2, bits, 2 * i);
      s00 = __smlad((int16x2_t)v0, a0, s00);
      s01 = __smlad((int16x2_t)v0, b0, s01);
      s10 = __smlad((int16x2_t)w0, a0, s10);
      s11 = __smlad((int16x2_t)w0, b0, s11);
      a0 = qopt_odd(a);
      b0 = qopt_odd(b);
      v1 = qopt_pair(w, 2, bits, 2 * i + 1);
      w1 = qopt_pair(w + 1, 2, bits, 2 * i + 1);
      s00 = __smlad((int16x2_t)v1, a0, s00);
      s01 = __smlad((int16x2_t)v1, b0, s01);
      s10 = __smlad((int16x2_t)w1, a0, s10);
      s11 = __smlad((int16x2_t)w1, b0, s11);
    }
#else
    {
      const int8_t *a = x + 4 * i, *b = x + stride + 4 * i;
      v0 = qopt_pair(w, 2, bits, 2 * i);
      v1 = qopt_pair(w, 2, bits, 2 * i + 1);
      w0 = qopt_pair(w + 1, 2, bits, 2 * i);
      w1 = qopt_pair(w + 1, 2, bits, 2 * i + 1);
      s00 = qopt_add_pair(qopt_add_pair(s00, v0, a), v1, a + 1);
      s01 = qopt_add_pair(qopt_add_pair(s01, v0, b), v1, b + 1);
      s10 = qopt_add_pair(qopt_add_pair(s10, w0, a), w1, a + 1);
      s11 = qopt_add_pair(qopt_add_pair(s11, w0, b), w1, b + 1);
    }
#endif
  }
  sums[0] = s00;
  sums[1] = s01;
  sums[2] = s10;
  sums[3] = s11;
}

/* sums[row] += `quads` times four codes of two rows times one column. */
QOPT_INLINE void qopt_block_2x1(const int8_t *x, const uint32_t *w, size_t bits,
                                size_t quads, int32_t sums[2]) {
  int32_t s0 = sums[0], s1 = sums[1];
  size_t i;
  QOPT_UNROLLED_8
  for (i = 0; i < QOPT_BLOCK / 4; ++i) {
    uint32_t v0, v1, w0, w1;
    if (i == quads)
      break;
    v0 = qopt_pair(w, 2, bits, 2 * i);
    v1 = qopt_pair(w, 2, bits, 2 * i + 1);
    w0 = qopt_pair(w + 1, 2, bits, 2 * i);
    w1 = qopt_pair(w + 1, 2, bits, 2 * i + 1);
#if defined(QOPT_DUAL_MAC)
    {
      uint32_t a = qopt_word(x + 4 * i);
      int16x2_t a0 = qopt_even(a), a1 = qopt_odd(a);
      s0 = __smlad((int16x2_t)v1, a1, __smlad((int16x2_t)v0, a0, s0));
      s1 = __smlad((int16x2_t)w1, a1, __smlad((int16x2_t)w0, a0, s1));
    }
#else
    s0 = qopt_add_pair(qopt_add_pair(s0, v0, x + 4 * i), v1, x + 4 * i + 1);
    s1 = qopt_add_pair(qopt_add_pair(s1, w0, x + 4 * i), w1, x + 4 * i + 1);
#endif
  }
  sums[0] = s0;
  sums[1] = s1;
}

#endif

/* Sums of two rows of codes times two columns, `k` apart. */
QOPT_INLINE void qopt_codes_2x2(const int8_t *x, const uint32_t *w, size_t bits,
                                size_t k, int32_t sums[4]) {
  const int8_t *end = x + k / QOPT_BLOCK * QOPT_BLOCK;
  sums[0] = sums[1] = sums[2] = sums[3] = 0;
  for (; x != end; x += QOPT_BLOCK, w += 2 * bits) {
    qopt_code_block block = {w, bits, QOPT_BLOCK / 4};
    qopt_block_2x2(x, k, block, sums);
  }
  {
    qopt_code_block rest = {w, bits, k % QOPT_BLOCK / 4};
    qopt_block_2x2(x, k, rest, sums);
  }
}

/* Sums of two rows of codes times one column. */
QOPT_INLINE void qopt_codes_2x1(const int8_t *x, const uint32_t *w, size_t bits,
                                size_t k, int32_t sums[2]) {
  const int8_t *end = x + k / QOPT_BLOCK * QOPT_BLOCK;
  sums[0] = sums[1] = 0;
  for (; x != end; x += QOPT_BLOCK, w += 2 * bits)
    qopt_block_2x1(x, w, bits, QOPT_BLOCK / 4, sums);
  qopt_block_2x1(x, w, bits, k % QOPT_BLOCK / 4, sums);
}

/* The sum of a row that stands alone times one column. */
QOPT_INLINE int32_t qopt_codes_1x1(const int8_t *x, const uint32_t *w,
                                   size_t bits, size_t k) {
  int32_t sum = 0;
  size_t i;
  for (i = 0; i < k / 2; ++i)
    sum = qopt_add_pair(sum, qopt_pair(w, 1, bits, i), x + 4 * (i / 2) + i % 2);
  return sum;
}

/* n sums of one pixel: bias + w x. */
QOPT_INLINE void qopt_sums_codes(const int8_t *x, int32_t *y,
                                 const qopt_grid_weights *weights,
                                 const qopt_shape *shape, size_t bits) {
  size_t n = shape->n, k = shape->k, words = qopt_row_words(k, bits), c;
  const uint32_t *w = weights->words;
  int32_t rest = weights->least * qopt_sum_column(x, k), step = weights->step;
  for (c = 0; c + 1 < n; c += 2, w += 2 * words) {
    int32_t sums[2];
    qopt_codes_2x1(x, w, bits, k, sums);
    y[c] += step * sums[0] + rest;
    y[c + 1] += step * sums[1] + rest;
  }
  if (c < n)
    y[c] += step * qopt_codes_1x1(x, w, bits, k) + rest;
}

/* n channels of one pixel: y = requantize(w x + bias). */
QOPT_INLINE void qopt_pixel_codes(const int8_t *restrict x, int8_t *restrict y,
                                  const qopt_grid_weights *weights,
                                  const qopt_shape *shape,
                                  const qopt_scales *scales) {
  size_t bits = weights->bits;
  size_t n = shape->n, k = shape->k, words = qopt_row_words(k, bits), c;
  const uint32_t *w = weights->words;
  int32_t rest = weights->least * qopt_sum_column(x, k), step = weights->step;
  for (c = 0; c + 1 < n; c += 2, w += 2 * words) {
    int32_t sums[2];
    qopt_codes_2x1(x, w, bits, k, sums);
    y[c] =
        qopt_requantize(step * sums[0] + rest + scales->bias[c], scales, c);
    y[c + 1] = qopt_requantize(step * sums[1] + rest + scales->bias[c + 1],
                               scales, c + 1);
  }
  if (c < n)
    y[c] = qopt_requantize(step * qopt_codes_1x1(x, w, bits, k) + rest +
                               scales->bias[c],
                           scales, c);
}

/* The same for two pixels: columns lie k bytes apart, results n. */
QOPT_INLINE void qopt_pixels_codes(const int8_t *restrict x, int8_t *restrict y,
                                   const qopt_grid_weights *weights,
                                   const qopt_shape *shape,
                                   const qopt_scales *scales) {
  size_t bits = weights->bits;
  size_t n = shape->n, k = shape->k, words = qopt_row_words(k, bits), c;
  const uint32_t *w = weights->words;
  int32_t rest0 = weights->least * qopt_sum_column(x, k);
  int32_t rest1 = weights->least * qopt_sum_column(x + k, k);
  int32_t step = weights->step;
  for (c = 0; c + 1 < n; c += 2, w += 2 * words) {
    const int32_t *bias = scales->bias + c;
    int32_t sums[4];
    qopt_codes_2x2(x, w, bits, k, sums);
    y[c] = qopt_requantize(step * sums[0] + rest0 + bias[0], scales, c);
    y[n + c] = qopt_requantize(step * sums[1] + rest1 + bias[0], scales, c);
    y[c + 1] = qopt_requantize(step * sums[2] + rest0 + bias[1], scales, c + 1);
    y[n + c + 1] =
        qopt_requantize(step * sums[3] + rest1 + bias[1], scales, c + 1);
  }
  if (c < n) {
    int32_t sum = step * qopt_codes_1x1(x, w, bits, k) + rest0;
    y[c] = qopt_requantize(sum + scales->bias[c], scales, c);
    sum = step * qopt_codes_1x1(x + k, w, bits, k) + rest1;
    y[n + c] = qopt_requantize(sum + scales->bias[c], scales, c);
  }
}

/* `count` weights, a multiple of 4, of one long row as bytes. */
QOPT_INLINE void qopt_unpack_codes(int8_t *restrict w,
                                   const qopt_grid_weights *weights,
                                   size_t count, size_t bits) {
  size_t i;
  for (i = 0; i < count / 2; ++i) {
    uint32_t pair = qopt_pair(weights->words, 1, bits, i);
    int8_t *to = w + 4 * (i / 2) + i % 2;
    to[0] = (int8_t)(weights->least + weights->step * (int32_t)(pair & 0xFFFF));
    to[2] = (int8_t)(weights->least + weights->step * (int32_t)(pair >> 16));
  }
}

/* A copy for each width, in which shifts and masks are constants; one for all
 * steps, as they are long. */
#define QOPT_DEFINE_WIDTH(BITS)                                                \
  QOPT_TILE void qopt_linear_##BITS##bit_1(                                    \
      const int8_t *x, int8_t *y, const qopt_grid_weights *weights,            \
      const qopt_shape *shape, const qopt_scales *scales) {                    \
    qopt_grid_weights grid = *weights;                                         \
    grid.bits = BITS;                                                          \
    qopt_pixel_codes(x, y, &grid, shape, scales);                              \
  }                                                                            \
  QOPT_TILE void qopt_linear_##BITS##bit_2(                                    \
      const int8_t *x, int8_t *y, const qopt_grid_weights *weights,            \
      const qopt_shape *shape, const qopt_scales *scales) {                    \
    qopt_grid_weights grid = *weights;                                         \
    grid.bits = BITS;                                                          \
    qopt_pixels_codes(x, y, &grid, shape, scales);                             \
  }                                                                            \
  QOPT_TILE void qopt_sums_##BITS##bit(                                        \
      const int8_t *x, int32_t *y, const qopt_grid_weights *weights,           \
      const qopt_shape *shape, const int32_t *bias) {                          \
    memcpy(y, bias, shape->n * sizeof *y);                                     \
    qopt_sums_codes(x, y, weights, shape, BITS);                               \
  }                                                                            \
  QOPT_TILE void qopt_unpack_##BITS##bit(                                      \
      int8_t *w, const qopt_grid_weights *weights, size_t count) {             \
    qopt_unpack_codes(w, weights, count, BITS);                                \
  }

QOPT_DEFINE_WIDTH(1)
QOPT_DEFINE_WIDTH(2)
QOPT_DEFINE_WIDTH(3)
QOPT_DEFINE_WIDTH(4)
QOPT_DEFINE_WIDTH(5)
QOPT_DEFINE_WIDTH(6)
QOPT_DEFINE_WIDTH(7)

#endif /* QOPT_EMBEDDED_BITS_H */
