//===- PlaceResults.cpp - Which value lives in which caller's buffer ------===//
// SPDX-License-Identifier: Apache-2.0
//
// Upstream's elimination of tensor.empty follows destinations whether or not
// the analysis found them to be in place. That is right where it can see the
// write (tensor.insert_slice), and wrong for a write to the caller's memref.
//===----------------------------------------------------------------------===//
#include "PlaceResults.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/Transforms.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace qopt;
using bufferization::MaterializeInDestinationOp;

/// A copy of a tensor.empty or of a fill of one in front of `user`, or null.
static Value repeatDestination(Value value, Operation *user) {
  OpBuilder builder(user);
  if (auto empty = value.getDefiningOp<tensor::EmptyOp>())
    return cast<tensor::EmptyOp>(builder.clone(*empty));
  auto fill = value.getDefiningOp<linalg::FillOp>();
  if (!fill)
    return nullptr;
  Value out = repeatDestination(fill.getOutputs().front(), user);
  if (!out)
    return nullptr;
  auto copy = cast<linalg::FillOp>(builder.clone(*fill));
  copy.getOutputsMutable().assign(out);
  return copy.getResult(0);
}

void qopt::separateDestinations(
    func::FuncOp main,
    const bufferization::OneShotBufferizationOptions &options) {
  bufferization::AnalysisState state(options);
  SmallVector<OpOperand *> shared;
  main.walk([&](Operation *op) {
    for (OpOperand &operand : op->getOpOperands())
      if (isa<TensorType>(operand.get().getType()) &&
          !operand.get().hasOneUse() && state.bufferizesToMemoryWrite(operand))
        shared.push_back(&operand);
  });
  // The first use keeps what is there: a buffer filled for the last one would
  // be alive all the time in between.
  for (OpOperand *operand : llvm::reverse(shared))
    if (!operand->get().hasOneUse())
      if (Value own = repeatDestination(operand->get(), operand->getOwner()))
        operand->set(own);
}

void qopt::separateConstants(func::FuncOp main) {
  SmallVector<arith::ConstantOp> constants;
  main.walk([&](arith::ConstantOp constant) {
    if (isa<TensorType>(constant.getType()) && !constant->hasOneUse())
      constants.push_back(constant);
  });
  for (arith::ConstantOp constant : constants) {
    OpBuilder builder(constant->getContext());
    builder.setInsertionPointAfter(constant);
    for (OpOperand &use :
         llvm::make_early_inc_range(llvm::drop_begin(constant->getUses())))
      use.set(builder.clone(*constant)->getResult(0));
  }
}

LogicalResult
qopt::placeResults(func::FuncOp main,
                   const bufferization::OneShotBufferizationOptions &options) {
  bufferization::OneShotAnalysisState state(main, options);
  if (failed(bufferization::analyzeOp(main, state)))
    return failure();
  llvm::DenseSet<Operation *> placed;
  auto build = [&](RewriterBase &rewriter, SubsetInsertionOpInterface write,
                   tensor::EmptyOp empty, Operation *user) -> Value {
    if (auto result = dyn_cast<MaterializeInDestinationOp>(*write))
      if (!state.areEquivalentBufferizedValues(empty, result.getSource()) ||
          !placed.insert(result).second)
        return nullptr;
    return bufferization::buildSubsetExtraction(rewriter, write, empty, user);
  };
  IRRewriter rewriter(main.getContext());
  return bufferization::eliminateEmptyTensors(rewriter, main, state, build);
}
