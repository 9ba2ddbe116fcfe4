//===- ChannelConstant.h - Factors and offsets by channel -----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Normalizations and biases arrive as arithmetic with constants that differ at
// most in the last dimension. What that arithmetic is, and the linear op it
// applies to.
//===----------------------------------------------------------------------===//
#ifndef QOPT_ANALYSIS_CHANNELCONSTANT_H
#define QOPT_ANALYSIS_CHANNELCONSTANT_H

#include "mlir/IR/PatternMatch.h"
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

/// conv, conv_transpose and matmul under one interface. Their result channels
/// are the last dimension.
class LinearOp {
public:
  /// The linear op that made `value`, directly or through a reshape that
  /// keeps the last dimension; false unless both are read once.
  static std::optional<LinearOp> matchProducer(mlir::Value value);
  static std::optional<LinearOp> match(mlir::Operation *op);

  mlir::Operation *getOperation() const { return op; }
  mlir::Value getWeight() const { return op->getOperand(1); }
  mlir::Value getBias() const;
  int64_t getChannels() const;
  bool hasFloatResult() const;
  /// Dimension of the weight that belongs to the result channels.
  int64_t getWeightAxis() const;
  /// Dimension of the weight that belongs to the channels of the input.
  int64_t getInputAxis() const;
  /// Whether weight and bias (if there is one) are constants.
  bool hasConstantOperands() const;
  /// Whether every vector of input channels is multiplied with one and the
  /// same constant matrix: a matmul, or a convolution of extent 1.
  bool isChannelMatrix() const;
  /// Numbers of the bias, zeros if there is none; nullopt if not constant.
  std::optional<llvm::SmallVector<float>> getBiasValues() const;
  /// The f32 weight, if it is constant.
  std::optional<Tensor> getWeightValues() const;
  void setBias(mlir::PatternRewriter &rewriter,
               llvm::ArrayRef<float> values) const;
  void setWeight(mlir::PatternRewriter &rewriter, const Tensor &values) const;

private:
  explicit LinearOp(mlir::Operation *op) : op(op) {}
  mlir::Operation *op;
};

} // namespace qopt

#endif // QOPT_ANALYSIS_CHANNELCONSTANT_H
