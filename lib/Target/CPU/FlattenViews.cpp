//===- FlattenViews.cpp - Reshaped buffers as buffers of another shape ----===//
// SPDX-License-Identifier: Apache-2.0
//
// A view of several dimensions as one is read by dividing the index; where the
// buffer is whole, its address is the same in any shape. Vectorizers see
// neighbours only in the second form.
//===----------------------------------------------------------------------===//
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Pass/Pass.h"

namespace qopt {
#include "qopt/Target/FlattenViews.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

/// Row after row, nothing between them, all extents known.
static bool isWhole(Value memref) {
  auto type = cast<MemRefType>(memref.getType());
  return type.hasStaticShape() && type.getLayout().isIdentity();
}

/// The buffer that `view` is in another shape; null where merging dimensions is
/// none of the steps between them.
static Value findMerged(Value view) {
  bool isMerged = false;
  while (Operation *op = view.getDefiningOp()) {
    if (!isa<memref::CollapseShapeOp, memref::ExpandShapeOp>(op) ||
        !isWhole(op->getOperand(0)))
      break;
    isMerged |= isa<memref::CollapseShapeOp>(op);
    view = op->getOperand(0);
  }
  return isMerged ? view : Value();
}

namespace {
struct FlattenViews : qopt::impl::FlattenViewsBase<FlattenViews> {
  void runOnOperation() override {
    SmallVector<std::pair<Operation *, Value>> merged;
    getOperation()->walk([&](Operation *op) {
      if (!isa<memref::CollapseShapeOp, memref::ExpandShapeOp>(op) ||
          !isWhole(op->getResult(0)))
        return;
      if (Value buffer = findMerged(op->getResult(0)))
        merged.push_back({op, buffer});
    });
    for (auto [op, buffer] : llvm::reverse(merged)) {
      OpBuilder builder(op);
      auto type = cast<MemRefType>(op->getResult(0).getType());
      auto [strides, offset] = type.getStridesAndOffset();
      Value view =
          memref::ReinterpretCastOp::create(builder, op->getLoc(), type, buffer,
                                            offset, type.getShape(), strides);
      op->replaceAllUsesWith(ValueRange(view));
      op->erase();
    }
  }
};
} // namespace
