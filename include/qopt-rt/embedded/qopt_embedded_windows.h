/*===- qopt_embedded_windows.h - What sees a window of an image -----------===*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A part of qopt_embedded.h, which includes it.
 *
 * Convolutions copy a window into a column; depthwise ones and pools read it
 * through a pointer to each tap.
 *===----------------------------------------------------------------------===*/
#ifndef QOPT_EMBEDDED_WINDOWS_H
#define QOPT_EMBEDDED_WINDOWS_H

/* Shape of a convolution or pool over an image of height x width x channels. */
typedef struct qopt_window {
  int32_t height, width, channels;
  int32_t out_width;
  int32_t kernel_y, kernel_x;
  int32_t stride_y, stride_x;
  int32_t pad_y, pad_x; /* before the first row and column */
  int32_t dilation_y, dilation_x;
  int32_t border; /* value outside of the image */
} qopt_window;

/* memcpy of a few bytes, memset of some. */
QOPT_INLINE void qopt_copy(int8_t *restrict to, const int8_t *restrict from,
                           size_t count) {
#if defined(QOPT_MVE)
  size_t i = 0;
  for (; i + 16 <= count; i += 16)
    vstrbq_s8(to + i, vldrbq_s8(from + i));
  if (i < count) {
    mve_pred16_t p = vctp8q((uint32_t)(count - i));
    vstrbq_p_s8(to + i, vldrbq_z_s8(from + i, p), p);
  }
#else
  memcpy(to, from, count);
#endif
}

QOPT_INLINE void qopt_fill(int8_t *to, int32_t value, size_t count) {
#if defined(QOPT_MVE)
  size_t i;
  for (i = 0; i < count; i += 16)
    vstrbq_p_s8(to + i, vdupq_n_s8((int8_t)value),
                vctp8q((uint32_t)(count - i)));
#else
  memset(to, value, count);
#endif
}

/* Copies the window of output pixel `pixel` into `column`, row by row. */
QOPT_TILE void qopt_gather(int8_t *restrict column, const int8_t *restrict x,
                           size_t pixel, const qopt_window *window) {
  int32_t oy = (int32_t)pixel / window->out_width;
  int32_t ox = (int32_t)pixel % window->out_width;
  int32_t y = oy * window->stride_y - window->pad_y;
  int32_t x0 = ox * window->stride_x - window->pad_x;
  int32_t channels = window->channels;
  int32_t ky, kx;
  for (ky = 0; ky < window->kernel_y; ++ky, y += window->dilation_y) {
    int32_t row_bytes = window->kernel_x * channels;
    if (y < 0 || y >= window->height) {
      qopt_fill(column, window->border, (size_t)row_bytes);
      column += row_bytes;
      continue;
    }
    if (window->dilation_x == 1 && x0 >= 0 &&
        x0 + window->kernel_x <= window->width) {
      qopt_copy(column, x + ((ptrdiff_t)y * window->width + x0) * channels,
                (size_t)row_bytes);
      column += row_bytes;
      continue;
    }
    for (kx = 0; kx < window->kernel_x; ++kx, column += channels) {
      int32_t at = x0 + kx * window->dilation_x;
      if (at < 0 || at >= window->width)
        qopt_fill(column, window->border, (size_t)channels);
      else
        qopt_copy(column, x + ((ptrdiff_t)y * window->width + at) * channels,
                  (size_t)channels);
    }
  }
}

/* taps[i] = where tap i of an output pixel begins; `border` for those outside
 * of the image. */
QOPT_TILE void qopt_find_taps(const int8_t **taps, const int8_t *x,
                              const int8_t *border, size_t pixel,
                              const qopt_window *window) {
  int32_t oy = (int32_t)pixel / window->out_width;
  int32_t ox = (int32_t)pixel % window->out_width;
  int32_t y = oy * window->stride_y - window->pad_y;
  int32_t x0 = ox * window->stride_x - window->pad_x;
  int32_t ky, kx;
  for (ky = 0; ky < window->kernel_y; ++ky, y += window->dilation_y) {
    const int8_t *row =
        x + ((ptrdiff_t)y * window->width + x0) * window->channels;
    int inside = y >= 0 && y < window->height;
    for (kx = 0; kx < window->kernel_x; ++kx) {
      int32_t at = x0 + kx * window->dilation_x;
      *taps++ = inside && at >= 0 && at < window->width
                    ? row + (ptrdiff_t)kx * window->dilation_x *
                                window->channels
                    : border;
    }
  }
}

#if defined(QOPT_MVE)

/* Sixteen channels of a depthwise pixel from `block.row` on, untied: products of
 * 16 bits, s<j> of channels j, j + 4, j + 8, j + 12. */
QOPT_INLINE void qopt_depthwise_16(const int8_t **taps, int8_t *restrict y,
                                   const int8_t *restrict w,
                                   const qopt_scales *scales, qopt_block block) {
  size_t c = block.row;
  uint32x4_t at = vidupq_n_u32(0, 4);
  const int32_t *bias = scales->bias + c, *multiplier = scales->multiplier + c;
  int32x4_t s0 = vldrwq_gather_shifted_offset_s32(bias, at);
  int32x4_t s1 = vldrwq_gather_shifted_offset_s32(bias + 1, at);
  int32x4_t s2 = vldrwq_gather_shifted_offset_s32(bias + 2, at);
  int32x4_t s3 = vldrwq_gather_shifted_offset_s32(bias + 3, at);
  const int8_t **end = taps + block.count;
  uint32x4_t right;
  int16x8_t even, odd;
  int8x16_t bytes;
  w += c;
  QOPT_ROLLED
  do {
    int8x16_t a = vldrbq_s8(*taps++ + c), b = vldrbq_s8(w);
    even = vmullbq_int_s8(a, b);
    odd = vmulltq_int_s8(a, b);
    s0 = vaddq_s32(s0, vmovlbq_s16(even));
    s1 = vaddq_s32(s1, vmovlbq_s16(odd));
    s2 = vaddq_s32(s2, vmovltq_s16(even));
    s3 = vaddq_s32(s3, vmovltq_s16(odd));
    w += block.k;
  } while (taps != end);
  s0 = vmulhq_s32(s0, vldrwq_gather_shifted_offset_s32(multiplier, at));
  s1 = vmulhq_s32(s1, vldrwq_gather_shifted_offset_s32(multiplier + 1, at));
  s2 = vmulhq_s32(s2, vldrwq_gather_shifted_offset_s32(multiplier + 2, at));
  s3 = vmulhq_s32(s3, vldrwq_gather_shifted_offset_s32(multiplier + 3, at));
  /* Shifts of four channels in a word: the lowest byte of a lane counts. */
  right = vreinterpretq_u32_u8(vmvnq_u8(vldrbq_u8(scales->shift + c)));
  s0 = vrshlq_s32(s0, vreinterpretq_s32_u32(right));
  s1 = vrshlq_s32(s1, vreinterpretq_s32_u32(vshrq_n_u32(right, 8)));
  s2 = vrshlq_s32(s2, vreinterpretq_s32_u32(vshrq_n_u32(right, 16)));
  s3 = vrshlq_s32(s3, vreinterpretq_s32_u32(vshrq_n_u32(right, 24)));
  even = vqmovntq_s32(vqmovnbq_s32(even, s0), s2);
  odd = vqmovntq_s32(vqmovnbq_s32(odd, s1), s3);
  even = vqaddq_n_s16(even, (int16_t)scales->zero_point);
  odd = vqaddq_n_s16(odd, (int16_t)scales->zero_point);
  bytes = vreinterpretq_s8_s16(even);
  bytes = vqmovntq_s16(vqmovnbq_s16(bytes, even), odd);
  if (scales->low > -128)
    bytes = vmaxq_s8(bytes, vdupq_n_s8((int8_t)scales->low));
  if (scales->high < 127)
    bytes = vminq_s8(bytes, vdupq_n_s8((int8_t)scales->high));
  vstrbq_s8(y + c, bytes);
}

#endif

/* One pixel of a depthwise convolution: a row of k channels for every tap. */
QOPT_PRODUCT void qopt_depthwise(const int8_t **taps, int8_t *restrict y,
                                 const int8_t *restrict w,
                                 const qopt_shape *shape,
                                 const qopt_scales *scales) {
  size_t count = shape->n, channels = shape->k, c = 0, t;
#if defined(QOPT_MVE)
  for (; scales->untied && c + 16 <= channels; c += 16)
    qopt_depthwise_16(taps, y, w, scales, (qopt_block){c, count, channels});
  for (; scales->untied && c + 4 <= channels; c += 4) {
    const int8_t *weight = w + c;
    int32x4_t sum = vldrwq_s32(scales->bias + c);
    for (t = 0; t < count; ++t, weight += channels)
      sum = vaddq_s32(
          sum, vmulq_s32(vldrbq_s32(taps[t] + c), vldrbq_s32(weight)));
    qopt_store_4(sum, y + c, scales, c);
  }
  for (; c < channels; c += 4) {
    mve_pred16_t p = vctp32q((uint32_t)(channels - c));
    int32x4_t sum = vldrwq_z_s32(scales->bias + c, p);
    int32_t sums[4];
    size_t r;
    for (t = 0; t < count; ++t)
      sum = vaddq_s32(sum,
                      vmulq_s32(vldrbq_z_s32(taps[t] + c, p),
                                vldrbq_z_s32(w + t * channels + c, p)));
    vst1q_s32(sums, sum);
    for (r = 0; r < 4 && c + r < channels; ++r)
      y[c + r] = qopt_requantize(sums[r], scales, c + r);
  }
#elif defined(QOPT_DUAL_MAC)
  size_t quads = channels / 4 * 4;
  for (; c < quads; c += 4) {
    int32_t s0 = scales->bias[c], s1 = scales->bias[c + 1];
    int32_t s2 = scales->bias[c + 2], s3 = scales->bias[c + 3];
    const int8_t *weight = w + c;
    for (t = 0; t < count; ++t, weight += channels) {
      uint32_t a = qopt_word(taps[t] + c), b = qopt_word(weight);
      int32_t a02 = qopt_even(a), b02 = qopt_even(b);
      int32_t a13 = qopt_odd(a), b13 = qopt_odd(b);
      s0 += (int32_t)(int16_t)a02 * (int16_t)b02;
      s2 += (a02 >> 16) * (b02 >> 16);
      s1 += (int32_t)(int16_t)a13 * (int16_t)b13;
      s3 += (a13 >> 16) * (b13 >> 16);
    }
    y[c] = qopt_requantize(s0, scales, c);
    y[c + 1] = qopt_requantize(s1, scales, c + 1);
    y[c + 2] = qopt_requantize(s2, scales, c + 2);
    y[c + 3] = qopt_requantize(s3, scales, c + 3);
  }
#endif
  for (; c < channels; ++c) {
    int32_t sum = scales->bias[c];
    for (t = 0; t < count; ++t)
      sum += (int32_t)taps[t][c] * w[t * channels + c];
    y[c] = qopt_requantize(sum, scales, c);
  }
}

/* Weights of n channels, [taps][inputs] each; a group has `inputs` channels of
 * every tap and `outputs` of the n. */
typedef struct qopt_groups {
  size_t n, taps, inputs, outputs;
} qopt_groups;

/* One pixel of a convolution in groups. */
QOPT_PRODUCT void qopt_grouped(const int8_t **taps, int8_t *restrict y,
                               const int8_t *restrict w,
                               const qopt_groups *groups,
                               const qopt_scales *scales) {
  size_t n = groups->n, inputs = groups->inputs, c, t;
  for (c = 0; c < n; ++c) {
    size_t first = c / groups->outputs * inputs;
    int32_t sum = scales->bias[c];
    for (t = 0; t < groups->taps; ++t, w += inputs)
      sum = qopt_dot_1x1(taps[t] + first, w, inputs, sum);
    y[c] = qopt_requantize(sum, scales, c);
  }
}

/* Sums of windows; bias holds -count * zero point of x. */
QOPT_TILE void qopt_sum_taps(const int8_t **taps, size_t count,
                             int8_t *restrict y, size_t channels,
                             const qopt_scales *scales) {
  size_t c, t;
  for (c = 0; c < channels; ++c) {
    int32_t sum = scales->bias[0];
    for (t = 0; t < count; ++t)
      sum += taps[t][c];
    y[c] = qopt_requantize(sum, scales, 0);
  }
}

QOPT_TILE void qopt_max_taps(const int8_t **taps, size_t count,
                             int8_t *restrict y, size_t channels) {
  size_t c, t;
  for (c = 0; c < channels; ++c) {
    int8_t most = taps[0][c];
    for (t = 1; t < count; ++t)
      most = taps[t][c] > most ? taps[t][c] : most;
    y[c] = most;
  }
}

#endif /* QOPT_EMBEDDED_WINDOWS_H */
