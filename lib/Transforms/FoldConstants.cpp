//===- FoldConstants.cpp - Evaluate what depends on constants only --------===//
// SPDX-License-Identifier: Apache-2.0
//
// Importers leave shape arithmetic and re-laid-out weights behind. They are
// computed by the reference semantics, the same code that the interpreter
// runs, so that folding never changes a bit.
//===----------------------------------------------------------------------===//
#include "qopt/Dialect/QG/IR/QG.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include "llvm/ADT/SetVector.h"

namespace qopt {
#include "qopt/Transforms/FoldConstants.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

namespace {
/// The options of the pass.
struct Limits {
  int64_t maxElements;
  bool decode;
};
} // namespace

/// Elements of the constants that only `op` reads: they vanish with it.
static int64_t countDyingElements(Operation *op) {
  int64_t count = 0;
  for (Value operand : op->getOperands())
    if (llvm::all_equal(operand.getUsers()))
      count += cast<RankedTensorType>(operand.getType()).getNumElements();
  return count;
}

/// Whether a product reads what `op` decodes, moved or not, or a table is
/// looked up in it.
static bool isReadByProduct(Operation *op) {
  return llvm::any_of(op->getUsers(), [](Operation *user) {
    return isa<LinearOpInterface, qg::GatherOp>(user) ||
           (isa<qg::ReshapeOp, qg::TransposeOp>(user) && isReadByProduct(user));
  });
}

static bool isWorthFolding(Operation *op, const Limits &limits) {
  auto [maxElements, decode] = limits;
  if (isa<qg::ConstantOp, qg::ObserveOp>(op) || op->getNumOperands() == 0 ||
      op->use_empty())
    return false;
  if (isa<qg::DequantizeOp>(op) && (!decode || isReadByProduct(op)))
    return false;
  int64_t results = 0;
  for (Type type : op->getResultTypes())
    results += cast<RankedTensorType>(type).getNumElements();
  return results <= maxElements || results <= countDyingElements(op);
}

/// Replaces `op` by constants if all operands are; returns whether it did.
static bool foldOp(Operation *op, const Limits &limits) {
  auto reference = dyn_cast<ReferenceOpInterface>(op);
  if (!reference || !isWorthFolding(op, limits))
    return false;
  auto isConstant = [](Value operand) {
    return operand.getDefiningOp<qg::ConstantOp>() != nullptr;
  };
  if (!llvm::all_of(op->getOperands(), isConstant))
    return false;
  SmallVector<Tensor> operands, results;
  for (Value operand : op->getOperands()) {
    std::optional<Tensor> constant = qg::matchConstant(operand);
    if (!constant)
      return false;
    operands.push_back(*constant);
  }
  // Undefined at compile time is undefined at run time: the op stays, and
  // whoever runs it gets the error.
  ScopedDiagnosticHandler silence(op->getContext(),
                                  [](Diagnostic &) { return success(); });
  if (failed(reference.evaluate(operands, results)))
    return false;
  OpBuilder builder(op);
  for (auto [result, tensor] : llvm::zip_equal(op->getResults(), results))
    result.replaceAllUsesWith(
        qg::createConstant(builder, op->getLoc(), tensor,
                           cast<RankedTensorType>(result.getType())));
  return true;
}

namespace {
struct FoldConstants : qopt::impl::FoldConstantsBase<FoldConstants> {
  using FoldConstantsBase::FoldConstantsBase;

  void runOnOperation() override {
    // Program order: an operand is folded before its users are visited.
    SmallVector<Operation *> ops;
    getOperation().walk([&](Operation *op) { ops.push_back(op); });
    for (Operation *op : ops) {
      // An operand may be read twice by one op.
      llvm::SmallSetVector<Operation *, 4> sources;
      for (Value operand : op->getOperands())
        if (Operation *source = operand.getDefiningOp())
          sources.insert(source);
      if (!foldOp(op, {maxElements, decode}))
        continue;
      op->erase();
      for (Operation *source : sources)
        if (source->use_empty())
          source->erase();
    }
  }
};
} // namespace
