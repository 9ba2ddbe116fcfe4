//===- KeptEncoding.cpp - Ops that hand on what they are given ------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Asks format rules; a maximum is the one op of another rule that counts.
//===----------------------------------------------------------------------===//
#include "qopt/Analysis/KeptEncoding.h"
#include "qopt/Dialect/QG/IR/QG.h"

using namespace mlir;
using namespace qopt;

bool qopt::keepsEncoding(Operation *op) {
  if (auto pool = dyn_cast<qg::PoolOp>(op))
    return pool.getKind() == PoolKind::max;
  auto rule = dyn_cast<FormatRuleOpInterface>(op);
  return rule && rule.getFormatRule() == FormatRule::PassThrough &&
         !isa<qg::ObserveOp>(op);
}

Value qopt::skipMovesBack(Value value) {
  for (Operation *op = value.getDefiningOp(); op && keepsEncoding(op);
       op = value.getDefiningOp()) {
    if (op->getOperand(0).getDefiningOp<qg::ConstantOp>())
      break;
    value = op->getOperand(0);
  }
  return value;
}
