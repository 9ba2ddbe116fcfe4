/*===- qopt_embedded_moves.h - Elements that change their places ----------===*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A part of qopt_embedded.h, which includes it.
 *
 * Concatenations, transpositions, slices, broadcasts and pads: bytes as they
 * are, whatever they stand for.
 *===----------------------------------------------------------------------===*/
#ifndef QOPT_EMBEDDED_MOVES_H
#define QOPT_EMBEDDED_MOVES_H

/* Rows of `bytes`, `stride` apart in y: an operand of a concatenation. */
QOPT_TILE void qopt_place(const int8_t *x, int8_t *restrict y, size_t rows,
                          size_t bytes, size_t stride) {
  size_t i;
  for (i = 0; i < rows; ++i)
    memcpy(y + i * stride, x + i * bytes, bytes);
}

/* Dense y of the given extents from x at the given strides: transpositions,
 * slices and broadcasts of up to eight dimensions. */
QOPT_TILE void qopt_move(const int8_t *x, int8_t *restrict y,
                         const int32_t *extents, const int32_t *strides,
                         size_t rank) {
  int32_t position[8] = {0};
  size_t d;
  for (;;) {
    *y++ = *x;
    for (d = rank; d-- > 0;) {
      x += strides[d];
      if (++position[d] < extents[d])
        break;
      x -= (ptrdiff_t)strides[d] * extents[d];
      position[d] = 0;
      if (d == 0)
        return;
    }
    if (rank == 0)
      return;
  }
}

/* Slices of one dimension: `count` pieces of `bytes` bytes out of each of `rows`
 * rows of `row` bytes. */
typedef struct qopt_pieces {
  size_t rows, row, count, bytes;
} qopt_pieces;

/* y = the pieces that begin at `offsets`. */
QOPT_TILE void qopt_pick(const int8_t *x, int8_t *restrict y,
                         const int32_t *offsets, const qopt_pieces *pieces) {
  size_t bytes = pieces->bytes, row, i;
  for (row = 0; row < pieces->rows; ++row, x += pieces->row)
    for (i = 0; i < pieces->count; ++i, y += bytes)
      memcpy(y, x + offsets[i], bytes);
}

/* Elements of the given extents, at strides of their own in two arrays; those
 * of the last dimension lie side by side in both. */
typedef struct qopt_box {
  const int32_t *extents, *from, *to;
  size_t rank;
} qopt_box;

/* From x to y. */
QOPT_TILE void qopt_pad(const int8_t *x, int8_t *restrict y,
                        const qopt_box *box) {
  const int32_t *extents = box->extents, *from = box->from, *to = box->to;
  int32_t position[8] = {0};
  size_t rank = box->rank, d;
  for (;;) {
    memcpy(y, x, (size_t)extents[rank - 1]);
    for (d = rank - 1; d-- > 0;) {
      x += from[d];
      y += to[d];
      if (++position[d] < extents[d])
        break;
      x -= (ptrdiff_t)from[d] * extents[d];
      y -= (ptrdiff_t)to[d] * extents[d];
      position[d] = 0;
      if (d == 0)
        return;
    }
    if (rank == 1)
      return;
  }
}

#endif /* QOPT_EMBEDDED_MOVES_H */
