//===- LowerKernels.cpp - Kernels on memrefs to loops ---------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Reads the ops into plain structs and leaves the loops to the emitters.
//===----------------------------------------------------------------------===//
#include "DotProduct.h"
#include "GroupKernel.h"
#include "WindowKernel.h"
#include "qopt/Target/CPU/Kernels/Passes.h"

#include "llvm/TargetParser/Triple.h"

namespace qopt::qcpu {
#define GEN_PASS_DEF_LOWERKERNELS
#include "qopt/Target/CPU/Kernels/Passes.h.inc"
} // namespace qopt::qcpu

using namespace mlir;
using namespace qopt::qcpu;

static LogicalResult readView(Emitter &emit, Value value, FlatView &view) {
  FailureOr<FlatView> flat = failure();
  if (isa<MemRefType>(value.getType()))
    flat = emit.flatten(value);
  if (failed(flat) || flat->strides.back() != 1)
    return emitError(emit.loc, "expects memrefs with static strides and "
                               "contiguous channels");
  view = std::move(*flat);
  return success();
}

template <typename WindowOp>
static FailureOr<WindowKernel> readKernel(WindowOp op, OpBuilder &builder) {
  Emitter emit(builder, op.getLoc());
  WindowKernel kernel;
  if (failed(readView(emit, op.getX(), kernel.x)) ||
      failed(readView(emit, op.getWeight(), kernel.weight)) ||
      failed(readView(emit, op.getBias(), kernel.bias)) ||
      failed(readView(emit, op.getInit(), kernel.y)))
    return failure();
  for (Value extra : op.getExtras())
    if (failed(readView(emit, extra, kernel.extras.emplace_back())))
      return failure();
  if (!DotProduct::isKnown(op.getDot()))
    return op.emitError() << "expects a known dot product, got '" << op.getDot()
                          << "'";
  kernel.epilogue = &op.getEpilogue().front();
  kernel.dot = op.getDot();
  kernel.isUnsigned = op.getXUnsigned();
  ArrayRef<int64_t> tile = op.getTile();
  kernel.rows = tile[0];
  kernel.vectors = tile[1];
  kernel.lanes = tile[2];
  kernel.pack = tile[3];
  if (auto code =
          op->template getAttrOfType<DenseI64ArrayAttr>(kWeightCodeAttr);
      code && code.size() == 2)
    kernel.code = {code[0], code[1]};
  kernel.kernelH = op.getKernel()[0];
  kernel.kernelW = op.getKernel()[1];
  kernel.strideH = op.getStrides()[0];
  kernel.strideW = op.getStrides()[1];
  kernel.dilationH = op.getDilations()[0];
  kernel.dilationW = op.getDilations()[1];
  kernel.groups = op.getGroups();
  kernel.rowsOutside = isa<DepthwiseOp>(op.getOperation());
  kernel.reducedChannels = isa<DepthwiseOp>(op.getOperation())
                               ? 1
                               : kernel.x.shape[3] / kernel.groups;
  kernel.batch = kernel.y.shape[0];
  kernel.height = kernel.y.shape[1];
  kernel.width = kernel.y.shape[2];
  kernel.channels = kernel.y.shape[3];
  return kernel;
}

namespace {
struct LowerKernelsPass
    : public qopt::qcpu::impl::LowerKernelsBase<LowerKernelsPass> {
  using LowerKernelsBase::LowerKernelsBase;

  LogicalResult lower(Operation *op) {
    bool roundToInt = llvm::Triple(triple).isX86();
    OpBuilder builder(op);
    if (isa<StageOp>(op))
      return lowerStage(op, builder);
    if (isa<LutOp>(op))
      return lowerLut(op, builder);
    if (isa<GroupMatmulOp>(op))
      return lowerGroupMatmul(op, builder, roundToInt);
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
      if (isa<StageOp, LutOp, ConvOp, DepthwiseOp, GroupMatmulOp>(op))
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
