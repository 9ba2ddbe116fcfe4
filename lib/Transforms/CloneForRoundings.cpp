//===- CloneForRoundings.cpp - A product for each of its roundings --------===//
// SPDX-License-Identifier: Apache-2.0
//
// Sums of 32 bits leave a kernel rounded. Where a file rounds them in two ways,
// computing them again is exact; a rounding of a rounding would not be.
//===----------------------------------------------------------------------===//
#include "qopt/Dialect/QG/IR/QG.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace qopt {
#include "qopt/Transforms/CloneForRoundings.h.inc"
} // namespace qopt

using namespace mlir;
using namespace qopt;

/// Every quantize but the first gets a product, and what moves it, of its own.
static void cloneForReaders(LinearOpInterface op) {
  SmallVector<Operation *> chain{op};
  while (chain.back()->hasOneUse()) {
    Operation *user = *chain.back()->user_begin();
    if (!isa<qg::ReshapeOp, qg::TransposeOp>(user))
      return;
    chain.push_back(user);
  }
  SmallVector<Operation *> readers(chain.back()->getUsers());
  if (readers.empty())
    return;
  if (!llvm::all_of(readers, llvm::IsaPred<qg::QuantizeOp>))
    return;
  OpBuilder builder(op);
  builder.setInsertionPointAfter(chain.back());
  for (Operation *reader : ArrayRef(readers).drop_front()) {
    Value value = builder.clone(*op.getOperation())->getResult(0);
    for (Operation *move : ArrayRef(chain).drop_front()) {
      Operation *clone = builder.clone(*move);
      clone->setOperand(0, value);
      value = clone->getResult(0);
    }
    reader->setOperand(0, value);
  }
}

namespace {
struct CloneForRoundings
    : qopt::impl::CloneForRoundingsBase<CloneForRoundings> {
  void runOnOperation() override {
    SmallVector<LinearOpInterface> products;
    getOperation().walk([&](LinearOpInterface op) { products.push_back(op); });
    for (LinearOpInterface op : products)
      cloneForReaders(op);
  }
};
} // namespace
