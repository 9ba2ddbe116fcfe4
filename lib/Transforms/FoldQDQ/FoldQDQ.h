//===- FoldQDQ.h - Pieces of qg-fold-qdq ----------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The pass works in two phases: encodings move through ops that only move
// elements, then ops between a dequantize and a quantize become quantized.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_TRANSFORMS_FOLDQDQ_H
#define QOPT_LIB_TRANSFORMS_FOLDQDQ_H

#include "mlir/IR/PatternMatch.h"
#include "qopt/Dialect/QG/IR/QG.h"

namespace qopt {

/// The per-tensor static encoding of a tensor type whose integers are stored in
/// `mostBits` or fewer, or null.
qg::QuantizedType getStoredTensorType(mlir::Type type, unsigned mostBits = 8);

/// Integer that `type` stores for a real number.
int64_t quantizeReal(float value, qg::QuantizedType type);

/// Scales by channel of what depthwise convolutions read into their weights.
void populateChannelScalesPatterns(mlir::RewritePatternSet &patterns);
/// Dequantizes sink below moves and maxima, quantizes rise above them.
void populateMoveEncodingsPatterns(mlir::RewritePatternSet &patterns);
/// Convolutions with weights in groups into matrix products.
void populateGroupedConvPatterns(mlir::RewritePatternSet &patterns);
/// Replaces a convolution of f32 with the dequantized constant `stored`, which
/// is a product of one matrix, by that with the dequantized matrix.
void replaceByMatmul(mlir::PatternRewriter &rewriter, qg::ConvOp op,
                     const Tensor &stored);
/// Products whose constant weights of 8 bits leave signed bytes around their
/// zero points read channels twice; with `wide` those of 16-bit activations and
/// with a matrix with one zero point as well.
void populateSplitWeightsPatterns(mlir::RewritePatternSet &patterns, bool wide);
/// Products of 16-bit floats with dequantized constants become those of f32.
void populateWidenHalvesPatterns(mlir::RewritePatternSet &patterns);
/// Convolutions and products with 16-bit integers into those of bytes.
void populateWideProductsPatterns(mlir::RewritePatternSet &patterns);
/// {dequantize -> op -> clamp -> quantize} into quantized ops of activations
/// that are stored in `mostBits` or fewer.
void populateQuantizeOpsPatterns(mlir::RewritePatternSet &patterns,
                                 unsigned mostBits);

} // namespace qopt

#endif // QOPT_LIB_TRANSFORMS_FOLDQDQ_H
