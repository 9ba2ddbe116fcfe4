//===- TensorGraph.cpp - Who reads an observed tensor ---------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Walks over uses; nothing here decides anything.
//===----------------------------------------------------------------------===//
#include "TensorGraph.h"
#include "qopt/Analysis/SplatConstant.h"
#include "qopt/Assignment/LayerRules.h"

using namespace mlir;
using namespace qopt;

qg::ObserveOp qopt::getObserver(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (auto observer = dyn_cast<qg::ObserveOp>(op))
      return observer;
    if (!keepsEncoding(op))
      return {};
    value = op->getOperand(0);
  }
  return {};
}

/// What a clamp that stays no float computation clamps; null for other ops.
static Value getFoldedClampInput(Operation *op) {
  return op->hasAttr(kComputeFloatAttr) ? Value() : getClampInput(op);
}

Value qopt::skipClamps(Value value) {
  while (value.hasOneUse()) {
    Operation *user = *value.user_begin();
    if (getFoldedClampInput(user) != value)
      break;
    value = user->getResult(0);
  }
  return value;
}

TensorGraph::TensorGraph(func::FuncOp function) : regions(function) {
  function.walk([&](qg::ObserveOp op) { observers_.push_back(op); });
}

Operation *TensorGraph::getRepresentative(Operation *op) {
  if (const PointwiseRegion *region = regions.lookup(op))
    return region->root();
  return op;
}

bool TensorGraph::isRegionRoot(Operation *op) const {
  const PointwiseRegion *region = regions.lookup(op);
  return region && region->root() == op;
}

Operation *TensorGraph::skipClampsBack(Operation *op) {
  while (Value x = getFoldedClampInput(op)) {
    Operation *before = x.getDefiningOp();
    if (!before || !x.hasOneUse() || isa<qg::ObserveOp>(before))
      break;
    op = before;
  }
  return op;
}

llvm::SmallSetVector<Operation *, 4> TensorGraph::getReaders(Value value) {
  llvm::SmallSetVector<Operation *, 4> readers;
  for (Operation *user : value.getUsers()) {
    if (!keepsEncoding(user)) {
      readers.insert(getRepresentative(user));
      continue;
    }
    for (Operation *reader : getReaders(user->getResult(0)))
      readers.insert(reader);
  }
  return readers;
}

Operation *TensorGraph::getProducer(qg::ObserveOp observer) {
  Value value = observer.getX();
  Operation *op = value.getDefiningOp();
  if (!op)
    return nullptr;
  // A clamp behind moves and maxima is a function of its own.
  Operation *before = skipClampsBack(op);
  return getRepresentative(keepsEncoding(before) ? op : before);
}

SmallVector<Value> TensorGraph::getInputs(Operation *op) {
  if (const PointwiseRegion *region = regions.lookup(op))
    return {region->input};
  SmallVector<Value> inputs;
  for (Value operand : op->getOperands())
    if (!operand.getDefiningOp<qg::ConstantOp>())
      inputs.push_back(operand);
  return inputs;
}
