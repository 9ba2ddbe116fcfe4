//===- Pending.cpp - Ops whose reference semantics are refused ------------===//
// SPDX-License-Identifier: Apache-2.0
//
// An op listed here has no reference semantics: running it is an error.
//===----------------------------------------------------------------------===//
#include "qopt/Dialect/FXP/IR/FXP.h"

using namespace qopt;

#define QOPT_REFUSED(Op)                                                       \
  llvm::LogicalResult fxp::Op::evaluate(llvm::ArrayRef<Tensor>,                \
                                        llvm::SmallVectorImpl<Tensor> &) {     \
    return emitOpError("has no reference semantics");                          \
  }

QOPT_REFUSED(ConvOp)
QOPT_REFUSED(MatmulOp)
QOPT_REFUSED(RequantizeOp)
QOPT_REFUSED(AddOp)
QOPT_REFUSED(MulOp)
QOPT_REFUSED(LutOp)
QOPT_REFUSED(MaxPoolOp)
QOPT_REFUSED(SumPoolOp)
QOPT_REFUSED(SumOp)
QOPT_REFUSED(QuantizeOp)
QOPT_REFUSED(DequantizeOp)
