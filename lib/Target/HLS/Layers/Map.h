//===- Map.h - Units of one token in, one token out -----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Every intermediate is as wide as its range demands, so that neither the
// vendor's types nor the stand-in wrap.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_TARGET_HLS_LAYERS_MAP_H
#define QOPT_LIB_TARGET_HLS_LAYERS_MAP_H

#include "Unit.h"

namespace qopt::hls {

/// A closed interval of integers.
struct Interval {
  int64_t low, high;

  Interval operator-(int64_t value) const {
    return {low - value, high - value};
  }
  Interval operator*(int64_t factor) const {
    return {std::min(low * factor, high * factor),
            std::max(low * factor, high * factor)};
  }
  Interval operator+(Interval other) const {
    return {low + other.low, high + other.high};
  }
  unsigned bits() const { return getSignedBits(low, high); }
};

/// All that elements of a stream can be.
inline Interval getRange(StreamType type) {
  return {type.getLow(), type.getHigh()};
}

/// A unit that maps tokens to tokens: its folding is its lanes.
class MapUnit : public Unit {
public:
  MapUnit(mlir::Operation *op, int64_t channels)
      : Unit(op), channels_(channels) {
    lanes_ = input().getLanes();
  }
  void fold(int64_t cycles) override {
    int64_t elements = input().getElements();
    lanes_ = pickDivisor(channels_,
                         [&](int64_t d) { return elements / d <= cycles; });
  }
  int64_t inputLanes(unsigned) const override { return lanes_; }
  int64_t outputLanes() const override { return lanes_; }
  int64_t cycles() const override { return input().getElements() / lanes_; }
  Action action(int64_t) const override {
    return {uint8_t(op_->getNumOperands() == 2 ? 3 : 1), 1};
  }

protected:
  /// Elements that may share a token.
  int64_t channels_;
  int64_t lanes_;
};

/// Elements of a frame: those of a map without channels may share tokens as
/// they like.
int64_t getFrame(mlir::Operation *op);

/// `value`: product / 2^shift rounded half to even, in the range of a stored
/// integer.
void emitShiftIntoRange(Text &text, TextBuilder &b, TextBuilder::V product,
                        TextBuilder::V shift,
                        const numerics::StoredRange &range);

} // namespace qopt::hls

#endif // QOPT_LIB_TARGET_HLS_LAYERS_MAP_H
