//===- KernelFrame.h - A kernel in the place of a product -----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// What every selected kernel needs around it, whatever its weights are: packed
// constants, shapes with four dimensions, and the ops fused behind the product.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_TARGET_CPU_KERNELS_KERNELFRAME_H
#define QOPT_LIB_TARGET_CPU_KERNELS_KERNELFRAME_H

#include "Epilogue.h"
#include "qopt/Machine/KernelTarget.h"

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace qopt::qcpu {

/// A constant in the order in which a kernel reads it.
mlir::Value createPacked(mlir::OpBuilder &builder, mlir::Location loc,
                         const Tensor &tensor);

/// Shape casts between a tensor of any rank and [N, H, W, C] are free.
mlir::Value castShape(mlir::OpBuilder &builder, mlir::Location loc,
                      mlir::Value value, llvm::ArrayRef<int64_t> shape);

/// Makes the tile of `dot` wider where there are few pixels, and taller where
/// there are few channels.
void fitTile(DotChoice &dot, int64_t channels, int64_t pixels);

/// What a kernel reads its pixels from: bytes have a zero point.
struct KernelInput {
  mlir::Location loc;
  mlir::Value x;
  llvm::SmallVector<int64_t> pads{0, 0, 0, 0};
  int64_t zeroPoint = 0;
  bool isUnsigned = false;

  /// What a dot product takes off bytes so that it can read them.
  int64_t getShift(const DotChoice &dot) const;
};

/// `input` with borders and as `dot` reads it, whose zero point is left there;
/// itself if there is nothing to do, unless `always`.
mlir::Value stageInput(mlir::OpBuilder &builder, const DotChoice &dot,
                       KernelInput &input, bool always = false);

/// The place of one kernel: in front of the last op that it takes along.
class KernelFrame {
public:
  /// Collects what follows `product` and sets the insertion point.
  KernelFrame(mlir::OpBuilder &builder, mlir::Operation *product,
              EpilogueLimits limits = {});

  /// Of the tensor that the kernel makes.
  mlir::RankedTensorType getType() const;
  /// What that tensor replaces.
  mlir::Value getResult() const { return last->getResult(0); }

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
  /// Erases them where nothing reads the result any more.
  void erase();

private:
  mlir::OpBuilder &builder;
  mlir::Operation *product, *last;
  Epilogue epilogue;
};

} // namespace qopt::qcpu

#endif // QOPT_LIB_TARGET_CPU_KERNELS_KERNELFRAME_H
