//===- BlockedEncoding.h - Scales of blocks along one dimension -----------===//
// SPDX-License-Identifier: Apache-2.0
//
// ONNX gives blocks a dimension; types of qg give them a channel, whose other
// elements they follow. What is moved before it is read needs both.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_FRONTEND_ONNX_BLOCKEDENCODING_H
#define QOPT_LIB_FRONTEND_ONNX_BLOCKEDENCODING_H

#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Support/Tensor.h"

namespace qopt::frontend {

/// An encoding with scales and zero points for every `size` elements along
/// `axis`, and for every element of the other dimensions.
struct BlockedEncoding {
  std::string format;
  int64_t axis = 0, size = 1;
  /// f32 and i32, in the shape of the tensor with its blocks along `axis`.
  Tensor scales, zeros;

  /// That of a type with groups; nullopt where they lie along no dimension.
  static std::optional<BlockedEncoding> of(qg::QuantizedType type,
                                           llvm::ArrayRef<int64_t> shape);
  /// The type for a tensor of that shape; null where qg has none: blocks follow
  /// the last dimension, or the last but one behind channels, and end with it.
  qg::QuantizedType getType(mlir::MLIRContext *context,
                            llvm::ArrayRef<int64_t> shape) const;

  BlockedEncoding transposed(llvm::ArrayRef<int64_t> permutation) const;
  /// The dimensions in front of the last two as one; `axis` is none of them.
  BlockedEncoding stacked() const;
  /// Of one element of the first dimension, which is not `axis`.
  BlockedEncoding slice(int64_t index) const;
};

} // namespace qopt::frontend

#endif // QOPT_LIB_FRONTEND_ONNX_BLOCKEDENCODING_H
