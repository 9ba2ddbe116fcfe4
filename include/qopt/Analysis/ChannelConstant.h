//===- ChannelConstant.h - Factors and offsets by channel -----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Normalizations and biases arrive as arithmetic with constants that differ at
// most in the last dimension.
//===----------------------------------------------------------------------===//
#ifndef QOPT_ANALYSIS_CHANNELCONSTANT_H
#define QOPT_ANALYSIS_CHANNELCONSTANT_H

#include "qopt/Dialect/QG/IR/QG.h"

namespace qopt {

/// The numbers of an f32 constant that differs at most in its last dimension,
/// one for each of `channels`, where `rank` is the rank it is broadcast to.
std::optional<llvm::SmallVector<float>>
matchChannelConstant(mlir::Value value, int64_t channels, int64_t rank);

/// `x * scale + offset` by channel; an empty list is 1 or 0.
struct ChannelAffine {
  mlir::Value x;
  llvm::SmallVector<float> scale, offset;

  /// Matches add, sub, mul and div of a float tensor and a channel constant
  /// that do not change its shape.
  static std::optional<ChannelAffine> match(qg::BinaryOp op);
};

} // namespace qopt

#endif // QOPT_ANALYSIS_CHANNELCONSTANT_H
