//===- DotProduct.h - One reduction step on every machine -----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The only place that knows instructions: a convolution kernel asks for the
// weights of a step, for the broadcast input of a pixel, and for their product.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_TARGET_CPU_KERNELS_DOTPRODUCT_H
#define QOPT_LIB_TARGET_CPU_KERNELS_DOTPRODUCT_H

#include "Emitter.h"

namespace qopt::qcpu {

class DotProduct {
public:
  DotProduct(Emitter &emit, llvm::StringRef name, int64_t lanes, int64_t pack,
             bool isUnsigned)
      : emit(emit), name(name), lanes(lanes), pack(pack),
        isUnsigned(isUnsigned) {}

  static bool isKnown(llvm::StringRef name);
  /// The `lanes * pack` weights of a step, ready for accumulate.
  mlir::Value loadWeights(const FlatView &weights, mlir::Value index);
  /// `pack` input elements, the same in each lane.
  mlir::Value broadcastInput(const FlatView &input, mlir::Value index);
  mlir::Value accumulate(mlir::Value acc, mlir::Value input,
                         mlir::Value weights);

private:
  mlir::Value call(llvm::StringRef intrinsic, mlir::Type type,
                   mlir::ValueRange operands);

  Emitter &emit;
  llvm::StringRef name;
  int64_t lanes, pack;
  bool isUnsigned;
};

} // namespace qopt::qcpu

#endif // QOPT_LIB_TARGET_CPU_KERNELS_DOTPRODUCT_H
