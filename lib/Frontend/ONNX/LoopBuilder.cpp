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
#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/SetVector.h"

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
  auto loop =
      qg::LoopOp::create(builder, loc, types, spec.count, spec.condition,
                         spec.states, spec.slices, ValueRange(), reversed);
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

/// Values that failed are no part of a loop.
static bool isComplete(const LoopYield &yield) {
  auto isThere = [](Value value) { return bool(value); };
  return llvm::all_of(yield.states, isThere) &&
         llvm::all_of(yield.stacked, isThere);
}

/// Lists are no results of steps: they have no extent to stack.
static bool areTensors(GraphBuilder &b, ArrayRef<Value> stacked) {
  if (llvm::all_of(stacked, GraphBuilder::isTensor))
    return true;
  b.hasRefusedTypes = true;
  return bool(b.fail("expects tensors as results of steps"));
}

/// One step is no loop.
SmallVector<Value> GraphBuilder::writeOnce(const LoopSpec &spec,
                                           LoopBodyWriter write) {
  SmallVector<Value> arguments{scalar(0, i64())};
  llvm::append_range(arguments, spec.states);
  for (Value slice : spec.slices)
    arguments.push_back(dropDim(slice, 0));
  std::optional<LoopYield> yield = write(arguments);
  if (!yield || !isComplete(*yield) || !areTensors(*this, yield->stacked))
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

static bool isCounted(GraphBuilder &b, qg::LoopOp draft, const LoopYield &yield,
                      const LoopSpec &spec);

/// Results of steps of which data decide how many are taken, one behind the
/// other: tensors with room for all, a row of which each step writes, and the
/// number of steps. They become states, which start as zeros; how many.
static size_t stackInStates(GraphBuilder &b, qg::LoopOp draft, LoopYield &yield,
                            const LoopSpec &spec) {
  // A loop that only its condition ends has no bound. A state is written whole
  // in every step.
  constexpr int64_t kMostSteps = 4096;
  bool isKnown = !spec.condition && !yield.condition;
  auto cannotBeState = [&](Value value) {
    return !b.isTensor(value) || b.isQuantized(value);
  };
  if (yield.stacked.empty() || isKnown || spec.count > kMostSteps ||
      yield.states.size() != spec.states.size() || spec.isReversed ||
      llvm::is_contained(yield.stackedReversed, true) ||
      llvm::any_of(yield.stacked, cannotBeState) ||
      isCounted(b, draft, yield, spec))
    return 0;
  size_t count = 0;
  auto addState = [&](RankedTensorType type) {
    return draft.getBlock().insertArgument(1 + spec.states.size() + count++,
                                           type, b.location());
  };
  for (Value value : yield.stacked) {
    Shape shape(b.shape(value));
    shape.insert(shape.begin(), spec.count);
    Value rows = addState(RankedTensorType::get(shape, b.element(value)));
    Shape row(shape.size(), 1);
    row[0] = spec.count;
    Value positions = b.reshape(
        b.ints(Shape(llvm::to_vector(llvm::seq<int64_t>(0, spec.count)))), row);
    yield.states.push_back(
        b.select(b.compare(ComparePredicate::eq, positions, draft.getStep()),
                 b.expandDim(value, 0), rows));
  }
  addState(RankedTensorType::get({}, b.i64()));
  yield.states.push_back(b.add(draft.getStep(), 1.0));
  yield.stacked.clear();
  return count;
}

SmallVector<Value> GraphBuilder::loop(const LoopSpec &spec,
                                      LoopBodyWriter write) {
  if (!isComplete({{}, spec.states, spec.slices}))
    return {};
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
  size_t stacked = yield && isComplete(*yield)
                       ? stackInStates(*this, draft, *yield, spec)
                       : 0;
  outermostLoop = before;
  builder.setInsertionPoint(draft);
  SmallVector<Value> states(spec.states);
  SmallVector<Value> results;
  bool isWritten = yield && isComplete(*yield);
  if (isWritten)
    for (Value value : ArrayRef(yield->states).take_back(stacked))
      states.push_back(full(shape(value), 0, element(value)));
  if (isWritten && addStates(draft, *yield, states))
    results = closeLoop(draft, *yield,
                        {spec.count, spec.condition, states, spec.slices,
                         spec.isReversed, spec.slicesReversed});
  forget(draft);
  draft->erase();
  if (stacked && !results.empty()) {
    Value length = results.pop_back_val();
    for (Value value : ArrayRef(results).take_back(stacked - 1))
      markCounted(value, {0, length});
  }
  return results;
}

/// Steps that are followed at import to count them.
static constexpr int64_t kMostCounted = int64_t(1) << 16;
/// Ops of which each is evaluated at every one of these steps.
static constexpr size_t kMostCountedOps = 64;

namespace {
/// Follows what a condition is computed from, where that is constants, the
/// number of the step and states that come from these alone: counters.
class StepCounter {
public:
  StepCounter(GraphBuilder &b, qg::LoopOp draft, const LoopYield &yield,
              ArrayRef<Value> starts)
      : b(b), draft(draft), yield(yield), starts(starts) {}

  /// How often the body runs, of at most `bound` times.
  std::optional<int64_t> count(int64_t bound);

private:
  bool collect();
  bool runStep(int64_t step);

  GraphBuilder &b;
  qg::LoopOp draft;
  const LoopYield &yield;
  ArrayRef<Value> starts;
  llvm::SetVector<Operation *> ops;
  llvm::SmallSetVector<unsigned, 4> states;
  llvm::DenseMap<Value, Tensor> values;
};
} // namespace

bool StepCounter::collect() {
  Block &body = draft.getBlock();
  llvm::SetVector<Value> needed;
  needed.insert(yield.condition);
  for (size_t i = 0; i < needed.size(); ++i) {
    Value value = needed[i];
    if (std::optional<Tensor> known = b.constantOf(value)) {
      values[value] = *known;
      continue;
    }
    auto argument = dyn_cast<BlockArgument>(value);
    if (argument && argument.getOwner() == &body) {
      unsigned index = argument.getArgNumber();
      if (index > starts.size())
        return false; // a slice
      if (index > 0 && states.insert(index - 1))
        needed.insert(yield.states[index - 1]);
      continue;
    }
    Operation *op = value.getDefiningOp();
    if (!op || op->getBlock() != &body || op->getNumRegions() ||
        !isa<ReferenceOpInterface>(op))
      return false;
    if (ops.insert(op) && ops.size() > kMostCountedOps)
      return false;
    needed.insert(op->operand_begin(), op->operand_end());
  }
  SmallVector<Operation *> sorted = ops.takeVector();
  llvm::sort(sorted,
             [](Operation *x, Operation *y) { return x->isBeforeInBlock(y); });
  ops.insert(sorted.begin(), sorted.end());
  for (unsigned state : states) {
    std::optional<Tensor> known = b.constantOf(starts[state]);
    if (!known)
      return false;
    values[draft.getBlock().getArgument(1 + state)] = *known;
  }
  return true;
}

bool StepCounter::runStep(int64_t step) {
  Tensor number(DType::i64, {});
  number.setInt(0, step);
  values[draft.getStep()] = number;
  for (Operation *op : ops) {
    SmallVector<Tensor> operands, results;
    for (Value operand : op->getOperands())
      operands.push_back(values.lookup(operand));
    if (failed(cast<ReferenceOpInterface>(op).evaluate(operands, results)))
      return false;
    for (auto [value, tensor] : llvm::zip_equal(op->getResults(), results))
      values[value] = tensor;
  }
  // All at once: a state may become what another was.
  SmallVector<Tensor> next;
  for (unsigned state : states)
    next.push_back(values.lookup(yield.states[state]));
  for (auto [state, tensor] : llvm::zip_equal(states, next))
    values[draft.getBlock().getArgument(1 + state)] = tensor;
  return true;
}

std::optional<int64_t> StepCounter::count(int64_t bound) {
  if (!collect())
    return std::nullopt;
  ScopedDiagnosticHandler quiet(draft.getContext(),
                                [](Diagnostic &) { return success(); });
  for (int64_t step = 0; step < std::min(bound, kMostCounted); ++step) {
    if (!runStep(step))
      return std::nullopt;
    if (!values.lookup(yield.condition).getInt(0))
      return step + 1;
  }
  return bound <= kMostCounted ? std::optional<int64_t>(bound) : std::nullopt;
}

/// Whether constants say how often the body runs.
static bool isCounted(GraphBuilder &b, qg::LoopOp draft, const LoopYield &yield,
                      const LoopSpec &spec) {
  return !spec.condition && yield.condition &&
         StepCounter(b, draft, yield, spec.states).count(spec.count);
}

/// States that every step gives on as they are (weights, where an exporter
/// knows no values from outside) are no states: the body reads their start.
static SmallVector<bool> dropConstantStates(qg::LoopOp draft, LoopYield &yield,
                                            SmallVectorImpl<Value> &states) {
  Block &body = draft.getBlock();
  SmallVector<bool> isKept;
  llvm::BitVector dropped(body.getNumArguments());
  SmallVector<Value> keptStates, keptNext;
  llvm::DenseMap<Value, Value> starts;
  for (auto [i, state] : llvm::enumerate(states)) {
    BlockArgument argument = body.getArgument(1 + i);
    isKept.push_back(yield.states[i] != argument);
    if (isKept.back()) {
      keptStates.push_back(state);
      keptNext.push_back(yield.states[i]);
      continue;
    }
    dropped.set(1 + i);
    starts[argument] = state;
  }
  auto follow = [&](Value &value) {
    if (Value start = starts.lookup(value))
      value = start;
  };
  llvm::for_each(keptNext, follow);
  llvm::for_each(yield.stacked, follow);
  follow(yield.condition);
  for (auto [argument, start] : starts)
    argument.replaceAllUsesWith(start);
  yield.states = keptNext;
  states = keptStates;
  body.eraseArguments(dropped);
  return isKept;
}

/// The loop that a draft becomes, in front of it.
SmallVector<Value> GraphBuilder::closeLoop(Operation *op, LoopYield &yield,
                                           const LoopSpec &spec) {
  auto draft = cast<qg::LoopOp>(op);
  Value condition = spec.condition;
  int64_t steps = spec.count;
  if (yield.condition && !condition)
    if (std::optional<int64_t> counted =
            StepCounter(*this, draft, yield, spec.states).count(steps)) {
      steps = *counted;
      yield.condition = {};
    }
  if ((condition || yield.condition) && !yield.stacked.empty()) {
    hasRefusedTypes = true;
    fail("expects a number of steps that is known at compile time where their "
         "results are stacked; bind what decides it with --const or --shape");
    return {};
  }
  SmallVector<Value> states(spec.states), all = states;
  SmallVector<bool> isKept = dropConstantStates(draft, yield, states);
  if (yield.condition && !condition)
    condition = scalar(1, i1());
  builder.setInsertionPointToEnd(&draft.getBlock());
  SmallVector<Value> values;
  if (condition)
    values.push_back(yield.condition ? yield.condition : scalar(1, i1()));
  llvm::append_range(values, yield.states);
  llvm::append_range(values, yield.stacked);
  qg::YieldOp::create(builder, loc, values);

  SmallVector<Type> types = llvm::to_vector(TypeRange(ValueRange(states)));
  SmallVector<bool> reversed(draft.getReversed());
  // Lists of values have served their purpose.
  for (Operation &op :
       llvm::make_early_inc_range(llvm::reverse(draft.getBlock())))
    if (isa<UnrealizedConversionCastOp>(op) && op.use_empty())
      op.erase();
  if (!areTensors(*this, yield.stacked))
    return {};
  for (auto [i, value] : llvm::enumerate(yield.stacked)) {
    Shape stackedShape(shape(value));
    stackedShape.insert(stackedShape.begin(), steps);
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
  // What the body captures kept its length while it was written.
  for (ValueRange crossing :
       {ValueRange(values), ValueRange(spec.states), ValueRange(spec.slices)})
    if (hasCounted(crossing))
      return {};
  auto loop = qg::LoopOp::create(builder, loc, types, steps, condition, states,
                                 spec.slices, captures, reversed);
  loop.getBody().takeBody(draft.getBody());
  if (failed(verify(loop))) {
    hasRefusedTypes = true;
    forget(loop);
    loop->erase();
    return {};
  }
  SmallVector<Value> results;
  auto next = loop.getResults().begin();
  for (auto [start, isOwn] : llvm::zip_equal(all, isKept))
    results.push_back(isOwn ? Value(*next++) : start);
  results.append(next, loop.getResults().end());
  return results;
}
