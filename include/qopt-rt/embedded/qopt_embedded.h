/*===- qopt_embedded.h - Integer kernels of generated C -------------------===*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the C files of `qopt compile --emit=c` call: C99, integers only, no
 * state, no allocation, nothing from the C library but memcpy and memset.
 * Cores with dual multiplications (Cortex-M4, M7, M33) or MVE (Cortex-M55,
 * M85) get them through ACLE; every path gives the same bits.
 *
 * Activations are signed bytes, channels last. Products of columns and rows
 * take whole words: their length is a multiple of 4 (weights are padded with
 * zeros). Zero points of inputs are folded into biases; borders are filled
 * with the zero point.
 *===----------------------------------------------------------------------===*/
#ifndef QOPT_EMBEDDED_H
#define QOPT_EMBEDDED_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if !defined(QOPT_PORTABLE) && defined(__ARM_FEATURE_MVE)
#include <arm_mve.h>
#define QOPT_MVE 1
#elif !defined(QOPT_PORTABLE) && defined(__ARM_FEATURE_SIMD32) &&              \
    defined(__GNUC__)
#include <arm_acle.h>
#define QOPT_DUAL_MAC 1
#endif

#if !defined(QOPT_PORTABLE) && defined(__ARM_FEATURE_SAT) && defined(__GNUC__)
#define QOPT_SATURATE 1
#endif

/* QOPT_STEP: what the network calls, one function a step; never inlined, so
 * that `restrict` holds for its parameters and a step has its stack alone.
 * QOPT_TILE: what a step calls. QOPT_PRODUCT: a tile whose loops want the
 * extents of their step as constants; a copy a step, unless size counts. */
#if defined(__GNUC__)
#define QOPT_INLINE static inline __attribute__((always_inline, unused))
#define QOPT_TILE static inline __attribute__((unused))
#define QOPT_STEP static __attribute__((noinline))
#else
#define QOPT_INLINE static inline
#define QOPT_TILE static inline
#define QOPT_STEP static
#endif
/* Before a loop over vectors: unrolled, with k known, it spills addresses. */
#if defined(__GNUC__) && !defined(__clang__)
#define QOPT_ROLLED _Pragma("GCC unroll 1")
#else
#define QOPT_ROLLED
#endif
/* With clang 22 for RISC-V at -O3, sums were wrong where a window that was
 * copied met products inlined behind it; with gcc, and clang for Arm, never.
 * The cause is not known, so clang decides there on its own. */
#if defined(__OPTIMIZE_SIZE__) || (defined(__clang__) && defined(__riscv))
#define QOPT_PRODUCT QOPT_TILE
#else
#define QOPT_PRODUCT QOPT_INLINE
#endif

/* How accumulators become bytes: per channel a multiplier and a shift. */
typedef struct qopt_scales {
  const int32_t *bias;
  const int32_t *multiplier;
  const uint8_t *shift; /* less 33 where untied */
  int32_t zero_point;
  int32_t low, high;
  int wide;   /* some shift is below 33 */
  int untied; /* no sum is half way between two results: upper words decide */
} qopt_scales;

/* Extents of weights: n rows of k, one behind the other. */
typedef struct qopt_shape {
  size_t n, k;
} qopt_shape;

/*===- Scalars ------------------------------------------------------------===*/
/* Printed from Numerics/Affine.h and Softmax.h, which the reference semantics
 * compute with (TextBuilder.h). */

QOPT_INLINE int32_t qopt_clamp(int32_t x, int32_t low, int32_t high) {
  int32_t clamped = x;
  if (clamped < low)
    clamped = low;
  if (clamped > high)
    clamped = high;
  return clamped;
}

/* A byte of [low, high], signed or not: results that the caller reads as uint8
 * reach to 255, which no saturation of signed bytes may touch. */
QOPT_INLINE int8_t qopt_clamp_byte(int32_t x, int32_t low, int32_t high) {
#if defined(QOPT_SATURATE)
  if (low == -128 && high == 127) {
    __asm__("ssat %0, #8, %1" : "=r"(x) : "r"(x));
    return (int8_t)x;
  }
#endif
  return (int8_t)qopt_clamp(x, low, high);
}

/* x / 2^shift rounded half to even, shift in [0, 62]. */
QOPT_INLINE int64_t qopt_round_shift(int64_t x, uint32_t shift) {
  int64_t almost_half = ((int64_t)1 << ((shift != 0 ? shift : 1) - 1)) - 1;
  int64_t odd = shift != 0 ? (x >> shift) & 1 : 0;
  return (x + almost_half + odd) >> shift;
}

/* x * multiplier / 2^shift rounded once, half to even. For shifts of 33 to 62
 * the upper word decides and the lower one only says whether it is zero. */
QOPT_INLINE int32_t qopt_scale(int32_t x, int32_t multiplier, uint32_t shift) {
  int64_t product = (int64_t)x * multiplier;
  int32_t high = (int32_t)(product >> 32);
  uint32_t right = shift - 32;
  int32_t up = ((int32_t)product != 0) | ((high >> right) & 1);
  return (high + (((int32_t)1 << (right - 1)) - 1) + up) >> right;
}

/* entry / sum in steps of 1/256, rounded half up. */
QOPT_INLINE uint32_t qopt_divide_softmax(uint32_t entry, uint32_t sum) {
  uint32_t dividend = entry * 512 + sum;
  uint32_t divisor = sum * 2;
  return dividend / divisor;
}

/* y saturated into [low, high] after the zero point, exactly, in 64 bits. */
QOPT_INLINE int8_t qopt_saturate(int64_t y, int32_t zero_point, int32_t low,
                                 int32_t high) {
  int64_t moved = y + zero_point;
  if (moved < low)
    moved = low;
  if (moved > high)
    moved = high;
  return (int8_t)moved;
}

/* Half up is half to even without ties (Numerics/UpperWord.h): with the zero
 * point, a multiplication, a shift and a saturation. */
QOPT_INLINE int8_t qopt_requantize_untied(int32_t sum,
                                          const qopt_scales *scales,
                                          size_t channel) {
  int32_t multiplier = scales->multiplier[channel];
  uint32_t right = scales->shift[channel];
  int32_t y =
      (int32_t)((uint32_t)(2 * scales->zero_point + 1) << right);
#if defined(QOPT_DUAL_MAC)
  __asm__("smmla %0, %1, %2, %0" : "+r"(y) : "r"(sum), "r"(multiplier));
#else
  y += (int32_t)(((int64_t)sum * multiplier) >> 32);
#endif
  y >>= right;
#if defined(QOPT_SATURATE)
  if (scales->low == -128 && scales->high == 127) {
    __asm__("ssat %0, #8, %1, asr #1" : "=r"(y) : "r"(y));
    return (int8_t)y;
  }
#endif
  return (int8_t)qopt_clamp(y >> 1, scales->low, scales->high);
}

QOPT_INLINE int8_t qopt_requantize(int32_t sum, const qopt_scales *scales,
                                   size_t channel) {
  int32_t multiplier = scales->multiplier[channel];
  uint32_t shift = scales->shift[channel];
  if (scales->untied)
    return qopt_requantize_untied(sum, scales, channel);
  if (scales->wide)
    return qopt_saturate(qopt_round_shift((int64_t)sum * multiplier, shift),
                         scales->zero_point, scales->low, scales->high);
  return (int8_t)qopt_clamp(qopt_scale(sum, multiplier, shift) +
                                scales->zero_point,
                            scales->low, scales->high);
}

#if defined(QOPT_MVE)

/* Results of four channels from `channel` on, by an untied requantization. */
QOPT_INLINE void qopt_store_4(int32x4_t sums, int8_t *y,
                              const qopt_scales *scales, size_t channel) {
  int32x4_t right =
      vldrbq_s32((const int8_t *)(const void *)(scales->shift + channel));
  sums = vmulhq_s32(sums, vldrwq_s32(scales->multiplier + channel));
  /* ~right = -(right + 1): to the right, rounded half up. */
  sums = vaddq_n_s32(vrshlq_s32(sums, vmvnq_s32(right)), scales->zero_point);
  sums = vmaxq_s32(sums, vdupq_n_s32(scales->low));
  vstrbq_s32(y, vminq_s32(sums, vdupq_n_s32(scales->high)));
}

QOPT_INLINE int32x4_t qopt_lanes(const int32_t sums[4]) {
  int32x4_t lanes = vdupq_n_s32(sums[0]);
  lanes = vsetq_lane_s32(sums[1], lanes, 1);
  lanes = vsetq_lane_s32(sums[2], lanes, 2);
  return vsetq_lane_s32(sums[3], lanes, 3);
}

#endif

/* y[r] = requantize(sums[r]), of four channels from `channel` on. */
QOPT_INLINE void qopt_requantize_4(const int32_t sums[4], int8_t *y,
                                   const qopt_scales *scales, size_t channel) {
  size_t r;
#if defined(QOPT_MVE)
  if (scales->untied) {
    qopt_store_4(qopt_lanes(sums), y, scales, channel);
    return;
  }
#endif
  for (r = 0; r < 4; ++r)
    y[r] = qopt_requantize(sums[r], scales, channel + r);
}

/*===- Products -----------------------------------------------------------===*/

#if defined(QOPT_DUAL_MAC)

QOPT_INLINE uint32_t qopt_word(const int8_t *p) {
  uint32_t word;
  memcpy(&word, p, 4);
  return word;
}

/* Bytes 0 and 2, and bytes 1 and 3, as pairs of 16-bit integers. */
QOPT_INLINE int16x2_t qopt_even(uint32_t word) {
  return __sxtb16((int8x4_t)word);
}
QOPT_INLINE int16x2_t qopt_odd(uint32_t word) {
  int32_t pair;
  __asm__("sxtb16 %0, %1, ror #8" : "=r"(pair) : "r"(word));
  return (int16x2_t)pair;
}

#endif

/* sums[2 * row + column] += two rows of weights, k apart, times two columns,
 * `stride` apart. */
QOPT_INLINE void qopt_dot_2x2(const int8_t *x0, size_t stride, const int8_t *w0,
                              size_t k, int32_t sums[4]) {
  const int8_t *x1 = x0 + stride, *w1 = w0 + k;
  int32_t s00 = sums[0], s01 = sums[1], s10 = sums[2], s11 = sums[3];
#if defined(QOPT_MVE)
  size_t i = 0;
  QOPT_ROLLED
  for (; i + 16 <= k; i += 16) {
    int8x16_t a = vldrbq_s8(x0 + i), b = vldrbq_s8(x1 + i);
    int8x16_t w = vldrbq_s8(w0 + i), v = vldrbq_s8(w1 + i);
    s00 = vmladavaq_s8(s00, w, a);
    s01 = vmladavaq_s8(s01, w, b);
    s10 = vmladavaq_s8(s10, v, a);
    s11 = vmladavaq_s8(s11, v, b);
  }
  if (i < k) {
    mve_pred16_t p = vctp8q((uint32_t)(k - i));
    int8x16_t a = vldrbq_z_s8(x0 + i, p), b = vldrbq_z_s8(x1 + i, p);
    int8x16_t w = vldrbq_z_s8(w0 + i, p), v = vldrbq_z_s8(w1 + i, p);
    s00 = vmladavaq_s8(s00, w, a);
    s01 = vmladavaq_s8(s01, w, b);
    s10 = vmladavaq_s8(s10, v, a);
    s11 = vmladavaq_s8(s11, v, b);
  }
#elif defined(QOPT_DUAL_MAC)
  const int8_t *end = w0 + k;
  do {
    uint32_t a = qopt_word(x0), b = qopt_word(x1);
    uint32_t w = qopt_word(w0), v = qopt_word(w1);
    int16x2_t a0 = qopt_even(a), a1 = qopt_odd(a);
    int16x2_t b0 = qopt_even(b), b1 = qopt_odd(b);
    int16x2_t w02 = qopt_even(w), w13 = qopt_odd(w);
    s00 = __smlad(a0, w02, s00);
    s01 = __smlad(b0, w02, s01);
    s00 = __smlad(a1, w13, s00);
    s01 = __smlad(b1, w13, s01);
    w02 = qopt_even(v);
    w13 = qopt_odd(v);
    s10 = __smlad(a0, w02, s10);
    s11 = __smlad(b0, w02, s11);
    s10 = __smlad(a1, w13, s10);
    s11 = __smlad(b1, w13, s11);
    x0 += 4;
    x1 += 4;
    w0 += 4;
    w1 += 4;
  } while (w0 != end);
#else
  size_t i;
  for (i = 0; i < k; ++i) {
    int32_t a = x0[i], b = x1[i], w = w0[i], v = w1[i];
    s00 += w * a;
    s01 += w * b;
    s10 += v * a;
    s11 += v * b;
  }
#endif
  sums[0] = s00;
  sums[1] = s01;
  sums[2] = s10;
  sums[3] = s11;
}

/* sums[row] += four rows of weights, k apart, times one column. */
QOPT_INLINE void qopt_dot_4x1(const int8_t *x, const int8_t *w, size_t k,
                              int32_t sums[4]) {
  int32_t s0 = sums[0], s1 = sums[1], s2 = sums[2], s3 = sums[3];
  const int8_t *w1 = w + k, *w2 = w1 + k, *w3 = w2 + k;
#if defined(QOPT_MVE)
  size_t i = 0;
  QOPT_ROLLED
  for (; i + 16 <= k; i += 16)
    /* Compilers compute addresses in the place of these increments. */
    __asm__("vldrb.8 q0, [%0], #16\n\tvldrb.8 q1, [%1], #16\n\t"
            "vldrb.8 q2, [%2], #16\n\tvmladava.s8 %5, q0, q1\n\t"
            "vldrb.8 q1, [%3], #16\n\tvmladava.s8 %6, q0, q2\n\t"
            "vldrb.8 q2, [%4], #16\n\tvmladava.s8 %7, q0, q1\n\t"
            "vmladava.s8 %8, q0, q2"
            : "+r"(x), "+r"(w), "+r"(w1), "+r"(w2), "+r"(w3), "+Te"(s0),
              "+Te"(s1), "+Te"(s2), "+Te"(s3)
            :
            : "q0", "q1", "q2", "memory");
  if (i < k) {
    mve_pred16_t p = vctp8q((uint32_t)(k - i));
    int8x16_t a = vldrbq_z_s8(x, p);
    s0 = vmladavaq_s8(s0, vldrbq_z_s8(w, p), a);
    s1 = vmladavaq_s8(s1, vldrbq_z_s8(w1, p), a);
    s2 = vmladavaq_s8(s2, vldrbq_z_s8(w2, p), a);
    s3 = vmladavaq_s8(s3, vldrbq_z_s8(w3, p), a);
  }
#elif defined(QOPT_DUAL_MAC)
  const int8_t *end = x + k;
  do {
    uint32_t a = qopt_word(x), word = qopt_word(w);
    int16x2_t a0 = qopt_even(a), a1 = qopt_odd(a);
    s0 = __smlad(a0, qopt_even(word), s0);
    s0 = __smlad(a1, qopt_odd(word), s0);
    word = qopt_word(w1);
    s1 = __smlad(a0, qopt_even(word), s1);
    s1 = __smlad(a1, qopt_odd(word), s1);
    word = qopt_word(w2);
    s2 = __smlad(a0, qopt_even(word), s2);
    s2 = __smlad(a1, qopt_odd(word), s2);
    word = qopt_word(w3);
    s3 = __smlad(a0, qopt_even(word), s3);
    s3 = __smlad(a1, qopt_odd(word), s3);
    x += 4;
    w += 4;
    w1 += 4;
    w2 += 4;
    w3 += 4;
  } while (x != end);
#else
  size_t i;
  for (i = 0; i < k; ++i) {
    int32_t a = x[i];
    s0 += w[i] * a;
    s1 += w1[i] * a;
    s2 += w2[i] * a;
    s3 += w3[i] * a;
  }
#endif
  sums[0] = s0;
  sums[1] = s1;
  sums[2] = s2;
  sums[3] = s3;
}

#include "qopt_embedded_4bit.h"

/*===- Pixels -------------------------------------------------------------===*/

/* One row of bytes times one column. */
QOPT_INLINE int32_t qopt_dot_1x1(const int8_t *x, const int8_t *w, size_t k,
                                 int32_t sum) {
  size_t i;
#if defined(QOPT_MVE)
  for (i = 0; i < k; i += 16) {
    mve_pred16_t p = vctp8q((uint32_t)(k - i));
    sum = vmladavaq_s8(sum, vldrbq_z_s8(w + i, p), vldrbq_z_s8(x + i, p));
  }
#else
  for (i = 0; i < k; ++i)
    sum += (int32_t)w[i] * x[i];
#endif
  return sum;
}

/* n channels of one pixel: y = requantize(w x + bias). */
QOPT_PRODUCT void qopt_linear_1(const int8_t *restrict x, int8_t *restrict y,
                                const int8_t *restrict w,
                                const qopt_shape *shape,
                                const qopt_scales *scales) {
  size_t n = shape->n, k = shape->k, quads = n / 4 * 4, c;
  for (c = 0; c < quads; c += 4) {
    int32_t sums[4];
    memcpy(sums, scales->bias + c, sizeof sums);
    qopt_dot_4x1(x, w + c * k, k, sums);
    qopt_requantize_4(sums, y + c, scales, c);
  }
  for (c = quads; c < n; ++c)
    y[c] = qopt_requantize(
        qopt_dot_1x1(x, w + c * k, k, scales->bias[c]), scales, c);
}

/* The same for two pixels: columns lie k bytes apart, results n. */
QOPT_PRODUCT void qopt_linear_2(const int8_t *restrict x, int8_t *restrict y,
                                const int8_t *restrict w,
                                const qopt_shape *shape,
                                const qopt_scales *scales) {
  size_t n = shape->n, k = shape->k, pairs = n / 2 * 2, c;
#if defined(QOPT_MVE)
  if (scales->untied && n >= 4) { /* vectors of four channels */
    qopt_linear_1(x, y, w, shape, scales);
    qopt_linear_1(x + k, y + n, w, shape, scales);
    return;
  }
#endif
  for (c = 0; c < pairs; c += 2, w += 2 * k) {
    int32_t sums[4];
    sums[0] = sums[1] = scales->bias[c];
    sums[2] = sums[3] = scales->bias[c + 1];
    qopt_dot_2x2(x, k, w, k, sums);
    y[c] = qopt_requantize(sums[0], scales, c);
    y[n + c] = qopt_requantize(sums[1], scales, c);
    y[c + 1] = qopt_requantize(sums[2], scales, c + 1);
    y[n + c + 1] = qopt_requantize(sums[3], scales, c + 1);
  }
  if (pairs < n) {
    y[c] = qopt_requantize(qopt_dot_1x1(x, w, k, scales->bias[c]), scales, c);
    y[n + c] =
        qopt_requantize(qopt_dot_1x1(x + k, w, k, scales->bias[c]), scales, c);
  }
}

/* qopt_linear_1 with weights of 4 bits: rows of k / 2 bytes. */
QOPT_PRODUCT void qopt_linear4_1(const int8_t *restrict x, int8_t *restrict y,
                                 const int8_t *restrict w,
                                 const qopt_shape *shape,
                                 const qopt_scales *scales) {
  size_t n = shape->n, k = shape->k, quads = n / 4 * 4, c;
  for (c = 0; c < quads; c += 4) {
    int32_t sums[4];
    memcpy(sums, scales->bias + c, sizeof sums);
    qopt_dot4_4x1(x, w + c * (k / 2), k, sums);
    qopt_requantize_4(sums, y + c, scales, c);
  }
  for (c = quads; c < n; ++c)
    y[c] = qopt_requantize(
        qopt_dot4_1x1(x, w + c * (k / 2), k, scales->bias[c]), scales, c);
}

/* qopt_linear_2 with weights of 4 bits. */
QOPT_PRODUCT void qopt_linear4_2(const int8_t *restrict x, int8_t *restrict y,
                                 const int8_t *restrict w,
                                 const qopt_shape *shape,
                                 const qopt_scales *scales) {
  size_t n = shape->n, k = shape->k, pairs = n / 2 * 2, c;
  for (c = 0; c < pairs; c += 2, w += k) {
    int32_t sums[4];
    sums[0] = sums[1] = scales->bias[c];
    sums[2] = sums[3] = scales->bias[c + 1];
    qopt_dot4_2x2(x, w, k, sums);
    y[c] = qopt_requantize(sums[0], scales, c);
    y[n + c] = qopt_requantize(sums[1], scales, c);
    y[c + 1] = qopt_requantize(sums[2], scales, c + 1);
    y[n + c + 1] = qopt_requantize(sums[3], scales, c + 1);
  }
  if (pairs < n) {
    y[c] = qopt_requantize(qopt_dot4_1x1(x, w, k, scales->bias[c]), scales, c);
    y[n + c] =
        qopt_requantize(qopt_dot4_1x1(x + k, w, k, scales->bias[c]), scales, c);
  }
}

/* n sums of one pixel as they are, the 32-bit results of a network. */
QOPT_PRODUCT void qopt_sums(const int8_t *restrict x, int32_t *restrict y,
                            const int8_t *restrict w, const qopt_shape *shape,
                            const int32_t *bias) {
  size_t n = shape->n, k = shape->k, quads = n / 4 * 4, c;
  memcpy(y, bias, n * sizeof *y);
  for (c = 0; c < quads; c += 4)
    qopt_dot_4x1(x, w + c * k, k, y + c);
  for (c = quads; c < n; ++c)
    y[c] = qopt_dot_1x1(x, w + c * k, k, y[c]);
}

/* The same with weights of 4 bits. */
QOPT_PRODUCT void qopt_sums4(const int8_t *restrict x, int32_t *restrict y,
                             const int8_t *restrict w, const qopt_shape *shape,
                             const int32_t *bias) {
  size_t n = shape->n, k = shape->k, quads = n / 4 * 4, c;
  memcpy(y, bias, n * sizeof *y);
  for (c = 0; c < quads; c += 4)
    qopt_dot4_4x1(x, w + c * (k / 2), k, y + c);
  for (c = quads; c < n; ++c)
    y[c] = qopt_dot4_1x1(x, w + c * (k / 2), k, y[c]);
}

#include "qopt_embedded_table.h"
#include "qopt_embedded_bits.h"
#include "qopt_embedded_windows.h"
#include "qopt_embedded_elements.h"
#include "qopt_embedded_moves.h"
#include "qopt_embedded_recurrent.h"
#include "qopt_embedded_resize.h"
#include "qopt_embedded_16bit.h"

#endif /* QOPT_EMBEDDED_H */
