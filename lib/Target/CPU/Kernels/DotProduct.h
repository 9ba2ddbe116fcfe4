//===- DotProduct.h - One reduction step on every machine -----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The only place that knows instructions: a convolution kernel asks for the
// weights of a step, for the broadcast input of a pixel, and for their product.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_TARGET_CPU_KERNELS_DOTPRODUCT_H
#define QOPT_LIB_TARGET_CPU_KERNELS_DOTPRODUCT_H

#include "WindowKernel.h"

namespace qopt::qcpu {

class DotProduct {
public:
  DotProduct(Emitter &emit, const WindowKernel &kernel)
      : emit(emit), name(kernel.dot), lanes(kernel.lanes), pack(kernel.pack),
        isUnsigned(kernel.isUnsigned), code(kernel.code) {}

  static bool isKnown(llvm::StringRef name);
  /// Vectors of `lanes * pack` weights, ready for accumulate: the first `used`
  /// of a step of `vectors`, which starts at element `index` (byte, of packed
  /// weights).
  llvm::SmallVector<mlir::Value> loadStep(const FlatView &weights,
                                          mlir::Value index, int64_t vectors,
                                          int64_t used);
  /// `pack` input elements, the same in each lane.
  mlir::Value broadcastInput(const FlatView &input, mlir::Value index);
  mlir::Value accumulate(mlir::Value acc, mlir::Value input,
                         mlir::Value weights);

private:
  mlir::Value loadWeights(const FlatView &weights, mlir::Value index);
  mlir::Value getConstant(int64_t bits);
  mlir::Value getScalar(mlir::Value vector, int64_t lane);
  mlir::Value loadWord(const FlatView &bytes, mlir::Value index);
  mlir::Value splitWord(mlir::Value word);
  llvm::SmallVector<mlir::Value> loadTableWords(const FlatView &weights,
                                                mlir::Value index,
                                                int64_t vectors, int64_t used);
  mlir::Value splitCodes(mlir::Value word, int64_t shift);
  mlir::Value widen(mlir::Value bytes);
  mlir::Value call(llvm::StringRef intrinsic, mlir::Type type,
                   mlir::ValueRange operands);

  Emitter &emit;
  llvm::StringRef name;
  int64_t lanes, pack;
  bool isUnsigned;
  WeightCode code;
};

} // namespace qopt::qcpu

#endif // QOPT_LIB_TARGET_CPU_KERNELS_DOTPRODUCT_H
