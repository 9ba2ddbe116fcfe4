//===- ScaledLinear.h - A linear op and the factors behind it -------------===//
// SPDX-License-Identifier: Apache-2.0
//
// linear(x) * s + t with constants by channel: what both ways of folding a
// normalization match, into float weights and into the scales of stored ones.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_TRANSFORMS_SCALEDLINEAR_H
#define QOPT_LIB_TRANSFORMS_SCALEDLINEAR_H

#include "qopt/Analysis/ChannelConstant.h"
#include "qopt/Analysis/LinearLayer.h"

namespace qopt {

struct ScaledLinear {
  LinearOpInterface linear;
  ChannelAffine affine;
  /// Of the linear op alone, once the factors are in its weights: b * s + t.
  llvm::SmallVector<float> bias;

  /// Notifies the rewriter of what is missing.
  static mlir::FailureOr<ScaledLinear> match(qg::BinaryOp op,
                                             mlir::PatternRewriter &rewriter) {
    std::optional<ChannelAffine> affine = ChannelAffine::match(op);
    if (!affine || affine->scale.empty())
      return rewriter.notifyMatchFailure(op, "scales no channels");
    LinearOpInterface linear = matchLinearProducer(affine->x);
    if (!linear || !hasFloatResult(linear))
      return rewriter.notifyMatchFailure(op, "no linear op that is read once");
    std::optional<llvm::SmallVector<float>> bias = getBiasValues(linear);
    if (!bias)
      return rewriter.notifyMatchFailure(op, "the bias is not constant");
    for (auto [i, number] : llvm::enumerate(*bias))
      number = number * affine->scale[i] +
               (affine->offset.empty() ? 0.0f : affine->offset[i]);
    return ScaledLinear{linear, std::move(*affine), std::move(*bias)};
  }

  /// The weights hold the factors: the linear op takes the place of `op`.
  void replace(qg::BinaryOp op, mlir::PatternRewriter &rewriter) {
    if (linear.getBias() || !affine.offset.empty())
      setBiasValues(rewriter, linear, bias);
    rewriter.replaceOp(op, affine.x);
  }
};

} // namespace qopt

#endif // QOPT_LIB_TRANSFORMS_SCALEDLINEAR_H
