//===- KernelFrame.h - A kernel in the place of a product -----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What every selected kernel needs around it, whatever its weights are: packed
// constants, shapes with four dimensions, and the ops fused behind the product.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_TARGET_CPU_KERNELS_KERNELFRAME_H
#define QOPT_LIB_TARGET_CPU_KERNELS_KERNELFRAME_H

#include "Epilogue.h"

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace qopt::qcpu {

/// A constant in the order in which a kernel reads it.
mlir::Value createPacked(mlir::OpBuilder &builder, mlir::Location loc,
                         const Tensor &tensor);

/// Shape casts between a tensor of any rank and [N, H, W, C] are free.
mlir::Value castShape(mlir::OpBuilder &builder, mlir::Location loc,
                      mlir::Value value, llvm::ArrayRef<int64_t> shape);

/// The place of one kernel: in front of the last op that it takes along.
class KernelFrame {
public:
  /// Collects what follows `product` and sets the insertion point.
  KernelFrame(mlir::OpBuilder &builder, mlir::Operation *product,
              EpilogueLimits limits = {});

  /// Of the tensor that the kernel makes.
  mlir::RankedTensorType getType() const;

  /// Operands of the fused ops: constants per channel after `pad`, tensors in
  /// the kernel's `shape`, with extents of 1 where they are repeated.
  llvm::SmallVector<mlir::Value>
  createExtras(llvm::ArrayRef<int64_t> shape,
               llvm::function_ref<Tensor(const Tensor &)> pad);

  /// Writes the fused ops into the region of `kernel`, behind which building
  /// goes on.
  void fill(mlir::Operation *kernel, mlir::Type accumulator,
            mlir::ValueRange extras, EpilogueStyle style = {});

  /// `result` takes the place of the fused ops and of the product, which are
  /// erased unless something else reads them.
  void replaceBy(mlir::Value result);

private:
  mlir::OpBuilder &builder;
  mlir::Operation *product, *last;
  Epilogue epilogue;
};

} // namespace qopt::qcpu

#endif // QOPT_LIB_TARGET_CPU_KERNELS_KERNELFRAME_H
