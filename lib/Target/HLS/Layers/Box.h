//===- Box.h - A box of a tensor, walked by counters ----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// A slice keeps a box of what it reads, a pad fills one of what it writes:
// both count the coordinates of a token and ask whether it lies inside.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_TARGET_HLS_LAYERS_BOX_H
#define QOPT_LIB_TARGET_HLS_LAYERS_BOX_H

#include "Unit.h"

namespace qopt::hls {

/// One dimension of the tensor that is walked, and the box's part of it.
struct BoxAxis {
  int64_t extent;       ///< of the tensor
  int64_t offset, size; ///< of the box
  int64_t stride = 1;   ///< between elements of the box

  /// One behind the last element of the box.
  int64_t end() const { return offset + (size - 1) * stride + 1; }
  bool isWhole() const { return size == extent && stride == 1; }
  bool contains(int64_t i) const {
    return i >= offset && i < end() && (i - offset) % stride == 0;
  }
  /// Elements that are inside or outside together.
  int64_t getRun() const;
};

using Box = llvm::SmallVector<BoxAxis>;

/// The same box with as few dimensions as describe it: one that it fills is
/// one with the dimension outside of it.
Box fuse(llvm::ArrayRef<BoxAxis> axes);

/// A unit of one token of the tensor a cycle.
class BoxUnit : public Unit {
public:
  BoxUnit(mlir::Operation *op, Box box, StreamType walked)
      : Unit(op), box_(std::move(box)), walked_(walked.getElements()),
        lanes_(input().getLanes()) {}

  void fold(int64_t cycles) override;
  int64_t inputLanes(unsigned) const override { return lanes_; }
  int64_t outputLanes() const override { return lanes_; }
  int64_t cycles() const override { return walked_ / lanes_; }
  Resources resources(const Part &) const override;

protected:
  /// Whether the token of an iteration lies inside.
  bool contains(int64_t iteration) const;
  /// `2x3 WORD 4x4, 1 a cycle`.
  std::string describeBox(llvm::StringRef word) const;
  /// Opens the loops over all tokens, and returns the condition under which
  /// one lies inside.
  std::string openLoops(Text &text) const;
  void closeLoops(Text &text) const;

  int64_t lanes() const { return lanes_; }

private:
  /// The last dimension counted in tokens.
  Box inTokens() const;

  Box box_;
  int64_t walked_; ///< elements of the tensor
  int64_t lanes_;
};

} // namespace qopt::hls

#endif // QOPT_LIB_TARGET_HLS_LAYERS_BOX_H
