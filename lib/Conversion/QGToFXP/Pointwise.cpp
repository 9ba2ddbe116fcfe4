//===- Pointwise.cpp - Pointwise ops on a list of numbers -----------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Clones of the ops on vectors, detached from the program.
//===----------------------------------------------------------------------===//
#include "Pointwise.h"
#include "qopt/Analysis/SplatConstant.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace qopt;

/// A constant as a vector; a splat has one element.
static Value createVector(OpBuilder &builder, Value constant) {
  Tensor tensor = *qg::matchConstant(constant);
  int64_t count = isSplatConstant(constant) ? 1 : tensor.numElements();
  Tensor vector(tensor.dtype(), {count});
  std::memcpy(vector.mutableData(), tensor.data(),
              count * getByteWidth(tensor.dtype()));
  auto element = cast<RankedTensorType>(constant.getType()).getElementType();
  return qg::createConstant(builder, constant.getLoc(), vector,
                            RankedTensorType::get({count}, element));
}

FailureOr<Tensor> qgtofxp::evaluatePointwise(ArrayRef<Operation *> ops,
                                             Value source,
                                             const Tensor &values) {
  int64_t count = values.numElements();
  llvm::DenseMap<Value, Tensor> known;
  known[source] = values;
  Tensor last = values;
  for (Operation *op : ops) {
    Block block;
    OpBuilder builder(op->getContext());
    builder.setInsertionPointToEnd(&block);
    IRMapping mapping;
    SmallVector<Tensor> operands, results;
    for (Value operand : op->getOperands()) {
      auto it = known.find(operand);
      bool isConstant = it == known.end();
      if (!mapping.contains(operand)) {
        auto element =
            cast<RankedTensorType>(operand.getType()).getElementType();
        mapping.map(operand, isConstant
                                 ? createVector(builder, operand)
                                 : block.addArgument(
                                       RankedTensorType::get({count}, element),
                                       op->getLoc()));
      }
      operands.push_back(isConstant
                             ? *qg::matchConstant(mapping.lookup(operand))
                             : it->second);
    }
    Operation *clone = builder.clone(*op, mapping);
    auto element =
        cast<RankedTensorType>(op->getResultTypes()[0]).getElementType();
    clone->getResult(0).setType(RankedTensorType::get({count}, element));
    if (failed(cast<ReferenceOpInterface>(clone).evaluate(operands, results)) ||
        results.size() != 1)
      return failure();
    last = results.front();
    known[op->getResult(0)] = last;
  }
  return last;
}
