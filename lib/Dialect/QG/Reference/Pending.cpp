//===- Pending.cpp - Ops whose reference semantics are refused ------------===//
// SPDX-License-Identifier: Apache-2.0
//
// An op listed here has no reference semantics: running it is an error.
//===----------------------------------------------------------------------===//
#include "qopt/Dialect/QG/IR/QG.h"

using namespace qopt;

#define QOPT_REFUSED(Op)                                                       \
  llvm::LogicalResult qg::Op::evaluate(llvm::ArrayRef<Tensor>,                \
                                        llvm::SmallVectorImpl<Tensor> &) {     \
    return emitOpError("has no reference semantics");                          \
  }

QOPT_REFUSED(ConvOp)
QOPT_REFUSED(ConvTransposeOp)
QOPT_REFUSED(MatmulOp)
QOPT_REFUSED(PoolOp)
QOPT_REFUSED(ReduceOp)
QOPT_REFUSED(ArgReduceOp)
QOPT_REFUSED(SoftmaxOp)
QOPT_REFUSED(UnaryOp)
QOPT_REFUSED(BinaryOp)
QOPT_REFUSED(CompareOp)
QOPT_REFUSED(SelectOp)
QOPT_REFUSED(CastOp)
QOPT_REFUSED(ConstantOp)
QOPT_REFUSED(ReshapeOp)
QOPT_REFUSED(TransposeOp)
QOPT_REFUSED(BroadcastOp)
QOPT_REFUSED(SliceOp)
QOPT_REFUSED(ConcatOp)
QOPT_REFUSED(PadOp)
QOPT_REFUSED(GatherOp)
QOPT_REFUSED(QuantizeOp)
QOPT_REFUSED(DequantizeOp)
QOPT_REFUSED(RequantizeOp)
QOPT_REFUSED(ObserveOp)
