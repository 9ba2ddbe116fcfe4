//===- Composite.cpp - Reference semantics by parts -----------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The parts are written into a block of their own and run one by one: there is
// no second spelling of a composite op's numbers.
//===----------------------------------------------------------------------===//
#include "CompositeChecks.h"

#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/DenseMap.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::qg;

#include "qopt/Dialect/QG/IR/QGCompositeInterface.cpp.inc"
#include "qopt/Dialect/QG/IR/QGCompositeKinds.cpp.inc"
#define GET_OP_CLASSES
#include "qopt/Dialect/QG/IR/QGCompositeOps.cpp.inc"

LogicalResult qg::evaluateByParts(CompositeOpInterface op,
                                  ArrayRef<Tensor> operands,
                                  SmallVectorImpl<Tensor> &results) {
  Block block;
  llvm::DenseMap<Value, Tensor> values;
  IRMapping mapping;
  for (auto [operand, tensor] : llvm::zip_equal(op->getOperands(), operands)) {
    Value argument = block.addArgument(operand.getType(), op->getLoc());
    mapping.map(operand, argument);
    values[argument] = tensor;
  }
  Operation *copy = op->clone(mapping);
  // The block has no region, which is where a builder takes its context from.
  OpBuilder atEnd(op->getContext());
  atEnd.setInsertionPointToEnd(&block);
  ShapedBuilder builder(atEnd, op->getLoc());
  auto parts = cast<CompositeOpInterface>(copy).decompose(builder);
  copy->destroy();
  if (failed(parts))
    return failure();
  for (Operation &part : block) {
    SmallVector<Tensor> inputs, outputs;
    for (Value operand : part.getOperands())
      inputs.push_back(values.lookup(operand));
    if (failed(cast<ReferenceOpInterface>(part).evaluate(inputs, outputs)))
      return failure();
    for (auto [value, tensor] : llvm::zip_equal(part.getResults(), outputs))
      values[value] = tensor;
  }
  for (Value value : *parts)
    results.push_back(values.lookup(value));
  return success();
}
