//===- Product.h - Convolutions and matrix products in one form -----------===//
// SPDX-License-Identifier: Apache-2.0
//
// What kernel selection knows of an op: a 2-D window over [N, H, W, C] with
// constant weights.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_TARGET_CPU_KERNELS_PRODUCT_H
#define QOPT_LIB_TARGET_CPU_KERNELS_PRODUCT_H

#include "mlir/IR/Operation.h"
#include "qopt/Support/Tensor.h"
#include <optional>

namespace qopt::qcpu {

/// The third spatial dimension of a product, in front of the other two.
struct Depth {
  int64_t size, result; ///< planes of the input and of the result
  int64_t kernel, stride, dilation, front, back;
};

struct Product {
  mlir::Operation *op;
  mlir::Value x;
  llvm::SmallVector<int64_t> xShape; ///< [N, H, W, C], [N * D, H, W, C]
  llvm::SmallVector<int64_t> shape;  ///< [N, OH, OW, O], [N, OD * OH, OW, O]
  Tensor weight;                     ///< [O, KH, KW, C/groups], i8 or f32;
                                     ///< [O, KD * KH, KW, C/groups]
  std::optional<Depth> depth;        ///< where windows span planes
  llvm::ArrayRef<int8_t> levels;     ///< of the weight's table, if it has one
  Tensor bias;                       ///< [O], i32 or f32
  llvm::SmallVector<int64_t> strides{1, 1}, dilations{1, 1};
  llvm::SmallVector<int64_t> pads{0, 0, 0, 0}; ///< top, left, bottom, right
  int64_t groups = 1;
  int64_t zeroPoint = 0;
  bool isUnsigned = false;

  int64_t kernelH() const { return weight.shape()[1]; }
  int64_t kernelW() const { return weight.shape()[2]; }
  bool hasPads() const {
    return llvm::any_of(pads, [](int64_t pad) { return pad != 0; }) ||
           (depth && depth->front + depth->back != 0);
  }
  /// A 1x1 window: pixels are independent of where they lie.
  bool isPointwise() const {
    return kernelH() == 1 && kernelW() == 1 && strides[0] == 1 &&
           strides[1] == 1 && !depth;
  }
  int64_t outputPixels() const { return shape[0] * shape[1] * shape[2]; }
};

bool isProduct(mlir::Operation *op);
/// nullopt for what no kernel computes exactly: non-constant weights or biases,
/// more than three spatial dimensions, negative pads.
std::optional<Product> matchProduct(mlir::Operation *op);

} // namespace qopt::qcpu

#endif // QOPT_LIB_TARGET_CPU_KERNELS_PRODUCT_H
