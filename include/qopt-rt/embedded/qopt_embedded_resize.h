/*===- qopt_embedded_resize.h - Weighted sums of neighbours ---------------===*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A part of qopt_embedded.h, which includes it.
 *
 * Linear and cubic interpolation along any dimensions at once: an output
 * position has a row of inputs in each, and sums all their combinations. No
 * sums are kept between dimensions: a few more products, but no RAM.
 *===----------------------------------------------------------------------===*/
#ifndef QOPT_EMBEDDED_RESIZE_H
#define QOPT_EMBEDDED_RESIZE_H

/* Dimensions at most, and neighbours in memory that are summed at a time. */
#define QOPT_GRID_AXES 8
#define QOPT_GRID_RUN 16

/* A dimension of `extent` output positions. Entries i * taps and on are of
 * position i: where an input begins, in bytes, and its coefficient. */
typedef struct qopt_grid_axis {
  size_t extent, taps;
  const int32_t *offsets;
  const int32_t *coefficients;
} qopt_grid_axis;

/* `rank` dimensions, the outermost first, of runs of `run` bytes. */
typedef struct qopt_grid {
  const qopt_grid_axis *axes;
  size_t rank, run;
  int32_t zero_point; /* of x */
} qopt_grid;

/* sums[i] += coefficients * (x[i] - zero point) of all inputs of the output
 * position `at`, i below `count`. */
QOPT_TILE void qopt_sum_grid(const int8_t *restrict x, int32_t *restrict sums,
                             size_t count, const qopt_grid *grid,
                             const size_t *at) {
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
    for (i = 0; i < count; ++i)
      sums[i] += weight * (from[i] - grid->zero_point);
    for (d = rank; d-- > 0;) {
      if (++tap[d] < grid->axes[d].taps)
        break;
      tap[d] = 0;
    }
  } while (d < rank); /* else all dimensions are through */
}

/* y = requantize(sums), dense. */
QOPT_TILE void qopt_resize(const int8_t *restrict x, int8_t *restrict y,
                           const qopt_grid *grid, const qopt_scales *scales) {
  size_t at[QOPT_GRID_AXES] = {0};
  size_t rank = grid->rank, run = grid->run, d, c, i;
  do {
    for (c = 0; c < run; c += QOPT_GRID_RUN) {
      int32_t sums[QOPT_GRID_RUN] = {0};
      size_t count = run - c < QOPT_GRID_RUN ? run - c : QOPT_GRID_RUN;
      qopt_sum_grid(x + c, sums, count, grid, at);
      for (i = 0; i < count; ++i)
        *y++ = qopt_requantize(sums[i], scales, 0);
    }
    for (d = rank; d-- > 0;) {
      if (++at[d] < grid->axes[d].extent)
        break;
      at[d] = 0;
    }
  } while (d < rank); /* else all dimensions are through */
}

#endif /* QOPT_EMBEDDED_RESIZE_H */
