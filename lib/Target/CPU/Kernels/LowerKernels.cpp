//===- LowerKernels.cpp - Kernels on memrefs to loops ---------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Reads the ops into plain structs and leaves the loops to the emitters.
//===----------------------------------------------------------------------===//
#include "DecodeKernel.h"
#include "DotProduct.h"
#include "GroupKernel.h"
#include "WindowKernel.h"
#include "qopt/Target/CPU/IR/QCPU.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/Pass.h"
#include "llvm/TargetParser/Triple.h"

namespace qopt::qcpu {
#include "qopt/Target/CPU/Kernels/LowerKernels.h.inc"
} // namespace qopt::qcpu

using namespace mlir;
using namespace qopt::qcpu;

template <typename WindowOp>
static FailureOr<WindowKernel> readKernel(WindowOp op, OpBuilder &builder) {
  Emitter emit(builder, op.getLoc());
  WindowKernel kernel;
  if (failed(emit.readRows(op.getX(), kernel.x)) ||
      failed(emit.readRows(op.getWeight(), kernel.weight)) ||
      failed(emit.readRows(op.getBias(), kernel.bias)) ||
      failed(emit.readRows(op.getInit(), kernel.y)))
    return failure();
  for (Value extra : op.getExtras())
    if (failed(emit.readRows(extra, kernel.extras.emplace_back())))
      return failure();
  for (auto [view, order] : {std::pair(&kernel.x, op.getXOrder()),
                             std::pair(&kernel.y, op.getYOrder())}) {
    view->shape = inOrder(view->shape, order);
    view->strides = inOrder(view->strides, order);
  }
  for (FlatView &extra : kernel.extras)
    repeatExtents(extra, kernel.y);
  if (!DotProduct::isKnown(op.getDot()))
    return op.emitError() << "expects a known dot product, got '" << op.getDot()
                          << "'";
  readAttributes(op, kernel);
  kernel.kernelH = op.getKernel()[0];
  kernel.kernelW = op.getKernel()[1];
  kernel.strideH = op.getStrides()[0];
  kernel.strideW = op.getStrides()[1];
  kernel.dilationH = op.getDilations()[0];
  kernel.dilationW = op.getDilations()[1];
  if (std::optional<ArrayRef<int64_t>> planes = op.getPlanes())
    kernel.planes = {(*planes)[0], (*planes)[1], (*planes)[2], (*planes)[3]};
  kernel.groups = op.getGroups();
  kernel.ownWeights = op.getOwnWeights();
  kernel.rowsOutside = isa<DepthwiseOp>(op.getOperation());
  kernel.reducedChannels = isa<DepthwiseOp>(op.getOperation())
                               ? 1
                               : kernel.x.shape[3] / kernel.groups;
  return kernel;
}

/// The elements of the last dimension lie side by side.
static bool hasContiguousChannels(MemRefType type) {
  SmallVector<int64_t> strides;
  int64_t offset;
  return type.getRank() == 0 || type.getShape().back() <= 1 ||
         (succeeded(type.getStridesAndOffset(strides, offset)) &&
          strides.back() == 1);
}

/// Kernels load vectors of channels. A view without them (a step along the
/// channels, rows that were cut and are seen as columns) is copied.
static void copyStridedViews(Operation *op) {
  OpBuilder before(op), after(op);
  after.setInsertionPointAfter(op);
  auto kernel = cast<DestinationStyleOpInterface>(op);
  for (OpOperand &operand : op->getOpOperands()) {
    auto type = dyn_cast<MemRefType>(operand.get().getType());
    if (!type || hasContiguousChannels(type))
      continue;
    Value copy = memref::AllocOp::create(
        before, op->getLoc(),
        MemRefType::get(type.getShape(), type.getElementType()),
        before.getI64IntegerAttr(64));
    if (kernel.isDpsInit(&operand))
      memref::CopyOp::create(after, op->getLoc(), copy, operand.get());
    else
      memref::CopyOp::create(before, op->getLoc(), operand.get(), copy);
    operand.set(copy);
  }
}

namespace {
struct LowerKernelsPass
    : public qopt::qcpu::impl::LowerKernelsBase<LowerKernelsPass> {
  using LowerKernelsBase::LowerKernelsBase;

  LogicalResult lower(Operation *op) {
    copyStridedViews(op);
    bool roundToInt = llvm::Triple(triple).isX86();
    OpBuilder builder(op);
    if (isa<StageOp>(op))
      return lowerStage(op, builder);
    if (isa<PackOp>(op))
      return lowerPack(op, builder);
    if (isa<LutOp>(op))
      return lowerLut(op, builder);
    if (isa<GroupMatmulOp>(op))
      return lowerGroupMatmul(op, builder, roundToInt);
    if (isa<DecodeMatmulOp>(op))
      return lowerDecodeMatmul(op, builder, roundToInt);
    if (auto conv = dyn_cast<ConvOp>(op)) {
      FailureOr<WindowKernel> kernel = readKernel(conv, builder);
      return failed(kernel)
                 ? failure()
                 : lowerConvKernel(op, builder, std::move(*kernel), roundToInt);
    }
    FailureOr<WindowKernel> kernel = readKernel(cast<DepthwiseOp>(op), builder);
    return failed(kernel) ? failure()
                          : lowerDepthwiseKernel(
                                op, builder, std::move(*kernel), roundToInt);
  }

  void runOnOperation() override {
    SmallVector<Operation *> kernels;
    getOperation().walk([&](Operation *op) {
      if (isa<StageOp, PackOp, LutOp, ConvOp, DepthwiseOp, GroupMatmulOp,
              DecodeMatmulOp>(op))
        kernels.push_back(op);
    });
    for (Operation *op : kernels) {
      if (failed(lower(op)))
        return signalPassFailure();
      op->erase();
    }
  }
};
} // namespace
