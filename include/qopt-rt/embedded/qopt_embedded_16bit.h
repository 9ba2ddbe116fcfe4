/*===- qopt_embedded_16bit.h - Activations of 9 to 16 bits ----------------===*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A part of qopt_embedded.h, which includes it.
 *
 * Operands and results have one byte or two an element, weights one; sums have
 * 32 bits where that is proven, else 64. Arrays are given by their bytes, and
 * begin anywhere.
 *===----------------------------------------------------------------------===*/
#ifndef QOPT_EMBEDDED_16BIT_H
#define QOPT_EMBEDDED_16BIT_H

/* How sums become elements of `y_bytes`. */
typedef struct qopt_wide {
  const int32_t *bias;   /* of sums of 32 bits */
  const int64_t *bias64; /* of sums of 64 bits, or NULL */
  const int32_t *multiplier; /* NULL: sums are the result */
  const uint8_t *shift;
  int32_t zero_point;
  int32_t low, high;
  int fast; /* sums of 32 bits, all shifts from 33 on */
  size_t x_bytes, b_bytes, y_bytes; /* b: a second operand */
} qopt_wide;

/*===- Scalars ------------------------------------------------------------===*/

QOPT_INLINE int32_t qopt_load(const int8_t *x, size_t i, size_t bytes) {
  int16_t element;
  if (bytes == 1)
    return x[i];
  memcpy(&element, x + 2 * i, 2);
  return element;
}

QOPT_INLINE void qopt_store(int8_t *y, size_t i, int32_t value, size_t bytes) {
  int16_t element = (int16_t)value;
  if (bytes == 1)
    y[i] = (int8_t)value;
  else
    memcpy(y + 2 * i, &element, 2);
}

/* sum * multiplier / 2^shift rounded once, half to even, |sum| < 2^47: the
 * product in an upper word of 64 bits and a lower one of 32. An upper word that
 * is cut off saturates all the same. */
QOPT_INLINE int64_t qopt_scale_sum(int64_t sum, int32_t multiplier,
                                   uint32_t shift) {
  int64_t word = (int64_t)1 << 32, most = (int64_t)1 << 28;
  int64_t low = (sum & 0xFFFFFFFF) * multiplier;
  int64_t high = (sum >> 32) * multiplier + (low >> 32);
  int64_t rest = low & 0xFFFFFFFF;
  if (shift > 32) {
    uint32_t right = shift - 32;
    int64_t up = (rest != 0) | ((high >> right) & 1);
    return (high + (((int64_t)1 << (right - 1)) - 1) + up) >> right;
  }
  high = high < -most ? -most : high > most ? most : high;
  return qopt_round_shift(high * word + rest, shift);
}

QOPT_INLINE int32_t qopt_round_wide(int64_t sum, const qopt_wide *scales,
                                    size_t c) {
  int32_t multiplier = scales->multiplier[c];
  uint32_t shift = scales->shift[c];
  int64_t rounded = scales->fast
                        ? qopt_scale((int32_t)sum, multiplier, shift)
                        : qopt_scale_sum(sum, multiplier, shift);
  rounded += scales->zero_point;
  if (rounded < scales->low)
    rounded = scales->low;
  if (rounded > scales->high)
    rounded = scales->high;
  return (int32_t)rounded;
}

/* Element i of a result out of the sum of channel c. */
QOPT_INLINE void qopt_store_sum(int8_t *y, size_t i, int64_t sum,
                                const qopt_wide *scales, size_t c) {
  int32_t narrow = (int32_t)sum;
  if (scales->multiplier)
    qopt_store(y, i, qopt_round_wide(sum, scales, c), scales->y_bytes);
  else if (scales->y_bytes == 4)
    memcpy(y + 4 * i, &narrow, 4);
  else
    memcpy(y + 8 * i, &sum, 8);
}

QOPT_INLINE int64_t qopt_wide_bias(const qopt_wide *scales, size_t c) {
  return scales->bias64 ? scales->bias64[c] : scales->bias[c];
}

/*===- Products -----------------------------------------------------------===*/

#if defined(QOPT_DUAL_MAC)
/* Elements 0 and 2, and 1 and 3, of four. */
QOPT_INLINE int16x2_t qopt_even_halves(uint32_t a, uint32_t b) {
  return (int16x2_t)((a & 0xFFFFu) | b << 16);
}
QOPT_INLINE int16x2_t qopt_odd_halves(uint32_t a, uint32_t b) {
  return (int16x2_t)(a >> 16 | (b & 0xFFFF0000u));
}
#endif

/* sum + w x in 32 bits. */
QOPT_INLINE int32_t qopt_dot_wide32(const int8_t *x, const int8_t *w, size_t k,
                                    int32_t sum, size_t bytes) {
  size_t i = 0;
#if defined(QOPT_DUAL_MAC)
  if (bytes == 2)
    for (; i + 4 <= k; i += 4) {
      uint32_t a = qopt_word(x + 2 * i), b = qopt_word(x + 2 * i + 4);
      uint32_t v = qopt_word(w + i);
      sum = __smlad(qopt_even_halves(a, b), qopt_even(v), sum);
      sum = __smlad(qopt_odd_halves(a, b), qopt_odd(v), sum);
    }
#endif
  for (; i < k; ++i)
    sum += qopt_load(x, i, bytes) * w[i];
  return sum;
}

/* The same in 64 bits. */
QOPT_INLINE int64_t qopt_dot_wide64(const int8_t *x, const int8_t *w, size_t k,
                                    int64_t sum, size_t bytes) {
  size_t i = 0;
#if defined(QOPT_DUAL_MAC)
  if (bytes == 2)
    for (; i + 4 <= k; i += 4) {
      uint32_t a = qopt_word(x + 2 * i), b = qopt_word(x + 2 * i + 4);
      uint32_t v = qopt_word(w + i);
      sum = __smlald(qopt_even_halves(a, b), qopt_even(v), sum);
      sum = __smlald(qopt_odd_halves(a, b), qopt_odd(v), sum);
    }
#endif
  for (; i < k; ++i)
    sum += qopt_load(x, i, bytes) * w[i];
  return sum;
}

/* One pixel of a convolution in groups, or one group; a dense layer has one
 * tap. */
QOPT_PRODUCT void qopt_wide_products(const int8_t **taps, int8_t *restrict y,
                                     const int8_t *restrict w,
                                     const qopt_groups *groups,
                                     const qopt_wide *scales) {
  size_t n = groups->n, inputs = groups->inputs, c, t;
  size_t bytes = scales->x_bytes;
  for (c = 0; c < n; ++c) {
    size_t first = c / groups->outputs * inputs * bytes;
    int64_t sum = qopt_wide_bias(scales, c);
    for (t = 0; t < groups->taps; ++t, w += inputs)
      sum = scales->bias64
                ? qopt_dot_wide64(taps[t] + first, w, inputs, sum, bytes)
                : qopt_dot_wide32(taps[t] + first, w, inputs, (int32_t)sum,
                                  bytes);
    qopt_store_sum(y, c, sum, scales, c);
  }
}

/* One pixel of a depthwise convolution: a row of weights for every tap. */
QOPT_PRODUCT void qopt_wide_depthwise(const int8_t **taps, int8_t *restrict y,
                                      const int8_t *restrict w,
                                      const qopt_shape *shape,
                                      const qopt_wide *scales) {
  size_t channels = shape->k, c, t;
  for (c = 0; c < channels; ++c) {
    int64_t sum = qopt_wide_bias(scales, c);
    for (t = 0; t < shape->n; ++t)
      sum += qopt_load(taps[t], c, scales->x_bytes) * w[t * channels + c];
    qopt_store_sum(y, c, sum, scales, c);
  }
}

/*===- Pools and elements -------------------------------------------------===*/

QOPT_TILE void qopt_wide_fill(int8_t *y, int32_t value, size_t count) {
  size_t i;
  for (i = 0; i < count; ++i)
    qopt_store(y, i, value, 2);
}

QOPT_TILE void qopt_wide_sum_taps(const int8_t **taps, size_t count,
                                  int8_t *restrict y, size_t channels,
                                  const qopt_wide *scales) {
  size_t c, t;
  for (c = 0; c < channels; ++c) {
    int64_t sum = qopt_wide_bias(scales, 0);
    for (t = 0; t < count; ++t)
      sum += qopt_load(taps[t], c, scales->x_bytes);
    qopt_store_sum(y, c, sum, scales, 0);
  }
}

QOPT_TILE void qopt_wide_max_taps(const int8_t **taps, size_t count,
                                  int8_t *restrict y, size_t channels) {
  size_t c, t;
  for (c = 0; c < channels; ++c) {
    int32_t most = qopt_load(taps[0], c, 2);
    for (t = 1; t < count; ++t) {
      int32_t now = qopt_load(taps[t], c, 2);
      most = now > most ? now : most;
    }
    qopt_store(y, c, most, 2);
  }
}

/* Bytes of an element of two operands and of the result. */
typedef struct qopt_widths {
  size_t a, b, y;
} qopt_widths;

typedef struct qopt_wide_sum {
  qopt_sum sum;
  qopt_widths widths;
} qopt_wide_sum;

/* y = a + b. */
QOPT_TILE void qopt_wide_add(const int8_t *a, const int8_t *b,
                             int8_t *restrict y, const qopt_operands *operands,
                             const qopt_wide_sum *wide) {
  const qopt_sum *sum = &wide->sum;
  const qopt_widths *widths = &wide->widths;
  const int32_t *zero_points = operands->zero_points;
  size_t i, j;
  for (i = 0, j = 0; i < operands->count; ++i) {
    int64_t left = qopt_load(a, i, widths->a) - zero_points[0];
    int64_t right = qopt_load(b, j, widths->b) - zero_points[1];
    int64_t rounded = qopt_round_shift(left * sum->multipliers[0] +
                                           right * sum->multipliers[1],
                                       sum->shift) +
                      sum->zero_point;
    if (rounded < sum->low)
      rounded = sum->low;
    if (rounded > sum->high)
      rounded = sum->high;
    qopt_store(y, i, (int32_t)rounded, widths->y);
    j = j + 1 == operands->b_count ? 0 : j + 1;
  }
}

/* y = requantize((a - zero point) * (b - zero point)). */
QOPT_TILE void qopt_wide_multiply(const int8_t *a, const int8_t *b,
                                  int8_t *restrict y,
                                  const qopt_operands *operands,
                                  const qopt_wide *scales) {
  const int32_t *zero_points = operands->zero_points;
  size_t i, j;
  for (i = 0, j = 0; i < operands->count; ++i) {
    int64_t left = qopt_load(a, i, scales->x_bytes) - zero_points[0];
    int64_t right = qopt_load(b, j, scales->b_bytes) - zero_points[1];
    qopt_store_sum(y, i, left * right, scales, 0);
    j = j + 1 == operands->b_count ? 0 : j + 1;
  }
}

/* y = requantize(x + bias), channel by channel. */
QOPT_TILE void qopt_wide_rescale(const int8_t *x, int8_t *restrict y,
                                 size_t count, size_t channels,
                                 const qopt_wide *scales) {
  size_t i, c;
  for (i = 0, c = 0; i < count; ++i) {
    int64_t sum = qopt_load(x, i, scales->x_bytes) + qopt_wide_bias(scales, c);
    qopt_store_sum(y, i, sum, scales, c);
    c = c + 1 == channels ? 0 : c + 1;
  }
}

/* Integers of unsigned encodings as signed ones. */
QOPT_TILE void qopt_wide_flip(const int8_t *x, int8_t *restrict y,
                              size_t count) {
  size_t i;
  for (i = 0; i < count; ++i)
    qopt_store(y, i, qopt_load(x, i, 2) ^ 0x8000, 2);
}

/* `table` has an entry for each integer of x, read as unsigned. */
QOPT_TILE void qopt_wide_look_up(const int8_t *x, int8_t *restrict y,
                                 size_t count, const int8_t *table,
                                 const qopt_widths *widths) {
  size_t mask = widths->a == 1 ? 0xFF : 0xFFFF, i;
  for (i = 0; i < count; ++i)
    qopt_store(y, i,
               qopt_load(table, (size_t)qopt_load(x, i, widths->a) & mask,
                         widths->y),
               widths->y);
}

/* Positions of the largest or smallest. */
QOPT_TILE void qopt_wide_arg_reduce(const int8_t *x, int64_t *restrict y,
                                    const qopt_search *search) {
  size_t stride = search->stride, row, at, i;
  for (row = 0; row < search->rows; ++row, x += 2 * stride * search->count)
    for (at = 0; at < stride; ++at) {
      int32_t best = search->sign * qopt_load(x, at, 2);
      int64_t found = 0;
      for (i = 1; i < search->count; ++i) {
        int32_t now = search->sign * qopt_load(x, at + i * stride, 2);
        if (now > best || (search->last && now == best)) {
          best = now;
          found = (int64_t)i;
        }
      }
      *y++ = found;
    }
}

/* Elements of so many bytes. */
typedef struct qopt_run {
  size_t count, bytes;
} qopt_run;

/* sums[i] += coefficients * (x[i] - zero point) of all inputs of the output
 * position `at`, for a run of elements. */
QOPT_TILE void qopt_wide_sum_grid(const int8_t *restrict x,
                                  int32_t *restrict sums, qopt_run run,
                                  const qopt_grid *grid, const size_t *at) {
  size_t tap[QOPT_GRID_AXES] = {0};
  size_t rank = grid->rank, d, i;
  do {
    const int8_t *from = x;
    int32_t weight = 1;
    for (d = 0; d < rank; ++d) {
      const qopt_grid_axis *axis = &grid->axes[d];
      size_t entry = at[d] * axis->taps + tap[d];
      from += axis->offsets[entry];
      weight *= axis->coefficients[entry];
    }
    for (i = 0; i < run.count; ++i)
      sums[i] += weight * (qopt_load(from, i, run.bytes) - grid->zero_point);
    for (d = rank; d-- > 0;) {
      if (++tap[d] < grid->axes[d].taps)
        break;
      tap[d] = 0;
    }
  } while (d < rank); /* else all dimensions are through */
}

/* y = requantize(sums), dense. */
QOPT_TILE void qopt_wide_resize(const int8_t *restrict x, int8_t *restrict y,
                                const qopt_grid *grid,
                                const qopt_wide *scales) {
  size_t at[QOPT_GRID_AXES] = {0};
  size_t rank = grid->rank, run = grid->run, d, c, i;
  size_t bytes = scales->x_bytes;
  do {
    for (c = 0; c < run; c += QOPT_GRID_RUN) {
      int32_t sums[QOPT_GRID_RUN] = {0};
      size_t count = run - c < QOPT_GRID_RUN ? run - c : QOPT_GRID_RUN;
      qopt_run part = {count, bytes};
      qopt_wide_sum_grid(x + c * bytes, sums, part, grid, at);
      for (i = 0; i < count; ++i)
        qopt_store_sum(y, i, sums[i], scales, 0);
      y += count * scales->y_bytes;
    }
    for (d = rank; d-- > 0;) {
      if (++at[d] < grid->axes[d].extent)
        break;
      at[d] = 0;
    }
  } while (d < rank); /* else all dimensions are through */
}

#endif /* QOPT_EMBEDDED_16BIT_H */
