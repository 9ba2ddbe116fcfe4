//===- Recurrent.h - Gates and states of recurrent layers in integers -----===//
// SPDX-License-Identifier: Apache-2.0
//
// What one element of an LSTM, GRU or RNN computes, written once over a builder
// (Elementwise.h). Sums in front of a gate have steps of 2^-12, gates of 2^-15,
// as in the integer LSTM of TFLite; states have steps of a power of two.
// Everything fits 32 bits.
//===----------------------------------------------------------------------===//
#ifndef QOPT_NUMERICS_RECURRENT_H
#define QOPT_NUMERICS_RECURRENT_H

#include "qopt/Numerics/Affine.h"
#include <cstdint>
#include <vector>

namespace qopt {

constexpr int64_t kGateInputBits = 12;
constexpr int64_t kGateBits = 15;
/// Entries of the table: 32 for each unit, up to 16, and one behind the end.
constexpr int64_t kSigmoidEntries = 514;

/// `min(rne(2^15 * sigmoid(i / 32)), 2^15 - 1)`.
std::vector<int16_t> getSigmoidTable();

namespace numerics {

template <class B, class I> I emitSaturate16(B &b, I x) {
  return emitClamp(b, x, b.intLike(x, -32768), b.intLike(x, 32767));
}

/// x / 2^shift rounded half up; |x| + 2^(shift - 1) fits.
template <class B, class I> I emitRoundUp(B &b, I x, int64_t shift) {
  if (!shift)
    return x;
  I half = b.intLike(x, int64_t(1) << (shift - 1));
  return b.shrS(b.addI(x, half), b.intLike(x, shift));
}

/// sigmoid of `magnitude` / 2^12, which is 0 to 2^16, in steps of 2^-15: 16384
/// to 32767. `at(i)` is an entry of the table. The error is below 2^-15.
template <class B, class I, class At>
I emitUpperSigmoid(B &b, I magnitude, At at) {
  I index = named(b, b.shrS(magnitude, b.intLike(magnitude, 7)), "index");
  I part = named(b, b.andI(magnitude, b.intLike(magnitude, 127)), "part");
  I low = named(b, at(index), "lower");
  I high = named(b, at(b.addI(index, b.intLike(index, 1))), "upper");
  I step = emitRoundUp(b, b.mulI(b.subI(high, low), part), 7);
  return named(b, b.addI(low, step), "gate");
}

template <class B, class I> I emitMagnitude(B &b, I x) {
  I zero = b.intLike(x, 0);
  return named(b, b.select(b.ltS(x, zero), b.subI(zero, x), x), "magnitude");
}

/// 1 to 32767 for x of 16 bits.
template <class B, class I, class At> I emitSigmoid(B &b, I x, At at) {
  I gate = emitUpperSigmoid(b, emitMagnitude(b, x), at);
  return b.select(b.ltS(x, b.intLike(x, 0)),
                  b.subI(b.intLike(gate, 32768), gate), gate);
}

/// -32766 to 32766 for x of 16 bits: 2 * sigmoid(2 * x) - 1.
template <class B, class I, class At> I emitTanh(B &b, I x, At at) {
  I magnitude = emitMagnitude(b, x);
  I gate = emitUpperSigmoid(b, b.mulI(magnitude, b.intLike(x, 2)), at);
  I y =
      named(b, b.subI(b.mulI(gate, b.intLike(gate, 2)), b.intLike(gate, 32768)),
            "absolute");
  return b.select(b.ltS(x, b.intLike(x, 0)), b.subI(b.intLike(y, 0), y), y);
}

/// Sum of two inputs of a gate.
template <class B, class I> I emitGateInput(B &b, I x, I state) {
  return emitSaturate16(b, b.addI(x, state));
}

/// Inputs of a GRU's candidate: the reset gate scales what the state gives.
template <class B, class I> I emitResetInput(B &b, I x, I reset, I state) {
  I scaled = emitRoundUp(b, b.mulI(reset, state), kGateBits);
  return emitSaturate16(b, b.addI(x, scaled));
}

/// A state times a gate.
template <class B, class I> I emitGated(B &b, I gate, I state) {
  return emitRoundUp(b, b.mulI(gate, state), kGateBits);
}

/// z * h + (1 - z) * n with n in steps of 2^-15 and h of 2^-bits. The sum of
/// both products is at most 2^30, as their factors add up to 2^15.
template <class B, class I> I emitBlend(B &b, I z, I n, I h, int64_t bits) {
  I rest = b.subI(b.intLike(z, 32768), z);
  I fresh = emitRoundUp(b, n, kGateBits - bits);
  return emitSaturate16(
      b, emitRoundUp(b, b.addI(b.mulI(z, h), b.mulI(rest, fresh)), kGateBits));
}

/// f * c + i * g of both products, c in steps of 2^-bits.
template <class B, class I> I emitCell(B &b, I fc, I ig, int64_t bits) {
  I kept = emitRoundUp(b, fc, kGateBits);
  I fresh = emitRoundUp(b, ig, 2 * kGateBits - bits);
  return emitSaturate16(b, b.addI(kept, fresh));
}

/// A cell state as the input of tanh.
template <class B, class I> I emitCellInput(B &b, I c, int64_t bits) {
  if (bits >= kGateInputBits)
    return emitRoundUp(b, c, bits - kGateInputBits);
  I wide = b.mulI(c, b.intLike(c, int64_t(1) << (kGateInputBits - bits)));
  return emitSaturate16(b, wide);
}

/// o * t of steps 2^-15 each, in steps of 2^-bits.
template <class B, class I> I emitHidden(B &b, I o, I t, int64_t bits) {
  return emitRoundUp(b, b.mulI(o, t), 2 * kGateBits - bits);
}

} // namespace numerics

} // namespace qopt

#endif // QOPT_NUMERICS_RECURRENT_H
