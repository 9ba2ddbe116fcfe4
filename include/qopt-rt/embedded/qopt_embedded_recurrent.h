/*===- qopt_embedded_recurrent.h - LSTM, GRU and RNN ----------------------===*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A part of qopt_embedded.h, which includes it.
 *
 * Sums in front of gates have steps of 2^-12, gates of 2^-15, states 16 bits.
 * Products are those of other layers; what reads a state rounds it to a byte.
 *===----------------------------------------------------------------------===*/
#ifndef QOPT_EMBEDDED_RECURRENT_H
#define QOPT_EMBEDDED_RECURRENT_H

enum { QOPT_LSTM, QOPT_GRU, QOPT_RNN };

/* Rows of weights for the gates, one behind the other: i, f, g, o or z, r, n.
 */
typedef struct qopt_gate_rows {
  const int8_t *weights;
  const int32_t *bias;
  const int32_t *multiplier;
  const uint8_t *shift;
  size_t row; /* bytes of a row: a multiple of 4 */
} qopt_gate_rows;

typedef struct qopt_factor {
  int32_t multiplier;
  uint32_t shift;
  int32_t zero_point;
} qopt_factor;

typedef struct qopt_layer {
  qopt_gate_rows x, state;
  const int16_t *sigmoid;
  size_t steps, batch, inputs, units;
  int kind, reversed, reset_first, last_only, with_cell;
  uint32_t hidden_bits, cell_bits;
  /* Hidden bytes to the state, the state to bytes of products, r * h to bytes,
   * the state to the result; the same of cells. Zero points are subtracted of
   * the first of both kinds, else added. */
  qopt_factor start, product, reset, result, cell_start, cell_result;
  int32_t low, high; /* of the result */
} qopt_layer;

/* What a step works on, in the scratch of the layer. */
typedef struct qopt_layer_state {
  int32_t *sums;
  int16_t *a, *s; /* inputs of gates: of x, of the state */
  int16_t *h, *c;
  int8_t *x_bytes, *h_bytes;
  const qopt_layer *layer;
} qopt_layer_state;

/*===- Scalars ------------------------------------------------------------===*/
/* Those of Numerics/Recurrent.h. */

QOPT_INLINE int32_t qopt_saturate16(int32_t x) {
  return qopt_clamp(x, -32768, 32767);
}

/* x / 2^shift rounded half up. */
QOPT_INLINE int32_t qopt_round_up(int32_t x, uint32_t shift) {
  return shift ? (x + ((int32_t)1 << (shift - 1))) >> shift : x;
}

QOPT_INLINE int32_t qopt_upper_sigmoid(int32_t magnitude,
                                       const int16_t *table) {
  int32_t index = magnitude >> 7, part = magnitude & 127;
  int32_t lower = table[index], upper = table[index + 1];
  return lower + (((upper - lower) * part + 64) >> 7);
}

QOPT_INLINE int32_t qopt_sigmoid(int32_t x, const int16_t *table) {
  int32_t gate = qopt_upper_sigmoid(x < 0 ? -x : x, table);
  return x < 0 ? 32768 - gate : gate;
}

QOPT_INLINE int32_t qopt_tanh(int32_t x, const int16_t *table) {
  int32_t gate = qopt_upper_sigmoid((x < 0 ? -x : x) * 2, table);
  int32_t absolute = gate * 2 - 32768;
  return x < 0 ? -absolute : absolute;
}

/* product / 2^shift rounded half to even, into [low, high]. */
QOPT_INLINE int32_t qopt_rescale_state(int64_t product, uint32_t shift,
                                       int32_t zero_point, int32_t low,
                                       int32_t high) {
  int64_t y = qopt_round_shift(product, shift) + zero_point;
  return y < low ? low : y > high ? high : (int32_t)y;
}

QOPT_INLINE int8_t qopt_state_byte(int32_t x, const qopt_factor *factor,
                                   int32_t low, int32_t high) {
  return (int8_t)qopt_rescale_state((int64_t)x * factor->multiplier,
                                    factor->shift, factor->zero_point, low,
                                    high);
}

/*===- Layers -------------------------------------------------------------===*/

/* Rows `first` to `first + count` of the gates, in 16 bits. */
typedef struct qopt_gates {
  int16_t *y;
  int32_t *sums;
  size_t first, count;
} qopt_gates;

QOPT_TILE void qopt_gate_inputs(const int8_t *bytes, const qopt_gate_rows *rows,
                                const qopt_gates *gates) {
  const qopt_shape shape = {gates->count, rows->row};
  size_t first = gates->first, i;
  qopt_sums(bytes, gates->sums, rows->weights + first * rows->row, &shape,
            rows->bias + first);
  for (i = 0; i < gates->count; ++i)
    gates->y[first + i] = (int16_t)qopt_rescale_state(
        (int64_t)gates->sums[i] * rows->multiplier[first + i],
        rows->shift[first + i], 0, -32768, 32767);
}

QOPT_TILE void qopt_lstm_step(const qopt_layer *layer,
                              const qopt_layer_state *at) {
  size_t units = layer->units, j;
  const int16_t *table = layer->sigmoid;
  const qopt_gates gates = {at->s, at->sums, 0, 4 * units};
  qopt_gate_inputs(at->h_bytes, &layer->state, &gates);
  for (j = 0; j < units; ++j) {
    int32_t z[4], cell;
    size_t g;
    for (g = 0; g < 4; ++g)
      z[g] = qopt_saturate16(at->a[g * units + j] + at->s[g * units + j]);
    cell = qopt_round_up(qopt_sigmoid(z[1], table) * at->c[j], 15) +
           qopt_round_up(qopt_sigmoid(z[0], table) * qopt_tanh(z[2], table),
                         30 - layer->cell_bits);
    cell = qopt_saturate16(cell);
    at->c[j] = (int16_t)cell;
    cell =
        layer->cell_bits >= 12
            ? qopt_round_up(cell, layer->cell_bits - 12)
            : qopt_saturate16(cell * ((int32_t)1 << (12 - layer->cell_bits)));
    at->h[j] = (int16_t)qopt_round_up(qopt_sigmoid(z[3], table) *
                                          qopt_tanh(cell, table),
                                      30 - layer->hidden_bits);
  }
}

QOPT_TILE void qopt_gru_step(const qopt_layer *layer,
                             const qopt_layer_state *at) {
  size_t units = layer->units, n = 2 * units, j;
  const int16_t *table = layer->sigmoid;
  int16_t *a = at->a, *s = at->s;
  const qopt_gates gates = {s, at->sums, 0, layer->reset_first ? n : 3 * units};
  qopt_gate_inputs(at->h_bytes, &layer->state, &gates);
  for (j = 0; j < units; ++j) {
    int32_t reset =
        qopt_sigmoid(qopt_saturate16(a[units + j] + s[units + j]), table);
    if (layer->reset_first)
      at->h_bytes[j] = qopt_state_byte(qopt_round_up(reset * at->h[j], 15),
                                       &layer->reset, -128, 127);
    else
      a[n + j] = (int16_t)qopt_saturate16(a[n + j] +
                                          qopt_round_up(reset * s[n + j], 15));
  }
  if (layer->reset_first) {
    const qopt_gates fresh = {s, at->sums, n, units};
    qopt_gate_inputs(at->h_bytes, &layer->state, &fresh);
    for (j = 0; j < units; ++j)
      a[n + j] = (int16_t)qopt_saturate16(a[n + j] + s[n + j]);
  }
  for (j = 0; j < units; ++j) {
    int32_t z = qopt_sigmoid(qopt_saturate16(a[j] + s[j]), table);
    int32_t fresh =
        qopt_round_up(qopt_tanh(a[n + j], table), 15 - layer->hidden_bits);
    at->h[j] = (int16_t)qopt_saturate16(
        qopt_round_up(z * at->h[j] + (32768 - z) * fresh, 15));
  }
}

QOPT_TILE void qopt_rnn_step(const qopt_layer *layer,
                             const qopt_layer_state *at) {
  size_t units = layer->units, j;
  const qopt_gates gates = {at->s, at->sums, 0, units};
  qopt_gate_inputs(at->h_bytes, &layer->state, &gates);
  for (j = 0; j < units; ++j)
    at->h[j] = (int16_t)qopt_round_up(
        qopt_tanh(qopt_saturate16(at->a[j] + at->s[j]), layer->sigmoid),
        15 - layer->hidden_bits);
}

/* The state from bytes. */
QOPT_TILE void qopt_start_state(const int8_t *bytes, int16_t *state,
                                size_t units, const qopt_factor *factor) {
  size_t j;
  for (j = 0; j < units; ++j)
    state[j] = (int16_t)qopt_rescale_state(
        (int64_t)(bytes[j] - factor->zero_point) * factor->multiplier,
        factor->shift, 0, -32768, 32767);
}

QOPT_TILE void qopt_store_state(const int16_t *state, int8_t *y,
                                const qopt_layer *layer,
                                const qopt_factor *factor) {
  size_t j;
  for (j = 0; j < layer->units; ++j)
    y[j] = qopt_state_byte(state[j], factor, layer->low, layer->high);
}

QOPT_TILE void qopt_layer_step(const int8_t *x, const qopt_layer *layer,
                               const qopt_layer_state *at) {
  const qopt_gates gates = {at->a, at->sums, 0,
                            layer->units * (layer->kind == QOPT_LSTM  ? 4
                                            : layer->kind == QOPT_GRU ? 3
                                                                      : 1)};
  size_t j;
  memcpy(at->x_bytes, x, layer->inputs);
  for (j = 0; j < layer->units; ++j)
    at->h_bytes[j] = qopt_state_byte(at->h[j], &layer->product, -128, 127);
  qopt_gate_inputs(at->x_bytes, &layer->x, &gates);
  if (layer->kind == QOPT_LSTM)
    qopt_lstm_step(layer, at);
  else if (layer->kind == QOPT_GRU)
    qopt_gru_step(layer, at);
  else
    qopt_rnn_step(layer, at);
}

/* y[t, n] = states of x[t, n] from the initial ones [n], n by n; `cell` is NULL
 * where the layer has none. */
QOPT_TILE void qopt_recurrent(const int8_t *x, const int8_t *hidden,
                              const int8_t *cell, int8_t *y,
                              const qopt_layer_state *at) {
  const qopt_layer *layer = at->layer;
  size_t units = layer->units, row = layer->batch * units, n, i;
  /* Rows end with weights that are 0. */
  memset(at->x_bytes, 0, layer->x.row);
  memset(at->h_bytes, 0, layer->state.row);
  for (n = 0; n < layer->batch; ++n) {
    qopt_start_state(hidden + n * units, at->h, units, &layer->start);
    if (cell)
      qopt_start_state(cell + n * units, at->c, units, &layer->cell_start);
    for (i = 0; i < layer->steps; ++i) {
      size_t t = layer->reversed ? layer->steps - 1 - i : i;
      qopt_layer_step(x + (t * layer->batch + n) * layer->inputs, layer, at);
      if (!layer->last_only)
        qopt_store_state(at->h, y + t * row + n * units, layer, &layer->result);
    }
    if (layer->last_only)
      qopt_store_state(at->h, y + n * units, layer, &layer->result);
    if (layer->with_cell)
      qopt_store_state(
          at->c, y + (layer->last_only ? 1 : layer->steps) * row + n * units,
          layer, &layer->cell_result);
  }
}

#endif /* QOPT_EMBEDDED_RECURRENT_H */
