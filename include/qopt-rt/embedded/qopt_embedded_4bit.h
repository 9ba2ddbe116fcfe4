/*===- qopt_embedded_4bit.h - Products with weights of 4 bits -------------===*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A part of qopt_embedded.h, which includes it.
 *
 * Rows of k weights in k / 2 bytes, k a multiple of 8: of eight neighbours the
 * first four are the lower halves of four bytes, the others the upper ones.
 * Halves are signed; moved to the top of a byte they are sixteen times the
 * weight, and so are the sums, exactly, until they are divided.
 *===----------------------------------------------------------------------===*/
#ifndef QOPT_EMBEDDED_4BIT_H
#define QOPT_EMBEDDED_4BIT_H

#if defined(QOPT_MVE)

/* 32 bytes of a column: words 0, 2, 4, 6 and words 1, 3, 5, 7. */
typedef struct qopt_halves {
  int8x16_t low, high;
} qopt_halves;

QOPT_INLINE qopt_halves qopt_column(const int8_t *x) {
  int32x4x2_t words = vld2q_s32((const int32_t *)(const void *)x);
  qopt_halves halves;
  halves.low = vreinterpretq_s8_s32(words.val[0]);
  halves.high = vreinterpretq_s8_s32(words.val[1]);
  return halves;
}

/* The same of the last 8, 16 or 24 bytes; zeros behind. */
QOPT_INLINE qopt_halves qopt_column_rest(const int8_t *x, size_t rest) {
  const int32_t *words = (const int32_t *)(const void *)x;
  uint32x4_t at = vidupq_n_u32(0, 8);
  mve_pred16_t p = vctp32q((uint32_t)(rest / 8));
  qopt_halves halves;
  halves.low = vreinterpretq_s8_s32(vldrwq_gather_offset_z_s32(words, at, p));
  halves.high =
      vreinterpretq_s8_s32(vldrwq_gather_offset_z_s32(words + 1, at, p));
  return halves;
}

QOPT_INLINE int32_t qopt_dot4(int32_t sum, qopt_halves x, int8x16_t codes) {
  sum = vmladavaq_s8(sum, vshlq_n_s8(codes, 4), x.low);
  return vmladavaq_s8(sum, vandq_s8(codes, vdupq_n_s8(-16)), x.high);
}

#elif defined(QOPT_DUAL_MAC)

/* 8 bytes of a column: pairs of the first word and of the second. */
typedef struct qopt_halves {
  int16x2_t low_even, low_odd, high_even, high_odd;
} qopt_halves;

QOPT_INLINE qopt_halves qopt_column(const int8_t *x) {
  uint32_t low = qopt_word(x), high = qopt_word(x + 4);
  qopt_halves halves;
  halves.low_even = qopt_even(low);
  halves.low_odd = qopt_odd(low);
  halves.high_even = qopt_even(high);
  halves.high_odd = qopt_odd(high);
  return halves;
}

QOPT_INLINE int32_t qopt_dot4(int32_t sum, qopt_halves x, uint32_t codes) {
  uint32_t low = codes << 4 & 0xF0F0F0F0u, high = codes & 0xF0F0F0F0u;
  sum = __smlad(x.low_even, qopt_even(low), sum);
  sum = __smlad(x.low_odd, qopt_odd(low), sum);
  sum = __smlad(x.high_even, qopt_even(high), sum);
  return __smlad(x.high_odd, qopt_odd(high), sum);
}

#endif

/* One row times one column; k counts weights. */
QOPT_INLINE int32_t qopt_dot4_1x1(const int8_t *x, const int8_t *w, size_t k,
                                  int32_t sum) {
  size_t i, j;
  for (i = 0; i < k; i += 8, w += 4)
    for (j = 0; j < 4; ++j) {
      uint32_t code = (uint8_t)w[j];
      int32_t low = (int32_t)((code & 15) ^ 8) - 8;
      int32_t high = (int32_t)((code >> 4) ^ 8) - 8;
      sum += low * x[i + j] + high * x[i + j + 4];
    }
  return sum;
}

/* sums[row] += four rows times one column. */
QOPT_INLINE void qopt_dot4_4x1(const int8_t *x, const int8_t *w, size_t k,
                               int32_t sums[4]) {
#if defined(QOPT_MVE) || defined(QOPT_DUAL_MAC)
  int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;
  const int8_t *w1 = w + k / 2, *w2 = w1 + k / 2, *w3 = w2 + k / 2;
  size_t i = 0;
#if defined(QOPT_MVE)
  QOPT_ROLLED
  for (; i + 32 <= k; i += 32) {
    qopt_halves a = qopt_column(x + i);
    s0 = qopt_dot4(s0, a, vldrbq_s8(w + i / 2));
    s1 = qopt_dot4(s1, a, vldrbq_s8(w1 + i / 2));
    s2 = qopt_dot4(s2, a, vldrbq_s8(w2 + i / 2));
    s3 = qopt_dot4(s3, a, vldrbq_s8(w3 + i / 2));
  }
  if (i < k) {
    qopt_halves a = qopt_column_rest(x + i, k - i);
    mve_pred16_t p = vctp8q((uint32_t)(k - i) / 2);
    s0 = qopt_dot4(s0, a, vldrbq_z_s8(w + i / 2, p));
    s1 = qopt_dot4(s1, a, vldrbq_z_s8(w1 + i / 2, p));
    s2 = qopt_dot4(s2, a, vldrbq_z_s8(w2 + i / 2, p));
    s3 = qopt_dot4(s3, a, vldrbq_z_s8(w3 + i / 2, p));
  }
#else
  for (; i < k; i += 8) {
    qopt_halves a = qopt_column(x + i);
    s0 = qopt_dot4(s0, a, qopt_word(w + i / 2));
    s1 = qopt_dot4(s1, a, qopt_word(w1 + i / 2));
    s2 = qopt_dot4(s2, a, qopt_word(w2 + i / 2));
    s3 = qopt_dot4(s3, a, qopt_word(w3 + i / 2));
  }
#endif
  sums[0] += s0 / 16;
  sums[1] += s1 / 16;
  sums[2] += s2 / 16;
  sums[3] += s3 / 16;
#else
  size_t r;
  for (r = 0; r < 4; ++r)
    sums[r] = qopt_dot4_1x1(x, w + r * (k / 2), k, sums[r]);
#endif
}

/* sums[2 * row + column] += two rows times two columns, k apart. */
QOPT_INLINE void qopt_dot4_2x2(const int8_t *x0, const int8_t *w0, size_t k,
                               int32_t sums[4]) {
  const int8_t *x1 = x0 + k, *w1 = w0 + k / 2;
#if defined(QOPT_MVE) || defined(QOPT_DUAL_MAC)
  int32_t s00 = 0, s01 = 0, s10 = 0, s11 = 0;
  size_t i = 0;
#if defined(QOPT_MVE)
  QOPT_ROLLED
  for (; i + 32 <= k; i += 32) {
    qopt_halves a = qopt_column(x0 + i), b = qopt_column(x1 + i);
    int8x16_t v = vldrbq_s8(w0 + i / 2), w = vldrbq_s8(w1 + i / 2);
    s00 = qopt_dot4(s00, a, v);
    s01 = qopt_dot4(s01, b, v);
    s10 = qopt_dot4(s10, a, w);
    s11 = qopt_dot4(s11, b, w);
  }
  if (i < k) {
    qopt_halves a = qopt_column_rest(x0 + i, k - i);
    qopt_halves b = qopt_column_rest(x1 + i, k - i);
    mve_pred16_t p = vctp8q((uint32_t)(k - i) / 2);
    int8x16_t v = vldrbq_z_s8(w0 + i / 2, p), w = vldrbq_z_s8(w1 + i / 2, p);
    s00 = qopt_dot4(s00, a, v);
    s01 = qopt_dot4(s01, b, v);
    s10 = qopt_dot4(s10, a, w);
    s11 = qopt_dot4(s11, b, w);
  }
#else
  for (; i < k; i += 8) {
    uint32_t v = qopt_word(w0 + i / 2), w = qopt_word(w1 + i / 2);
    int half;
    for (half = 0; half < 2; ++half) {
      uint32_t a = qopt_word(x0 + i + 4 * half);
      uint32_t b = qopt_word(x1 + i + 4 * half);
      uint32_t vs = (half ? v : v << 4) & 0xF0F0F0F0u;
      uint32_t ws = (half ? w : w << 4) & 0xF0F0F0F0u;
      int16x2_t a0 = qopt_even(a), a1 = qopt_odd(a);
      int16x2_t b0 = qopt_even(b), b1 = qopt_odd(b);
      int16x2_t w02 = qopt_even(vs), w13 = qopt_odd(vs);
      s00 = __smlad(a0, w02, s00);
      s01 = __smlad(b0, w02, s01);
      s00 = __smlad(a1, w13, s00);
      s01 = __smlad(b1, w13, s01);
      w02 = qopt_even(ws);
      w13 = qopt_odd(ws);
      s10 = __smlad(a0, w02, s10);
      s11 = __smlad(b0, w02, s11);
      s10 = __smlad(a1, w13, s10);
      s11 = __smlad(b1, w13, s11);
    }
  }
#endif
  sums[0] += s00 / 16;
  sums[1] += s01 / 16;
  sums[2] += s10 / 16;
  sums[3] += s11 / 16;
#else
  sums[0] = qopt_dot4_1x1(x0, w0, k, sums[0]);
  sums[1] = qopt_dot4_1x1(x1, w0, k, sums[1]);
  sums[2] = qopt_dot4_1x1(x0, w1, k, sums[2]);
  sums[3] = qopt_dot4_1x1(x1, w1, k, sums[3]);
#endif
}

#endif /* QOPT_EMBEDDED_4BIT_H */
