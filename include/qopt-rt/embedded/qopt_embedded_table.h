/*===- qopt_embedded_table.h - Products with weights out of a table -------===*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A part of qopt_embedded.h, which includes it.
 *
 * n rows of k weights, k a multiple of 8, as codes of 1 to 7 bits: of eight
 * neighbours in `bits` bytes the first has the lowest bits. A few columns of
 * some rows become bytes at a time, for the kernels that multiply those.
 *===----------------------------------------------------------------------===*/
#ifndef QOPT_EMBEDDED_TABLE_H
#define QOPT_EMBEDDED_TABLE_H

typedef struct qopt_codes {
  const uint8_t *rows;
  const int8_t *levels; /* 2^bits */
  size_t bits;
} qopt_codes;

/* Columns that are decoded at a time; a multiple of 8. */
#define QOPT_COLUMNS 32

QOPT_INLINE void qopt_decode(int8_t *w, const qopt_codes *codes, size_t at,
                             size_t count) {
  const uint8_t *code = codes->rows + at / 8 * codes->bits;
  const int8_t *levels = codes->levels;
  size_t i;
  if (codes->bits == 4) {
    for (i = 0; i < count; i += 2, ++code) {
      w[i] = levels[*code & 15];
      w[i + 1] = levels[*code >> 4];
    }
  } else {
    uint32_t mask = (1u << codes->bits) - 1, held = 0;
    size_t bits = 0;
    for (i = 0; i < count; ++i) {
      if (bits < codes->bits) {
        held |= (uint32_t)*code++ << bits;
        bits += 8;
      }
      w[i] = levels[held & mask];
      held >>= codes->bits;
      bits -= codes->bits;
    }
  }
}

/* Rows [row, row + count) of k codes each. */
typedef struct qopt_block {
  size_t row, count, k;
} qopt_block;

/* Columns [i, i + count) of some rows, count bytes apart. */
QOPT_INLINE void qopt_decode_rows(int8_t *w, const qopt_codes *codes,
                                  qopt_block rows, size_t i, size_t count) {
  size_t r;
  for (r = 0; r < rows.count; ++r)
    qopt_decode(w + r * count, codes, (rows.row + r) * rows.k + i, count);
}

/* sums[r] += row r of 1 or 4 times one column. */
QOPT_INLINE void qopt_dot_table_x1(const int8_t *x, const qopt_codes *codes,
                                   qopt_block rows, int32_t *sums) {
  int32_t block[QOPT_COLUMNS]; /* four rows of bytes, at words */
  int8_t *w = (int8_t *)(void *)block;
  size_t k = rows.k, i;
  for (i = 0; i < k; i += QOPT_COLUMNS) {
    size_t count = k - i < QOPT_COLUMNS ? k - i : QOPT_COLUMNS;
    qopt_decode_rows(w, codes, rows, i, count);
    if (rows.count == 4)
      qopt_dot_4x1(x + i, w, count, sums);
    else
      sums[0] = qopt_dot_1x1(x + i, w, count, sums[0]);
  }
}

/* sums[2 * r + column] += row r of 1 or 2 times two columns, k apart. */
QOPT_INLINE void qopt_dot_table_x2(const int8_t *x, const qopt_codes *codes,
                                   qopt_block rows, int32_t sums[4]) {
  int32_t block[QOPT_COLUMNS / 2];
  int8_t *w = (int8_t *)(void *)block;
  size_t k = rows.k, i;
  for (i = 0; i < k; i += QOPT_COLUMNS) {
    size_t count = k - i < QOPT_COLUMNS ? k - i : QOPT_COLUMNS;
    qopt_decode_rows(w, codes, rows, i, count);
    if (rows.count == 2) {
      qopt_dot_2x2(x + i, k, w, count, sums);
    } else {
      sums[0] = qopt_dot_1x1(x + i, w, count, sums[0]);
      sums[1] = qopt_dot_1x1(x + k + i, w, count, sums[1]);
    }
  }
}

/* qopt_linear_1 with weights out of a table. */
QOPT_PRODUCT void qopt_linear_table_1(const int8_t *restrict x,
                                      int8_t *restrict y,
                                      const qopt_codes *codes,
                                      const qopt_shape *shape,
                                      const qopt_scales *scales) {
  size_t n = shape->n, c, r;
  for (c = 0; c < n;) {
    qopt_block rows = {c, n - c < 4 ? 1 : 4, shape->k};
    int32_t sums[4];
    for (r = 0; r < rows.count; ++r)
      sums[r] = scales->bias[c + r];
    qopt_dot_table_x1(x, codes, rows, sums);
    for (r = 0; r < rows.count; ++r, ++c)
      y[c] = qopt_requantize(sums[r], scales, c);
  }
}

/* qopt_linear_2 with weights out of a table. */
QOPT_PRODUCT void qopt_linear_table_2(const int8_t *restrict x,
                                      int8_t *restrict y,
                                      const qopt_codes *codes,
                                      const qopt_shape *shape,
                                      const qopt_scales *scales) {
  size_t n = shape->n, c, r;
  for (c = 0; c < n;) {
    qopt_block rows = {c, n - c < 2 ? 1 : 2, shape->k};
    int32_t sums[4];
    for (r = 0; r < rows.count; ++r)
      sums[2 * r] = sums[2 * r + 1] = scales->bias[c + r];
    qopt_dot_table_x2(x, codes, rows, sums);
    for (r = 0; r < rows.count; ++r, ++c) {
      y[c] = qopt_requantize(sums[2 * r], scales, c);
      y[n + c] = qopt_requantize(sums[2 * r + 1], scales, c);
    }
  }
}

/* qopt_sums with weights out of a table. */
QOPT_PRODUCT void qopt_sums_table(const int8_t *restrict x, int32_t *restrict y,
                                  const qopt_codes *codes,
                                  const qopt_shape *shape,
                                  const int32_t *bias) {
  size_t n = shape->n, c;
  memcpy(y, bias, n * sizeof *y);
  for (c = 0; c < n;) {
    qopt_block rows = {c, n - c < 4 ? 1 : 4, shape->k};
    qopt_dot_table_x1(x, codes, rows, y + c);
    c += rows.count;
  }
}

#endif /* QOPT_EMBEDDED_TABLE_H */
