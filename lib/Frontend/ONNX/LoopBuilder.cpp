//===- LoopBuilder.cpp - Loops of the importer ----------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Bodies are written as if they saw everything around them, as ONNX's do. Then
// what they read from outside becomes a constant of their own, or a capture.
//===----------------------------------------------------------------------===//
#include "qopt/Dialect/QG/IR/QGControl.h"
#include "qopt/Frontend/ONNX/GraphBuilder.h"

#include "mlir/IR/Verifier.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

void GraphBuilder::forget(Operation *op) {
  op->walk([&](qg::ConstantOp constant) { constants.erase(constant); });
}

void GraphBuilder::outsideOfLoops(llvm::function_ref<void()> write) {
  OpBuilder::InsertionGuard guard(builder);
  if (outermostLoop)
    builder.setInsertionPoint(outermostLoop);
  write();
}

/// A loop without captures and stacked results, with the arguments of a body.
static qg::LoopOp openLoop(OpBuilder &builder, Location loc,
                           const LoopSpec &spec) {
  SmallVector<bool> reversed(spec.slices.size(), spec.isReversed);
  SmallVector<Type> types = llvm::to_vector(TypeRange(ValueRange(spec.states)));
  auto loop = qg::LoopOp::create(builder, loc, types, spec.count,
                                 spec.condition, spec.states, spec.slices,
                                 ValueRange(), reversed);
  for (auto [slice, isReversed] : llvm::zip(spec.slicesReversed, reversed))
    isReversed = slice;
  loop.setReversed(reversed);
  Block &body = loop.getBody().emplaceBlock();
  body.addArgument(RankedTensorType::get({}, builder.getI64Type()), loc);
  for (Value state : spec.states)
    body.addArgument(state.getType(), loc);
  for (Value slice : spec.slices) {
    RankedTensorType type = getTensorType(slice);
    body.addArgument(RankedTensorType::get(type.getShape().drop_front(),
                                           type.getElementType()),
                     loc);
  }
  return loop;
}

/// Values from outside that the body of `loop` reads: constants are repeated in
/// it, the others become arguments; the values that those stand for.
SmallVector<Value> GraphBuilder::isolate(Operation *op) {
  auto loop = cast<qg::LoopOp>(op);
  llvm::SetVector<Value> outside;
  getUsedValuesDefinedAbove(loop.getBody(), outside);
  SmallVector<Value> captures;
  OpBuilder::InsertionGuard guard(builder);
  Location own = loc;
  for (Value value : outside) {
    Value inside;
    if (std::optional<Tensor> known = constantOf(value)) {
      builder.setInsertionPointToStart(&loop.getBlock());
      loc = value.getLoc();
      inside = constant(*known, type(value));
    } else {
      inside = loop.getBlock().addArgument(value.getType(), value.getLoc());
      captures.push_back(value);
    }
    if (const ElementKind *kind = packedKindOf(value))
      markPacked(inside, ElementKind(*kind));
    replaceAllUsesInRegionWith(value, inside, loop.getBody());
  }
  loc = own;
  return captures;
}

/// One step is no loop.
SmallVector<Value> GraphBuilder::writeOnce(const LoopSpec &spec,
                                           LoopBodyWriter write) {
  SmallVector<Value> arguments{scalar(0, i64())};
  llvm::append_range(arguments, spec.states);
  for (Value slice : spec.slices)
    arguments.push_back(dropDim(slice, 0));
  std::optional<LoopYield> yield = write(arguments);
  if (!yield)
    return {};
  SmallVector<Value> results(yield->states);
  for (Value value : yield->stacked)
    results.push_back(expandDim(value, 0));
  return results;
}

/// States that the body alone knows start as zeros.
bool GraphBuilder::addStates(Operation *op, const LoopYield &yield,
                             SmallVectorImpl<Value> &states) {
  auto loop = cast<qg::LoopOp>(op);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(loop);
  for (Value value : ArrayRef(yield.states).drop_front(states.size())) {
    if (!isTensor(value) || isQuantized(value)) {
      hasRefusedTypes = true;
      return bool(fail("expects branches that give tensors without encodings "
                       "where the condition is not known at compile time"));
    }
    loop.getBlock().insertArgument(1 + states.size(), value.getType(), loc);
    states.push_back(full(shape(value), 0, element(value)));
  }
  return true;
}

SmallVector<Value> GraphBuilder::loop(const LoopSpec &spec,
                                      LoopBodyWriter write) {
  if (spec.count == 1 && !spec.condition)
    return writeOnce(spec, write);
  OpBuilder::InsertionGuard guard(builder);
  qg::LoopOp draft = openLoop(builder, loc, spec);
  Operation *before = outermostLoop;
  if (!outermostLoop)
    outermostLoop = draft;
  Block &body = draft.getBlock();
  builder.setInsertionPointToEnd(&body);
  Location own = loc;
  std::optional<LoopYield> yield = write(body.getArguments());
  loc = own;
  outermostLoop = before;
  builder.setInsertionPoint(draft);
  SmallVector<Value> states(spec.states);
  SmallVector<Value> results;
  if (yield && addStates(draft, *yield, states))
    results = closeLoop(draft, *yield, {spec.count, spec.condition, states,
                                        spec.slices, spec.isReversed,
                                        spec.slicesReversed});
  forget(draft);
  draft->erase();
  return results;
}

/// The loop that a draft becomes, in front of it.
SmallVector<Value> GraphBuilder::closeLoop(Operation *op, LoopYield &yield,
                                           const LoopSpec &spec) {
  auto draft = cast<qg::LoopOp>(op);
  Value condition = spec.condition;
  if (yield.condition && !condition)
    condition = scalar(1, i1());
  builder.setInsertionPointToEnd(&draft.getBlock());
  SmallVector<Value> values;
  if (condition)
    values.push_back(yield.condition ? yield.condition : scalar(1, i1()));
  llvm::append_range(values, yield.states);
  llvm::append_range(values, yield.stacked);
  qg::YieldOp::create(builder, loc, values);

  SmallVector<Type> types = llvm::to_vector(
      TypeRange(ValueRange(ArrayRef<Value>(spec.states))));
  SmallVector<bool> reversed(draft.getReversed());
  // Lists of values have served their purpose.
  for (Operation &op : llvm::make_early_inc_range(
           llvm::reverse(draft.getBlock())))
    if (isa<UnrealizedConversionCastOp>(op) && op.use_empty())
      op.erase();
  for (auto [i, value] : llvm::enumerate(yield.stacked)) {
    if (!isTensor(value)) {
      hasRefusedTypes = true;
      fail("expects tensors as results of steps");
      return {};
    }
    Shape stackedShape(shape(value));
    stackedShape.insert(stackedShape.begin(), spec.count);
    RankedTensorType type = checkedType(stackedShape, element(value));
    if (!type)
      return {};
    types.push_back(type);
    reversed.push_back(i < yield.stackedReversed.size()
                           ? yield.stackedReversed[i]
                           : spec.isReversed);
  }
  SmallVector<Value> captures = isolate(draft);
  builder.setInsertionPoint(draft);
  for (ValueRange crossing :
       {ValueRange(values), ValueRange(spec.states), ValueRange(spec.slices),
        ValueRange(captures)})
    if (hasCounted(crossing))
      return {};
  auto loop =
      qg::LoopOp::create(builder, loc, types, spec.count, condition,
                         spec.states, spec.slices, captures, reversed);
  loop.getBody().takeBody(draft.getBody());
  if (failed(verify(loop))) {
    hasRefusedTypes = true;
    forget(loop);
    loop->erase();
    return {};
  }
  return llvm::to_vector(ValueRange(loop.getResults()));
}
