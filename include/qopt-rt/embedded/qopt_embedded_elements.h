/*===- qopt_embedded_elements.h - Element by element ----------------------===*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A part of qopt_embedded.h, which includes it.
 *
 * Sums, products, tables and softmax of bytes, and searches along a dimension.
 *===----------------------------------------------------------------------===*/
#ifndef QOPT_EMBEDDED_ELEMENTS_H
#define QOPT_EMBEDDED_ELEMENTS_H

/* Operands a and b of `count` results; b repeats after b_count elements. */
typedef struct qopt_operands {
  size_t count, b_count;
  int32_t zero_points[2];
} qopt_operands;

/* Two scales over one power of two, and the result's encoding. */
typedef struct qopt_sum {
  int32_t multipliers[2];
  uint32_t shift;
  int32_t zero_point;
  int32_t low, high;
} qopt_sum;

/* y = a + b. */
QOPT_TILE void qopt_add(const int8_t *a, const int8_t *b, int8_t *restrict y,
                        const qopt_operands *operands, const qopt_sum *sum) {
  const int32_t *zero_points = operands->zero_points;
  size_t count = operands->count, b_count = operands->b_count, i, j;
  for (i = 0, j = 0; i < count; ++i) {
    int64_t left = (int64_t)(a[i] - zero_points[0]) * sum->multipliers[0];
    int64_t right = (int64_t)(b[j] - zero_points[1]) * sum->multipliers[1];
    y[i] = qopt_saturate(qopt_round_shift(left + right, sum->shift),
                         sum->zero_point, sum->low, sum->high);
    j = j + 1 == b_count ? 0 : j + 1;
  }
}

/* The same where no sum of two bytes ties: `base` holds the zero points and half
 * of what a result counts. */
typedef struct qopt_untied_sum {
  int64_t base;
  int32_t multipliers[2];
  uint32_t shift;
  int32_t low, high;
} qopt_untied_sum;

QOPT_INLINE int8_t qopt_add_bytes(int32_t a, int32_t b,
                                  const qopt_untied_sum *sum) {
  int64_t whole = sum->base + (int64_t)a * sum->multipliers[0] +
                  (int64_t)b * sum->multipliers[1];
  return qopt_clamp_byte((int32_t)(whole >> sum->shift), sum->low, sum->high);
}

QOPT_PRODUCT void qopt_add_untied(const int8_t *a, const int8_t *b,
                                  int8_t *restrict y,
                                  const qopt_operands *operands,
                                  const qopt_untied_sum *sum) {
  size_t b_count = operands->b_count, i, j;
  for (i = 0; i < operands->count; i += b_count)
    for (j = 0; j < b_count; ++j)
      y[i + j] = qopt_add_bytes(a[i + j], b[j], sum);
}

/* y = requantize((a - zero point) * (b - zero point)). */
QOPT_TILE void qopt_multiply(const int8_t *a, const int8_t *b,
                             int8_t *restrict y, const qopt_operands *operands,
                             const qopt_scales *scales) {
  const int32_t *zero_points = operands->zero_points;
  size_t count = operands->count, b_count = operands->b_count, i, j;
  for (i = 0, j = 0; i < count; ++i) {
    int32_t product = (a[i] - zero_points[0]) * (b[j] - zero_points[1]);
    y[i] = qopt_requantize(product, scales, 0);
    j = j + 1 == b_count ? 0 : j + 1;
  }
}

/* y = requantize(x + bias), channel by channel. */
QOPT_TILE void qopt_rescale(const int8_t *x, int8_t *restrict y, size_t count,
                            size_t channels, const qopt_scales *scales) {
  size_t i, c;
  for (i = 0, c = 0; i < count; ++i) {
    y[i] = qopt_requantize(x[i] + scales->bias[c], scales, c);
    c = c + 1 == channels ? 0 : c + 1;
  }
}

QOPT_TILE void qopt_look_up(const int8_t *x, int8_t *restrict y, size_t count,
                            const int8_t *table) {
  size_t i;
  for (i = 0; i < count; ++i)
    y[i] = table[(uint8_t)x[i]];
}

/* Bytes of unsigned encodings as signed ones, or the reverse. */
QOPT_TILE void qopt_flip(const int8_t *x, int8_t *restrict y, size_t count) {
  size_t i;
  for (i = 0; i < count; ++i)
    y[i] = (int8_t)((uint8_t)x[i] ^ 0x80u);
}

/* Rows of scores, the table of their exponentials, and the encoding of the
 * result, whose steps are 1/256. */
typedef struct qopt_scores {
  size_t rows, columns;
  const int32_t *exponentials;
  int32_t zero_point;
  int32_t low, high;
} qopt_scores;

/* Exponentials of differences from the largest of a row by a table, and one
 * division each: probabilities in steps of 1/256, rounded half up. */
QOPT_TILE void qopt_softmax(const int8_t *restrict x, int8_t *restrict y,
                            const qopt_scores *scores) {
  const int32_t *table = scores->exponentials;
  size_t columns = scores->columns, row, i;
  for (row = 0; row < scores->rows; ++row, x += columns, y += columns) {
    int32_t most = x[0];
    uint32_t sum = 0;
    for (i = 1; i < columns; ++i)
      most = x[i] > most ? x[i] : most;
    for (i = 0; i < columns; ++i)
      sum += (uint32_t)table[most - x[i]];
    for (i = 0; i < columns; ++i) {
      uint32_t entry = (uint32_t)table[most - x[i]];
      int32_t part = (int32_t)qopt_divide_softmax(entry, sum);
      y[i] = (int8_t)qopt_clamp(part + scores->zero_point, scores->low,
                                scores->high);
    }
  }
}

/* A dimension that is searched: `count` elements, `stride` apart, in each of
 * rows x stride places; sign is 1 for the largest, -1 for the smallest. */
typedef struct qopt_search {
  size_t rows, count, stride;
  int32_t sign;
  int32_t last; /* of equal ones the last, not the first */
} qopt_search;

/* Positions of the largest or smallest. */
QOPT_TILE void qopt_arg_reduce(const int8_t *x, int64_t *restrict y,
                               const qopt_search *search) {
  size_t stride = search->stride, row, at, i;
  for (row = 0; row < search->rows; ++row, x += stride * search->count)
    for (at = 0; at < stride; ++at) {
      int32_t best = search->sign * x[at];
      int64_t found = 0;
      for (i = 1; i < search->count; ++i) {
        int32_t now = search->sign * x[at + i * stride];
        if (now > best || (search->last && now == best)) {
          best = now;
          found = (int64_t)i;
        }
      }
      *y++ = found;
    }
}

#endif /* QOPT_EMBEDDED_ELEMENTS_H */
