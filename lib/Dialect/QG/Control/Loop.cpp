//===- Loop.cpp - Verifier and reference semantics of loops ---------------===//
// SPDX-License-Identifier: Apache-2.0
//
// One spelling of what a step reads and writes: whoever runs a body brings
// only the way to run its ops.
//===----------------------------------------------------------------------===//
#include "qopt/Dialect/QG/IR/QGControl.h"

#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/DenseMap.h"
#include <cstring>

using namespace mlir;
using namespace qopt;
using namespace qopt::qg;

#define GET_OP_CLASSES
#include "qopt/Dialect/QG/IR/QGControlOps.cpp.inc"

//===----------------------------------------------------------------------===//
// Parts
//===----------------------------------------------------------------------===//

MutableArrayRef<BlockArgument> LoopOp::getStateArguments() {
  return getBlock().getArguments().slice(1, getStates().size());
}
MutableArrayRef<BlockArgument> LoopOp::getSliceArguments() {
  return getBlock().getArguments().slice(1 + getStates().size(),
                                         getSlices().size());
}
MutableArrayRef<BlockArgument> LoopOp::getCaptureArguments() {
  return getBlock().getArguments().take_back(getCaptures().size());
}
Value LoopOp::getNextCondition() {
  return getCondition() ? getBlock().getTerminator()->getOperand(0) : Value();
}
OperandRange LoopOp::getNextStates() {
  return getBlock().getTerminator()->getOperands().slice(
      getCondition() ? 1 : 0, getStates().size());
}
OperandRange LoopOp::getElements() {
  return getBlock().getTerminator()->getOperands().drop_front(
      (getCondition() ? 1 : 0) + getStates().size());
}

//===----------------------------------------------------------------------===//
// Verifier
//===----------------------------------------------------------------------===//

static LogicalResult checkTypes(LoopOp op, TypeRange expected, TypeRange got,
                                 StringRef what) {
  if (expected == got)
    return success();
  return op.emitOpError() << "expects " << what << " of types (" << expected
                          << "), got (" << got << ")";
}

/// C1, C2 and C6: the operands alone.
static LogicalResult checkOperands(LoopOp op) {
  // C1
  if (op.getCount() < 1)
    return op.emitOpError() << "expects a count of at least 1, got "
                            << op.getCount();
  Type flag = RankedTensorType::get({}, IntegerType::get(op.getContext(), 1));
  if (op.getCondition() && op.getCondition().getType() != flag)
    return op.emitOpError() << "expects a condition of type " << flag
                            << ", got " << op.getCondition().getType();
  // C2
  for (Value slice : op.getSlices())
    if (getShape(slice).empty() || getShape(slice)[0] != int64_t(op.getCount()))
      return op.emitOpError() << "expects slices of " << op.getCount()
                              << " steps, got " << slice.getType();
  // C6
  size_t stacked = op.getNumResults() - op.getStates().size();
  if (op.getNumResults() < op.getStates().size() ||
      op.getReversed().size() != op.getSlices().size() + stacked)
    return op.emitOpError()
           << "expects a result for each state and a direction for each slice "
              "and stacked result, got "
           << op.getNumResults() << " results and " << op.getReversed().size()
           << " directions";
  return success();
}

static RankedTensorType dropFirst(Value value) {
  RankedTensorType type = getTensorType(value);
  return RankedTensorType::get(type.getShape().drop_front(),
                               type.getElementType());
}

LogicalResult LoopOp::verify() {
  if (failed(checkOperands(*this)))
    return failure();
  // C3
  Builder builder(getContext());
  SmallVector<Type> arguments{RankedTensorType::get({}, builder.getI64Type())};
  llvm::append_range(arguments, getStates().getTypes());
  for (Value slice : getSlices())
    arguments.push_back(dropFirst(slice));
  llvm::append_range(arguments, getCaptures().getTypes());
  if (failed(checkTypes(*this, arguments, getBlock().getArgumentTypes(),
                         "arguments of the body")))
    return failure();
  // C4
  Operation *end = getBlock().getTerminator();
  SmallVector<Type> yielded;
  if (getCondition())
    yielded.push_back(getCondition().getType());
  llvm::append_range(yielded, getStates().getTypes());
  for (Value stacked : getStacked())
    if (!getShape(stacked).empty())
      yielded.push_back(dropFirst(stacked));
  if (failed(checkTypes(*this, yielded, end->getOperandTypes(),
                         "yielded values")))
    return failure();
  // C5
  if (failed(checkTypes(*this, getStates().getTypes(),
                         getResults().take_front(getStates().size()).getTypes(),
                         "results for the states")))
    return failure();
  if (getCondition() && !getStacked().empty())
    return emitOpError() << "expects no stacked results of a loop with a "
                            "condition, got "
                         << getStacked().size();
  for (Value stacked : getStacked())
    if (getShape(stacked).empty() || getShape(stacked)[0] != int64_t(getCount()))
      return emitOpError() << "expects stacked results of " << getCount()
                           << " steps, got " << stacked.getType();
  return success();
}

//===----------------------------------------------------------------------===//
// Reference semantics
//===----------------------------------------------------------------------===//

/// Position along dimension 0 that a step reads or writes.
static int64_t getPosition(LoopOp loop, int64_t step, bool isReversed) {
  return isReversed ? int64_t(loop.getCount()) - 1 - step : step;
}

static void storeElement(Tensor &stacked, int64_t position,
                         const Tensor &element) {
  std::memcpy(stacked.mutableData() + position * element.numBytes(),
              element.data(), element.numBytes());
}

LogicalResult qg::runLoop(LoopOp loop, ArrayRef<Tensor> operands,
                          SmallVectorImpl<Tensor> &results,
                          BodyRunner runBody) {
  bool isGuarded = bool(loop.getCondition());
  Tensor condition = isGuarded ? operands.front() : Tensor();
  ArrayRef<Tensor> rest = operands.drop_front(isGuarded ? 1 : 0);
  size_t states = loop.getStates().size(), slices = loop.getSlices().size();
  SmallVector<Tensor> current(rest.take_front(states));
  SmallVector<Tensor> stacked;
  for (Value value : loop.getStacked()) {
    std::optional<DType> dtype = getDType(getTensorType(value).getElementType());
    if (!dtype)
      return loop.emitOpError("expects results that have a host form");
    stacked.emplace_back(*dtype, getShape(value));
  }
  for (int64_t step = 0; step < int64_t(loop.getCount()); ++step) {
    if (isGuarded && !condition.getInt(0))
      break;
    Tensor number(DType::i64, {});
    number.setInt(0, step);
    SmallVector<Tensor> arguments{number}, yielded;
    llvm::append_range(arguments, current);
    for (auto [i, slice] : llvm::enumerate(rest.slice(states, slices)))
      arguments.push_back(
          slice.slice(getPosition(loop, step, loop.isSliceReversed(i))));
    llvm::append_range(arguments, rest.drop_front(states + slices));
    if (failed(runBody(arguments, yielded)))
      return failure();
    if (isGuarded)
      condition = yielded.front();
    ArrayRef<Tensor> next = ArrayRef(yielded).drop_front(isGuarded ? 1 : 0);
    current.assign(next.begin(), next.begin() + states);
    for (auto [i, element] : llvm::enumerate(next.drop_front(states)))
      storeElement(stacked[i],
                   getPosition(loop, step, loop.isResultReversed(i)), element);
  }
  llvm::append_range(results, current);
  llvm::append_range(results, stacked);
  return success();
}

LogicalResult LoopOp::evaluate(ArrayRef<Tensor> operands,
                               SmallVectorImpl<Tensor> &results) {
  // Constants are decoded once for all steps.
  llvm::DenseMap<Value, Tensor> constants;
  for (auto constant : getBlock().getOps<ConstantOp>())
    if (std::optional<Tensor> value = matchConstant(constant))
      constants[constant.getResult()] = *value;
  auto runBody = [&](ArrayRef<Tensor> arguments,
                     SmallVectorImpl<Tensor> &yielded) -> LogicalResult {
    llvm::DenseMap<Value, Tensor> values(constants);
    for (auto [argument, tensor] :
         llvm::zip_equal(getBlock().getArguments(), arguments))
      values[argument] = tensor;
    for (Operation &op : getBlock().without_terminator()) {
      if (op.getNumResults() == 1 && constants.contains(op.getResult(0)))
        continue;
      SmallVector<Tensor> inputs, outputs;
      for (Value operand : op.getOperands())
        inputs.push_back(values.lookup(operand));
      auto reference = dyn_cast<ReferenceOpInterface>(op);
      if (!reference || failed(reference.evaluate(inputs, outputs)))
        return op.emitOpError("expects to be evaluated in a loop");
      for (auto [value, tensor] : llvm::zip_equal(op.getResults(), outputs))
        values[value] = tensor;
    }
    for (Value value : getBlock().getTerminator()->getOperands())
      yielded.push_back(values.lookup(value));
    return success();
  };
  return runLoop(*this, operands, results, runBody);
}

//===----------------------------------------------------------------------===//
// Rewriting
//===----------------------------------------------------------------------===//

namespace {
/// What a loop that replaces another has of its parts.
struct LoopParts {
  SmallVector<Value> slices, captures;
  SmallVector<bool> slicesReversed, stackedReversed;
  SmallVector<Type> stackedTypes;

  explicit LoopParts(LoopOp loop)
      : slices(loop.getSlices()), captures(loop.getCaptures()),
        stackedTypes(loop.getStacked().getTypes()) {
    ArrayRef<bool> reversed = loop.getReversed();
    slicesReversed.assign(reversed.begin(), reversed.begin() + slices.size());
    stackedReversed.assign(reversed.begin() + slices.size(), reversed.end());
  }
};
} // namespace

/// A loop of those parts in front of `loop`, with its body.
static LoopOp rebuild(RewriterBase &rewriter, LoopOp loop,
                      const LoopParts &parts) {
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(loop);
  SmallVector<Type> types(loop.getStates().getTypes());
  llvm::append_range(types, parts.stackedTypes);
  SmallVector<bool> reversed(parts.slicesReversed);
  llvm::append_range(reversed, parts.stackedReversed);
  auto result = LoopOp::create(rewriter, loop.getLoc(), types, loop.getCount(),
                               loop.getCondition(), loop.getStates(),
                               parts.slices, parts.captures, reversed);
  rewriter.inlineRegionBefore(loop.getBody(), result.getBody(),
                              result.getBody().end());
  return result;
}

LoopOp qg::stackAlso(RewriterBase &rewriter, LoopOp loop,
                     ArrayRef<Value> values) {
  LoopParts parts(loop);
  for (Value value : values) {
    Shape shape(getShape(value));
    shape.insert(shape.begin(), loop.getCount());
    parts.stackedTypes.push_back(
        RankedTensorType::get(shape, getTensorType(value).getElementType()));
    parts.stackedReversed.push_back(false);
  }
  Operation *end = loop.getBlock().getTerminator();
  rewriter.modifyOpInPlace(
      end, [&] { end->insertOperands(end->getNumOperands(), values); });
  LoopOp result = rebuild(rewriter, loop, parts);
  rewriter.replaceOp(loop,
                     result.getResults().take_front(loop.getNumResults()));
  return result;
}

/// A constant is part of the body: there, weights are recognized and packed.
static bool sinkConstants(LoopOp loop, PatternRewriter &rewriter) {
  bool isChanged = false;
  for (auto [capture, argument] :
       llvm::zip_equal(loop.getCaptures(), loop.getCaptureArguments())) {
    auto constant = capture.getDefiningOp<ConstantOp>();
    if (!constant || argument.use_empty())
      continue;
    OpBuilder::InsertionGuard guard(rewriter);
    rewriter.setInsertionPointToStart(&loop.getBlock());
    Operation *copy = rewriter.clone(*constant);
    rewriter.replaceAllUsesWith(argument, copy->getResult(0));
    isChanged = true;
  }
  return isChanged;
}

/// Slices and captures that the body does not read and stacked results that
/// nobody reads are left out.
LogicalResult LoopOp::canonicalize(LoopOp op, PatternRewriter &rewriter) {
  bool isChanged = sinkConstants(op, rewriter);
  LoopParts all(op), kept(op);
  kept.slices.clear();
  kept.captures.clear();
  kept.slicesReversed.clear();
  kept.stackedReversed.clear();
  kept.stackedTypes.clear();
  llvm::BitVector deadArguments(op.getBlock().getNumArguments());
  for (auto [i, argument] : llvm::enumerate(op.getSliceArguments())) {
    if (argument.use_empty()) {
      deadArguments.set(argument.getArgNumber());
      continue;
    }
    kept.slices.push_back(all.slices[i]);
    kept.slicesReversed.push_back(all.slicesReversed[i]);
  }
  for (auto [i, argument] : llvm::enumerate(op.getCaptureArguments())) {
    if (argument.use_empty())
      deadArguments.set(argument.getArgNumber());
    else
      kept.captures.push_back(all.captures[i]);
  }
  Operation *end = op.getBlock().getTerminator();
  llvm::BitVector deadElements(end->getNumOperands());
  unsigned firstElement = end->getNumOperands() - all.stackedTypes.size();
  SmallVector<Value> live(op.getResults().take_front(op.getStates().size()));
  for (auto [i, result] : llvm::enumerate(op.getStacked())) {
    if (result.use_empty()) {
      deadElements.set(firstElement + i);
      continue;
    }
    live.push_back(result);
    kept.stackedTypes.push_back(result.getType());
    kept.stackedReversed.push_back(all.stackedReversed[i]);
  }
  if (deadArguments.none() && deadElements.none())
    return success(isChanged);
  rewriter.modifyOpInPlace(end, [&] { end->eraseOperands(deadElements); });
  rewriter.modifyOpInPlace(op,
                           [&] { op.getBlock().eraseArguments(deadArguments); });
  LoopOp result = rebuild(rewriter, op, kept);
  for (auto [before, after] : llvm::zip_equal(live, result.getResults()))
    rewriter.replaceAllUsesWith(before, after);
  rewriter.eraseOp(op);
  return success();
}
